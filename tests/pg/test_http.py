"""The network to PGs: what proves that nothing was sent, and what is too late."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest

from maedal.pg.driver import AnswerLost, NotSent, PgRequest
from maedal.pg.http import HttpTransport
from tests.support.builders import NOW
from tests.support.clock import HandClock
from tests.support.receiver import Receiver, receiver
from tests.support.world import free_port


@pytest.fixture
def pg() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture
async def transport(clock: HandClock) -> AsyncIterator[HttpTransport]:
    async with HttpTransport(clock=clock) as opened:
        yield opened


def a_request(url: str, seconds: float | None = None) -> PgRequest:
    send_by = None if seconds is None else NOW + timedelta(seconds=seconds)
    return PgRequest(url, {}, b"{}", 2.0, 2.0, send_by)


async def test_a_request_that_is_in_time_leaves(pg: Receiver, transport: HttpTransport) -> None:
    assert (await transport.send(a_request(f"{pg.url}/charge", 30))).status == 200
    assert len(pg.at("/charge")) == 1


async def test_a_request_that_comes_too_late_never_leaves(
    pg: Receiver, transport: HttpTransport, clock: HandClock
) -> None:
    """A process that was frozen before it sent finds the time gone; others have judged meanwhile."""
    clock.add(30)
    with pytest.raises(NotSent):
        await transport.send(a_request(f"{pg.url}/charge", 30))
    assert pg.received == []


async def test_it_is_too_late_on_a_kept_connection_too(
    pg: Receiver, transport: HttpTransport, clock: HandClock
) -> None:
    await transport.send(a_request(f"{pg.url}/charge", 30))
    clock.add(31)
    with pytest.raises(NotSent):
        await transport.send(a_request(f"{pg.url}/charge", 30))
    assert len(pg.at("/charge")) == 1


async def test_what_may_leave_at_any_time_does(pg: Receiver, transport: HttpTransport, clock: HandClock) -> None:
    clock.add(86_400)
    assert (await transport.send(a_request(f"{pg.url}/status"))).status == 200


async def test_nobody_listening_proves_that_nothing_was_sent(transport: HttpTransport) -> None:
    with pytest.raises(NotSent):
        await transport.send(a_request(f"http://127.0.0.1:{free_port()}/charge", 30))


async def test_a_connection_that_breaks_afterwards_proves_nothing(pg: Receiver, transport: HttpTransport) -> None:
    pg.resets.add("/charge")
    with pytest.raises(AnswerLost):
        await transport.send(a_request(f"{pg.url}/charge", 30))
