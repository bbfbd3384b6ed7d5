"""Write payments out: who did it is kept first, then rows come in parts, with how far it has come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from maedal.flows.services import ServicesWith
from maedal.merchants.audit_entry import NO_REASON, AuditAction, AuditEntry
from maedal.operators.operator import Operator
from maedal.payments.payment import Payment
from maedal.storage.payment_lists.reads import (
    Export,
    HasPaymentLists,
    ListFilter,
    ListOrder,
    ListQuery,
    PaymentCounts,
    PaymentStanding,
    Place,
)
from maedal.storage.payment_lists.writes import BeginExport, PutExport
from maedal.storage.write import Writes

AT_ONCE = 500
NOTED_EVERY = timedelta(seconds=1)
KEPT = timedelta(days=1)


class ExportPaymentsStore(HasPaymentLists, Writes, Protocol): ...


def counted(counts: PaymentCounts, standing: PaymentStanding | None) -> int:
    """Return how many payments of a filter there are, or at least are."""
    return counts.all if standing is None else counts.of[standing]


async def begin_export(
    services: ServicesWith[ExportPaymentsStore],
    merchant_id: str,
    operator: Operator,
    export_id: str,
    wanted: ListFilter,
    summary: str,
) -> Export:
    """Commit that an operator writes out a list, with what the audit log says of it; return the export as it begins."""
    counts = await services.store.payment_lists.counts(merchant_id, wanted)
    now = services.clock.now()
    export = Export(export_id, operator.id, 0, counted(counts, wanted.standing), counts.exact, done=False, seen_at=now)
    audit_entry = AuditEntry(
        services.ids.row(now),
        merchant_id,
        AuditAction.EXPORT_PAYMENTS,
        "payments",
        operator.name,
        NO_REASON,
        "",
        summary,
        now,
    )
    await services.store.write(BeginExport(export, audit_entry, now - KEPT))
    return export


async def exported(
    services: ServicesWith[ExportPaymentsStore], merchant_id: str, export: Export, wanted: ListFilter, order: ListOrder
) -> AsyncIterator[Sequence[Payment]]:
    """Give the payments in parts, as they are when they are reached; what came to the list since it began stays out."""
    if wanted.before is None:
        wanted = replace(wanted, before=export.seen_at + timedelta(microseconds=1))
    place: Place | None = None
    while True:
        part = await services.store.payment_lists.page(merchant_id, ListQuery(wanted, order, AT_ONCE, place))
        if part.payments:
            yield part.payments
            export = await _note_progress(services, export, len(part.payments))
            place = place_of(part.payments[-1], wanted, order)
        if not part.more:
            break
    await services.store.write(PutExport(replace(export, done=True, seen_at=services.clock.now())))


async def _note_progress(services: ServicesWith[ExportPaymentsStore], export: Export, count: int) -> Export:
    now = services.clock.now()
    rows = export.rows + count
    if now - export.seen_at < NOTED_EVERY:
        return replace(export, rows=rows)
    export = replace(export, rows=rows, seen_at=now)
    await services.store.write(PutExport(export))
    return export


def place_of(payment: Payment, wanted: ListFilter, order: ListOrder) -> Place:
    """Return where a payment stands in a list."""
    if order in {ListOrder.LARGEST, ListOrder.SMALLEST}:
        return Place(payment.order.price.total.amount, payment.imp_uid)
    at = {"requested": payment.started_at, "paid": payment.paid_at, "status": payment.status_at}[wanted.basis.value]
    assert at is not None, "a list by a time has payments that have it"
    return Place(at, payment.imp_uid)
