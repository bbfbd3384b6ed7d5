"""Has a store write and read everything about plans, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from maedal.merchants.audit_entry import AuditAction, AuditEntry
from maedal.payments.money import krw
from maedal.plans.calendar import date_rule
from maedal.plans.holiday import OwnHoliday
from maedal.plans.plan import Consent, ConsentKind, Plan, PlanStatus
from maedal.plans.planning import next_step
from maedal.schedules.schedule import Schedule
from maedal.storage.plans.reads import PlanFilter
from maedal.storage.plans.writes import AddPlan, DropHoliday, KeepConsent, Put, PutHoliday, PutPlan
from tests.support.builders import CHANNEL, MERCHANT, NOW


def a_plan(plan_uid: str = "gym", customer_uid: str = "c_plan", **changes) -> Plan:
    rule = date_rule("month", 1, date(2026, 9, 30), 31)
    defaults = {
        "merchant_id": MERCHANT, "plan_uid": plan_uid, "customer_uid": customer_uid, "channel_id": CHANNEL,
        "name": "Monthly plan", "price": krw(9_900), "rule": rule, "next_on": rule.day(0), "created_at": NOW,
        "updated_at": NOW, "moves_to_business_day": True, "look_at": NOW,
    }  # fmt: skip
    return Plan(**defaults | changes)


def an_entry(number: int) -> AuditEntry:
    return AuditEntry(f"plan_act_{number}", MERCHANT, AuditAction.ADD_PLAN, "gym", "Kim", "-", "", "", NOW)


async def use_every_statement_of_plans(store) -> None:
    plan = a_plan()
    assert await store.write(AddPlan(plan, an_entry(1)))
    assert not await store.write(AddPlan(plan, an_entry(2)))
    [due] = await store.plans.due(NOW, 10)
    assert due == plan
    step = next_step(plan, NOW, (), lambda _day: False)
    assert step.schedule is not None
    order = plan.order(step.schedule.on, step.schedule.price)
    schedule = Schedule(MERCHANT, order, CHANNEL, step.schedule.due_at, NOW)
    assert await store.write(PutPlan(plan, step.plan, NOW, schedule=schedule)) is Put.DONE
    assert await store.write(PutPlan(plan, step.plan, NOW, schedule=schedule)) is Put.MOVED
    planned = await store.plans.find(MERCHANT, "gym")
    assert planned == replace(step.plan, revision=2)
    paused = replace(planned, planned=None, needs_consent_on=date(2026, 9, 30))
    assert await store.write(PutPlan(planned, paused, NOW, revoke=True, audit_entry=an_entry(3))) is Put.DONE
    put_back = await store.plans.find(MERCHANT, "gym")
    assert await store.write(PutPlan(put_back, paused, NOW, revoke=True, must_revoke=True)) is Put.DONE
    consent = Consent("consent", ConsentKind.PRICE_RISE, 12_900, NOW, "a mail", "Kim", NOW)
    assert await store.write(KeepConsent(MERCHANT, "gym", consent, an_entry(4)))
    assert list(await store.plans.consents(MERCHANT, "gym", 10)) == [consent]
    holiday = OwnHoliday(date(2026, 9, 30), True, "임시공휴일", "Kim")
    await store.write(PutHoliday(MERCHANT, holiday, NOW, an_entry(5)))
    assert list(await store.plans.holidays(MERCHANT)) == [holiday]
    assert await store.write(DropHoliday(MERCHANT, holiday.on, NOW, an_entry(6)))
    for wanted in (
        PlanFilter(),
        PlanFilter(PlanStatus.ACTIVE),
        PlanFilter(customer_uid="c_plan"),
        PlanFilter(word="GYM"),
        PlanFilter(after=(NOW + timedelta(days=1), "")),
        PlanFilter(PlanStatus.ACTIVE, after=(NOW + timedelta(days=1), ""), word="gym"),
    ):
        assert [one.plan_uid for one in (await store.plans.page(MERCHANT, wanted, 10)).plans] == ["gym"]
    assert len(await store.plans.lacking_consent(MERCHANT, date(2026, 10, 1), None, 10)) == 1
    assert len(await store.plans.occurrences(MERCHANT, "gym", None, 10)) == 1
    await store.plans.keys_without_charge(MERCHANT, "", 10, test_mode=True)
