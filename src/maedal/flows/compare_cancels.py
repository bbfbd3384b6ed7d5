"""Hold what a PG's file says that it gave back against the cancels here."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from maedal.flows.compare_file import BATCH_MAX, Comparison, batches, days_of
from maedal.flows.refunds import look_up
from maedal.flows.resolve_unknown import UNCLEAR_AT_MOST, clarify
from maedal.flows.services import ServicesWith
from maedal.payments.attempt import Verb
from maedal.reconciliation.finding import Finding, FindingKind
from maedal.reconciliation.settlement import (
    A_DAY,
    Action,
    SettlementRow,
)
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.channels.reads import HasChannels
from maedal.storage.findings.reads import HasFindings
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.payments.reads import HasPayments
from maedal.storage.reconciliation.reads import HasReconciliation, KeptRow, KnownCancel
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.unknown_outcomes.reads import HasUnknownOutcomes
from maedal.storage.write import Writes


class CompareCancelsStore(
    HasBillingKeys,
    HasCancellations,
    HasChannels,
    HasFindings,
    HasMerchants,
    HasPayments,
    HasReconciliation,
    HasSchedules,
    HasUnknownOutcomes,
    Writes,
    Protocol,
): ...


async def compare_cancels(services: ServicesWith[CompareCancelsStore], run: Comparison) -> None:
    """Hold what the PG gave back against the cancels here, payment by payment and amount by amount."""
    here: dict[tuple[str | None, int], list[KnownCancel]] = {}
    span = run.span(run.day - A_DAY, run.day)
    after = (span.since, "")
    while page := await services.store.reconciliation.cancels_between(span, after, BATCH_MAX):
        for known in page:
            key = (known.payment.pg_tid, known.cancellation.split.amount)
            here.setdefault(key, []).append(known)
        after = (page[-1].cancellation.begun_at, page[-1].cancellation.id)
    reported = {r.pg_tid for r in run.ours(Action.CANCEL)}
    for tids in batches(sorted(reported | {tid for tid, _ in here if tid is not None})):
        await _cancels_of(services, run, set(tids), here)


async def _cancels_of(
    services: ServicesWith[CompareCancelsStore],
    run: Comparison,
    tids: set[str],
    all_here: dict[tuple[str | None, int], list[KnownCancel]],
) -> None:
    here = {key: known for key, known in all_here.items() if key[0] in tids}
    by_aid = {k.cancellation.pg_aid: k for known in here.values() for k in known if k.cancellation.pg_aid}
    kept = await services.store.reconciliation.kept_rows(run.channel.merchant_id, (), sorted(tids))
    known_there = {f.pg_tid for f in await services.store.findings.of_pg_tids(run.channel.merchant_id, sorted(tids))}
    found: list[Finding] = []
    rest: list[KeptRow] = []
    for given_back in kept:
        row = given_back.row
        if row.action is not Action.CANCEL:
            continue
        mine = by_aid.get(row.pg_aid)
        if mine is None:
            rest.append(given_back)
            continue
        waiting = here[row.pg_tid, mine.cancellation.split.amount]
        if mine in waiting:
            waiting.remove(mine)
        _cancel_agrees(run, given_back)
    for given_back in rest:
        row = given_back.row
        waiting = here.get((row.pg_tid, row.amount), [])
        if given_back.day == run.day and not any(_may_be(k, given_back) for k in waiting):
            entered = await _cancel_entered(services, run, row)
            if entered:
                _cancel_agrees(run, given_back)
                continue
        mine = next((k for k in waiting if _may_be(k, given_back)), None)
        if mine is not None:
            waiting.remove(mine)
            _cancel_agrees(run, given_back)
        elif given_back.day == run.day:
            run.sums["cancelled_there"] += row.amount
            if row.pg_tid not in known_there:
                # What a finding is about may be given back in the PG's own console; that is no new finding.
                found.append(await _cancelled_there(services, run, given_back))
    for known in (k for waiting in here.values() for k in waiting):
        days = _cancel_days(known)
        done = known.cancellation.done_at is not None and run.day in days and days <= run.done
        if done and known.payment.imp_uid not in run.vanished:
            amount = known.cancellation.split.amount
            run.sums["cancelled_here"] += amount
            cancel = known.cancellation
            found.append(
                run.here(FindingKind.CANCELLED_HERE, cancel.id, known.payment, amount, cancel.begun_at, cancel.id)
            )
    await run.keep(found)


async def _cancel_entered(services: ServicesWith[CompareCancelsStore], run: Comparison, row: SettlementRow) -> bool:
    """Have the PG tell whose a cancel is that is not known here to be made; return whether it is known now.

    A file tells no mark. A cancel of ours whose outcome is unknown may be this one or not: the order lookup tells.
    """
    known = await services.store.reconciliation.known_charges(run.channel.merchant_id, [row.order_id])
    payment = known[0].payment if known else None
    if payment is None or payment.pg_tid != row.pg_tid:
        return False
    unknown = await services.store.unknown_outcomes.of_payment(payment.merchant_id, payment.imp_uid)
    if unknown is not None and unknown.attempt.verb is Verb.CANCEL:
        await clarify(services, unknown)
    else:
        await look_up(services, payment)
    after = await services.store.cancellations.of_payments(payment.merchant_id, [payment.imp_uid])
    mine = next((c for c in after if c.pg_aid == row.pg_aid), None)
    if mine is None:
        return False
    if mine.at_pg:
        run.result.refunds += 1
    elif unknown is not None and mine.id == unknown.attempt.id:
        run.result.resolved_cancels += 1
    return True


async def _cancelled_there(services: ServicesWith[CompareCancelsStore], run: Comparison, kept: KeptRow) -> Finding:
    known = await services.store.reconciliation.known_charges(run.channel.merchant_id, [kept.row.order_id])
    return run.there(FindingKind.CANCELLED_THERE, kept.row, known[0].payment if known else None)


def _cancel_agrees(run: Comparison, given_back: KeptRow) -> None:
    if given_back.day == run.day:
        run.result.matched += 1
        run.sums["cancelled_there"] += given_back.row.amount
        run.sums["cancelled_here"] += given_back.row.amount


def _cancel_days(known: KnownCancel) -> frozenset[date]:
    begun_at, done_at = known.cancellation.begun_at, known.cancellation.done_at
    latest = begun_at + UNCLEAR_AT_MOST
    return days_of(begun_at, latest if done_at is None else min(latest, done_at))


def _may_be(known: KnownCancel, given_back: KeptRow) -> bool:
    """Return whether a cancel that is done here can be the row's, as far as amount and day tell."""
    return known.cancellation.done_at is not None and given_back.day in _cancel_days(known)
