"""What a plan needs next: which occurrence is to be scheduled, which days pass without one, when to look again.

Everything here is a calculation. Whoever carries it out does so in one transaction that is guarded by the plan's
revision, so that doing it twice, or by two workers, schedules nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from maedal.plans.calendar import LAST_DAY, MOVED_DAYS_MAX, IsHoliday, moment
from maedal.plans.plan import Consent, Occurrence, OccurrenceState, PauseReason, Plan, PlanStatus
from maedal.plans.terms import needs_consent_on, terms_on

DAYS_AT_ONCE = 400
"""So many days that are free or skipped are passed in one step at most; the next step goes on."""
LOOK_AGAIN = timedelta(days=3)
"""So long before it is due an occurrence is looked at once more: holidays are announced at short notice."""
LEAD = timedelta(minutes=1)
"""An occurrence whose time was over when its plan was made is charged this much later."""


@dataclass(frozen=True, slots=True)
class Step:
    """A plan as it is after the step, and what happened to its days on the way."""

    plan: Plan
    passed: tuple[Occurrence, ...] = ()
    """Days that are free or were skipped."""
    schedule: Occurrence | None = None
    """What is to be scheduled, in the place of what was scheduled for the same day if that differs."""


def next_step(plan: Plan, now: datetime, consents: Sequence[Consent], is_holiday: IsHoliday) -> Step:
    """Return what is to be done; a step that changes nothing gives the plan as it is, but for `look_at`."""
    if plan.status is PlanStatus.PAUSED and (plan.resumes_on is None or now < moment(plan.resumes_on, time())):
        look_at = None if plan.resumes_on is None else moment(plan.resumes_on, time())
        return Step(replace(plan, look_at=look_at))
    if plan.status is PlanStatus.PAUSED:
        assert plan.resumes_on is not None, "a pause without an end was looked at above"
        plan = resumed(plan, plan.resumes_on, is_holiday)
    if plan.status is PlanStatus.ENDED:
        return Step(replace(plan, look_at=None, needs_consent_on=None))
    passed: list[Occurrence] = []
    for _ in range(DAYS_AT_ONCE):
        plan = _behind_what_was_due(plan, now, consents)
        on = plan.next_on
        if plan.ends_on is not None and on > plan.ends_on:
            ended = replace(plan, status=PlanStatus.ENDED, look_at=None, needs_consent_on=None)
            return Step(ended, tuple(passed))
        if plan.planned is None and (on in plan.skips or (plan.trial_until is not None and on < plan.trial_until)):
            state = OccurrenceState.SKIPPED if on in plan.skips else OccurrenceState.FREE
            passed.append(Occurrence(on, state))
            skips = tuple(day for day in plan.skips if day > on)
            plan = replace(plan, next_on=plan.rule.after(on), skips=skips)
            continue
        plan = replace(plan, needs_consent_on=needs_consent_on(plan, consents))
        return _scheduled(plan, now, consents, is_holiday, tuple(passed))
    return Step(replace(plan, look_at=now), tuple(passed))


def _behind_what_was_due(plan: Plan, now: datetime, consents: Sequence[Consent]) -> Plan:
    """Return the plan with its next day after the one that was scheduled and has come."""
    planned = plan.planned
    if planned is None or planned.due_at is None or planned.price is None or now < planned.due_at:
        return plan
    # Changes that this day has charged are in effect now; those that still lack a consent wait on.
    agreed = terms_on(plan, planned.on, consents)
    waiting = agreed.waiting if agreed.price == planned.price else plan.changes
    return replace(
        plan,
        price=planned.price,
        changes=waiting,
        charging=True,
        planned=None,
        next_on=plan.rule.after(planned.on),
        skips=tuple(day for day in plan.skips if day > planned.on),
    )


def _scheduled(
    plan: Plan, now: datetime, consents: Sequence[Consent], is_holiday: IsHoliday, passed: tuple[Occurrence, ...]
) -> Step:
    """Return the step that schedules the plan's next day, if nothing is lacking."""
    terms = terms_on(plan, plan.next_on, consents)
    wanted = plan.occurrence(plan.next_on, terms.price, is_holiday)
    assert wanted.due_at is not None, "what is charged has its time"
    if not terms.agreed:
        if now < wanted.due_at:
            return Step(replace(plan, look_at=wanted.due_at), passed)
        paused = replace(plan, status=PlanStatus.PAUSED, pause_reason=PauseReason.CONSENT, look_at=None)
        return Step(paused, passed)
    early = wanted.due_at - LOOK_AGAIN
    look_at = early if early > now else wanted.due_at
    if plan.planned == wanted:
        return Step(replace(plan, look_at=look_at), passed)
    return Step(replace(plan, planned=wanted, look_at=look_at), passed, wanted)


def resumed(plan: Plan, from_on: date, is_holiday: IsHoliday) -> Plan:
    """Return a paused plan going on: its next day is the first that is charged from a day on and was not before."""
    first = plan.next_on if plan.planned is None else plan.rule.after(plan.next_on)
    charged = plan.charging or plan.planned is not None
    next_on = plan.rule.on_or_after(max(first, from_on - timedelta(days=MOVED_DAYS_MAX)))
    while plan.charge_on(next_on, is_holiday) < from_on:
        next_on = plan.rule.after(next_on)
    return replace(
        plan,
        status=PlanStatus.ACTIVE,
        pause_reason=None,
        resumes_on=None,
        planned=None,
        charging=charged,
        price=plan.price if plan.planned is None or plan.planned.price is None else plan.planned.price,
        next_on=next_on,
    )


@dataclass(frozen=True, slots=True)
class Ahead:
    """A day to come, as it looks now; `lacks_consent`: something would take effect that the buyer has not agreed to."""

    occurrence: Occurrence
    lacks_consent: bool = False


def ahead(plan: Plan, count: int, consents: Sequence[Consent], is_holiday: IsHoliday, today: date) -> list[Ahead]:
    """Return the plan's next days: of a paused one those from its resumption, of an ended one none."""
    if plan.status is PlanStatus.PAUSED and plan.resumes_on is not None:
        plan = resumed(plan, max(plan.resumes_on, today), is_holiday)
    if plan.status is not PlanStatus.ACTIVE:
        return []
    found: list[Ahead] = []
    while len(found) < count and plan.next_on <= (plan.ends_on or LAST_DAY):
        on = plan.next_on
        if on in plan.skips:
            found.append(Ahead(Occurrence(on, OccurrenceState.SKIPPED)))
        elif plan.trial_until is not None and on < plan.trial_until:
            found.append(Ahead(Occurrence(on, OccurrenceState.FREE)))
        else:
            terms = terms_on(plan, on, consents)
            found.append(Ahead(plan.occurrence(on, terms.price, is_holiday), terms.lacks_consent))
            if terms.agreed:
                plan = replace(plan, price=terms.price, changes=terms.waiting, charging=True)
        plan = replace(plan, next_on=plan.rule.after(on))
    return found
