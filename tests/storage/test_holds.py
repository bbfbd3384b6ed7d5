"""What every store promises of scheduled charges that a person holds, moves or takes back, whichever engine it is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from maedal.merchants.audit_entry import AuditAction, AuditEntry
from maedal.payments.attempt import DeclineReason
from maedal.payments.moves import Event
from maedal.schedules.hold import Hold
from maedal.schedules.recovery import NextTry
from maedal.schedules.schedule import ScheduleStatus
from maedal.storage.invariants.reads import Invariant, OpenWork
from maedal.storage.payments.writes import BegunCharge, FailSchedule, Record, Refusal
from maedal.storage.schedules.reads import ScheduleSearch, ScheduleTab
from maedal.storage.schedules.writes import AddSchedules, ChangeScheduleByHand, RevokeSchedules
from tests.storage.test_schedules import LEASE, add, claim, uids
from tests.storage.test_store import LATER, a_charge, issue_key
from tests.support.builders import MERCHANT, NOW, a_schedule, an_issuing_window, declined

DAY = timedelta(days=1)


def an_audit_entry(kind, schedule, audit_entry_id="a", reason="asked for"):
    return AuditEntry(
        audit_entry_id, MERCHANT, kind, schedule.order.merchant_uid, "Kim", reason, "before", "after", LATER
    )


async def do(store, kind, schedule, audit_entry_id="a", **more):
    return await store.write(ChangeScheduleByHand(schedule, an_audit_entry(kind, schedule, audit_entry_id), **more))


async def read(store, uid="m_1"):
    return await store.schedules.find(MERCHANT, uid)


async def a_failed_one(store, uid="m_1"):
    """A scheduled charge that failed and is to be tried again."""
    await add(store, a_schedule(uid))
    [claimed] = await claim(store)
    begun = await store.write(a_charge(uid, executes=claimed))
    again = NextTry(LATER, DeclineReason.BALANCE)
    await store.write(
        Record(begun.payment, begun.attempt.id, Event.DECLINED, declined(), LATER, "c", "r", next_try=again)
    )
    return await read(store, uid)


async def test_what_is_held_is_claimed_by_nobody_until_it_is_released(store):
    await add(store, a_schedule("m_1"))
    assert await do(store, AuditAction.HOLD_SCHEDULE, await read(store))
    held = await read(store)
    assert (held.status, held.hold) == (ScheduleStatus.SCHEDULED, Hold(LATER, "Kim", "asked for"))
    assert await claim(store, now=LATER + DAY) == []
    await issue_key(store)
    assert await store.write(a_charge("m_1", executes=held)) is Refusal.SCHEDULE_MOVED
    # Nobody misses it: it is neither late work nor a broken rule.
    assert (await store.invariants.open_work(OpenWork.SCHEDULES, LATER + DAY)).count == 0
    assert await store.invariants.violations(Invariant.SCHEDULE_HAS_OWNER, LATER + DAY, 10) == []
    assert not await do(store, AuditAction.HOLD_SCHEDULE, held, "b")
    assert await do(store, AuditAction.RELEASE_SCHEDULE, held, "c")
    assert (await read(store)).hold is None
    assert uids(await claim(store)) == ["m_1"]
    assert [audit_entry.kind for audit_entry in await store.audit.about(MERCHANT, "m_1", 10)] == [
        AuditAction.RELEASE_SCHEDULE,
        AuditAction.HOLD_SCHEDULE,
    ]


@pytest.mark.parametrize("kind", [AuditAction.HOLD_SCHEDULE, AuditAction.REVOKE_SCHEDULE, AuditAction.MOVE_SCHEDULE])
async def test_what_a_worker_has_claimed_cannot_begin_after_a_person_was_there(store, kind):
    await issue_key(store)
    await add(store, a_schedule("m_1"))
    [claimed] = await claim(store)
    assert await do(store, kind, claimed, schedule_at=LATER + DAY)
    assert await store.write(a_charge("m_1", executes=claimed)) is Refusal.SCHEDULE_MOVED
    ready = replace(an_issuing_window("m_1")[0], order=claimed.order)
    assert await store.write(FailSchedule(claimed, ready, "c", "r", LATER)) is False


async def test_of_a_hold_and_a_charge_that_begin_at_once_exactly_one_wins(store):
    count = 20
    for n in range(count):
        await issue_key(store, f"c_{n}")
    await add(store, *(a_schedule(f"m_{n}", order={"customer_uid": f"c_{n}"}) for n in range(count)))
    claimed = {s.order.merchant_uid: s for s in await claim(store)}
    writes = [
        write
        for n in range(count)
        for write in (
            a_charge(f"m_{n}", customer_uid=f"c_{n}", executes=claimed[f"m_{n}"]),
            ChangeScheduleByHand(
                claimed[f"m_{n}"], an_audit_entry(AuditAction.HOLD_SCHEDULE, claimed[f"m_{n}"], f"act_{n}")
            ),
        )
    ]
    results = await asyncio.gather(*map(store.write, writes))
    for n in range(count):
        begun, held = results[2 * n], results[2 * n + 1]
        after = await read(store, f"m_{n}")
        assert isinstance(begun, BegunCharge) is not held
        assert (after.hold is not None) is held
        assert (after.status is ScheduleStatus.EXECUTED) is not held


async def test_the_try_of_a_failed_charge_is_held_too(store):
    await issue_key(store)
    failed = await a_failed_one(store)
    assert await do(store, AuditAction.HOLD_SCHEDULE, failed)
    held = await read(store)
    assert await claim(store, now=LATER + DAY) == []
    assert (await store.invariants.open_work(OpenWork.TRIES, LATER + DAY)).count == 0
    assert await store.write(a_charge("m_1", executes=held)) is Refusal.SCHEDULE_MOVED
    # A new plan of the merchant's server does not undo what a person decided.
    await add(store, a_schedule("m_1", LATER))
    assert (await read(store)).hold == held.hold
    assert await claim(store, now=LATER + DAY) == []


async def test_what_is_revoked_is_held_no_more(store):
    await add(store, a_schedule("m_1"), a_schedule("m_2"))
    for uid in ("m_1", "m_2"):
        await do(store, AuditAction.HOLD_SCHEDULE, await read(store, uid), uid)
    await store.write(RevokeSchedules(MERCHANT, ("m_1",), None, LATER))
    assert await do(store, AuditAction.REVOKE_SCHEDULE, await read(store, "m_2"), "r")
    for uid in ("m_1", "m_2"):
        revoked = await read(store, uid)
        assert (revoked.status, revoked.hold, revoked.revoked_at) == (ScheduleStatus.REVOKED, None, LATER)


async def test_the_tries_of_a_failed_charge_are_ended_by_hand(store):
    await issue_key(store)
    failed = await a_failed_one(store)
    assert await do(store, AuditAction.REVOKE_SCHEDULE, failed)
    ended = await read(store)
    assert (ended.status, ended.next_try, ended.imp_uid) == (ScheduleStatus.EXECUTED, None, failed.imp_uid)


async def test_a_moved_charge_waits_for_its_new_time_and_stays_held(store):
    await add(store, a_schedule("m_1"))
    await do(store, AuditAction.HOLD_SCHEDULE, await read(store))
    before = await read(store)
    assert await do(store, AuditAction.MOVE_SCHEDULE, before, "b", schedule_at=LATER + DAY)
    after = await read(store)
    assert (after.schedule_at, after.hold) == (LATER + DAY, before.hold)
    # As it was seen before it moved, nothing is done to it, and nothing kept.
    assert not await do(store, AuditAction.MOVE_SCHEDULE, before, "c", schedule_at=LATER + 2 * DAY)
    assert len(await store.audit.about(MERCHANT, "m_1", 10)) == 2


@pytest.mark.parametrize(
    "change",
    [
        "status = 'executed', executed_at = inserted_at, imp_uid = 'imp_1'", "status = 'revoked', revoked_at = inserted_at",
        "held_by = NULL", "held_reason = NULL", "held_at = NULL",
    ],
)  # fmt: skip
async def test_the_database_itself_executes_nothing_that_is_held(store, change):
    """Also for a process of a release that knows no holds."""
    await add(store, a_schedule("m_1"))
    await do(store, AuditAction.HOLD_SCHEDULE, await read(store))
    with pytest.raises(Exception, match=r"rule|CHECK|constraint"):
        await store.engine.fetch(f"UPDATE schedules SET {change} WHERE merchant_uid = 'm_1'")


async def test_what_lies_ahead_is_told_in_the_order_of_its_time_and_by_day(store):
    await issue_key(store)
    await a_failed_one(store, "tried")
    await add(store, *(a_schedule(f"m_{n}", LATER + n * DAY, order={"amount": 1_000 * (n + 1)}) for n in range(3)))
    await do(store, AuditAction.HOLD_SCHEDULE, await read(store, "m_1"))
    await store.write(RevokeSchedules(MERCHANT, ("m_2",), None, LATER))
    assert uids(await store.schedules.due_between(MERCHANT, NOW, LATER + 5 * DAY, 10)) == ["m_0", "tried", "m_1"]
    assert uids(await store.schedules.due_between(MERCHANT, NOW, LATER + 5 * DAY, 2, 1)) == ["tried", "m_1"]
    assert uids(await store.schedules.due_between(MERCHANT, LATER + LEASE, LATER + 5 * DAY, 10)) == ["m_1"]
    borders = [NOW + n * DAY for n in range(4)]
    today, tomorrow, third = await store.schedules.by_day(MERCHANT, list(pairwise(borders)))
    assert today.counts == {ScheduleTab.WAITING: 1, ScheduleTab.FAILED: 1}
    assert (today.amounts[ScheduleTab.WAITING], today.try_count, today.try_amount) == (1_000, 1, 9_900)
    assert (tomorrow.counts, tomorrow.held_count, tomorrow.held_amount) == ({ScheduleTab.WAITING: 1}, 1, 2_000)
    assert third.counts == {ScheduleTab.REVOKED: 1}


async def test_planned_charges_are_found_by_where_they_stand_and_by_a_part_of_a_name(store):
    await issue_key(store)
    await a_failed_one(store, "tried")
    buyers = {"customer_uid": "Minji_100%"}
    await add(store, a_schedule("Order-A", LATER, order=buyers), a_schedule("order-b", LATER + DAY))
    await store.write(RevokeSchedules(MERCHANT, ("order-b",), None, LATER))
    criteria = ScheduleSearch(NOW, LATER + 5 * DAY)
    counts = await store.schedules.counts(MERCHANT, criteria, 1_000)
    assert counts == {
        ScheduleTab.ALL: 3,
        ScheduleTab.WAITING: 1,
        ScheduleTab.OPEN: 0,
        ScheduleTab.PAID: 0,
        ScheduleTab.FAILED: 1,
        ScheduleTab.REVOKED: 1,
    }
    for tab, found in {
        ScheduleTab.ALL: ["order-b", "Order-A", "tried"],
        ScheduleTab.FAILED: ["tried"],
        ScheduleTab.WAITING: ["Order-A"],
    }.items():
        assert uids(await store.schedules.search(MERCHANT, replace(criteria, tab=tab), 10)) == found
    for word, found in {"ORDER": ["order-b", "Order-A"], "i_100%": ["Order-A"], "i%": [], "I_1": ["Order-A"]}.items():
        assert uids(await store.schedules.search(MERCHANT, replace(criteria, word=word), 10)) == found
    assert [s.order.merchant_uid for s in await store.schedules.by_merchant_uids(MERCHANT, ["tried", "nothing"])] == [
        "tried"
    ]
    assert await store.write(AddSchedules((a_schedule("order-b", LATER),))) == []
