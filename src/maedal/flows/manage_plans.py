"""Change plans: what the REST API and the console call.

A change is written with what it takes back, guarded by the plan as it was read, and has the plan looked at; then its
next occurrence is scheduled as the worker does it. Whoever dies in between leaves that to the worker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Protocol

from maedal.flows.make_plan import API, START_MAX, check_end, plan_facts
from maedal.flows.merchant_entry import audit_entry_of
from maedal.flows.run_plans import RunPlansStore, bring_on, rule_of, schedule_of
from maedal.flows.services import ServicesWith
from maedal.merchants.audit_entry import NO_REASON, AuditAction, check_who_and_why, what_differs
from maedal.payments.errors import InvalidParameter
from maedal.payments.money import Price
from maedal.plans.calendar import LAST_DAY, korean_day
from maedal.plans.errors import PlanNotChangeable, PlanNotFound
from maedal.plans.plan import (
    CHANGES_MAX,
    SKIPS_MAX,
    AmountChange,
    Consent,
    ConsentKind,
    PauseReason,
    Plan,
    PlanStatus,
    is_plan_uid,
)
from maedal.plans.planning import resumed
from maedal.schedules.schedule import Schedule
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.plans.reads import HasPlans
from maedal.storage.plans.writes import KeepConsent, Put, PutPlan
from maedal.storage.write import Writes

CHANGES_AT_ONCE_MAX = 5
PROOF_MAX = 2_000
KEEPS_CHANGING = "somebody else keeps changing the plan; nothing was changed"


class ManagePlansStore(HasBillingKeys, HasPlans, Writes, Protocol): ...


@dataclass(frozen=True, slots=True)
class PlanChange:
    """What of a plan is to be otherwise; None leaves it, and "" takes an address or data away.

    `buyer` names the fields of the buyer that change; `ends_on` is taken as it is when `sets_end`.
    """

    name: str | None = None
    buyer: Mapping[str, str | None] = field(default_factory=dict)
    not_before: time | None = None
    moves_to_business_day: bool | None = None
    sets_end: bool = False
    ends_on: date | None = None
    notice_url: str | None = None
    custom_data: str | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    """A plan as it is to be; `revoke` takes back what is scheduled for its next day, `must` only if that works.

    `remake` has what is scheduled say what the plan says now.
    """

    after: Plan
    revoke: bool = False
    must: bool = False
    remake: bool = False


async def find_plan(services: ServicesWith[ManagePlansStore], merchant_id: str, plan_uid: str) -> Plan:
    """Return a plan. Raises PlanNotFound."""
    # What cannot be one is not looked for: a database would not take every text.
    plan = await services.store.plans.find(merchant_id, plan_uid) if is_plan_uid(plan_uid) else None
    if plan is None:
        raise PlanNotFound("the merchant has no plan of this plan_uid")
    return plan


async def change_plan(
    services: ServicesWith[ManagePlansStore], merchant_id: str, plan_uid: str, change: PlanChange, *, who: str = API
) -> Plan:
    """Change what a plan is called, for whom, and when on its days it charges, from its next occurrence on.

    Raises PlanNotFound, PlanNotChangeable or InvalidParameter.
    """

    def changed(plan: Plan, now: datetime) -> _Change:
        if change.sets_end:
            check_end(change.ends_on, korean_day(now))
        after = replace(
            plan,
            name=change.name or plan.name,
            buyer=replace(plan.buyer, **change.buyer),
            not_before=change.not_before or plan.not_before,
            moves_to_business_day=(
                plan.moves_to_business_day if change.moves_to_business_day is None else change.moves_to_business_day
            ),
            ends_on=change.ends_on if change.sets_end else plan.ends_on,
            notice_url=plan.notice_url if change.notice_url is None else change.notice_url or None,
            custom_data=plan.custom_data if change.custom_data is None else change.custom_data or None,
        )
        ends_before = after.ends_on is not None and after.ends_on < plan.next_on
        return _Change(after, revoke=ends_before, remake=not ends_before and plan.status is PlanStatus.ACTIVE)

    return await _change(services, merchant_id, plan_uid, AuditAction.CHANGE_PLAN, who, changed)


async def pause_plan(
    services: ServicesWith[ManagePlansStore],
    merchant_id: str,
    plan_uid: str,
    resumes_on: date | None = None,
    *,
    who: str = API,
    reason: str = NO_REASON,
) -> Plan:
    """Charge nothing until the plan is resumed, or until a day; what is scheduled and has not begun is taken back.

    What was charged and failed stays what it is: its tries go on. Raises as `change_plan` does.
    """

    def paused(plan: Plan, now: datetime) -> _Change:
        if resumes_on is not None and not korean_day(now) < resumes_on <= korean_day(now) + START_MAX:
            raise InvalidParameter("resumes_on", "resumes_on must be a day from tomorrow to two years ahead")
        after = replace(plan, status=PlanStatus.PAUSED, pause_reason=PauseReason.ASKED, resumes_on=resumes_on)
        return _Change(after, revoke=True)

    return await _change(services, merchant_id, plan_uid, AuditAction.PAUSE_PLAN, who, paused, reason)


async def resume_plan(
    services: ServicesWith[ManagePlansStore], merchant_id: str, plan_uid: str, *, who: str = API
) -> Plan:
    """Let a paused plan go on with the first day that is charged from today on; those of the pause are not charged."""
    is_holiday = await rule_of(services, merchant_id)

    def going_on(plan: Plan, now: datetime) -> _Change:
        if plan.status is not PlanStatus.PAUSED:
            raise PlanNotChangeable("the plan is not paused")
        return _Change(resumed(plan, korean_day(now), is_holiday))

    return await _change(services, merchant_id, plan_uid, AuditAction.RESUME_PLAN, who, going_on)


async def skip_occurrence(
    services: ServicesWith[ManagePlansStore],
    merchant_id: str,
    plan_uid: str,
    on: date | None = None,
    *,
    who: str = API,
    reason: str = NO_REASON,
) -> Plan:
    """Charge nothing for one day of the plan, the next one unless `on` names it.

    Raises PlanNotChangeable when it is charged already, and otherwise as `change_plan` does.
    """

    def skipping(plan: Plan, _now: datetime) -> _Change:
        day = plan.next_on if on is None else on
        while on is None and day in plan.skips:
            day = plan.rule.after(day)
        if day > (plan.ends_on or LAST_DAY) or not plan.rule.has(day):
            raise InvalidParameter("on", f"the plan does not fall on {day}")
        if day < plan.next_on or day in plan.skips:
            raise PlanNotChangeable(f"{day} is over, or skipped already")
        if len(plan.skips) == SKIPS_MAX:
            raise PlanNotChangeable(f"at most {SKIPS_MAX} days to come may be skipped")
        after = replace(plan, skips=tuple(sorted({*plan.skips, day})))
        return _Change(after, revoke=day == plan.next_on, must=day == plan.next_on)

    return await _change(services, merchant_id, plan_uid, AuditAction.SKIP_OCCURRENCE, who, skipping, reason)


async def change_amount(
    services: ServicesWith[ManagePlansStore],
    merchant_id: str,
    plan_uid: str,
    from_on: date,
    price: Price | None,
    *,
    who: str = API,
    reason: str = NO_REASON,
) -> Plan:
    """Let the plan cost something else from a day on; None takes back what was to change on that day.

    A higher amount is charged only for days within the 30 days after the buyer's consent to it; until then the old one
    stays (`plans/terms.py`). Raises as `change_plan` does.
    """

    def costing(plan: Plan, now: datetime) -> _Change:
        if price is None:
            left = tuple(one for one in plan.changes if one.from_on != from_on)
            if left == plan.changes:
                raise InvalidParameter("from_on", "no change of the amount begins on this day")
            return _Change(replace(plan, changes=left))
        if not korean_day(now) <= from_on <= korean_day(now) + START_MAX:
            raise InvalidParameter("from_on", "from_on must be a day from today to two years ahead")
        others = [one for one in plan.changes if one.from_on != from_on]
        if len(others) == CHANGES_MAX:
            raise PlanNotChangeable(f"at most {CHANGES_MAX} changes of the amount may wait")
        changes = sorted([*others, AmountChange(from_on, price)], key=lambda one: one.from_on)
        return _Change(replace(plan, changes=tuple(changes)))

    return await _change(services, merchant_id, plan_uid, AuditAction.CHANGE_PLAN_AMOUNT, who, costing, reason)


async def end_plan(
    services: ServicesWith[ManagePlansStore],
    merchant_id: str,
    plan_uid: str,
    *,
    who: str = API,
    reason: str = NO_REASON,
) -> Plan:
    """End a plan for good; what is scheduled and has not begun is taken back. Raises as `change_plan` does."""

    def ended(plan: Plan, _now: datetime) -> _Change:
        after = replace(plan, status=PlanStatus.ENDED, pause_reason=None, resumes_on=None, needs_consent_on=None)
        return _Change(after, revoke=True)

    return await _change(services, merchant_id, plan_uid, AuditAction.END_PLAN, who, ended, reason)


async def keep_consent(
    services: ServicesWith[ManagePlansStore],
    merchant_id: str,
    plan_uid: str,
    kind: str,
    amount: int,
    agreed_at: datetime,
    proof: str,
    *,
    who: str = API,
) -> Plan:
    """Keep what the buyer agreed to, and how it is proved; what waited for it takes effect.

    A plan that paused because its trial was over goes on. Raises PlanNotFound or InvalidParameter.
    """
    now = services.clock.now()
    await find_plan(services, merchant_id, plan_uid)
    if kind not in set(ConsentKind):
        raise InvalidParameter("kind", f"kind must be one of {', '.join(ConsentKind)}")
    if agreed_at > now:
        raise InvalidParameter("agreed_at", "agreed_at must not be later than now")
    if not proof.strip() or len(proof) > PROOF_MAX:
        raise InvalidParameter("proof", f"proof must be a text of 1 to {PROOF_MAX} characters")
    consent = Consent(services.ids.row(now), ConsentKind(kind), amount, agreed_at, proof.strip(), who, now)
    facts = ("", f"kind={kind}; amount={amount}; agreed_at={agreed_at:%Y-%m-%dT%H:%M:%SZ}")
    entry = audit_entry_of(services, merchant_id, AuditAction.KEEP_CONSENT, plan_uid, who, facts)
    if not await services.store.write(KeepConsent(merchant_id, plan_uid, consent, entry)):
        raise PlanNotFound("the merchant has no plan of this plan_uid")
    plan = await find_plan(services, merchant_id, plan_uid)
    if plan.status is PlanStatus.PAUSED and plan.pause_reason is PauseReason.CONSENT:
        return await resume_plan(services, merchant_id, plan_uid, who=who)
    return await bring_on(services, plan, await rule_of(services, merchant_id))


async def _change(
    services: ServicesWith[RunPlansStore],
    merchant_id: str,
    plan_uid: str,
    action: AuditAction,
    who: str,
    change: Callable[[Plan, datetime], _Change],
    reason: str = NO_REASON,
) -> Plan:
    """Change a plan as it stands and bring it on; again when somebody else was quicker."""
    check_who_and_why(who, reason)
    is_holiday = await rule_of(services, merchant_id)
    for _ in range(CHANGES_AT_ONCE_MAX):
        now = services.clock.now()
        plan = await find_plan(services, merchant_id, plan_uid)
        if plan.status is PlanStatus.ENDED:
            raise PlanNotChangeable("the plan has ended")
        wanted = change(plan, now)
        after = replace(wanted.after, look_at=now)
        schedule: Schedule | None = None
        revoke = wanted.revoke and plan.planned is not None
        if revoke:
            after = replace(after, planned=None)
        elif wanted.remake and plan.planned is not None and plan.planned.price is not None:
            again = after.occurrence(plan.next_on, plan.planned.price, is_holiday)
            after, schedule, revoke = replace(after, planned=again), schedule_of(after, again, now), True
        facts = what_differs(plan_facts(plan), plan_facts(after))
        entry = replace(audit_entry_of(services, merchant_id, action, plan_uid, who, facts), reason=reason)
        put = await services.store.write(
            PutPlan(
                plan, after, now, (), schedule, revoke=revoke, must_revoke=wanted.must and revoke, audit_entry=entry
            )
        )
        if put is Put.TOO_LATE:
            raise PlanNotChangeable("this day is charged already, or just now")
        if put is Put.DONE:
            changed = await find_plan(services, merchant_id, plan_uid)
            return await bring_on(services, changed, is_holiday)
    raise PlanNotChangeable(KEEPS_CHANGING)
