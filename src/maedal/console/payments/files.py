"""Cancels as a file: which payment, how much, why, and when it was begun and done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta

from maedal.console.frame.days import FIRST, LAST, begin_of, day_of, today
from maedal.console.frame.exports import AT_ONCE, FoundList, ListExport
from maedal.console.frame.spreadsheets import Cell
from maedal.console.frame.visit import Visit
from maedal.console.frame.words import mode_word, say
from maedal.payments.cancellation import Cancellation
from maedal.payments.payment import Payment
from maedal.storage.cancellations.reads import CancellationFilter

COUNT_MAX = 20_000
HEAD = (
    ("요청 시각", "Begun"), ("완료 시각", "Done"), ("취소 금액", "Cancelled"), ("면세 금액", "Tax-free"),
    ("부가세", "VAT"), ("취소 사유", "Cancel reason"), ("imp_uid", "imp_uid"), ("merchant_uid", "merchant_uid"),
    ("주문명", "Order name"), ("구매자 이름", "Buyer"), ("customer_uid", "customer_uid"), ("결제 금액", "Amount"),
    ("수단", "Method"), ("승인 시각", "Paid at"), ("모드", "Mode"), ("PG사에서 취소", "Made at the PG"),
)  # fmt: skip


async def read(visit: Visit, code: str) -> FoundList:
    """Return the cancels of a span of days; without one, of the last twelve months."""
    query, t = visit.request.query_params, visit.t
    until = day_of(query.get("until", "")) or today(visit)
    since = min(day_of(query.get("since", "")) or max(FIRST, until - timedelta(days=365)), until)
    test_mode = {"test": True, "live": False}.get(query.get("mode", ""))
    after = LAST if until >= LAST else until + timedelta(days=1)
    wanted = CancellationFilter(begin_of(since), begin_of(after), test_mode)
    total = await visit.reading.store.cancellations.count(code, wanted, COUNT_MAX)
    filters = [(t("기간", "Span"), f"{since} – {until}")]
    if test_mode is not None:
        filters.append((t("모드", "Mode"), mode_word(visit, test_mode=test_mode)))
    head = [t(*words) for words in HEAD]
    return FoundList(filters, total, head, lambda: _lines(visit, code, wanted), exact=total < COUNT_MAX)


async def _lines(visit: Visit, code: str, wanted: CancellationFilter) -> AsyncIterator[Sequence[Sequence[Cell]]]:
    store, after = visit.reading.store, None
    while True:
        found = await store.cancellations.search(code, wanted, AT_ONCE, after)
        if found:
            of = sorted({one.imp_uid for one in found})
            payments = {payment.imp_uid: payment for payment in await store.payments.by_ids(code, of, [])}
            yield [_row(visit, one, payments[one.imp_uid]) for one in found]
            after = found[-1].begun_at, found[-1].id
        if len(found) < AT_ONCE:
            return


def _row(visit: Visit, one: Cancellation, payment: Payment) -> list[Cell]:
    order = payment.order
    return [
        one.begun_at, one.done_at or "", one.split.amount, one.split.tax_free, one.split.vat, one.reason, one.imp_uid,
        order.merchant_uid, order.name, order.buyer.name or "", order.customer_uid or "", order.price.total.amount,
        say(visit, "method", payment.method) if payment.method else "", payment.paid_at or "",
        mode_word(visit, test_mode=payment.test_mode), visit.t("예", "yes") if one.at_pg else "",
    ]  # fmt: skip


EXPORTS: Mapping[str, ListExport] = {
    "cancels": ListExport(("취소 내역", "Cancels"), "figures/months", read),
}
