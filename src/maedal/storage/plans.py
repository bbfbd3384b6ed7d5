"""What we need of any store for the pages about planned charges, in our words; see store.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from maedal.merchants.act import Act
from maedal.schedules.schedule import Schedule


@dataclass(frozen=True, slots=True)
class ActOnSchedule:
    """Do to a planned charge what a person wants, with the act; gives False when it has moved since it was read.

    What is done is the act's kind: hold it, release it, revoke it, or let it wait for `schedule_at`. A claim of it ends
    with each: what a worker has claimed and not begun cannot begin after this was committed.
    """

    schedule: Schedule
    act: Act
    schedule_at: datetime | None = None


class Tab(StrEnum):
    """How a merchant divides what was planned."""

    ALL = "all"
    WAITING = "waiting"  # for its time
    OPEN = "open"  # its payment is running, or its outcome unknown
    PAID = "paid"
    FAILED = "failed"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class PlanWish:
    """Which planned charges are looked for: due in a span, `since` inclusive, `before` not.

    `word` is a part of a merchant_uid, a customer_uid, a name or an imp_uid, however it is capitalised.
    """

    since: datetime
    before: datetime
    tab: Tab = Tab.ALL
    word: str = ""
    held_only: bool = False
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class DayPlan:
    """What falls on one day: how many and how many won, by what became of them; `tries` are those of failed ones."""

    counts: dict[Tab, int]
    amounts: dict[Tab, int]
    held_count: int = 0
    held_amount: int = 0
    try_count: int = 0
    try_amount: int = 0


class PlanReads(Protocol):
    """What is read of planned charges by people."""

    async def plans(self, merchant_id: str, wanted: PlanWish, limit: int, offset: int = 0) -> Sequence[Schedule]:
        """Return planned charges with their payments, by when they were due."""
        ...

    async def plans_named(self, merchant_id: str, merchant_uids: Sequence[str]) -> Sequence[Schedule]:
        """Return the planned charges of these merchant_uids with their payments, in any order."""
        ...

    async def plan_counts(self, merchant_id: str, wanted: PlanWish, count_max: int) -> dict[Tab, int]:
        """Return how many there are for each tab, counted up to a bound; the tab of `wanted` is not looked at."""
        ...

    async def ahead(
        self, merchant_id: str, since: datetime, before: datetime, limit: int, offset: int = 0
    ) -> Sequence[Schedule]:
        """Return what is to be charged in a span: what waits, and the tries of what failed, the soonest first."""
        ...

    async def days_planned(self, merchant_id: str, days: Sequence[tuple[datetime, datetime]]) -> Sequence[DayPlan]:
        """Return what falls on each of these days, in one question to the store."""
        ...

    async def acts_on(self, merchant_id: str, subject: str, count_max: int) -> Sequence[Act]:
        """Return the newest acts about one thing, newest first."""
        ...

    async def acts_under(self, merchant_id: str, act_id: str) -> int:
        """Return how many acts were done under an id that was drawn for several."""
        ...
