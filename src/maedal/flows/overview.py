"""The overview of a merchant: what today and the last 30 days came to, and what is to come."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum
from typing import Protocol

from maedal.billing_keys.billing_key import KeyEnd
from maedal.billing_keys.errors import BillingKeyNotFound
from maedal.flows.end_window import CANCELLED, EXPIRED
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.payments.attempt import DeclineReason
from maedal.storage.figures.reads import GONE, Figure, FigureKind, FirstSteps, HasFigures, How, Upcoming

SEOUL = timezone(timedelta(hours=9), "KST")
A_DAY = timedelta(days=1)
DAYS = 30
"""How many days an overview covers, the present one included; as many before them are compared with."""
AHEAD_DAYS = 7
UNKNOWN_MAX = 1000
FRESH_SECONDS_MAX = 1.0
"""How long a page waits for what is not counted yet."""


class OverviewStore(HasFigures, Protocol): ...


class FailureGroup(StrEnum):
    """Why payments failed, as people sort it."""

    BALANCE = "balance"
    LIMIT = "limit"
    LOCKED = "locked"
    ENDED_KEY = "ended_key"
    LEFT = "left"  # the buyer closed the window, or let its time run out
    OTHER = "other"


OF_REASON = {
    DeclineReason.BALANCE: FailureGroup.BALANCE,
    DeclineReason.LIMIT: FailureGroup.LIMIT,
    DeclineReason.LOCKED: FailureGroup.LOCKED,
    DeclineReason.ENDED_KEY: FailureGroup.ENDED_KEY,
}
OF_CODE = {
    BillingKeyNotFound.code: FailureGroup.ENDED_KEY,
    CANCELLED: FailureGroup.LEFT,
    EXPIRED: FailureGroup.LEFT,
}


@dataclass(slots=True)
class Sums:
    """What a span came to. Amounts are whole won, counted when they happened, whatever became of it later."""

    charged: int = 0
    charged_count: int = 0
    cancelled: int = 0
    cancelled_count: int = 0
    failed: Counter[FailureGroup] = field(default_factory=Counter)
    renewed: int = 0
    renewal_failed: int = 0
    recovered: int = 0
    keys_issued: int = 0
    keys_ended: Counter[KeyEnd] = field(default_factory=Counter)
    keys_gone: int = 0
    """Keys that the buyer ended at the PG."""

    @property
    def net(self) -> int:
        return self.charged - self.cancelled

    @property
    def failed_count(self) -> int:
        """How many payments failed, those aside that a buyer left."""
        return self.failed.total() - self.failed[FailureGroup.LEFT]

    @property
    def failure_rate(self) -> float:
        """Which part of what was tried failed, from 0 to 1."""
        tried = self.charged_count + self.failed_count
        return self.failed_count / tried if tried else 0.0

    @property
    def renewals_due(self) -> int:
        return self.renewed + self.renewal_failed

    @property
    def keys_lost(self) -> int:
        return self.keys_ended[KeyEnd.DELETED] + self.keys_gone

    def add(self, figure: Figure, group: FailureGroup | None) -> None:
        match figure.kind:
            case FigureKind.CHARGED:
                self.charged += figure.amount
                self.charged_count += figure.count
                self.renewed += figure.count if figure.detail == How.RENEWED else 0
                self.recovered += figure.count if figure.detail == How.RECOVERED else 0
            case FigureKind.CANCELLED:
                self.cancelled += figure.amount
                self.cancelled_count += figure.count
            case FigureKind.FAILED:
                assert group is not None, "a failure has its group"
                self.failed[group] += figure.count
            case FigureKind.RENEWAL_FAILED:
                self.renewal_failed += figure.count
            case FigureKind.KEY_ISSUED:
                self.keys_issued += figure.count
            case FigureKind.KEY_ENDED if figure.detail != GONE:
                self.keys_ended[KeyEnd(figure.detail)] += figure.count
            case FigureKind.KEY_GONE:
                self.keys_gone += figure.count

    def plus(self, other: Sums) -> Sums:
        return Sums(
            self.charged + other.charged,
            self.charged_count + other.charged_count,
            self.cancelled + other.cancelled,
            self.cancelled_count + other.cancelled_count,
            self.failed + other.failed,
            self.renewed + other.renewed,
            self.renewal_failed + other.renewal_failed,
            self.recovered + other.recovered,
            self.keys_issued + other.keys_issued,
            self.keys_ended + other.keys_ended,
            self.keys_gone + other.keys_gone,
        )


@dataclass(frozen=True, slots=True)
class Overview:
    """A merchant at a moment, in one mode."""

    now: datetime
    days: Mapping[date, Sums]
    """Twice `DAYS` days, the present one last."""
    complete: bool
    """Whether every day is counted; after an upgrade or an import the worker first has to count a long past."""
    living_keys: int
    unknown: int
    ahead: Sequence[Upcoming]

    @property
    def today(self) -> Sums:
        return list(self.days.values())[-1]

    @property
    def month_days(self) -> Mapping[date, Sums]:
        return dict(list(self.days.items())[-DAYS:])

    @property
    def month(self) -> Sums:
        return total(self.month_days.values())

    @property
    def month_before(self) -> Sums:
        return total(list(self.days.values())[:-DAYS])

    @property
    def ahead_amount(self) -> int:
        return sum(day.amount for day in self.ahead)

    @property
    def ahead_count(self) -> int:
        return sum(day.count for day in self.ahead)

    def keys_by_day(self) -> list[int]:
        """Return how many keys lived at the end of each of the last days."""
        course, living = [], self.living_keys
        for sums in reversed(list(self.month_days.values())):
            course.append(max(0, living))
            living += sums.keys_ended.total() + sums.keys_gone - sums.keys_issued
        return course[::-1]


def total(spans: Iterable[Sums]) -> Sums:
    """Return what several spans came to together."""
    together = Sums()
    for one in spans:
        together = together.plus(one)
    return together


async def overview(services: ServicesWith[OverviewStore], merchant_id: str, *, test_mode: bool) -> Overview:
    """Return what a merchant's last days came to, exact to this moment."""
    now = services.clock.now()
    today = a_day_in_seoul(now)
    first = today - timedelta(days=2 * DAYS - 1)
    ahead = [(day, max(now, midnight(day)), midnight(day + A_DAY)) for day in _days(today, AHEAD_DAYS)]
    store = services.store
    (days, complete), keys, unknown, upcoming = await asyncio.gather(
        _sums_by_day(services, merchant_id, test_mode, first, now),
        store.figures.living_keys(merchant_id, test_mode),
        store.figures.unknown_outcomes(merchant_id, test_mode, UNKNOWN_MAX),
        store.figures.upcoming(merchant_id, test_mode, ahead),
    )
    return Overview(now, days, complete, keys, unknown, upcoming)


async def first_steps(services: ServicesWith[OverviewStore], merchant_id: str) -> FirstSteps:
    """Return how far a new merchant has come."""
    return await services.store.figures.first_steps(merchant_id)


async def _sums_by_day(
    services: ServicesWith[OverviewStore], merchant_id: str, test_mode: bool, first: date, now: datetime
) -> tuple[Mapping[date, Sums], bool]:
    days = {day: Sums() for day in _days(first, (a_day_in_seoul(now) - first).days + 1)}
    begin = midnight(first)
    counted = await services.store.figures.counted_until(merchant_id)
    live = begin if counted is None else min(max(begin, counted), now)
    for day, figure in await services.store.figures.kept(merchant_id, test_mode, begin, live):
        days[day].add(figure, _group(services, figure))
    # From now backwards, so that what is missing of a long past that is still being counted is the oldest of it.
    loop = asyncio.get_running_loop()
    deadline = loop.time() + FRESH_SECONDS_MAX
    for day in reversed(_days(a_day_in_seoul(live), (a_day_in_seoul(now) - a_day_in_seoul(live)).days + 1)):
        if loop.time() > deadline:
            return days, False
        # What happens at this very moment belongs to it: a day ends with itself.
        span = max(live, midnight(day)), midnight(day + A_DAY)
        for figure in await services.store.figures.fresh(merchant_id, test_mode, *span):
            days[day].add(figure, _group(services, figure))
    return days, True


def _group(services: ServicesWithoutStore, figure: Figure) -> FailureGroup | None:
    if figure.kind is not FigureKind.FAILED:
        return None
    provider, _, code = figure.detail.partition(" ")
    if code in OF_CODE:
        return OF_CODE[code]
    driver = services.drivers.get(provider)
    # The PG's number, and where there is one the more exact code of the method behind it.
    reason = None if driver is None else driver.abilities.decline_reasons.get(code.rpartition(" ")[2])
    return FailureGroup.OTHER if reason is None else OF_REASON[reason]


def a_day_in_seoul(at: datetime) -> date:
    """Return the day that people in Korea have."""
    return at.astimezone(SEOUL).date()


def midnight(day: date) -> datetime:
    """Return when a day begins in Korea."""
    return datetime.combine(day, time(), SEOUL).astimezone(UTC)


def _days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=n) for n in range(count)]
