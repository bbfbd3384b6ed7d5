"""A plan as stored, and what becomes of its occurrences."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum

from maedal.payments.money import Money, Price
from maedal.payments.payment import Buyer, KeyUse, Order
from maedal.plans.calendar import DateRule, IsHoliday, moment, next_business_day

PLAN_UID_MAX = 31
"""With the day of an occurrence it is a merchant_uid, which has 40 characters at most."""
_PLAN_UID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
NOT_BEFORE = time(9)
CHANGES_MAX = 24
SKIPS_MAX = 120


class PlanStatus(StrEnum):
    """Where a plan stands."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class PauseReason(StrEnum):
    """Why a plan is paused."""

    ASKED = "asked"  # by the merchant
    CONSENT = "consent"  # the free trial is over, and the buyer has not agreed to pay


class OccurrenceState(StrEnum):
    """What became of one day of a plan; how its charge ended, the scheduled charge says."""

    SCHEDULED = "scheduled"  # a scheduled charge was made for it
    FREE = "free"  # in the trial
    SKIPPED = "skipped"
    REVOKED = "revoked"  # its scheduled charge was taken back, by a pause or the end of the plan
    BLOCKED = "blocked"  # its merchant_uid had been used for something else: nothing was scheduled


@dataclass(frozen=True, slots=True)
class AmountChange:
    """Another amount, from a day on; a higher one is charged only when the buyer has agreed (`terms.py`)."""

    from_on: date
    price: Price


class ConsentKind(StrEnum):
    """To what a buyer agreed."""

    PRICE_RISE = "price_rise"
    TRIAL_END = "trial_end"


@dataclass(frozen=True, slots=True)
class Consent:
    """A buyer's agreement to be charged up to an amount, and how it is proved. `proof` is the merchant's text."""

    id: str
    kind: ConsentKind
    amount: int
    agreed_at: datetime
    proof: str
    who: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One day of a plan. `charge_on` is another day when it was moved to a business day; nothing is charged if None."""

    on: date
    state: OccurrenceState
    charge_on: date | None = None
    due_at: datetime | None = None
    price: Price | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan. Days are Korean, times aware UTC; `ends_on` is the last day on which it may fall."""

    merchant_id: str
    plan_uid: str
    customer_uid: str
    channel_id: str
    name: str
    price: Price
    rule: DateRule
    next_on: date
    """The day that comes next: scheduled if `planned` says so, or waiting for what it lacks."""
    created_at: datetime
    updated_at: datetime
    buyer: Buyer = field(default_factory=Buyer)
    custom_data: str | None = None
    notice_url: str | None = None
    trial_until: date | None = None
    """Days before this one are free."""
    ends_on: date | None = None
    not_before: time = NOT_BEFORE
    moves_to_business_day: bool = False
    status: PlanStatus = PlanStatus.ACTIVE
    pause_reason: PauseReason | None = None
    resumes_on: date | None = None
    changes: tuple[AmountChange, ...] = ()
    """By their days, the earliest first; those that took effect are gone from it."""
    skips: tuple[date, ...] = ()
    planned: Occurrence | None = None
    """What is scheduled for `next_on`."""
    charging: bool = False
    """Whether an occurrence that is charged has come to its day: then the trial is over."""
    needs_consent_on: date | None = None
    """The next day on which something would take effect that the buyer has not agreed to."""
    look_at: datetime | None = None
    """When a worker must look at it next."""
    revision: int = 1

    @property
    def has_trial(self) -> bool:
        """Whether at least one of its days is free."""
        return self.trial_until is not None and self.rule.day(0) < self.trial_until

    def merchant_uid(self, on: date) -> str:
        """Return the order number of one occurrence."""
        return merchant_uid_of(self.plan_uid, on)

    def order(self, on: date, price: Price) -> Order:
        """Return what is charged for one occurrence."""
        return Order(
            merchant_uid=self.merchant_uid(on),
            name=self.name,
            price=price,
            buyer=self.buyer,
            customer_uid=self.customer_uid,
            key_use=KeyUse.SCHEDULED,
            custom_data=self.custom_data,
            notice_urls=(self.notice_url,) if self.notice_url else (),
        )

    def charge_on(self, on: date, is_holiday: IsHoliday) -> date:
        """Return when an occurrence is charged."""
        return next_business_day(on, is_holiday) if self.moves_to_business_day else on

    def occurrence(self, on: date, price: Price, is_holiday: IsHoliday) -> Occurrence:
        """Return an occurrence that is charged."""
        charge_on = self.charge_on(on, is_holiday)
        due_at = moment(charge_on, self.not_before)
        return Occurrence(on, OccurrenceState.SCHEDULED, charge_on, due_at, price)


def merchant_uid_of(plan_uid: str, on: date) -> str:
    """Return the order number of one occurrence: the plan's own, and its day before it is moved: `gym-7_20280229`."""
    return f"{plan_uid}_{on:%Y%m%d}"


def is_plan_uid(text: str) -> bool:
    """Return whether a plan may be called so."""
    return len(text) <= PLAN_UID_MAX and _PLAN_UID.fullmatch(text) is not None


def won(amount: int, tax_free: int) -> Price:
    """Return a price in won."""
    return Price(Money(amount), Money(tax_free))
