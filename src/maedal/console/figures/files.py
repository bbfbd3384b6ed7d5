"""The figures as files: customers by month, money by month, and cohorts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

from maedal.console.figures.filters import Filters, figures_of, read_filters
from maedal.console.frame.days import KOREA
from maedal.console.frame.exports import FoundList, ListExport
from maedal.console.frame.spreadsheets import Cell, MonthCell
from maedal.console.frame.visit import Visit
from maedal.console.frame.words import say
from maedal.flows.month_figures import MonthFigures, cohorts_of
from maedal.payments.attempt import Method
from maedal.storage.figures.reads import Churn, Month

Rows = Sequence[Sequence[Cell]]


def _table(
    made: Callable[[Visit, MonthFigures], tuple[Sequence[str], Rows]],
) -> Callable[[Visit, str], Awaitable[FoundList]]:
    """Return how a table of figures is read: it has a line for each month, so that it is made at once."""

    async def read(visit: Visit, code: str) -> FoundList:
        filters: Filters = await read_filters(visit, code)
        head, rows = made(visit, await figures_of(visit, code, filters))

        async def lines() -> AsyncIterator[Rows]:
            yield rows

        return FoundList(filters.said(visit), len(rows), head, lines)

    return read


def _customers(visit: Visit, found: MonthFigures) -> tuple[Sequence[str], Rows]:
    t = visit.t
    head = [
        t("월", "Month"), "MRR", t("결제한 고객", "Active"), t("신규", "New"), t("복귀", "Returned"),
        t("이탈", "Churned"),
        *(f"{t('이탈', 'Churned')}: {say(visit, 'churn', one)}" for one in Churn),
        t("이탈률", "Churn rate"), t("이탈 금액", "Churned amount"), t("첫 시도 실패", "Failed at first"),
        t("재시도로 회복", "Recovered"), t("회복 금액", "Recovered amount"),
    ]  # fmt: skip
    rows: list[list[Cell]] = []
    for one in found.months:
        gone: list[Cell] = ["" for _ in range(len(Churn) + 1)]
        if one.is_over:
            gone = [one.churned.total(), *(one.churned[why] for why in Churn)]
        rows.append([
            month_cell(one.month), one.mrr, one.active, one.new, one.returned, *gone,
            "" if one.churn_rate is None else float(one.churn_rate), one.churned_amount if one.is_over else "",
            one.renewal_failed_count, one.recovered_count, one.recovered,
        ])  # fmt: skip
    return head, rows


def _months(visit: Visit, found: MonthFigures) -> tuple[Sequence[str], Rows]:
    t, methods = visit.t, found.methods
    head = [
        t("월", "Month"), t("결제 금액", "Charged"), t("결제 건수", "Payments"), t("취소 금액", "Cancelled"),
        t("취소 건수", "Cancels"), t("순매출", "Net"),
    ]  # fmt: skip
    for method in methods:
        name = method_word(visit, method)
        head += [f"{name}: {t('결제 금액', 'Charged')}", f"{name}: {t('취소 금액', 'Cancelled')}"]
    rows: list[list[Cell]] = [
        [
            month_cell(one.month), one.charged.total(), one.charged_count.total(), one.cancelled.total(),
            one.cancelled_count.total(), one.net,
            *(cell for method in methods for cell in (one.charged[method], one.cancelled[method])),
        ]
        for one in found.months
    ]  # fmt: skip
    return head, rows


def _cohorts(visit: Visit, found: MonthFigures) -> tuple[Sequence[str], Rows]:
    t = visit.t
    head = [
        t("첫 결제 월", "First charge"), t("결제 월", "Month"), t("경과 개월", "Months since"),
        t("결제한 고객", "Active"), t("유지율", "Retained"), t("결제 금액", "Charged"),
    ]  # fmt: skip
    names = {one.name: number for number, one in enumerate(found.months)}
    rows: list[list[Cell]] = [
        [
            month_cell(cohort.month), month_cell(found.months[names[cohort.month.name] + number].month), number,
            count, float(cohort.part(number)), cohort.amounts[number],
        ]
        for cohort in cohorts_of(found)
        for number, count in enumerate(cohort.customers)
    ]  # fmt: skip
    return head, rows


def month_cell(month: Month) -> MonthCell:
    """Return a month as files have it."""
    first = month.since.astimezone(KOREA)
    return MonthCell(first.year, first.month, 1)


def method_word(visit: Visit, method: str) -> str:
    """Return what a method is called, `-` where none is known."""
    return visit.t("알 수 없음", "Not known") if method == "-" else say(visit, "method", Method(method))


EXPORTS: Mapping[str, ListExport] = {
    "customers-by-month": ListExport(("월별 고객 지표", "Customers by month"), "figures", _table(_customers)),
    "months": ListExport(("월별 합계", "Monthly sums"), "figures/months", _table(_months)),
    "cohorts": ListExport(("코호트", "Cohorts"), "figures/cohorts", _table(_cohorts)),
}
