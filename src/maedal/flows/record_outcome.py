"""Recording an outcome: the money may have moved, so whoever knows it goes on recording it for as long as it lives.

What was committed under an unclear answer is proved by a write, as an intent is (`beginning`): until then nobody hears
that money was taken or given back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

import structlog

from maedal import metrics
from maedal.billing_keys.billing_key import BillingKey
from maedal.flows.deactivate_key import end_at_pg
from maedal.flows.enter_outcome import begin_anew, entry_of
from maedal.flows.outcome_writes import cancel_record, charge_record
from maedal.flows.services import ServicesWith
from maedal.flows.unrecorded_outcomes import KnownOutcome, OwnCall
from maedal.payments.attempt import Outcome, Proof, Result
from maedal.payments.moves import Status
from maedal.payments.payment import Payment
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.channels.reads import HasChannels
from maedal.storage.durability.writes import Prove
from maedal.storage.errors import CommitUnclear, Conflict, StoreError
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.payments.reads import HasPayments
from maedal.storage.payments.writes import FillTid, Record
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.write import Writes

_log = structlog.get_logger()

TRIES_MAX = 6
"""How often a caller waits for an outcome to be recorded; whoever made the call goes on after that."""
TRIES_WITHIN = timedelta(seconds=20)
"""After this no further try is waited for: the store hangs, and each try takes as long as a statement may."""
HELD_WAIT_MAX = 15.0
"""The longest wait, in seconds, between two tries to record an outcome that is held."""
NOTHING_TAKEN = frozenset({Outcome.DECLINED, Outcome.NOT_SENT})


class RecordOutcomeStore(
    HasBillingKeys, HasCancellations, HasChannels, HasMerchants, HasPayments, HasSchedules, Writes, Protocol
): ...


async def record(
    services: ServicesWith[RecordOutcomeStore],
    payment: Payment,
    attempt_id: str,
    result: Result,
    *,
    issued_key: BillingKey | None = None,
    reason: str | None = None,
    undo: bool = False,
    own_call: OwnCall | None = None,
) -> Payment:
    """Commit what a call taught us and return the payment as it then stands, in a way that outlives a failover.

    With `undo` money was taken for a billing key that is lost: nobody is told that it was, and it is to be given back.

    Somebody else may have recorded the same attempt first (a worker that found it lying open): then their record stands
    and is returned, unless it says that the outcome is unknown, and we know it. `own_call` is given by whoever made the
    call. If the store stays away, raises StoreError: an owned outcome is held then, and recorded in the background for
    as long as the process lives, also into a database that has forgotten the call; any other is clarified later.
    """

    async def write(now_stands: Payment) -> Payment:
        return await _write(services, now_stands, attempt_id, result, issued_key, reason, undo)

    async def enter(known: KnownOutcome) -> Payment:
        assert known.own_call is not None, "only who made the call enters it"
        begun = await begin_anew(services, known) if known.own_call.window is not None else None
        if begun is not None:
            return await write(begun)
        # All of it is new to this database, and so is counted from the beginning.
        known = replace(known, payment=replace(known.payment, version=1))
        made = await charge_record(
            services, known.payment, attempt_id, result, issued_key=issued_key, reason=reason, undo=undo
        )
        after = await services.store.write(entry_of(services, known, made))
        _go_on_after(services, made)
        return after

    return await _keep(services, _Recording(KnownOutcome(payment, attempt_id, result, own_call), write, enter))


async def record_cancel(
    services: ServicesWith[RecordOutcomeStore],
    payment: Payment,
    attempt_id: str,
    result: Result,
    *,
    own_call: OwnCall | None = None,
) -> Payment:
    """Commit what a cancel taught us and return the payment as it stands then; the same rules as `record`.

    A payment that was moved meanwhile, by a refund at the PG, takes the cancel as it then stands.
    """

    async def write(now_stands: Payment) -> Payment:
        return await _write_cancel(services, now_stands, attempt_id, result)

    async def enter(known: KnownOutcome) -> Payment:
        if result.outcome in NOTHING_TAKEN:
            return payment  # nothing was given back, and nothing of it is in the books
        begun = await begin_anew(services, known)
        assert begun is not None, "a cancel has its payment"
        return await write(begun)

    return await _keep(services, _Recording(KnownOutcome(payment, attempt_id, result, own_call), write, enter))


@dataclass(frozen=True, slots=True)
class _Recording:
    """An outcome, how it is written for a payment as that stands, and how it is entered where the call is unknown."""

    known: KnownOutcome
    write: Callable[[Payment], Awaitable[Payment]]
    enter: Callable[[KnownOutcome], Awaitable[Payment]]


async def _keep(services: ServicesWith[RecordOutcomeStore], recording: _Recording) -> Payment:
    """Record, a few times if need be; what is owned and still not recorded then is held."""
    known, started = recording.known, services.clock.now()
    tries = 0
    while True:
        tries += 1
        try:
            after = await _try(services, recording)
        except Conflict:
            services.unrecorded_outcomes.release(known)
            raise
        except StoreError as error:
            if known.own_call is not None:
                services.unrecorded_outcomes.hold(known)
            if tries < TRIES_MAX and services.clock.now() - started < TRIES_WITHIN:
                await services.clock.sleep(0.1 * 2 ** (tries - 1))
                continue
            metrics.RECORDING_FAILED.inc()
            held = known.own_call is not None
            details = {"imp_uid": known.payment.imp_uid, "attempt": known.attempt_id, "outcome": known.result.outcome}
            _log.error("outcome_not_recorded", kind=type(error).__name__, held=held, **details)
            if held:
                services.background.linger(_go_on(services, recording))
            raise
        else:
            services.unrecorded_outcomes.release(known)
            services.proved_payments.note(after)
            return after


async def _go_on(services: ServicesWith[RecordOutcomeStore], recording: _Recording) -> None:
    """Go on recording what is held until the database has it, or the process ends."""
    known, wait = recording.known, 1.0
    payment, result = known.payment, known.result
    details = {"merchant": payment.merchant_id, "imp_uid": payment.imp_uid, "attempt": known.attempt_id}
    try:
        while True:
            await services.clock.sleep(wait)
            wait = min(wait * 2, HELD_WAIT_MAX)
            try:
                await _try(services, recording)
            except Conflict:
                _log.exception("held_outcome_refused", outcome=result.outcome, **details)
                break
            except StoreError:
                continue
            _log.warning("held_outcome_recorded", outcome=result.outcome, **details)
            break
    except asyncio.CancelledError:
        # What is said here is all that anybody will know of it, until the PG's file of the day tells.
        tid = result.approval.pg_tid if result.approval else None
        amount = payment.order.price.total.amount
        _log.error("held_outcome_given_up", outcome=result.outcome, pg_tid=tid, amount=amount, **details)
        raise
    finally:
        services.unrecorded_outcomes.release(known)


async def _try(services: ServicesWith[RecordOutcomeStore], recording: _Recording) -> Payment:
    """Record once. Raises Conflict when the database's own rules refuse it, and StoreError when it is not recorded."""
    known = recording.known
    try:
        after = await recording.write(known.payment)
    except CommitUnclear:
        known.unclear = True
        raise
    except Conflict as refused:
        return await _settle(services, recording, refused)
    _count(known.result)
    return after


async def _settle(services: ServicesWith[RecordOutcomeStore], recording: _Recording, refused: Conflict) -> Payment:
    """Find out, by a write, why an outcome was refused, and return the payment as it stands for good.

    It may be recorded already, by us or by somebody else; be counted as lost; or be unknown to this database.
    """
    known = recording.known
    payment, mine = known.payment, known.result.outcome
    details = {"imp_uid": payment.imp_uid, "attempt": known.attempt_id, "outcome": mine}
    proved = await services.store.write(Prove(payment.merchant_id, known.attempt_id))
    if proved is None or proved.payment is None:
        if known.own_call is None:
            raise refused
        _log.error("call_forgotten_by_the_database", **details)
        after = await _again(known, recording.enter(known))
        _count(known.result)
        return after
    stored, theirs = proved.payment, proved.outcome
    if known.own_call is not None and proved.attempt.begun_at != known.own_call.attempt.begun_at:
        _log.error("call_begun_anew_by_another_process", **details)
        return stored
    if theirs is None or (theirs is Outcome.UNKNOWN and mine is not Outcome.UNKNOWN):
        if stored.version == payment.version and stored.status is payment.status:
            # Nobody was first: a rule of the database refuses the record itself. It is clarified like a lost one.
            _log.error("outcome_refused_by_the_store", text=str(refused), **details)
            raise refused
        # The payment has moved, or others counted the call as lost. What its own process knows settles it.
        try:
            after = await _again(known, recording.write(stored))
        except Conflict as error:
            raise StoreError("it has moved once more") from error
        _log.info("outcome_settled_by_its_process", **details)
        _count(known.result)
        return after
    metrics.LEASES_LOST.labels("attempt").inc()
    if theirs is mine and known.unclear:
        services.webhook_waiting.set()
    agree = theirs is mine or mine is Outcome.UNKNOWN or {theirs, mine} <= NOTHING_TAKEN
    if not agree:
        _log.error("outcome_contradicts_the_books", recorded=theirs, **details)
        return stored
    _log.info("outcome_already_recorded", status=stored.status, **details)
    return await _identify(services, known, stored)


async def _again(known: KnownOutcome, write: Awaitable[Payment]) -> Payment:
    try:
        return await write
    except CommitUnclear:
        known.unclear = True
        raise


async def _identify(services: ServicesWith[RecordOutcomeStore], known: KnownOutcome, stored: Payment) -> Payment:
    """Give a payment that was proved without the PG's id of it what the reply to its own call says."""
    approval = known.result.approval
    nothing_new = approval is None or approval.pg_tid is None or known.result.proof is not Proof.REPLY
    if approval is None or nothing_new or stored.status is not Status.PAID or stored.pg_tid is not None:
        return stored
    assert approval.pg_tid is not None, "looked at above"
    filled = await services.store.write(
        FillTid(
            stored,
            known.attempt_id,
            approval.pg_tid,
            approval.method,
            services.clock.now(),
            proof=known.result.proof,
            card=approval.card,
            receipt_url=approval.receipt_url,
        )
    )
    return filled or stored


def _count(result: Result) -> None:
    metrics.OUTCOMES.labels(result.outcome, result.proof).inc()
    if result.decline is not None:
        metrics.PG_ERRORS.labels(metrics.code_label(result.decline.code)).inc()


async def _write_cancel(
    services: ServicesWith[RecordOutcomeStore], payment: Payment, attempt_id: str, result: Result
) -> Payment:
    record = await cancel_record(services, payment, attempt_id, result)
    after = await services.store.write(record)
    if record.cancellation.tell and record.deliveries:
        services.webhook_waiting.set()
    return after


async def _write(
    services: ServicesWith[RecordOutcomeStore],
    payment: Payment,
    attempt_id: str,
    result: Result,
    issued_key: BillingKey | None,
    reason: str | None,
    undo: bool,
) -> Payment:
    record = await charge_record(services, payment, attempt_id, result, issued_key=issued_key, reason=reason, undo=undo)
    after = await services.store.write(record)
    _go_on_after(services, record)
    return after


def _go_on_after(services: ServicesWith[RecordOutcomeStore], record: Record) -> None:
    """Begin what follows from a record."""
    if record.ending_attempt_id is not None:
        # The key that was replaced, if there was one, ends at the PG only now that the new one works.
        services.background.begin(end_at_pg(services, record.payment.merchant_id, record.ending_attempt_id))
    if record.deliveries:
        services.webhook_waiting.set()
