"""Keep every plan's next occurrence scheduled, once: what the worker does with plans, and every change of them too.

A plan is read, what it needs is calculated (`plans/planning.py`), and all of it is written in one transaction that is
guarded by the plan's revision: the plan, its occurrence and the scheduled charge. Whoever dies before has changed
nothing, and whoever comes second finds another revision. Nothing here calls a PG; the charge is one like any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

import structlog

from maedal.flows.korean_holidays import holiday_rule
from maedal.flows.services import ServicesWith
from maedal.plans.calendar import IsHoliday
from maedal.plans.plan import Consent, Occurrence, Plan, PlanStatus
from maedal.plans.planning import LEAD, Step, next_step
from maedal.schedules.schedule import Schedule
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.errors import StoreError
from maedal.storage.plans.reads import HasPlans
from maedal.storage.plans.writes import Put, PutPlan
from maedal.storage.write import Writes

_log = structlog.get_logger()

AT_ONCE_MAX = 500
TOGETHER = 100
"""So many are written side by side; they share transactions, and charges find room between them."""
STEPS_MAX = 20
"""So many steps of one plan are taken in a row at most: what is left is done at the next turn."""
CONSENTS_MAX = 20
"""The newest ones; an older consent is longer ago than any that counts."""


class RunPlansStore(HasBillingKeys, HasPlans, Writes, Protocol): ...


async def plan_due(services: ServicesWith[RunPlansStore], count_max: int = AT_ONCE_MAX) -> int:
    """Look at the plans whose time it is and schedule what they need; return how many there were.

    One that cannot be done is told in the log and does not keep the others.
    """
    due = await services.store.plans.due(services.clock.now(), count_max)
    rules = {code: await rule_of(services, code) for code in {plan.merchant_id for plan in due}}
    for first in range(0, len(due), TOGETHER):
        together = due[first : first + TOGETHER]
        await asyncio.gather(*(_guarded(services, plan, rules[plan.merchant_id]) for plan in together))
    return len(due)


async def rule_of(services: ServicesWith[RunPlansStore], merchant_id: str) -> IsHoliday:
    """Return which days are holidays for a merchant."""
    return holiday_rule(await services.store.plans.holidays(merchant_id))


async def _guarded(services: ServicesWith[RunPlansStore], plan: Plan, is_holiday: IsHoliday) -> None:
    try:
        await bring_on(services, plan, is_holiday)
    except StoreError as error:  # the database was away, or somebody else was quicker: the next turn goes on
        _log.warning("plan_not_brought_on", merchant=plan.merchant_id, plan=plan.plan_uid, problem=str(error))
    except Exception as error:  # one plan that is wrong must not keep the others
        _log.exception("plan_not_brought_on", merchant=plan.merchant_id, plan=plan.plan_uid, kind=type(error).__name__)


async def bring_on(services: ServicesWith[RunPlansStore], plan: Plan, is_holiday: IsHoliday) -> Plan:
    """Take a plan's steps until it waits; return it as it is then."""
    for _ in range(STEPS_MAX):
        now = services.clock.now()
        consents = await consents_of(services, plan)
        step = next_step(plan, now, consents, is_holiday)
        if step.plan == plan:
            return plan
        put = await services.store.write(await _write_of(services, plan, step, now))
        read = await services.store.plans.find(plan.merchant_id, plan.plan_uid)
        assert read is not None, "no plan is ever removed"
        plan = read
        if put is Put.DONE and (plan.look_at is None or plan.look_at > now):
            return plan
    return plan


async def consents_of(services: ServicesWith[RunPlansStore], plan: Plan) -> Sequence[Consent]:
    """Return what the buyer of a plan agreed to, if that matters to it."""
    if not plan.changes and (not plan.has_trial or plan.charging):
        return ()
    return await services.store.plans.consents(plan.merchant_id, plan.plan_uid, CONSENTS_MAX)


async def _write_of(services: ServicesWith[RunPlansStore], plan: Plan, step: Step, now: datetime) -> PutPlan:
    if step.schedule is None:
        return PutPlan(plan, step.plan, now, step.passed)
    key = await services.store.billing_keys.find(plan.merchant_id, plan.customer_uid)
    after = step.plan if key is None else replace(step.plan, channel_id=key.channel_id)
    schedule = schedule_of(after, step.schedule, now)
    # What is scheduled already for this very day, with another time or amount, makes place. What was scheduled for the
    # day before stays, whether it was charged by now or waits.
    replaces = plan.planned is not None and plan.planned.on == step.schedule.on
    return PutPlan(plan, after, now, step.passed, schedule, revoke=replaces)


def schedule_of(plan: Plan, occurrence: Occurrence, now: datetime) -> Schedule:
    """Return the scheduled charge of an occurrence, due at its time even if that is over.

    Then it is late, and begun only when the PG says that the key was not charged since (docs/decisions/0024): an older
    copy of the database that was restored plans months that were charged. What was over when the plan was made is due a
    minute after that.
    """
    assert occurrence.due_at is not None, "what is scheduled has its time"
    assert occurrence.price is not None, "and its price"
    assert plan.status is PlanStatus.ACTIVE, "only an active plan schedules anything"
    order = plan.order(occurrence.on, occurrence.price)
    due_at = occurrence.due_at if occurrence.due_at >= plan.created_at else plan.created_at + LEAD
    return Schedule(plan.merchant_id, order, plan.channel_id, due_at, now)
