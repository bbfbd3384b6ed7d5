"""Figures: recurring revenue and customers by month, money by month, and cohorts, each with a span of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from litestar import Response, get
from litestar.params import FromPath

from maedal.console.figures.filters import SPANS, Filters, figures_of, read_filters
from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.days import today
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.page import render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.flows.month_figures import (
    MonthFigures,
    MonthSums,
    cohorts_of,
    expected_rest,
    first_month,
    span_before,
    total_of,
)
from maedal.operators.role import Permission
from maedal.payments.attempt import Method
from maedal.storage.figures.reads import Churn
from maedal.storage.payment_lists.reads import Use

SEE = requires(Permission.SEE_PAYMENTS)


@get("/merchants/{code:str}/figures", opt=SEE)
async def figures(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show recurring revenue, and which customers came, stayed, went and were won back, by month."""
    visit = visit_of(request)
    filters = await read_filters(visit, code)
    found = await figures_of(visit, code, filters)
    months = found.months
    # Of the month that runs nobody knows yet who is gone: what is told first is the last one that is over.
    over = [one for one in months if one.month.until <= found.now]
    rest = None if len(over) == len(months) else await expected_rest(visit.reading, code, test_mode=filters.test_mode)
    return await _page(
        visit,
        code,
        "figures/customers.html",
        filters,
        found,
        last=over[-1] if over else None,
        before=over[-2] if len(over) > 1 else None,
        running=None if rest is None else months[-1],
        rest=rest,
        churns=list(Churn),
        plots=_plots(visit, months),
    )


@get("/merchants/{code:str}/figures/months", opt=SEE)
async def months(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show what was charged and given back in each month, by method."""
    visit = visit_of(request)
    filters = await read_filters(visit, code)
    found = await figures_of(visit, code, filters)
    t = visit.t
    plot = _plot(found.months, "won", {
        t("결제", "Charged"): ("bars", lambda m: m.charged.total()),
        t("취소", "Cancelled"): ("line", lambda m: m.cancelled.total()),
    })  # fmt: skip
    return await _page(
        visit,
        code,
        "figures/months.html",
        filters,
        found,
        total=total_of(found.months),
        all_methods=list(Method),
        uses=list(Use),
        plots={"money": plot},
    )


@get("/merchants/{code:str}/figures/cohorts", opt=SEE)
async def cohorts(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show of the customers who were first charged in a month how many were charged in each month since."""
    visit = visit_of(request)
    filters = await read_filters(visit, code)
    found = await figures_of(visit, code, filters)
    return await _page(visit, code, "figures/cohorts.html", filters, found, cohorts=cohorts_of(found))


async def _page(
    visit: Visit, code: str, template: str, filters: Filters, found: MonthFigures, **values: Any
) -> Response[str]:
    merchant = await merchant_of(visit, code)
    last = today(visit).replace(day=1)
    spans = [(count, span_before(last, count)) for count in SPANS]
    return render(
        visit,
        template,
        merchant=merchant,
        filters=filters,
        of=found,
        begun=await first_month(visit.reading, code),
        spans=[
            (visit.t(f"{count}개월", f"{count} months"), f"{since:%Y-%m}", f"{last:%Y-%m}") for count, since in spans
        ],
        base=f"/console/merchants/{code}/figures",
        exports=f"/console/merchants/{code}/exports",
        **values,
    )


def _plots(visit: Visit, months: Sequence[MonthSums]) -> dict[str, dict[str, Any]]:
    t = visit.t
    return {
        "mrr": _plot(months, "won", {"MRR": ("bars", lambda m: m.mrr)}),
        "customers": _plot(months, "count", {
            t("결제한 고객", "Active"): ("bars", lambda m: m.active),
            t("신규", "New"): ("line", lambda m: m.new),
            t("이탈", "Churned"): ("dash", lambda m: m.churned.total() if m.is_over else 0),
        }),
        "recovered": _plot(months, "count", {
            t("첫 시도 실패", "Failed at first"): ("bars", lambda m: m.renewal_failed_count),
            t("재시도로 회복", "Recovered"): ("line", lambda m: m.recovered_count),
        }),
    }  # fmt: skip


def _plot(
    months: Sequence[MonthSums], unit: str, series: dict[str, tuple[str, Callable[[MonthSums], float]]]
) -> dict[str, Any]:
    return {
        "unit": unit,
        "days": [one.name for one in months],
        "series": [
            {"name": name, "shape": shape, "values": [value(one) for one in months]}
            for name, (shape, value) in series.items()
        ],
    }


HANDLERS = [figures, months, cohorts]
