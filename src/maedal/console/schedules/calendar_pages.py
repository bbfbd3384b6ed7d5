"""The calendar of scheduled charges: a month by its days, a day by its hours, each from one question to the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.days import begin_of, borders, day_name, day_of, days_from, first_of_month, next_month, today
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.page import render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.merchants.merchant import Merchant
from maedal.operators.role import Permission
from maedal.storage.schedules.reads import ScheduleDay, ScheduleTab

SHOWN = (ScheduleTab.WAITING, ScheduleTab.OPEN, ScheduleTab.PAID, ScheduleTab.FAILED, ScheduleTab.REVOKED)
HOURS = 24


@get("/merchants/{code:str}/schedules/calendar", opt=requires(Permission.SEE_PAYMENTS))
async def calendar(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show a month, or with `day` one day, in won or in numbers."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    query = request.query_params
    show_counts = query.get("show") == "counts"
    day = day_of(query.get("day", ""))
    if day is not None:
        return await _day(visit, merchant, day, show_counts=show_counts)
    month = first_of_month(day_of(f"{query.get('month', '')}-01") or today(visit))
    following = next_month(month)
    days = days_from(month, following - timedelta(days=1))
    plans = await visit.reading.store.schedules.by_day(code, borders(days), visit.test_mode)
    # Weeks begin on Sunday, as calendars in Korea do.
    blank = (month.weekday() + 1) % 7
    cells: list[tuple[date, ScheduleDay] | None] = [None] * blank + list(zip(days, plans, strict=True))
    cells += [None] * (-len(cells) % 7)
    return render(
        visit,
        "schedules/calendar.html",
        merchant=merchant,
        weeks=[cells[n : n + 7] for n in range(0, len(cells), 7)],
        month=month,
        month_name=f"{month:%B %Y}" if visit.english else f"{month.year}년 {month.month}월",
        before=f"{month - timedelta(days=1):%Y-%m}",
        after=f"{following:%Y-%m}",
        **_common(visit, merchant, plans, show_counts=show_counts, month=f"{month:%Y-%m}"),
        list_of=lambda tab, since=month, until=following - timedelta(days=1): _list(merchant.code, tab, since, until),
    )


async def _day(visit: Visit, merchant: Merchant, day: date, *, show_counts: bool) -> Response[str]:
    begin = begin_of(day)
    hours = [(begin + timedelta(hours=n), begin + timedelta(hours=n + 1)) for n in range(HOURS)]
    plans = await visit.reading.store.schedules.by_day(merchant.code, hours, visit.test_mode)
    return render(
        visit,
        "schedules/calendar_day.html",
        merchant=merchant,
        day=day,
        hours=[(hour, plan) for hour, plan in enumerate(plans) if plan.counts or plan.try_count],
        before=day - timedelta(days=1),
        after=day + timedelta(days=1),
        month=f"{day:%Y-%m}",
        **_common(visit, merchant, plans, show_counts=show_counts, day=day),
        list_of=lambda tab: _list(merchant.code, tab, day, day),
    )


def _common(
    visit: Visit, merchant: Merchant, plans: Sequence[ScheduleDay], *, show_counts: bool, **here: object
) -> dict[str, Any]:
    path = f"/console/merchants/{merchant.code}/schedules/calendar"
    counts = {tab: sum(plan.counts.get(tab, 0) for plan in plans) for tab in SHOWN}
    amounts = {tab: sum(plan.amounts.get(tab, 0) for plan in plans) for tab in SHOWN}
    tries = (sum(plan.try_count for plan in plans), sum(plan.try_amount for plan in plans))
    expected = (ScheduleTab.WAITING, ScheduleTab.OPEN, ScheduleTab.PAID)
    return {
        "tabs": SHOWN,
        "show_counts": show_counts,
        "counts": counts,
        "amounts": amounts,
        "tries": tries,
        "forecast": (sum(counts[tab] for tab in expected) + tries[0], sum(amounts[tab] for tab in expected) + tries[1]),
        "held": (sum(plan.held_count for plan in plans), sum(plan.held_amount for plan in plans)),
        "today": today(visit),
        "link": lambda **changes: f"{path}?{urlencode({'show': 'counts' if show_counts else 'amounts'} | changes)}",
        "switch": lambda to: f"{path}?{urlencode(here | {'show': to})}",
        "day_name": lambda day: day_name(visit, day),
        "list_of_day": lambda tab, day: _list(merchant.code, tab, day, day),
    }


def _list(code: str, tab: ScheduleTab, since: date, until: date) -> str:
    fields = urlencode({"tab": tab, "since": since, "until": until})
    return f"/console/merchants/{code}/schedules?{fields}"


HANDLERS = [calendar]
