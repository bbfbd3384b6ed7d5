"""What we need of any store for the figures of a merchant.

Figures tell what happened in an hour, not how its payments stand now: a payment is charged in the hour in which it was
paid, and cancelled in the hour in which its cancel was done. So an hour that is over does not change any more, and is
counted once and kept; what came after the last hour that was counted is counted from the rows themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

GONE = "gone"
"""The detail of a key that ended here after it had gone at the PG."""


class FigureKind(StrEnum):
    """What is counted."""

    CHARGED = "charged"  # money was taken; the detail says how it came to that
    CANCELLED = "cancelled"  # money was given back
    FAILED = "failed"  # nothing was taken; the detail is the PG and its code
    RENEWAL_FAILED = "renewal_failed"  # of these, the first tries of scheduled charges
    KEY_ISSUED = "key_issued"
    KEY_ENDED = "key_ended"  # here; the detail says why, or that it had gone before
    KEY_GONE = "key_gone"  # ended at the PG by the buyer, and not here yet


class How(StrEnum):
    """How a payment came to be charged."""

    WINDOW = "window"  # in the buyer's presence
    KEY = "key"  # by the merchant's call
    RENEWED = "renewed"  # as planned, at the first try
    RECOVERED = "recovered"  # as planned, at a later try


@dataclass(frozen=True, slots=True)
class Figure:
    """One sum of a span, in whole won."""

    kind: FigureKind
    detail: str
    count: int
    amount: int


@dataclass(frozen=True, slots=True)
class Month:
    """A month of Seoul: its name, and the moments at which the one before, it and the next begin."""

    name: str
    before: datetime
    since: datetime
    until: datetime


class MonthKind(StrEnum):
    """What is counted of a month. Customers are told apart by customer_uid, and by whether they are one for tests."""

    CHARGED = "charged"  # payments that were paid in it; the detail is the method and the use, as `month_detail` has it
    CANCELLED = "cancelled"  # cancels that were done in it; the detail is that of their payments
    RECOVERED = "recovered"  # scheduled charges that were paid in it after they had failed
    RENEWAL_FAILED = "renewal_failed"  # first tries of scheduled charges that failed in it
    PAYING = "paying"  # customers who were charged with a billing key in it; the detail is the month of their first
    RETURNED = "returned"  # of these, who were not charged in the month before, and have been charged earlier
    CHURNED = "churned"  # customers of the month before who were not charged in it; the detail is a Churn


class Churn(StrEnum):
    """Why a customer of the month before was not charged any more: the first of these that is so."""

    BUYER = "buyer"  # the key was ended at the PG
    FAILURE = "failure"  # a charge of theirs failed in the month, and none was paid
    MERCHANT = "merchant"  # the shop ended the key
    NOTHING = "nothing"  # no charge was made, and the key lives


@dataclass(frozen=True, slots=True)
class MonthFigure:
    """One sum of a month, in whole won: how many payments, cancels or customers, and what they came to.

    The amount of CHURNED is what these customers paid in the month before.
    """

    month: str
    test_mode: bool
    kind: MonthKind
    detail: str
    count: int
    amount: int


def month_detail(method: str | None, use: str | None) -> str:
    """Return the detail of payments by their method and use: `card payment.scheduled`, `- one_time`."""
    return f"{method or '-'} {use or 'one_time'}"


@dataclass(frozen=True, slots=True)
class Upcoming:
    """What is planned on a day."""

    day: date
    count: int
    amount: int


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """How far a new merchant has come."""

    window: bool
    key: bool
    charge: bool
    webhook: bool


class FigureReads(Protocol):
    """What is read of figures. A span begins at its first moment and ends before its last."""

    async def counted_until(self, merchant_id: str) -> datetime | None:
        """Return before which moment every hour is counted."""
        ...

    async def kept(
        self, merchant_id: str, test_mode: bool, since: datetime, before: datetime
    ) -> Sequence[tuple[date, Figure]]:
        """Return the sums of each day in Seoul, over the hours of the span that are counted."""
        ...

    async def fresh(self, merchant_id: str, test_mode: bool, since: datetime, before: datetime) -> Sequence[Figure]:
        """Return the sums of a span, counted from the rows now."""
        ...

    async def living_keys(self, merchant_id: str, test_mode: bool) -> int: ...
    async def unknown_outcomes(self, merchant_id: str, test_mode: bool, count_max: int) -> int: ...
    async def upcoming(
        self, merchant_id: str, test_mode: bool, days: Sequence[tuple[date, datetime, datetime]]
    ) -> Sequence[Upcoming]:
        """Return what is planned in each of a few spans."""
        ...

    async def months(self, merchant_id: str, test_mode: bool, first: str, last: str) -> Sequence[MonthFigure]:
        """Return what was kept of the months from the first to the last, such as 2026-03."""
        ...

    async def months_counted(self, merchant_id: str) -> dict[str, datetime]:
        """Return as of which moment each month that was counted is counted."""
        ...

    async def count_month(self, merchant_id: str, month: Month) -> Sequence[MonthFigure]:
        """Return what a month came to, in both modes, counted from the rows now."""
        ...

    async def first_paid_at(self, merchant_id: str) -> datetime | None:
        """Return when the merchant's first payment was paid."""
        ...

    async def first_steps(self, merchant_id: str) -> FirstSteps: ...


class HasFigures(Protocol):
    @property
    def figures(self) -> FigureReads: ...
