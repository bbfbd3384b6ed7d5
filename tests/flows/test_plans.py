"""Plans: their next occurrence is always scheduled, once, and what changes them changes it."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, time, timedelta

import pytest

from maedal.billing_keys.errors import BillingKeyNotFound
from maedal.flows.make_plan import NewPlan, create_plan
from maedal.flows.manage_plans import (
    PlanChange,
    change_amount,
    change_plan,
    end_plan,
    keep_consent,
    pause_plan,
    resume_plan,
    skip_occurrence,
)
from maedal.flows.run_plans import plan_due
from maedal.flows.run_schedule import claim_due, run_schedule
from maedal.flows.schedule_charges import unschedule
from maedal.flows.set_holidays import drop_holiday, set_holiday
from maedal.merchants.audit_entry import AuditAction, AuditEntry
from maedal.payments.errors import InvalidParameter
from maedal.payments.money import krw
from maedal.plans.calendar import KST, date_rule
from maedal.plans.errors import PlanNotChangeable, PlanNotFound, PlanUidTaken
from maedal.plans.plan import PauseReason, PlanStatus
from maedal.schedules.schedule import ScheduleStatus
from maedal.storage.errors import StoreError
from maedal.storage.plans.writes import PutPlan
from maedal.storage.schedules.writes import AddSchedules, ChangeScheduleByHand
from tests.support.builders import MERCHANT, NOW, a_schedule

PRICE = 9_900


def new_plan(starts_on="2026-09-30", anchor_day=None, unit="month", count=1, **changes):
    rule = date_rule(unit, count, date.fromisoformat(starts_on), anchor_day)
    defaults = {"plan_uid": "gym", "customer_uid": "c_1", "name": "Monthly plan", "price": krw(PRICE), "rule": rule}
    return NewPlan(**defaults | changes)


@pytest.fixture
async def made(flows):
    """Return a function that makes a plan for a customer with a key."""
    await flows.issue_key()

    async def make(*arguments, **changes):
        return await create_plan(flows.services, MERCHANT, new_plan(*arguments, **changes))

    return make


def go_to(flows, day, at=time(9), seconds=1):
    """Move the clock to a moment of a Korean day."""
    there = datetime.combine(date.fromisoformat(day), at, KST) + timedelta(seconds=seconds)
    flows.clock.add((there - flows.clock.now()).total_seconds())


async def work(flows):
    """Do what a worker's turns do: charge what is due, and plan what is next."""
    for _ in range(3):
        await plan_due(flows.services)
        claimed = await claim_due(flows.services, 50)
        await asyncio.gather(*(run_schedule(flows.services, schedule) for schedule in claimed))


async def waiting(flows):
    """Return the scheduled charges that wait: order number, Korean day and hour, amount."""
    rows = await flows.store.engine.fetch(
        "SELECT merchant_uid FROM schedules WHERE status = 'scheduled' ORDER BY schedule_at"
    )
    found = await flows.store.schedules.by_merchant_uids(MERCHANT, [row["merchant_uid"] for row in rows])
    return sorted(
        (s.order.merchant_uid, f"{s.schedule_at.astimezone(KST):%Y-%m-%d %H:%M}", s.order.price.total.amount)
        for s in found
    )


async def charged(flows):
    rows = await flows.store.engine.fetch(
        "SELECT merchant_uid, amount FROM payments WHERE status = 'paid' AND customer_uid = 'c_1' AND key_use <> 'issue' ORDER BY merchant_uid"
    )
    return [(row["merchant_uid"], row["amount"]) for row in rows]


async def find(flows, plan_uid="gym"):
    return await flows.store.plans.find(MERCHANT, plan_uid)


async def days(flows, plan_uid="gym"):
    found = await flows.store.plans.occurrences(MERCHANT, plan_uid, None, 100)
    return [(str(one.on), one.state.value) for one in reversed(found)]


async def test_the_next_occurrence_is_scheduled_and_when_it_was_due_the_one_after(flows, made):
    await made("2026-09-30", 31)
    assert await waiting(flows) == [("gym_20260930", "2026-09-30 09:00", PRICE)]
    go_to(flows, "2026-09-30")
    await work(flows)
    assert await charged(flows) == [("gym_20260930", PRICE)]
    assert await waiting(flows) == [("gym_20261031", "2026-10-31 09:00", PRICE)]
    go_to(flows, "2026-10-31")
    await work(flows)
    assert await waiting(flows) == [("gym_20261130", "2026-11-30 09:00", PRICE)]


async def test_a_plan_needs_a_living_key_and_a_plan_uid_of_its_own(flows, made):
    await made()
    with pytest.raises(PlanUidTaken):
        await made()
    with pytest.raises(BillingKeyNotFound):
        await made(plan_uid="other", customer_uid="nobody")
    with pytest.raises(InvalidParameter, match="plan_uid"):
        await made(plan_uid="with a space")
    with pytest.raises(InvalidParameter, match="starts_on"):
        await made("2026-08-31", plan_uid="late")
    with pytest.raises(PlanNotFound):
        await end_plan(flows.services, MERCHANT, "none")


async def test_one_that_starts_today_after_its_hour_is_charged_at_once(flows, made):
    await made("2026-09-01")
    flows.clock.add(61)
    await work(flows)
    assert await charged(flows) == [("gym_20260901", PRICE)]
    assert [uid for uid, *_ in await waiting(flows)] == ["gym_20261001"]


async def test_what_falls_on_a_holiday_is_moved_and_the_day_after_it_is_not(flows, made):
    # 추석 2026 is Thursday 24 to Saturday 26 September.
    await made("2026-09-24", moves_to_business_day=True, not_before=time(10, 30))
    assert await waiting(flows) == [("gym_20260924", "2026-09-28 10:30", PRICE)]
    go_to(flows, "2026-09-28", time(10, 30))
    await work(flows)
    assert await waiting(flows) == [("gym_20261024", "2026-10-26 10:30", PRICE)]


async def test_a_holiday_that_an_operator_adds_moves_what_is_scheduled_and_back(flows, made):
    await made("2026-09-30", moves_to_business_day=True)
    await set_holiday(flows.services, MERCHANT, date(2026, 9, 30), "임시공휴일", closed=True, who="kim")
    await work(flows)
    assert await waiting(flows) == [("gym_20260930", "2026-10-01 09:00", PRICE)]
    await drop_holiday(flows.services, MERCHANT, date(2026, 9, 30), who="kim")
    await work(flows)
    assert await waiting(flows) == [("gym_20260930", "2026-09-30 09:00", PRICE)]
    with pytest.raises(InvalidParameter):
        await drop_holiday(flows.services, MERCHANT, date(2026, 9, 30), who="kim")


async def test_a_paused_plan_charges_nothing_and_goes_on_without_the_days_it_missed(flows, made):
    await made("2026-09-30", 31)
    paused = await pause_plan(flows.services, MERCHANT, "gym")
    assert (paused.status, paused.pause_reason) == (PlanStatus.PAUSED, PauseReason.ASKED)
    assert await waiting(flows) == []
    go_to(flows, "2026-11-15")
    await work(flows)
    assert await charged(flows) == []
    await resume_plan(flows.services, MERCHANT, "gym")
    assert await waiting(flows) == [("gym_20261130", "2026-11-30 09:00", PRICE)]
    assert await days(flows) == [("2026-09-30", "revoked"), ("2026-11-30", "scheduled")]
    with pytest.raises(PlanNotChangeable):
        await resume_plan(flows.services, MERCHANT, "gym")


async def test_a_pause_with_an_end_ends_by_itself(flows, made):
    await made("2026-09-30", 30)
    await pause_plan(flows.services, MERCHANT, "gym", date(2026, 10, 15))
    go_to(flows, "2026-10-14", time(23, 59))
    await work(flows)
    assert await waiting(flows) == []
    go_to(flows, "2026-10-15", time(0))
    await work(flows)
    assert await waiting(flows) == [("gym_20261030", "2026-10-30 09:00", PRICE)]


async def test_resumed_before_its_day_it_charges_that_day_once(flows, made):
    await made("2026-09-30")
    await pause_plan(flows.services, MERCHANT, "gym")
    await resume_plan(flows.services, MERCHANT, "gym")
    assert await waiting(flows) == [("gym_20260930", "2026-09-30 09:00", PRICE)]
    go_to(flows, "2026-09-30")
    await work(flows)
    await pause_plan(flows.services, MERCHANT, "gym")
    await resume_plan(flows.services, MERCHANT, "gym")
    await work(flows)
    assert await charged(flows) == [("gym_20260930", PRICE)]
    assert [uid for uid, *_ in await waiting(flows)] == ["gym_20261030"]


async def test_a_pause_in_the_moment_of_the_charge_keeps_the_charge_and_no_second_one_comes(flows, made):
    await made("2026-09-30")
    go_to(flows, "2026-09-30")
    [claimed] = await claim_due(flows.services, 10)
    await run_schedule(flows.services, claimed)
    await pause_plan(flows.services, MERCHANT, "gym")
    await resume_plan(flows.services, MERCHANT, "gym")
    await work(flows)
    assert await charged(flows) == [("gym_20260930", PRICE)]
    assert [uid for uid, *_ in await waiting(flows)] == ["gym_20261030"]


async def test_a_day_is_skipped_and_the_next_one_is_charged(flows, made):
    await made("2026-09-30")
    plan = await skip_occurrence(flows.services, MERCHANT, "gym")
    assert str(plan.next_on) == "2026-10-30"
    assert await waiting(flows) == [("gym_20261030", "2026-10-30 09:00", PRICE)]
    await skip_occurrence(flows.services, MERCHANT, "gym", date(2026, 11, 30))
    go_to(flows, "2026-10-30")
    await work(flows)
    assert [uid for uid, *_ in await waiting(flows)] == ["gym_20261230"]
    assert await days(flows) == [
        ("2026-09-30", "skipped"), ("2026-10-30", "scheduled"), ("2026-11-30", "skipped"), ("2026-12-30", "scheduled"),
    ]  # fmt: skip
    with pytest.raises(InvalidParameter, match="does not fall on"):
        await skip_occurrence(flows.services, MERCHANT, "gym", date(2027, 1, 1))
    with pytest.raises(PlanNotChangeable):
        await skip_occurrence(flows.services, MERCHANT, "gym", date(2026, 10, 30))


async def test_a_day_that_is_charged_cannot_be_skipped(flows, made):
    await made("2026-09-30")
    go_to(flows, "2026-09-30")
    [claimed] = await claim_due(flows.services, 10)
    await run_schedule(flows.services, claimed)
    with pytest.raises(PlanNotChangeable, match="charged already"):
        await skip_occurrence(flows.services, MERCHANT, "gym")
    await work(flows)
    assert [uid for uid, *_ in await waiting(flows)] == ["gym_20261030"]


async def test_an_ended_plan_charges_nothing_more_and_changes_no_more(flows, made):
    await made("2026-09-30")
    ended = await end_plan(flows.services, MERCHANT, "gym", reason="moved away")
    assert (ended.status, await waiting(flows)) == (PlanStatus.ENDED, [])
    with pytest.raises(PlanNotChangeable, match="ended"):
        await pause_plan(flows.services, MERCHANT, "gym")


async def test_a_plan_ends_with_its_last_day(flows, made):
    await made("2026-09-30", ends_on=date(2026, 10, 30))
    for day in ("2026-09-30", "2026-10-30"):
        go_to(flows, day)
        await work(flows)
    assert (await find(flows)).status is PlanStatus.ENDED
    assert [uid for uid, _ in await charged(flows)] == ["gym_20260930", "gym_20261030"]
    assert await waiting(flows) == []


async def test_a_lower_amount_is_charged_from_its_day_on(flows, made):
    await made("2026-09-30")
    await change_amount(flows.services, MERCHANT, "gym", date(2026, 10, 1), krw(4_900))
    go_to(flows, "2026-09-30")
    await work(flows)
    assert await charged(flows) == [("gym_20260930", PRICE)]
    assert await waiting(flows) == [("gym_20261030", "2026-10-30 09:00", 4_900)]


async def test_a_higher_amount_waits_for_the_consent_and_then_stays(flows, made):
    await made("2026-09-30")
    plan = await change_amount(flows.services, MERCHANT, "gym", date(2026, 9, 15), krw(12_900))
    assert str(plan.needs_consent_on) == "2026-09-30"
    assert await waiting(flows) == [("gym_20260930", "2026-09-30 09:00", PRICE)]
    go_to(flows, "2026-09-30")
    await work(flows)
    assert await charged(flows) == [("gym_20260930", PRICE)]
    await keep_consent(
        flows.services, MERCHANT, "gym", "price_rise", 12_900, flows.clock.now(), "e-mail of 30 September, clicked"
    )
    assert await waiting(flows) == [("gym_20261030", "2026-10-30 09:00", 12_900)]
    for day in ("2026-10-30", "2026-11-30"):
        go_to(flows, day)
        await work(flows)
    assert await waiting(flows) == [("gym_20261230", "2026-12-30 09:00", 12_900)]
    assert (await find(flows)).needs_consent_on is None


@pytest.mark.parametrize(("agreed", "amount"), [("2026-08-30", PRICE), ("2026-08-31", 12_900)])
async def test_a_consent_counts_for_thirty_days(flows, made, agreed, amount):
    await made("2026-09-30")
    await change_amount(flows.services, MERCHANT, "gym", date(2026, 9, 30), krw(12_900))
    at = datetime.combine(date.fromisoformat(agreed), time(23, 59), KST)
    await keep_consent(flows.services, MERCHANT, "gym", "price_rise", 12_900, at.astimezone(UTC), "signed form")
    assert [row[2] for row in await waiting(flows)] == [amount]


@pytest.mark.parametrize(("kind", "amount"), [("trial_end", 12_900), ("price_rise", 12_000)])
async def test_a_consent_to_something_else_changes_nothing(flows, made, kind, amount):
    await made("2026-09-30")
    await change_amount(flows.services, MERCHANT, "gym", date(2026, 9, 30), krw(12_900))
    await keep_consent(flows.services, MERCHANT, "gym", kind, amount, flows.clock.now(), "signed form")
    assert [row[2] for row in await waiting(flows)] == [PRICE]


async def test_a_trial_that_ends_without_a_consent_pauses_the_plan(flows, made):
    plan = await made("2026-09-10", trial_until=date(2026, 10, 10))
    assert (str(plan.needs_consent_on), await waiting(flows)) == ("2026-10-10", [])
    go_to(flows, "2026-10-10")
    await work(flows)
    plan = await find(flows)
    assert (plan.status, plan.pause_reason, await charged(flows)) == (PlanStatus.PAUSED, PauseReason.CONSENT, [])
    await keep_consent(flows.services, MERCHANT, "gym", "trial_end", PRICE, flows.clock.now(), "ticked in the app")
    flows.clock.add(61)
    await work(flows)
    # The same day: its time is over, so it is charged at once.
    assert await charged(flows) == [("gym_20261010", PRICE)]
    assert await days(flows) == [
        ("2026-09-10", "free"), ("2026-10-10", "scheduled"), ("2026-11-10", "scheduled"),
    ]  # fmt: skip


async def test_a_trial_with_consent_ends_by_itself(flows, made):
    await made("2026-09-10", trial_until=date(2026, 10, 1))
    await keep_consent(flows.services, MERCHANT, "gym", "trial_end", PRICE, flows.clock.now(), "ticked in the app")
    plan = await find(flows)
    # 39 days before it is charged first: that is too early for the law.
    assert (str(plan.needs_consent_on), await waiting(flows)) == ("2026-10-10", [])
    go_to(flows, "2026-09-11")
    await keep_consent(flows.services, MERCHANT, "gym", "trial_end", PRICE, flows.clock.now(), "ticked in the app")
    assert await waiting(flows) == [("gym_20261010", "2026-10-10 09:00", PRICE)]


async def test_another_name_and_hour_are_those_of_the_next_occurrence(flows, made):
    await made("2026-09-30")
    await change_plan(flows.services, MERCHANT, "gym", PlanChange(name="Gold", not_before=time(18)))
    assert await waiting(flows) == [("gym_20260930", "2026-09-30 18:00", PRICE)]
    assert (await flows.store.schedules.find(MERCHANT, "gym_20260930")).order.name == "Gold"


async def test_an_order_number_that_was_used_for_something_else_is_left_alone(flows, made):
    theirs = a_schedule("gym_20260930", datetime(2026, 9, 20, tzinfo=UTC))
    await flows.store.write(AddSchedules((theirs,)))
    await made("2026-09-30")
    assert await days(flows) == [("2026-09-30", "blocked")]
    await end_plan(flows.services, MERCHANT, "gym")
    assert (await flows.store.schedules.find(MERCHANT, "gym_20260930")).status is ScheduleStatus.SCHEDULED


async def test_what_the_merchants_server_takes_back_is_not_scheduled_again(flows, made):
    await made("2026-09-30")
    await unschedule(flows.services, MERCHANT, ["gym_20260930"], None)
    await change_plan(flows.services, MERCHANT, "gym", PlanChange(name="Gold"))
    go_to(flows, "2026-09-30")
    await work(flows)
    assert await charged(flows) == []
    assert [uid for uid, *_ in await waiting(flows)] == ["gym_20261030"]


async def test_an_older_copy_that_was_restored_charges_no_month_that_was_charged(flows, made):
    await made("2026-09-30")
    # Two months later: what was charged meanwhile only the PG knows.
    go_to(flows, "2026-10-30", time(9, 5))
    flows.network.approve_silently()
    go_to(flows, "2026-11-05")
    await work(flows)
    assert await charged(flows) == []
    assert [uid for uid, *_ in await waiting(flows)] == ["gym_20260930", "gym_20261030", "gym_20261130"]


async def test_months_in_which_no_worker_ran_are_charged_one_after_the_other(flows, made):
    await made("2026-09-30")
    go_to(flows, "2026-11-05")
    for _ in range(3):
        await work(flows)
        flows.clock.add(30)
    assert [uid for uid, _ in await charged(flows)] == ["gym_20260930", "gym_20261030"]
    assert [uid for uid, *_ in await waiting(flows)] == ["gym_20261130"]


async def test_what_a_person_holds_is_held_after_every_change_and_let_go_by_none(flows, made):
    await made("2026-09-30", moves_to_business_day=True)
    held = await flows.store.schedules.find(MERCHANT, "gym_20260930")
    entry = AuditEntry("hold", MERCHANT, AuditAction.HOLD_SCHEDULE, "gym_20260930", "kim", "asked", "", "", NOW)
    assert await flows.store.write(ChangeScheduleByHand(held, entry))
    await change_plan(flows.services, MERCHANT, "gym", PlanChange(name="Gold", not_before=time(18)))
    await change_amount(flows.services, MERCHANT, "gym", date(2026, 9, 30), krw(4_900))
    await set_holiday(flows.services, MERCHANT, date(2026, 9, 30), "임시공휴일", closed=True, who="kim")
    await work(flows)
    found = await flows.store.schedules.find(MERCHANT, "gym_20260930")
    assert (found.hold.who, found.order.name, found.order.price.total.amount) == ("kim", "Gold", 4_900)
    assert f"{found.schedule_at.astimezone(KST):%Y-%m-%d %H:%M}" == "2026-10-01 18:00"
    go_to(flows, "2026-10-01", time(18))
    await work(flows)
    assert await charged(flows) == []


async def test_many_workers_and_changes_at_once_schedule_each_day_once(flows, made):
    await made("2026-09-30")
    go_to(flows, "2026-09-30")
    await asyncio.gather(
        *(plan_due(flows.services) for _ in range(8)),
        change_plan(flows.services, MERCHANT, "gym", PlanChange(name="Gold")),
        change_amount(flows.services, MERCHANT, "gym", date(2026, 9, 1), krw(5_000)),
        return_exceptions=True,
    )
    await work(flows)
    flows.clock.add(61)
    await work(flows)
    assert [uid for uid, _ in await charged(flows)] == ["gym_20260930"]
    assert [uid for uid, *_ in await waiting(flows)] == ["gym_20261030"]


async def test_a_write_that_fails_leaves_all_of_it_to_the_next_turn(flows, made, monkeypatch):
    await made("2026-09-30")
    go_to(flows, "2026-09-30")
    await work_until_planned(flows)
    write = type(flows.store).write
    failures = [3]

    async def failing(store, wanted):
        if isinstance(wanted, PutPlan) and failures[0]:
            failures[0] -= 1
            raise StoreError("the database is away")
        return await write(store, wanted)

    monkeypatch.setattr(type(flows.store), "write", failing)
    for _ in range(3):
        assert await plan_due(flows.services) == 1
        assert await waiting(flows) == []
    await work(flows)
    assert [uid for uid, *_ in await waiting(flows)] == ["gym_20261030"]


async def work_until_planned(flows):
    """Charge what is due and plan nothing."""
    for claimed in await claim_due(flows.services, 10):
        await run_schedule(flows.services, claimed)


async def test_keys_without_a_next_charge_are_found(flows, made):
    await made("2026-09-30")
    await flows.issue_key("c_2")
    await flows.issue_key("c_3")
    found = await flows.store.plans.keys_without_charge(MERCHANT, "", 2, test_mode=True)
    assert ([one.customer_uid for one in found.keys], found.go_on) == (["c_2"], "c_2")
    found = await flows.store.plans.keys_without_charge(MERCHANT, "c_2", 2, test_mode=True)
    assert ([one.customer_uid for one in found.keys], found.go_on) == (["c_3"], None)
    await pause_plan(flows.services, MERCHANT, "gym")
    found = await flows.store.plans.keys_without_charge(MERCHANT, "", 10, test_mode=True)
    assert [one.customer_uid for one in found.keys] == ["c_1", "c_2", "c_3"]


async def test_what_lacks_a_consent_is_listed_by_its_day(flows, made):
    await made("2026-09-30", trial_until=date(2026, 10, 1), plan_uid="a")
    await made("2026-09-15", trial_until=date(2026, 9, 20), plan_uid="b")
    found = await flows.store.plans.lacking_consent(MERCHANT, date(2026, 12, 31), None, 10)
    assert [(one.plan_uid, str(one.needs_consent_on)) for one in found] == [("b", "2026-10-15"), ("a", "2026-10-30")]
    found = await flows.store.plans.lacking_consent(MERCHANT, date(2026, 12, 31), (date(2026, 10, 15), "b"), 10)
    assert [one.plan_uid for one in found] == ["a"]
