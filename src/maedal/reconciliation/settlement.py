"""The PG's file of a day: everything it took and gave back on that day, told after the day is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum

from maedal.payments.attempt import Method

SEOUL = timezone(timedelta(hours=9))
"""Korea has had no other offset since 1988; PGs' days begin at its midnight."""
A_DAY = timedelta(days=1)


class Action(StrEnum):
    """What a row of the file is about."""

    PAYMENT = "payment"  # money was taken, with the buyer present or by a billing key
    CANCEL = "cancel"  # money was given back
    ISSUE = "issue"  # a billing key was issued, and no money taken


@dataclass(frozen=True, slots=True)
class SettlementRow:
    """One action. `order_id` is what the PG was given as our order number; a cancel has that of its payment."""

    pg_merchant_id: str
    order_id: str
    pg_tid: str
    pg_aid: str
    """The PG's id of this one action."""
    action: Action
    amount: int
    """Whole won, never negative."""
    method: Method | None
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class SettlementDay:
    """A file that was read whole and agrees with its own sums. It may hold rows of several contracts."""

    day: date
    created_at: datetime | None
    """When the PG wrote it; None when that is not told in a form that we know."""
    rows: tuple[SettlementRow, ...] = field(repr=False)

    @property
    def whole(self) -> bool:
        """Whether what is missing in it did not happen: it was certainly written after its day was over."""
        return self.created_at is not None and self.created_at >= ends_at(self.day)


@dataclass(frozen=True, slots=True)
class NotYet:
    """The PG has no file of that day, not yet or not any more; `reason` is its own text."""

    reason: str


def day_of(moment: datetime) -> date:
    """Return the day in Seoul that a moment falls on."""
    return moment.astimezone(SEOUL).date()


def begins_at(day: date) -> datetime:
    """Return the first moment of a day in Seoul."""
    return datetime(day.year, day.month, day.day, tzinfo=SEOUL)


def ends_at(day: date) -> datetime:
    """Return the first moment after a day in Seoul."""
    return begins_at(day) + A_DAY
