"""What the months of a merchant came to: money, recurring revenue, customers who came and went, and their cohorts."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from maedal.flows.count_months import FINAL_AFTER, months_between
from maedal.flows.overview import a_day_in_seoul
from maedal.flows.services import ServicesWith
from maedal.storage.figures.reads import Churn, HasFigures, Month, MonthFigure, MonthKind

MONTHS_MAX = 60
"""How many months are shown at once."""


class MonthFiguresStore(HasFigures, Protocol): ...


@dataclass(slots=True)
class MonthSums:
    """What one month came to. Amounts are whole won, in the month in which they happened."""

    month: Month
    counted_at: datetime | None
    charged: Counter[str] = field(default_factory=Counter)
    """By the method of the payment; `-` where none is known."""
    charged_count: Counter[str] = field(default_factory=Counter)
    cancelled: Counter[str] = field(default_factory=Counter)
    cancelled_count: Counter[str] = field(default_factory=Counter)
    recovered: int = 0
    recovered_count: int = 0
    renewal_failed: int = 0
    renewal_failed_count: int = 0
    mrr: int = 0
    """What was charged with billing keys in the month."""
    active: int = 0
    """How many customers that were."""
    new: int = 0
    returned: int = 0
    churned: Counter[Churn] = field(default_factory=Counter)
    churned_amount: int = 0
    """What those who are gone had paid in the month before."""
    cohorts: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Of those who were first charged in a month, how many were charged in this one, and how much."""

    @property
    def name(self) -> str:
        return self.month.name

    @property
    def is_over(self) -> bool:
        """Whether it was over when it was counted."""
        return self.counted_at is not None and self.counted_at >= self.month.until

    @property
    def is_final(self) -> bool:
        return self.counted_at is not None and self.counted_at >= self.month.until + FINAL_AFTER

    @property
    def net(self) -> int:
        return self.charged.total() - self.cancelled.total()

    @property
    def active_before(self) -> int:
        """How many customers were charged in the month before."""
        return self.active - self.new - self.returned + self.churned.total()

    @property
    def churn_rate(self) -> float | None:
        """Which part of the month before's customers is gone, once the month is over."""
        return self.churned.total() / self.active_before if self.is_over and self.active_before else None

    def add(self, figure: MonthFigure, method: str | None, use: str | None) -> None:
        kind, count, amount = figure.kind, figure.count, figure.amount
        if kind in {MonthKind.CHARGED, MonthKind.CANCELLED}:
            of_method, _, of_use = figure.detail.partition(" ")
            if method not in {None, of_method} or use not in {None, of_use}:
                return
            charged = kind is MonthKind.CHARGED
            (self.charged if charged else self.cancelled)[of_method] += amount
            (self.charged_count if charged else self.cancelled_count)[of_method] += count
        elif kind is MonthKind.RECOVERED:
            self.recovered, self.recovered_count = amount, count
        elif kind is MonthKind.RENEWAL_FAILED:
            self.renewal_failed, self.renewal_failed_count = amount, count
        elif kind is MonthKind.PAYING:
            self.mrr += amount
            self.active += count
            self.cohorts[figure.detail] = count, amount
            if figure.detail == self.name:
                self.new = count
        elif kind is MonthKind.RETURNED:
            self.returned = count
        else:
            self.churned[Churn(figure.detail)] += count
            self.churned_amount += amount


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """A span of months of a merchant, in one mode."""

    now: datetime
    months: Sequence[MonthSums]

    @property
    def complete(self) -> bool:
        """Whether every month is counted; after an upgrade or an import the worker first has to."""
        return all(one.counted_at is not None for one in self.months)

    @property
    def methods(self) -> list[str]:
        """By which methods anything was charged or cancelled."""
        found = {method for one in self.months for method in (*one.charged, *one.cancelled)}
        return sorted(found, key=lambda method: (method == "-", method))

    @property
    def counted_at(self) -> datetime | None:
        """As of when the newest month is counted."""
        return self.months[-1].counted_at if self.months else None


@dataclass(frozen=True, slots=True)
class Cohort:
    """The customers whose first charge was in a month: how many paid in it and in each month since, and how much."""

    month: Month
    customers: Sequence[int]
    amounts: Sequence[int]

    @property
    def size(self) -> int:
        return self.customers[0]

    def part(self, number: int) -> float:
        """Return which part of them paid again so many months later."""
        return self.customers[number] / self.size if self.size else 0.0


async def month_figures(
    services: ServicesWith[MonthFiguresStore],
    merchant_id: str,
    first: date,
    last: date,
    *,
    test_mode: bool,
    method: str | None = None,
    use: str | None = None,
) -> MonthFigures:
    """Return what the months from that of one day to that of another came to; `method` and `use` limit the money."""
    months = months_between(first, last)
    assert 0 < len(months) <= MONTHS_MAX, "a bounded number of months"
    found, counted, first_paid_at = await asyncio.gather(
        services.store.figures.months(merchant_id, test_mode, months[0].name, months[-1].name),
        services.store.figures.months_counted(merchant_id),
        services.store.figures.first_paid_at(merchant_id),
    )
    now = services.clock.now()
    # What lies before the first payment is nothing, and counted as that.
    empty_until = now if first_paid_at is None else first_paid_at
    sums = {
        one.name: MonthSums(one, counted.get(one.name) or (now if one.until <= empty_until else None)) for one in months
    }
    for figure in found:
        sums[figure.month].add(figure, method, use)
    return MonthFigures(now, list(sums.values()))


async def expected_rest(
    services: ServicesWith[MonthFiguresStore], merchant_id: str, *, test_mode: bool
) -> tuple[int, int]:
    """Return how many charges wait for the rest of this month, and what they come to."""
    now = services.clock.now()
    today = a_day_in_seoul(now)
    [month] = months_between(today, today)
    [rest] = await services.store.figures.upcoming(merchant_id, test_mode, [(today, now, month.until)])
    return rest.count, rest.amount


async def first_month(services: ServicesWith[MonthFiguresStore], merchant_id: str) -> date | None:
    """Return the first day of the month of the merchant's first payment."""
    at = await services.store.figures.first_paid_at(merchant_id)
    return None if at is None else a_day_in_seoul(at).replace(day=1)


def cohorts_of(figures: MonthFigures) -> list[Cohort]:
    """Return the cohorts of a span, each with the months from its first on."""
    months = figures.months
    found = []
    for number, one in enumerate(months):
        since = [later.cohorts.get(one.name, (0, 0)) for later in months[number:]]
        if since[0][0]:
            found.append(Cohort(one.month, [count for count, _ in since], [amount for _, amount in since]))
    return found


def span_before(last: date, count: int) -> date:
    """Return the first day of the first of so many months that end with the month of a day."""
    first = last.replace(day=1)
    for _ in range(count - 1):
        first = (first - timedelta(days=1)).replace(day=1)
    return first


def total_of(months: Iterable[MonthSums]) -> Mapping[str, Counter[str]]:
    """Return the money of several months together, by method."""
    sums: dict[str, Counter[str]] = {
        name: Counter() for name in ("charged", "charged_count", "cancelled", "cancelled_count")
    }
    for one in months:
        for name, counter in sums.items():
            counter.update(getattr(one, name))
    return sums
