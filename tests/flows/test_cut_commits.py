"""The connection to the database breaks while it commits: whether it did is asked, never guessed."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import pytest

from maedal.flows.approve import approve
from maedal.flows.cancel import CancelRequest, cancel
from maedal.flows.charge import charge
from maedal.flows.record_lost_attempts import record_lost_attempts
from maedal.flows.resolve_unknown import UNCLEAR_AT_MOST, clarify_due
from maedal.payments.moves import Status
from maedal.storage.errors import CommitUnclear
from maedal.storage.payments.reads import Sorting
from tests.flows.conftest import wired
from tests.flows.test_windows import an_open_window
from tests.support.builders import MERCHANT, an_order

COMMIT = b"COMMIT;\0"


class CommitCutter:
    """Stands before PostgreSQL and breaks off the connection at one commit: before it arrives, or before its answer."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self.left: int | None = None
        """How many commits pass until the one that is cut; None: all."""
        self.arrives = False
        self.cuts = 0
        self.stays_away = False
        """Whether nobody gets through after the cut."""

    async def __aenter__(self) -> Self:
        self._writers: set[asyncio.StreamWriter] = set()
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0.05)

    async def _connected(self, near, near_writer) -> None:
        self._writers.add(near_writer)
        if self.cuts and self.stays_away:
            near_writer.transport.abort()
            return
        far, far_writer = await asyncio.open_connection(*self._target)
        self._writers.add(far_writer)
        answers = asyncio.create_task(self._pass_on(far, near_writer))
        try:
            while data := await near.read(1 << 16):
                if data.endswith(COMMIT) and self._is_the_one():
                    answers.cancel()
                    await asyncio.wait([answers])
                    if self.arrives:
                        far_writer.write(data)
                        # The server has committed when it says anything at all.
                        await far.read(1)
                    if self.stays_away:
                        # Nor on a connection that was there before.
                        for writer in self._writers:
                            writer.transport.abort()
                    return
                far_writer.write(data)
                await far_writer.drain()
        except OSError:
            pass
        finally:
            answers.cancel()
            near_writer.transport.abort()
            far_writer.transport.abort()

    def _is_the_one(self) -> bool:
        if self.left is None:
            return False
        self.left -= 1
        if self.left >= 0:
            return False
        self.left = None
        self.cuts += 1
        return True

    @staticmethod
    async def _pass_on(reader, writer) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        writer.close()


@pytest.fixture
def postgres_url(all_databases):
    return all_databases.url("postgresql")


@pytest.fixture
async def cutter(postgres_url):
    parts = urlsplit(postgres_url)
    async with CommitCutter(parts.hostname, parts.port) as cutter:
        place = f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{cutter.port}"
        cutter.url = urlunsplit(parts._replace(netloc=place))
        yield cutter


@pytest.fixture
async def flows(cutter, tmp_path):
    async with wired(cutter.url, tmp_path) as flows:
        yield flows


@pytest.mark.parametrize("arrives", [False, True], ids=["never arrived", "was made"])
@pytest.mark.parametrize("number", [0, 1], ids=["intent", "outcome"])
async def test_a_charge_whose_commit_is_cut_is_made_once_and_answered(flows, cutter, arrives, number):
    await flows.issue_key()
    cutter.left, cutter.arrives = number, arrives
    payment = await charge(flows.services, MERCHANT, an_order("m_1"))
    assert cutter.cuts == 1
    assert payment.status is Status.PAID
    assert flows.network.count("subscription") == 1
    assert await flows.store.payments.find(MERCHANT, payment.imp_uid) == payment
    rows = await flows.store.engine.fetch("SELECT outcome FROM attempts WHERE verb = 'charge'")
    assert [row["outcome"] for row in rows] == ["approved"]


@pytest.mark.parametrize("arrives", [False, True], ids=["never arrived", "was made"])
@pytest.mark.parametrize("number", [0, 1], ids=["intent", "outcome"])
async def test_a_cancel_whose_commit_is_cut_is_made_once_and_answered(flows, cutter, arrives, number):
    await flows.issue_key()
    payment = await charge(flows.services, MERCHANT, an_order("m_1"))
    cutter.left, cutter.arrives = number, arrives
    payment = await cancel(flows.services, MERCHANT, CancelRequest(payment.imp_uid, None, amount=10))
    assert cutter.cuts == 1
    assert payment.cancelled_amount == 10
    assert flows.network.count("cancel") == 1
    rows = await flows.store.engine.fetch("SELECT outcome FROM attempts WHERE verb = 'cancel'")
    assert [row["outcome"] for row in rows] == ["approved"]


@pytest.mark.parametrize("arrives", [False, True], ids=["never arrived", "was made"])
@pytest.mark.parametrize("number", [0, 1], ids=["intent", "outcome"])
async def test_an_approval_whose_commit_is_cut_issues_one_key(flows, cutter, arrives, number):
    payment = await an_open_window(flows)
    window = await flows.store.windows.find(MERCHANT, payment.imp_uid)
    cutter.left, cutter.arrives = number, arrives
    payment = await approve(flows.services, payment, window, "token")
    assert cutter.cuts == 1
    assert payment.status is Status.PAID
    assert flows.network.count("approve") == 1
    assert await flows.store.billing_keys.find(MERCHANT, "c_1") is not None


async def test_a_charge_is_not_made_while_nobody_can_tell_whether_it_was_begun(flows, cutter):
    await flows.issue_key()
    cutter.left, cutter.arrives, cutter.stays_away = 0, True, True
    with pytest.raises(CommitUnclear):
        await charge(flows.services, MERCHANT, an_order("m_1"))
    assert flows.network.count("subscription") == 0
    cutter.stays_away = False
    # What was begun belongs to nobody now, and comes to its end like any other.
    flows.clock.add(120)
    await record_lost_attempts(flows.services)
    flows.clock.add(UNCLEAR_AT_MOST.total_seconds() + 1)
    await clarify_due(flows.services, 10)
    found = await flows.store.payments.find_by_merchant_uid(MERCHANT, "m_1", list(Status), Sorting.STARTED_NEWEST)
    assert found.status is Status.FAILED
    assert flows.network.count("subscription") == 0
