"""What lies ahead: what will be charged in the next days, to whom and how much, and a hold for each and for all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.days import KOREA, begin_of, borders, day_name, day_of, days_from, today
from maedal.console.frame.links import schedule_path_of
from maedal.console.frame.lists import page_number
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.page import render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.console.schedules.bulk_pages import preview_address
from maedal.console.schedules.pages import ROWS
from maedal.operators.role import Permission
from maedal.schedules.manual_changes import mark_of
from maedal.schedules.schedule import Schedule
from maedal.storage.schedules.reads import ScheduleDay, ScheduleTab

SPANS = ("today", "tomorrow", "week", "own")
OWN_DAYS_MAX = 62
OVERDUE_MAX = 30
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@get("/merchants/{code:str}/upcoming", opt=requires(Permission.SEE_PAYMENTS))
async def upcoming(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show what is to be charged in a span of days, day by day, and what should have been by now."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    store, now = visit.reading.store, visit.services.clock.now()
    span, first, last = _span(visit)
    days = days_from(first, last)
    since, before = max(begin_of(first), now), begin_of(last + timedelta(days=1))
    number = page_number(visit)
    found = await store.schedules.due_between(code, since, before, ROWS, (number - 1) * ROWS, test_mode=visit.test_mode)
    # Of today only what is still to come.
    spans = [(max(begin, now), max(end, now)) for begin, end in borders(days)]
    plans = await store.schedules.by_day(code, spans, visit.test_mode)
    late = await store.schedules.due_between(code, LONG_AGO, now, OVERDUE_MAX + 1, test_mode=visit.test_mode)
    customers = sorted({one.order.customer_uid or "" for one in (*found, *late)})
    keys = {key.customer_uid: key for key in await store.billing_keys.living(code, customers)} if customers else {}
    total = sum(ahead_of(plan)[0] for plan in plans)
    choice = {"span": span} | ({"since": first, "until": last} if span == "own" else {})

    def link(**changes: object) -> str:
        return f"{request.url.path}?{urlencode(choice | changes)}"

    return render(
        visit,
        "schedules/upcoming.html",
        merchant=merchant,
        span=span,
        spans=SPANS,
        first=first,
        last_day=last,
        groups=_groups(found),
        sums={day: plan for day, plan in zip(days, plans, strict=True) if ahead_of(plan)[0]},
        ahead_of=ahead_of,
        count=total,
        amount=sum(ahead_of(plan)[1] for plan in plans),
        held=(sum(plan.held_count for plan in plans), sum(plan.held_amount for plan in plans)),
        late=late[:OVERDUE_MAX],
        late_more=len(late) > OVERDUE_MAX,
        keys=keys,
        mark=mark_of,
        number=number,
        last=max(1, -(-total // ROWS)),
        link=link,
        here=link(page=number),
        one=lambda s: schedule_path_of(code, s),
        all_of=lambda change: preview_address(
            code, change=change, all=1, scope="ahead", since=first, until=last, back=link()
        ),
        day_name=lambda day: day_name(visit, day),
        now=now,
    )


def ahead_of(plan: ScheduleDay) -> tuple[int, int]:
    """Return how many charges are to be made on a day, and how many won: what waits, and tries."""
    count, amount = plan.counts.get(ScheduleTab.WAITING, 0), plan.amounts.get(ScheduleTab.WAITING, 0)
    return count + plan.try_count, amount + plan.try_amount


def _groups(found: Sequence[Schedule]) -> dict[date, list[Schedule]]:
    groups: dict[date, list[Schedule]] = {}
    for one in found:
        assert one.due_at is not None, "it lies ahead"
        groups.setdefault(one.due_at.astimezone(KOREA).date(), []).append(one)
    return groups


def _span(visit: Visit) -> tuple[str, date, date]:
    query, day = visit.request.query_params, today(visit)
    span = query.get("span", "tomorrow")
    if span == "own":
        since = max(day_of(query.get("since", "")) or day, day)
        until = max(day_of(query.get("until", "")) or since, since)
        return span, since, min(until, since + timedelta(days=OWN_DAYS_MAX - 1))
    if span == "today":
        return span, day, day
    if span == "week":
        return span, day, day + timedelta(days=6)
    return "tomorrow", day + timedelta(days=1), day + timedelta(days=1)


HANDLERS = [upcoming]
