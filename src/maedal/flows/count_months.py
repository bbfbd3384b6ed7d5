"""Count what each month came to, beside the charges: the month that runs again and again, others until they are final.

A month that is over is counted once more a day later, when nothing that happened in it can still be on its way, and is
final then. From time to time one of the final months is counted anew all the same: what is kept is proved against the
rows as long as it is kept, and a difference is told in the log and mended.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Protocol

import structlog

from maedal.flows.overview import a_day_in_seoul, midnight
from maedal.flows.services import ServicesWith
from maedal.storage.figures.reads import HasFigures, Month, MonthFigure, MonthKind
from maedal.storage.figures.writes import KeepMonth
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.write import Writes

_log = structlog.get_logger()

AGAIN = timedelta(minutes=10)
"""How old the sums of a month become that is not final."""
FINAL_AFTER = timedelta(days=1)
"""How long a month has been over when it is final: longer than any outcome of it takes to become known."""
PROVED_EVERY = timedelta(days=1)
"""How often one of a merchant's final months is counted anew."""
AT_ONCE = 24
"""So many months of a merchant are counted in one turn; after an import there are more, and the next turn goes on."""


class CountMonthsStore(HasFigures, HasMerchants, Writes, Protocol): ...


def month_of(day: date) -> Month:
    """Return the month of a day in Seoul."""
    since = day.replace(day=1)
    before = (since - timedelta(days=1)).replace(day=1)
    until = (since + timedelta(days=32)).replace(day=1)
    return Month(f"{since:%Y-%m}", midnight(before), midnight(since), midnight(until))


def month_named(name: str) -> Month:
    """Return the month of a name such as 2026-03."""
    return month_of(date.fromisoformat(f"{name}-01"))


def months_between(first: date, last: date) -> list[Month]:
    """Return the months from that of one day to that of another, in their order."""
    months, day = [], first.replace(day=1)
    while day <= last:
        months.append(month_of(day))
        day = (day + timedelta(days=32)).replace(day=1)
    return months


async def count_months(services: ServicesWith[CountMonthsStore]) -> int:
    """Count the months of every merchant that are due; return how many there were."""
    return sum([await count_months_of(services, merchant.code) for merchant in await services.store.merchants.all()])


async def count_months_of(services: ServicesWith[CountMonthsStore], merchant_id: str) -> int:
    """Count the months of one merchant that are due, the newest first; return how many there were."""
    now = services.clock.now()
    first = await services.store.figures.first_paid_at(merchant_id)
    if first is None:
        return 0
    counted = await services.store.figures.months_counted(merchant_id)
    months = months_between(a_day_in_seoul(first), a_day_in_seoul(now))
    kept = 0
    for month in due_months(months, counted, now)[:AT_ONCE]:
        if await _count(services, merchant_id, month, counted.get(month.name)):
            kept += 1
    return kept


def due_months(months: Sequence[Month], counted: dict[str, datetime], now: datetime) -> list[Month]:
    """Return which months are to be counted, the newest first, and at last one that is proved anew."""
    due, final = [], []
    for month in reversed(months):
        at = counted.get(month.name)
        if at is not None and at >= month.until + FINAL_AFTER:
            final.append((at, month))
        elif at is None or at <= now - AGAIN:
            due.append(month)
    # All but those that were counted last have been proved before them.
    if final and max(at for at, _ in final) <= now - PROVED_EVERY:
        due.append(min(final, key=lambda one: (one[0], one[1].name))[1])
    return due


async def _count(
    services: ServicesWith[CountMonthsStore], merchant_id: str, month: Month, known: datetime | None
) -> bool:
    now = services.clock.now()
    figures = await recounted_month(services, merchant_id, month)
    if known is not None and known >= month.until + FINAL_AFTER:
        before = await kept_month(services, merchant_id, month)
        if sorted(before, key=_order) != sorted(figures, key=_order):
            _log.warning("month_figures_differed", merchant=merchant_id, month=month.name)
    return await services.store.write(KeepMonth(merchant_id, month.name, figures, now, known))


async def recounted_month(services: ServicesWith[HasFigures], merchant_id: str, month: Month) -> Sequence[MonthFigure]:
    """Return what a month came to, counted from the rows now; who is gone is known once the month is over."""
    figures = await services.store.figures.count_month(merchant_id, month)
    over = services.clock.now() >= month.until
    return [figure for figure in figures if over or figure.kind is not MonthKind.CHURNED]


async def kept_month(services: ServicesWith[HasFigures], merchant_id: str, month: Month) -> Sequence[MonthFigure]:
    """Return what was kept of a month, in both modes."""
    figures = services.store.figures
    return [one for mode in (False, True) for one in await figures.months(merchant_id, mode, month.name, month.name)]


async def differing_months(services: ServicesWith[CountMonthsStore], merchant_id: str) -> Sequence[str]:
    """Return the final months whose sums are not those of the rows; it reads every payment of them."""
    counted = await services.store.figures.months_counted(merchant_id)
    differing = []
    for name, at in counted.items():
        month = month_named(name)
        if at < month.until + FINAL_AFTER:
            continue
        kept = sorted(await kept_month(services, merchant_id, month), key=_order)
        if kept != sorted(await recounted_month(services, merchant_id, month), key=_order):
            differing.append(name)
    return differing


def _order(figure: MonthFigure) -> tuple[bool, str, str]:
    return figure.test_mode, figure.kind, figure.detail
