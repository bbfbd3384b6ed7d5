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

    async def first_steps(self, merchant_id: str) -> FirstSteps: ...


class HasFigures(Protocol):
    @property
    def figures(self) -> FigureReads: ...
