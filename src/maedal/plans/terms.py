"""What a day of a plan costs, and whether the buyer has agreed to it.

Since 14 February 2025 the 전자상거래법 and its decree ask for the buyer's consent, within the 30 days before, to a
higher price and to paying after a free trial. Without it the old price stays, and a trial that ends pauses the plan
(docs/decisions/0135-consent-before-it-costs-more.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from maedal.payments.money import Price
from maedal.plans.calendar import LAST_DAY, korean_day
from maedal.plans.plan import AmountChange, Consent, ConsentKind, Plan

CONSENT_DAYS = 30
"""So many days before it takes effect, at most, must the buyer have agreed."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What one day costs; `waiting` are the changes that are left after it, `agreed` says whether it may be charged."""

    price: Price
    waiting: tuple[AmountChange, ...]
    agreed: bool
    lacks_consent: bool


def covers(consent: Consent, kind: ConsentKind, amount: int, on: date) -> bool:
    """Return whether a buyer's consent lets something take effect on a day."""
    agreed_on = korean_day(consent.agreed_at)
    return (
        consent.kind is kind
        and consent.amount >= amount
        and timedelta(0) <= on - agreed_on <= timedelta(days=CONSENT_DAYS)
    )


def has_consent(consents: Sequence[Consent], kind: ConsentKind, price: Price, on: date) -> bool:
    """Return whether one of a buyer's consents does."""
    return any(covers(consent, kind, price.total.amount, on) for consent in consents)


def terms_on(plan: Plan, on: date, consents: Sequence[Consent]) -> Terms:
    """Return what the day costs if it is the plan's next one."""
    price, waiting, lacking = plan.price, list(plan.changes), False
    for number, change in enumerate(plan.changes):
        if change.from_on > on:
            break
        if change.price.total <= price.total or has_consent(consents, ConsentKind.PRICE_RISE, change.price, on):
            price, waiting, lacking = change.price, list(plan.changes[number + 1 :]), False
        else:
            lacking = True
    ends_trial = plan.has_trial and not plan.charging
    agreed = not ends_trial or has_consent(consents, ConsentKind.TRIAL_END, price, on)
    return Terms(price, tuple(waiting), agreed, lacking or not agreed)


def needs_consent_on(plan: Plan, consents: Sequence[Consent]) -> date | None:
    """Return the next day on which something would take effect that the buyer has not agreed to."""
    if plan.has_trial and not plan.charging and plan.trial_until is not None:
        first = plan.rule.on_or_after(max(plan.next_on, plan.trial_until))
        if first <= (plan.ends_on or LAST_DAY) and not terms_on(plan, first, consents).agreed:
            return first
    price = plan.price
    for change in plan.changes:
        on = plan.rule.on_or_after(max(plan.next_on, change.from_on))
        raised = price.total < change.price.total
        comes = on <= (plan.ends_on or LAST_DAY)
        if raised and comes and not has_consent(consents, ConsentKind.PRICE_RISE, change.price, on):
            return on
        price = change.price
    return None
