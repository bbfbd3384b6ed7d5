"""Home: how a merchant is doing, and where there are several, how each is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.days import today as today_of
from maedal.console.frame.merchant import merchant_of, paused_channels
from maedal.console.frame.page import render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.flows.dunning import recovered_this_month
from maedal.flows.overview import DAYS, FailureGroup, Overview, Sums, first_steps, overview
from maedal.flows.worklist import FAILED_FOR, Worklist, worklist
from maedal.merchants.channel import Channel
from maedal.merchants.merchant import Merchant
from maedal.operators.role import Permission

SHOWN_MAX = 30
"""Of how many merchants the list shows figures; the others are on their own pages."""


@get("/", opt=requires(Permission.SEE_SETTINGS))
async def home(request: AnyRequest) -> Response[str]:
    """Show how the merchant is doing, or each of several."""
    visit = visit_of(request)
    if len(visit.merchants) == 1:
        return await _overview(visit, visit.merchants[0])
    rows = await asyncio.gather(*(_row(visit, merchant) for merchant in visit.merchants[:SHOWN_MAX]))
    return render(visit, "home/merchants.html", rows=rows, others=visit.merchants[SHOWN_MAX:])


@get("/merchants/{code:str}", opt=requires(Permission.SEE_PAYMENTS))
async def merchant_home(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show how a merchant is doing."""
    visit = visit_of(request)
    return await _overview(visit, await merchant_of(visit, code))


async def _row(visit: Visit, merchant: Merchant) -> dict[str, Any]:
    channels = await visit.reading.store.channels.of_merchant(merchant.code)
    test_mode = _test_mode(visit, channels, "")
    found = await overview(visit.reading, merchant.code, test_mode=test_mode)
    work = await worklist(visit.reading, merchant.code, visit.test_mode)
    return {"shop": merchant, "channels": channels, "test_mode": test_mode, "of": found, "work": work.total}


async def _overview(visit: Visit, merchant: Merchant) -> Response[str]:
    channels = await visit.reading.store.channels.of_merchant(merchant.code)
    test_mode = _test_mode(visit, channels, visit.request.query_params.get("mode", ""))
    found, steps, recovered = await asyncio.gather(
        overview(visit.reading, merchant.code, test_mode=test_mode),
        first_steps(visit.reading, merchant.code),
        recovered_this_month(visit.reading, merchant.code, test_mode=test_mode),
    )
    # One after the other: a read replica takes so many questions at once, and no more.
    work = await worklist(visit.reading, merchant.code, visit.test_mode)
    done = {
        "channel": bool(channels),
        "window": steps.window,
        "key": steps.key,
        "charge": steps.charge,
        "webhook": steps.webhook,
    }
    return render(
        visit,
        "home/overview.html",
        merchant=merchant,
        paused=await paused_channels(visit, merchant.code),
        test_mode=test_mode,
        work=_work(visit, merchant.code, work),
        of=found,
        today=found.today,
        first=min(found.month_days).isoformat(),
        last=max(found.month_days).isoformat(),
        month=found.month,
        before=found.month_before,
        groups=list(FailureGroup),
        most=max(1, *found.month.failed.values()) if found.month.failed else 1,
        steps=done,
        recovered=recovered,
        public_url=visit.settings.public_url,
        link=_links(merchant.code, test_mode),
        plots=_plots(visit, found),
    )


def _work(visit: Visit, code: str, work: Worklist) -> list[tuple[str, int, str]]:
    """Return what waits for a person: what it is, how many, and where it is done. What there is none of is left out."""
    of, t, day = f"/console/merchants/{code}", visit.t, today_of(visit)
    failed = urlencode({"tab": "failed", "since": day - FAILED_FOR, "until": day})
    every = [
        (t("결과 미확인", "Unknown outcomes"), work.open.unknown, "desk?tab=unknown"),
        (t("제시각에 결제되지 않은 예약", "Scheduled charges that are overdue"), work.overdue, "upcoming?span=today"),
        (
            t("최근 7일 실패한 예약", "Scheduled charges that failed in 7 days"),
            work.failed_schedules,
            f"schedules?{failed}",
        ),
        (
            t("예약이 있는데 해지된 빌링키", "Ended keys with scheduled charges"),
            work.gone_keys,
            "billing-keys?standing=gone",
        ),
        (t("거절된 취소", "Refunds refused"), work.open.refunds, "desk?tab=refunds"),
        (t("보내지 못한 웹훅", "Webhooks given up"), work.open.webhooks, "desk?tab=webhooks"),
        (t("카카오페이 파일과 다른 것", "Differences to KakaoPay's files"), work.open.findings, "desk?tab=findings"),
        (t("거래번호 없는 결제", "Payments without a tid"), work.open.without_tid, "desk?tab=tid"),
        (t("카카오페이 해지 대기", "Keys pending at KakaoPay"), work.open.key_endings, "desk?tab=keys"),
    ]
    return [(what, count, f"{of}/{page}") for what, count, page in every if count]


def _test_mode(visit: Visit, channels: Sequence[Channel], asked: str) -> bool:
    """Return which mode is shown: that of the switch, what was asked for, or live where anything is."""
    if visit.test_mode is not None:
        return visit.test_mode
    if asked in {"live", "test"}:
        return asked == "test"
    return all(channel.test_mode for channel in channels)


def _links(code: str, test_mode: bool) -> Callable[..., str]:
    def link(page: str, **filters: str) -> str:
        query = urlencode({**filters, "mode": "test" if test_mode else "live"})
        return f"/console/merchants/{code}/{page}?{query}"

    return link


def _plots(visit: Visit, of: Overview) -> dict[str, dict[str, Any]]:
    """Return what is plotted: names and numbers of each day, for the plot and for its table alike."""
    t, days = visit.t, of.month_days
    return {
        "money": _plot(days, "won", {
            t("결제", "Charged"): ("bars", lambda s: s.charged),
            t("취소", "Cancelled"): ("line", lambda s: s.cancelled),
        }),
        "failures": _plot(days, "percent", {
            t("실패율", "Failure rate"): ("line", lambda s: round(s.failure_rate * 100, 1)),
        }),
        "renewals": _plot(days, "count", {
            t("예정", "Due"): ("bars", lambda s: s.renewals_due),
            t("첫 시도 실패", "Failed at first"): ("line", lambda s: s.renewal_failed),
            t("재시도로 회복", "Recovered"): ("dash", lambda s: s.recovered),
        }),
        "keys": _shown(days, "count", {t("사용 중인 키", "Active keys"): ("line", of.keys_by_day())}),
        "ahead": _shown([day.day for day in of.ahead], "won", {
            t("예정 금액", "Planned"): ("bars", [day.amount for day in of.ahead]),
        }),
    }  # fmt: skip


def _plot(
    days: Mapping[date, Sums], unit: str, series: Mapping[str, tuple[str, Callable[[Sums], float]]]
) -> dict[str, Any]:
    assert len(days) == DAYS, "the last days"
    valued = {name: (shape, [value(sums) for sums in days.values()]) for name, (shape, value) in series.items()}
    return _shown(days, unit, valued)


def _shown(days: Iterable[date], unit: str, series: Mapping[str, tuple[str, Sequence[float]]]) -> dict[str, Any]:
    return {
        "unit": unit,
        "days": [day.isoformat() for day in days],
        "series": [{"name": name, "shape": shape, "values": values} for name, (shape, values) in series.items()],
    }


HANDLERS = [home, merchant_home]
