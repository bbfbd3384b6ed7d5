"""Connections to PGs: so many of each kind of call, shared among merchants, so that nobody's calls keep others out."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maedal.payments.attempt import Fault
from maedal.pg.driver import CallKind, NoConnectionFree, PgRequest
from maedal.pg.fair_places import PATIENCE_SECONDS, TIMES_THE_PLACES, FairPlaces
from maedal.pg.http import HttpTransport
from tests.support.receiver import receiver

WINDOWS = 560


def a_call(url: str, kind: CallKind, merchant_id: str) -> PgRequest:
    return PgRequest(url, {}, b"{}", 1.0, 20.0, kind=kind, merchant_id=merchant_id)


async def test_windows_of_one_merchant_while_the_pg_is_slow_keep_nobody_from_charging_or_opening_one() -> None:
    with receiver() as pg:
        pg.hanging.add("/ready")
        async with HttpTransport(64) as transport:
            opens = [
                asyncio.create_task(transport.send(a_call(f"{pg.url}/ready", CallKind.PREPARE, "b")))
                for _ in range(WINDOWS)
            ]
            await asyncio.sleep(0.3)
            for kind in CallKind:
                for merchant_id in ("a", "b", "c"):
                    done = kind is not CallKind.PREPARE or merchant_id != "b"
                    if done:
                        assert (await transport.send(a_call(f"{pg.url}/fine", kind, merchant_id))).status == 200
            with pytest.raises(NoConnectionFree):
                await transport.send(a_call(f"{pg.url}/ready", CallKind.PREPARE, "b"))
            assert len(pg.at("/ready")) < 64 * 0.11 + 1
            assert not transport.is_crowded(CallKind.CHARGE, "b")
            for task in opens:
                task.cancel()
            pg.released.set()
            results = await asyncio.gather(*opens, return_exceptions=True)
            faults = {getattr(result, "fault", None) for result in results}
            assert faults <= {Fault.NO_CONNECTION_FREE, None}
            # What was cancelled has given its place back.
            pg.hanging.clear()
            assert (await transport.send(a_call(f"{pg.url}/ready", CallKind.PREPARE, "b"))).status == 200


async def test_charges_of_one_merchant_leave_places_for_those_of_another() -> None:
    places = FairPlaces(40)
    for _ in range(30):
        await places.take("b", 0)
    with pytest.raises(NoConnectionFree):
        await places.take("b", 0)
    for _ in range(7):
        await places.take("a", 0)
    waiting = asyncio.create_task(places.take("b", 5))
    await asyncio.sleep(0)
    for _ in range(6):
        places.leave("b")
    await asyncio.wait_for(waiting, 1)


async def test_a_place_that_becomes_free_goes_to_the_merchants_in_turn() -> None:
    places = FairPlaces(1)
    await places.take("x", 0)
    order: list[str] = []

    async def one(merchant_id: str) -> None:
        await places.take(merchant_id, 5)
        order.append(merchant_id)
        await asyncio.sleep(0)
        places.leave(merchant_id)

    tasks = [asyncio.create_task(one(merchant_id)) for merchant_id in ("b", "c", "a")]
    await asyncio.sleep(0)
    places.leave("x")
    await asyncio.gather(*tasks)
    assert order == ["b", "c", "a"]


async def test_a_burst_waits_its_turn_and_is_crowded_only_when_places_do_not_become_free() -> None:
    places = FairPlaces(4)
    for _ in range(3):
        await places.take("b", 0)
    waiting = [asyncio.create_task(places.take("b", 60)) for _ in range(TIMES_THE_PLACES * 4)]
    await asyncio.sleep(0)
    assert places.is_crowded("b")
    with pytest.raises(NoConnectionFree):
        await places.take("b", 60)
    waiting.pop().cancel()
    await asyncio.sleep(0)
    assert not places.is_crowded("b")
    await asyncio.sleep(PATIENCE_SECONDS)
    assert places.is_crowded("b")
    assert not places.is_crowded("a")
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert not places.is_crowded("b")


@given(st.integers(1, 12), st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 3)), max_size=60))
def test_however_calls_come_end_and_are_given_up_places_are_bounded_and_none_is_lost(
    count: int, acts: list[tuple[str, int]]
) -> None:
    async def run() -> None:
        places, used, tasks = FairPlaces(count), Counter[str](), []
        ended = asyncio.Event()

        async def call(merchant_id: str, turns: int) -> None:
            await places.take(merchant_id, 0.01)
            used[merchant_id] += 1
            assert used.total() <= count
            try:
                for _ in range(turns):
                    await asyncio.sleep(0)
                if turns == 3:
                    await ended.wait()
            finally:
                used[merchant_id] -= 1
                places.leave(merchant_id)

        for number, (merchant_id, turns) in enumerate(acts):
            tasks.append(asyncio.create_task(call(merchant_id, turns)))
            if number % 3 == 0:
                await asyncio.sleep(0)
            if turns == 2:
                tasks[number // 2].cancel()
        await asyncio.sleep(0)
        ended.set()
        for task in tasks:
            with suppress(NoConnectionFree, asyncio.CancelledError):
                await task
        # Every place is there again.
        for number in range(count):
            await places.take(f"merchant {number}", 0)
        with pytest.raises(NoConnectionFree):
            await places.take("one more", 0)

    asyncio.run(run())
