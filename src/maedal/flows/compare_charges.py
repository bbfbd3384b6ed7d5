"""Hold what a PG's file says that it took against the attempts here, and find what it does not tell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Protocol

import structlog

from maedal.flows.close_findings import close_findings
from maedal.flows.compare_file import BATCH_MAX, Comparison, batches, days_of
from maedal.flows.enter_payment import OURSELVES, enter_payment
from maedal.flows.record_outcome import record
from maedal.flows.resolve_unknown import UNCLEAR_AT_MOST
from maedal.flows.services import ServicesWith
from maedal.payments.attempt import Approval, Decline, Outcome, Proof, Result, Verb
from maedal.payments.moves import Status
from maedal.payments.payment import KeyUse, Payment
from maedal.reconciliation.finding import Finding, FindingKind
from maedal.reconciliation.settlement import (
    A_DAY,
    Action,
    SettlementRow,
    day_of,
)
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.channels.reads import HasChannels
from maedal.storage.findings.reads import HasFindings
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.payments.reads import HasPayments, Sorting
from maedal.storage.payments.writes import FillTid
from maedal.storage.reconciliation.reads import HasReconciliation, KnownCharge
from maedal.storage.reconciliation.writes import KeepRows
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.write import Writes

_log = structlog.get_logger()

TRIES_OF_A_ROW = 3
NO_FILE_TEXT = "PG의 하루 거래내역 파일에 없어 결제되지 않은 것을 확인했습니다."

Progress = Callable[[int, int], None]


class CompareChargesStore(
    HasBillingKeys,
    HasCancellations,
    HasChannels,
    HasFindings,
    HasMerchants,
    HasPayments,
    HasReconciliation,
    HasSchedules,
    Writes,
    Protocol,
): ...


async def compare_rows(services: ServicesWith[CompareChargesStore], run: Comparison, progress: Progress | None) -> None:
    """Keep the rows that are ours, and hold every payment among them against the attempt that it belongs to."""
    rows = [r for r in run.file.rows if r.action is not Action.ISSUE]
    seen = 0
    for batch in batches(rows):
        await _batch(services, run, [r for r in batch if r.pg_merchant_id == run.channel.pg_merchant_id], len(batch))
        seen += len(batch)
        if progress is not None:
            progress(seen, len(rows))


async def _batch(
    services: ServicesWith[CompareChargesStore], run: Comparison, rows: list[SettlementRow], received: int
) -> None:
    merchant_id = run.channel.merchant_id
    order_ids = sorted({r.order_id for r in rows})
    known = {k.attempt.order_id: k for k in await services.store.reconciliation.known_charges(merchant_id, order_ids)}
    unknown_ids = [order_id for order_id in order_ids if order_id not in known]
    others = set(await services.store.reconciliation.known_at_another_pg(run.span(run.day, run.day), unknown_ids))
    ours = tuple(r for r in rows if r.order_id not in others)
    run.result.rows += len(ours)
    run.result.strange += received - len(ours)
    if not ours:
        return
    await services.store.write(KeepRows(merchant_id, run.channel.pg_provider, run.day, ours))
    first: dict[str, str] = {}
    for kept in await services.store.reconciliation.kept_rows(merchant_id, order_ids, ()):
        if kept.row.action is Action.PAYMENT:
            first.setdefault(kept.row.order_id, kept.row.pg_tid)
    found: list[Finding] = []
    for row in ours:
        if row.action is Action.PAYMENT:
            run.sums["taken_there"] += row.amount
            finding = await _charge(services, run, row, known.get(row.order_id), first[row.order_id])
            if finding is not None:
                found.append(finding)
    await run.keep(found)


async def _charge(
    services: ServicesWith[CompareChargesStore],
    run: Comparison,
    row: SettlementRow,
    known: KnownCharge | None,
    first_tid: str,
) -> Finding | None:
    """Hold money that the PG took against the attempt it was taken for; record what that proves."""
    if known is None:
        return await _enter(services, run, row)
    payment = known.payment
    price = payment.order.price.total.amount
    for _ in range(TRIES_OF_A_ROW):
        if payment.status not in {Status.PAID, Status.CANCELLED, Status.UNKNOWN}:
            return await _not_paid_here(services, run, row, payment)
        if row.pg_tid != (payment.pg_tid or first_tid):
            return run.there(FindingKind.CHARGED_TWICE, row, payment, amount_here=price)
        if payment.status is not Status.UNKNOWN and payment.pg_tid is not None:
            run.sums["taken_here"] += price
            run.result.matched += 1
            if row.amount != price:
                return run.there(FindingKind.AMOUNT_DIFFERS, row, payment, amount_here=price)
            return None
        if row.amount != price:
            # Another amount than was asked for proves nothing about what was asked for.
            return run.there(FindingKind.AMOUNT_DIFFERS, row, payment, amount_here=price)
        payment = await _prove(services, run, row, known, payment)
    _log.error("row_never_settled", imp_uid=payment.imp_uid, status=payment.status)
    return run.there(FindingKind.CHARGED_THERE, row, payment)


async def _enter(services: ServicesWith[CompareChargesStore], run: Comparison, row: SettlementRow) -> Finding | None:
    """Enter money that the PG took and nobody here knows of, if the PG knows what for."""
    entered = await enter_payment(services, run.channel, row)
    if entered is None:
        return run.there(FindingKind.CHARGED_THERE, row, None)
    run.result.entered += 1
    run.result.matched += 1
    run.sums["taken_here"] += row.amount
    # An earlier run may have found it while the PG did not answer.
    found = await services.store.findings.of_pg_tids(run.channel.merchant_id, [row.pg_tid])
    reported = [f.id for f in found if f.kind is FindingKind.CHARGED_THERE and f.closed_at is None]
    await close_findings(services, run.channel.merchant_id, reported, OURSELVES, f"entered as {entered.imp_uid}")
    return None


async def _prove(
    services: ServicesWith[CompareChargesStore],
    run: Comparison,
    row: SettlementRow,
    known: KnownCharge,
    payment: Payment,
) -> Payment:
    """Record what a row proves of a payment that is unknown, or paid without the PG's id of it."""
    attempt = known.attempt
    if payment.status is Status.UNKNOWN:
        approval = Approval(row.pg_tid, row.method, row.happened_at)
        result = Result(Outcome.APPROVED, Proof.SETTLEMENT_FILE, approval=approval)
        # The key that came with the payment went with the lost answer, and no file tells it.
        undo = attempt.verb is Verb.APPROVE and payment.order.key_use is KeyUse.ISSUE
        after = await record(services, payment, attempt.id, result, undo=undo)
        if after.status is Status.PAID and after.version == payment.version + 1:
            run.result.resolved_paid += 1
            run.resolved(attempt.verb, result, payment)
        return after
    write = FillTid(payment, attempt.id, row.pg_tid, row.method, services.clock.now())
    filled = await services.store.write(write)
    if filled is not None:
        run.result.filled += 1
        _log.info("tid_found", imp_uid=payment.imp_uid)
        return filled
    return await services.store.payments.find(payment.merchant_id, payment.imp_uid) or payment


async def _not_paid_here(
    services: ServicesWith[CompareChargesStore], run: Comparison, row: SettlementRow, payment: Payment
) -> Finding:
    """Money was taken for a payment that failed, or never came to a charge."""
    order = payment.order
    paid = (Status.PAID, Status.CANCELLED)
    again = await services.store.payments.find_by_merchant_uid(
        payment.merchant_id, order.merchant_uid, paid, Sorting.STARTED_NEWEST
    )
    kind = FindingKind.CHARGED_THERE if again is None else FindingKind.CHARGED_TWICE
    return run.there(kind, row, payment)


async def missing_charges(services: ServicesWith[CompareChargesStore], run: Comparison) -> None:
    """Find what took money here and is in no file; an unknown charge that is in none was not made."""
    await run.load_days()
    # Whatever may fall on this day was begun on it, or around the midnight before.
    span = run.span(run.day - A_DAY, run.day)
    after = (span.since, "")
    while page := await services.store.reconciliation.charges_without_row(span, after, BATCH_MAX):
        await run.keep([f for k in page if (f := await _missing(services, run, k)) is not None])
        after = (page[-1].attempt.begun_at, page[-1].attempt.id)


async def _missing(services: ServicesWith[CompareChargesStore], run: Comparison, known: KnownCharge) -> Finding | None:
    days = possible_days(known)
    if run.day not in days or not days <= run.done:
        return None
    payment, attempt = known.payment, known.attempt
    price = payment.order.price.total.amount
    if known.outcome is Outcome.UNKNOWN:
        if attempt.verb is Verb.CHARGE and payment.status is Status.UNKNOWN and days <= run.complete:
            decline = Decline("NOT_TAKEN", NO_FILE_TEXT)
            result = Result(Outcome.DECLINED, Proof.SETTLEMENT_FILE, decline=decline)
            await record(services, payment, attempt.id, result)
            run.result.resolved_failed += 1
            run.resolved(attempt.verb, result, payment)
        return None
    if payment.cancelled_amount == price and payment.cancelled_at and day_of(payment.cancelled_at) in days:
        # Taken and wholly given back on one day: PGs may leave both out (docs/wire/kakaopay.md 12).
        run.vanished.add(payment.imp_uid)
        return None
    run.sums["taken_here"] += price
    return run.here(FindingKind.CHARGED_HERE, attempt.id, payment, price, attempt.begun_at, attempt.order_id)


def possible_days(known: KnownCharge) -> frozenset[date]:
    """Return the days on which the PG may have taken what an attempt asked for: two around midnight."""
    begun_at = known.attempt.begun_at
    latest = begun_at + UNCLEAR_AT_MOST
    if known.outcome is Outcome.APPROVED and known.recorded_at is not None:
        latest = min(latest, known.recorded_at)
    return days_of(begun_at, latest)
