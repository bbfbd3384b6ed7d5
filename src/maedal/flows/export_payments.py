"""Write payments out: who did it is kept first, then rows come in parts, with how far it has come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from maedal.flows.export_list import begin_list_export, noted
from maedal.flows.services import ServicesWith
from maedal.merchants.audit_entry import AuditAction
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
from maedal.storage.write import Writes

AT_ONCE = 500


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
    return await begin_list_export(
        services,
        merchant_id,
        operator,
        export_id,
        "payments",
        counted(counts, wanted.standing),
        summary,
        kind=AuditAction.EXPORT_PAYMENTS,
        exact=counts.exact,
    )


def exported(
    services: ServicesWith[ExportPaymentsStore], merchant_id: str, export: Export, wanted: ListFilter, order: ListOrder
) -> AsyncIterator[Sequence[Payment]]:
    """Give the payments in parts, as they are when they are reached; what came to the list since it began stays out."""
    if wanted.before is None:
        wanted = replace(wanted, before=export.seen_at + timedelta(microseconds=1))
    return noted(services, export, _parts(services, merchant_id, wanted, order))


async def _parts(
    services: ServicesWith[ExportPaymentsStore], merchant_id: str, wanted: ListFilter, order: ListOrder
) -> AsyncIterator[Sequence[Payment]]:
    place: Place | None = None
    while True:
        part = await services.store.payment_lists.page(merchant_id, ListQuery(wanted, order, AT_ONCE, place))
        if part.payments:
            yield part.payments
            place = place_of(part.payments[-1], wanted, order)
        if not part.more:
            return


def place_of(payment: Payment, wanted: ListFilter, order: ListOrder) -> Place:
    """Return where a payment stands in a list."""
    if order in {ListOrder.LARGEST, ListOrder.SMALLEST}:
        return Place(payment.order.price.total.amount, payment.imp_uid)
    at = {"requested": payment.started_at, "paid": payment.paid_at, "status": payment.status_at}[wanted.basis.value]
    assert at is not None, "a list by a time has payments that have it"
    return Place(at, payment.imp_uid)
