"""What is read of scheduled charges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from maedal.payments.failure_causes import FailedWith
from maedal.schedules.schedule import Schedule, ScheduleStatus


@dataclass(frozen=True, slots=True)
class ScheduleFilter:
    """A page of a merchant's scheduled charges by their time, `since` inclusive, `before` not; `page` counts from 1."""

    since: datetime
    before: datetime
    page: int
    limit: int
    statuses: Sequence[ScheduleStatus] = tuple(ScheduleStatus)
    oldest_first: bool = False
    customer_uid: str | None = None


@dataclass(frozen=True, slots=True)
class SchedulePage:
    """The rows of one page, and how many there are on all pages."""

    total: int
    schedules: Sequence[Schedule]


class ScheduleTab(StrEnum):
    """How a merchant divides what was planned."""

    ALL = "all"
    WAITING = "waiting"  # for its time
    OPEN = "open"  # its payment is running, or its outcome unknown
    PAID = "paid"
    FAILED = "failed"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class ScheduleSearch:
    """Which scheduled charges are looked for: due in a span, `since` inclusive, `before` not.

    `word` is a part of a merchant_uid, a customer_uid, a name or an imp_uid, however it is capitalised.
    """

    since: datetime
    before: datetime
    tab: ScheduleTab = ScheduleTab.ALL
    word: str = ""
    held_only: bool = False
    oldest_first: bool = False
    failed_with: FailedWith | None = None
    test_mode: bool | None = None
    """Of the channel that it is charged through."""


@dataclass(frozen=True, slots=True)
class ScheduleDay:
    """What falls on one day: how many and how many won, by what became of them; `tries` are those of failed ones."""

    counts: dict[ScheduleTab, int]
    amounts: dict[ScheduleTab, int]
    held_count: int = 0
    held_amount: int = 0
    try_count: int = 0
    try_amount: int = 0


class ScheduleReads(Protocol):
    """What is read of scheduled charges."""

    async def find(self, merchant_id: str, merchant_uid: str) -> Schedule | None:
        """Return the scheduled charge of a merchant_uid, with the payment that executed it."""
        ...

    async def page(self, merchant_id: str, wanted: ScheduleFilter) -> SchedulePage: ...
    async def next_tries(self, merchant_id: str, count_max: int) -> Sequence[Schedule]:
        """Return failed charges that will be tried again, the soonest first."""
        ...

    async def after(self, merchant_id: str, merchant_uid: str, count_max: int) -> Sequence[Schedule]:
        """Return a merchant's scheduled charges, with their payments, in the order of their merchant_uids."""
        ...

    async def search(
        self,
        merchant_id: str,
        wanted: ScheduleSearch,
        limit: int,
        offset: int = 0,
        after: tuple[datetime, str] | None = None,
    ) -> Sequence[Schedule]:
        """Return scheduled charges with their payments, by when they were due, after the one of this time and uid."""
        ...

    async def counts(self, merchant_id: str, wanted: ScheduleSearch, count_max: int) -> dict[ScheduleTab, int]:
        """Return how many there are for each tab, counted up to a bound; the tab of `wanted` is not looked at."""
        ...

    async def by_merchant_uids(self, merchant_id: str, merchant_uids: Sequence[str]) -> Sequence[Schedule]:
        """Return the scheduled charges of these merchant_uids with their payments, in any order."""
        ...

    async def due_between(
        self,
        merchant_id: str,
        since: datetime,
        before: datetime,
        limit: int,
        offset: int = 0,
        *,
        test_mode: bool | None = None,
    ) -> Sequence[Schedule]:
        """Return what is to be charged in a span: what waits, and the tries of what failed, the soonest first."""
        ...

    async def by_day(
        self, merchant_id: str, days: Sequence[tuple[datetime, datetime]], test_mode: bool | None = None
    ) -> Sequence[ScheduleDay]:
        """Return what falls on each of these days, in one question to the store."""
        ...

    async def failed_since(
        self, merchant_id: str, since: datetime, count_max: int, test_mode: bool | None = None
    ) -> int:
        """Return how many failed since then for which no later try is planned and none was made, up to a bound."""
        ...

    async def overdue(self, merchant_id: str, before: datetime, count_max: int, test_mode: bool | None = None) -> int:
        """Return how many wait that were due before a moment and that nobody holds, up to a bound."""
        ...

    async def pace_used_until(self) -> datetime | None:
        """Return until when the pace of catching up is used up: when last a charge that had waited was claimed."""
        ...


class HasSchedules(Protocol):
    @property
    def schedules(self) -> ScheduleReads: ...
