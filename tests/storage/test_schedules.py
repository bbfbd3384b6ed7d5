"""What every store promises of scheduled charges, whichever engine it is."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from maedal.payments.failure_causes import FailedWith
from maedal.payments.moves import Event, Status
from maedal.schedules.schedule import ScheduleStatus
from maedal.storage.channels.writes import PutChannel
from maedal.storage.errors import Conflict
from maedal.storage.merchants.writes import AddMerchant
from maedal.storage.payments.writes import BegunCharge, FailSchedule, Record, Refusal
from maedal.storage.schedules.reads import ScheduleFilter, ScheduleSearch, ScheduleTab
from maedal.storage.schedules.writes import AddSchedules, ClaimSchedules, RevokeSchedules, SetScheduleTime
from tests.storage.test_store import LATER, a_charge, issue_key
from tests.support.builders import (
    MERCHANT,
    NOW,
    a_channel,
    a_merchant,
    a_schedule,
    an_api_key,
    an_issuing_window,
    declined,
)

LEASE = timedelta(seconds=60)


async def add(store, *schedules):
    assert await store.write(AddSchedules(schedules)) == []


async def claim(store, lease_id="l", now=LATER, count_max=100, turn=0):
    return await store.write(ClaimSchedules(lease_id, now, now + LEASE, count_max, turn=turn))


def uids(schedules):
    return [s.order.merchant_uid for s in schedules]


async def test_a_planned_charge_is_kept_as_it_was_given(store):
    buyer = {"custom_data": '{"a":1}', "notice_urls": ("http://shop.test/told",), "quantity": 3}
    schedule = a_schedule("m_1", LATER, order=buyer)
    await add(store, schedule)
    assert await store.schedules.find(MERCHANT, "m_1") == schedule
    assert await store.schedules.find(MERCHANT, "m_2") is None
    assert await store.schedules.find("another", "m_1") is None


async def test_planning_is_all_or_nothing(store):
    _, paid = await issue_key(store)
    await add(store, a_schedule("waits"))
    wanted = (a_schedule("fresh"), a_schedule("waits"), a_schedule(paid.order.merchant_uid))
    in_the_way = await store.write(AddSchedules(wanted))
    assert set(in_the_way) == {"waits", paid.order.merchant_uid}
    assert await store.schedules.find(MERCHANT, "fresh") is None


async def test_of_many_that_plan_the_same_at_once_one_wins(store):
    wanted = [(a_schedule(f"own_{n}"), a_schedule("same")) for n in range(20)]
    results = await asyncio.gather(*(store.write(AddSchedules(w)) for w in wanted), return_exceptions=True)
    assert sum(r == [] for r in results) == 1
    assert all(r == ["same"] or isinstance(r, Conflict) for r in results if r != [])
    found = await store.schedules.page(MERCHANT, ScheduleFilter(NOW, LATER, 1, 100))
    assert found.total == 2


async def test_what_is_due_is_claimed_once_and_again_after_a_dead_worker(store):
    await add(store, a_schedule("later", LATER + timedelta(hours=1)), a_schedule("due", NOW))
    assert uids(await claim(store, "dead")) == ["due"]
    assert await claim(store, "b") == []
    after = LATER + LEASE + timedelta(seconds=1)
    [again] = await claim(store, "b", after)
    assert again.lease_id == "b"


async def test_workers_that_claim_at_once_claim_disjoint_charges(store):
    await add(store, *(a_schedule(f"m_{n:03}") for n in range(100)))
    claims = await asyncio.gather(*(claim(store, f"worker_{n}", count_max=20) for n in range(8)))
    claimed = [uid for one in claims for uid in uids(one)]
    assert len(claimed) == len(set(claimed))
    rest = uids(await claim(store, "rest"))
    assert sorted(claimed + rest) == [f"m_{n:03}" for n in range(100)]


async def test_the_longest_due_are_claimed_first(store):
    times = [NOW - timedelta(minutes=n) for n in range(5)]
    await add(store, *(a_schedule(f"m_{n}", at) for n, at in enumerate(times)))
    assert uids(await claim(store, count_max=2)) == ["m_4", "m_3"]


async def add_of(store, merchant, count, at=NOW):
    if merchant != MERCHANT:
        await store.write(AddMerchant(a_merchant(merchant), an_api_key(merchant, f"key of {merchant}")))
        await store.write(PutChannel(a_channel(merchant_id=merchant)))
    await add(store, *(a_schedule(f"{merchant}-{n:03}", at, merchant_id=merchant) for n in range(count)))


def counted(schedules):
    return Counter(s.merchant_id for s in schedules)


async def test_a_merchant_with_very_many_due_leaves_the_others_their_share(store):
    await add_of(store, MERCHANT, 90, NOW - timedelta(hours=1))
    for merchant in ("imp_small", "imp_tiny"):
        await add_of(store, merchant, 10 if merchant == "imp_small" else 1)
    first = await claim(store, "a", count_max=30)
    # What the small ones do not need goes to the one that has more.
    assert counted(first) == {MERCHANT: 19, "imp_small": 10, "imp_tiny": 1}
    assert uids(first)[:19] == [f"{MERCHANT}-{n:03}" for n in range(19)]
    assert counted(await claim(store, "b", count_max=30)) == {MERCHANT: 30}


async def test_merchants_take_turns_where_there_are_more_of_them_than_places(store):
    others = [f"imp_{n}" for n in range(5)]
    for merchant in (MERCHANT, *others):
        await add_of(store, merchant, 20)
    taken = Counter()
    for turn in range(6):
        claimed = await claim(store, f"l{turn}", count_max=2, turn=turn)
        assert len(claimed) == 2
        taken += counted(claimed)
    assert taken == dict.fromkeys((MERCHANT, *others), 2)


async def test_a_charge_and_its_planned_charge_begin_together(store):
    await issue_key(store)
    await add(store, a_schedule("m_1"))
    [claimed] = await claim(store)
    begun = await store.write(a_charge("m_1", executes=claimed))
    assert isinstance(begun, BegunCharge)
    executed = await store.schedules.find(MERCHANT, "m_1")
    assert (executed.status, executed.imp_uid) == (ScheduleStatus.EXECUTED, begun.payment.imp_uid)
    assert (executed.executed_at, executed.lease_id) == (LATER, None)
    assert executed.payment == begun.payment
    assert executed.may_begin_anew() is False


async def test_a_worker_whose_lease_has_passed_on_begins_nothing(store):
    await issue_key(store)
    await add(store, a_schedule("m_1"))
    [dead] = await claim(store, "dead")
    [alive] = await claim(store, "alive", LATER + 2 * LEASE)
    assert await store.write(a_charge("m_1", imp_uid="imps_dead", executes=dead)) is Refusal.SCHEDULE_MOVED
    assert await store.payments.find(MERCHANT, "imps_dead") is None
    assert isinstance(await store.write(a_charge("m_1", imp_uid="imps_alive", executes=alive)), BegunCharge)


async def test_a_refused_one_leaves_its_neighbours_alone(store):
    for n in range(10):
        await issue_key(store, f"c_{n}")
    await add(store, *(a_schedule(f"m_{n}", order={"customer_uid": f"c_{n}"}) for n in range(10)))
    claimed = {s.order.merchant_uid: s for s in await claim(store)}
    await store.write(RevokeSchedules(MERCHANT, ("m_3", "m_7"), None, LATER))
    charges = [a_charge(f"m_{n}", customer_uid=f"c_{n}", executes=claimed[f"m_{n}"]) for n in range(10)]
    results = await asyncio.gather(*map(store.write, charges))
    assert [n for n, r in enumerate(results) if r is Refusal.SCHEDULE_MOVED] == [3, 7]
    assert sum(isinstance(r, BegunCharge) for r in results) == 8


@pytest.mark.parametrize("change", ["revoked", "moved"])
async def test_a_change_takes_a_claim_away(store, change):
    await issue_key(store)
    await add(store, a_schedule("m_1"))
    [claimed] = await claim(store)
    writes = {
        "revoked": RevokeSchedules(MERCHANT, ("m_1",), None, LATER),
        "moved": SetScheduleTime(claimed, LATER + timedelta(days=1)),
    }
    assert await store.write(writes[change])
    assert await store.write(a_charge("m_1", executes=claimed)) is Refusal.SCHEDULE_MOVED
    assert await store.write(FailSchedule(claimed, an_issuing_window("m_1")[0], "c", "r", LATER)) is False


async def test_what_waits_is_revoked_in_the_order_asked_for(store):
    await add(store, *(a_schedule(f"m_{n}", NOW + timedelta(hours=n)) for n in range(4)))
    revoked = await store.write(RevokeSchedules(MERCHANT, ("m_2", "nothing", "m_0", "m_2"), None, LATER))
    assert uids(revoked) == ["m_2", "m_0"]
    assert {(s.status, s.revoked_at) for s in revoked} == {(ScheduleStatus.REVOKED, LATER)}
    assert await store.write(RevokeSchedules(MERCHANT, ("m_2",), None, LATER)) == []
    assert await store.write(RevokeSchedules(MERCHANT, ("m_1",), "another", LATER)) == []
    assert uids(await store.write(RevokeSchedules(MERCHANT, None, "c_1", LATER))) == ["m_1", "m_3"]


async def test_a_revoked_or_failed_one_makes_place_for_a_new_one(store):
    await issue_key(store)
    await add(store, a_schedule("revoked"), a_schedule("failed"))
    await store.write(RevokeSchedules(MERCHANT, ("revoked",), None, LATER))
    [claimed] = await claim(store)
    begun = await store.write(a_charge("failed", executes=claimed))
    assert await store.write(AddSchedules((a_schedule("failed", LATER),))) == ["failed"]
    await store.write(Record(begun.payment, begun.attempt.id, Event.DECLINED, declined(), LATER, "c", "r"))
    fresh = [a_schedule(uid, LATER, order={"amount": 1_234}) for uid in ("revoked", "failed")]
    await add(store, *fresh)
    assert [await store.schedules.find(MERCHANT, uid) for uid in ("revoked", "failed")] == fresh


async def test_a_charge_that_cannot_begin_is_executed_by_a_failed_payment(store):
    await add(store, a_schedule("m_1"))
    [claimed] = await claim(store)
    ready = replace(an_issuing_window()[0], order=claimed.order)
    assert await store.write(FailSchedule(claimed, ready, "BILLING_KEY_NOT_FOUND", "no key", LATER)) is True
    executed = await store.schedules.find(MERCHANT, "m_1")
    assert executed.status is ScheduleStatus.EXECUTED
    assert (executed.payment.status, executed.payment.fail_reason) == (Status.FAILED, "no key")
    assert executed.may_begin_anew() is True
    assert await store.write(FailSchedule(claimed, replace(ready, imp_uid="imps_late"), "c", "r", LATER)) is False
    assert await store.payments.find(MERCHANT, "imps_late") is None
    events = await store.engine.fetch(
        "SELECT event, status FROM payment_events WHERE imp_uid = $1 ORDER BY version", ready.imp_uid
    )
    assert [(e["event"], e["status"]) for e in events] == [("plan", "ready"), ("given_up", "failed")]


async def test_failed_ones_are_found_by_the_pg_and_code_of_their_payment(store):
    await issue_key(store)
    await add(
        store,
        a_schedule("m_balance"),
        a_schedule("m_other", order={"customer_uid": "c_2"}),
        a_schedule("m_later", LATER + LEASE),
    )
    await issue_key(store, "c_2")
    for claimed in await claim(store):
        order = claimed.order
        begun = await store.write(a_charge(order.merchant_uid, executes=claimed, customer_uid=order.customer_uid))
        code = "-782 0174" if claimed.order.merchant_uid == "m_balance" else "-782 4711"
        await store.write(Record(begun.payment, begun.attempt.id, Event.DECLINED, declined(code), LATER, code, "r"))
    for codes, others, expected in (
        (("kakaopay -782 0174",), False, ["m_balance"]),
        (("kakaopay -782 0174",), True, ["m_other"]),
        (("another -782 0174",), False, []),
    ):
        wanted = ScheduleSearch(NOW, LATER + 2 * LEASE, failed_with=FailedWith(codes, others))
        assert uids(await store.schedules.search(MERCHANT, wanted, 10)) == expected
        assert uids(await store.schedules.search(MERCHANT, replace(wanted, tab=ScheduleTab.FAILED), 10)) == expected
        assert (await store.schedules.counts(MERCHANT, wanted, 10))[ScheduleTab.ALL] == len(expected)


async def test_lists_are_by_time_from_inclusive_to_exclusive(store):
    hours = [NOW + timedelta(hours=n) for n in range(6)]
    await add(store, *(a_schedule(f"m_{n}", at, order={"customer_uid": f"c_{n % 2}"}) for n, at in enumerate(hours)))
    await store.write(RevokeSchedules(MERCHANT, ("m_2",), None, LATER))
    criteria = ScheduleFilter(hours[1], hours[4], 1, 2)
    first = await store.schedules.page(MERCHANT, criteria)
    assert (first.total, uids(first.schedules)) == (3, ["m_3", "m_2"])
    assert uids((await store.schedules.page(MERCHANT, replace(criteria, page=2))).schedules) == ["m_1"]
    assert uids((await store.schedules.page(MERCHANT, replace(criteria, oldest_first=True))).schedules) == [
        "m_1",
        "m_2",
    ]
    waiting = replace(criteria, statuses=(ScheduleStatus.SCHEDULED,))
    assert uids((await store.schedules.page(MERCHANT, waiting)).schedules) == ["m_3", "m_1"]
    of_one = replace(criteria, customer_uid="c_1")
    assert uids((await store.schedules.page(MERCHANT, of_one)).schedules) == ["m_3", "m_1"]
    assert (await store.schedules.page("another", criteria)).total == 0


@pytest.mark.parametrize(
    "change",
    [
        "amount = 0", "tax_free = amount + 1", "status = 'gone'", "status = 'executed'", "status = 'revoked'",
        "executed_at = inserted_at", "revoked_at = inserted_at", "lease_id = 'x'", "leased_until = inserted_at",
        "imp_uid = 'imps_nowhere'", "currency = 'USD'", "quantity = 0",
    ],
)  # fmt: skip
async def test_the_database_repeats_the_rules(store, change):
    await add(store, a_schedule("m_1"))
    with pytest.raises(Exception, match=r"rule|CHECK|constraint"):
        await store.engine.fetch(f"UPDATE schedules SET {change} WHERE merchant_uid = $1", "m_1")


async def test_a_planned_charge_never_points_to_a_payment_that_is_not_there(store):
    await add(store, a_schedule("m_1"))
    with pytest.raises(Exception, match=r"rule|FOREIGN KEY"):
        await store.engine.fetch(
            "UPDATE schedules SET status = 'executed', imp_uid = 'imps_nowhere', executed_at = inserted_at"
        )
