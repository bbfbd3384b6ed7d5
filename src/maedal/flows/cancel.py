"""Cancel: give money back, wholly or partly, one cancel of a payment at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from maedal.flows.call_pg import account_for, call_pg, driver_of, not_built
from maedal.flows.intents import WITHDRAWN, Intent, begin
from maedal.flows.maintenance import note_availability
from maedal.flows.outcome_writes import fail_reason
from maedal.flows.record_outcome import record_cancel
from maedal.flows.refunds import look_up
from maedal.flows.resolve_unknown import NOT_CANCELLED_TEXT, NOT_PROVED, NOT_PROVED_TEXT, clarify_for_a_while
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.flows.unrecorded_outcomes import OwnCall
from maedal.merchants.audit_entry import AuditAction, AuditEntry
from maedal.payments.attempt import Attempt, Outcome, Result, Verb
from maedal.payments.cancellation import DEFAULT_REASON, Cancellation, RefundKind, split_cancel
from maedal.payments.errors import (
    AlreadyCancelled,
    CancelBusy,
    CancelRefused,
    ChecksumMismatch,
    NothingToCancel,
    OutcomeUnknown,
    PgTidMissing,
)
from maedal.payments.mark import write_cancel_mark
from maedal.payments.money import Money, Price
from maedal.payments.moves import Status
from maedal.payments.payment import Payment
from maedal.pg.driver import CallKind, CancelParams
from maedal.storage.attempts.reads import HasAttempts
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.cancellations.writes import BeginCancel
from maedal.storage.channels.reads import HasChannels
from maedal.storage.errors import Conflict, StoreError
from maedal.storage.maintenance.reads import HasMaintenance
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.payments.reads import HasPayments, Sorting
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.unknown_outcomes.reads import HasUnknownOutcomes
from maedal.storage.write import Writes

_log = structlog.get_logger()

CANCELLABLE = (Status.PAID, Status.CANCELLED)
AGAIN = ".2"
"""What is added to the id of a wish's attempt when it is begun once more, after a refund at the PG was entered."""


class CancelStore(
    HasAttempts,
    HasBillingKeys,
    HasCancellations,
    HasChannels,
    HasMaintenance,
    HasMerchants,
    HasPayments,
    HasSchedules,
    HasUnknownOutcomes,
    Writes,
    Protocol,
): ...


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """What the merchant asks. `amount` 0 is all that is left; `checksum` is what they believe is left."""

    imp_uid: str | None
    merchant_uid: str | None
    amount: int = 0
    tax_free: int | None = None
    checksum: int | None = None
    reason: str | None = None
    tell: bool = False
    attempt_id: str | None = None
    """Under which id the call to the PG is begun, at most once however often the wish comes; drawn when None."""
    who: str | None = None
    """The person who wants it, kept in the audit log; None for a merchant's server."""
    kind: RefundKind | None = None
    """Why, as that person chose."""


async def cancel(services: ServicesWith[CancelStore], merchant_id: str, asked: CancelRequest) -> Payment:
    """Cancel once and return the payment as it stands then.

    Raises NothingToCancel, AlreadyCancelled, ChecksumMismatch, CancelTooMuch, InvalidParameter, PgTidMissing,
    CancelBusy or CancelRefused: then nothing was given back. Raises OutcomeUnknown when the PG's answer is lost and the
    order lookup could not tell in time: the worker goes on asking.
    """
    if asked.imp_uid is not None:
        services.unrecorded_outcomes.refuse_cancel(merchant_id, asked.imp_uid)
    found = await _begun_before(services, merchant_id, asked)
    if found is not None:
        return found
    found = await _find(services, merchant_id, asked)
    services.unrecorded_outcomes.refuse_cancel(merchant_id, found.imp_uid)
    return await services.background.finish(_cancel(services, merchant_id, found.imp_uid, asked))


async def _begun_before(services: ServicesWith[CancelStore], merchant_id: str, asked: CancelRequest) -> Payment | None:
    """Return the payment of a wish that was carried out before and cut off; raises what it would have raised."""
    if asked.attempt_id is None:
        return None
    payment = await services.store.payments.find_by_attempt(merchant_id, asked.attempt_id)
    if payment is None:
        return None
    payment = await clarify_for_a_while(services, payment, asked.attempt_id)
    if await services.store.cancellations.has_open(merchant_id, payment.imp_uid):
        raise OutcomeUnknown("the cancel was begun, and its outcome is being clarified")
    again = asked.attempt_id + AGAIN
    begun_again = await services.store.payments.find_by_attempt(merchant_id, again) is not None
    return await _after_clarifying(services, payment, again if begun_again else asked.attempt_id)


async def _find(services: ServicesWith[CancelStore], merchant_id: str, asked: CancelRequest) -> Payment:
    if asked.imp_uid is not None:
        found = await services.store.payments.find(merchant_id, asked.imp_uid)
    else:
        assert asked.merchant_uid is not None, "a cancel names its payment"
        found = await services.store.payments.find_by_merchant_uid(
            merchant_id, asked.merchant_uid, CANCELLABLE, Sorting.STARTED_NEWEST
        )
    if found is None or found.status not in CANCELLABLE:
        raise NothingToCancel("there is no such payment, or it was never paid")
    return found


async def _cancel(services: ServicesWith[CancelStore], merchant_id: str, imp_uid: str, asked: CancelRequest) -> Payment:
    async with services.call_queue.turn(("cancel", merchant_id, imp_uid), services.limits.busy_wait_seconds) as my_turn:
        if not my_turn:
            raise CancelBusy("another cancel of this payment is still running")
        payment = await services.store.payments.find(merchant_id, imp_uid)
        assert payment is not None, "a payment is never deleted"
        attempt, result, after = await _once(services, payment, asked)
        if await _left_differs(services, payment, result):
            taken = await look_up(services, after)
            if taken is not None and taken.payment.cancelled_amount != payment.cancelled_amount:
                # The wish is judged by what is left now: carried out, or refused for what it is.
                again = None if asked.attempt_id is None else asked.attempt_id + AGAIN
                attempt, result, after = await _once(services, taken.payment, replace(asked, attempt_id=again))
    if result.outcome is Outcome.UNKNOWN:
        after = await clarify_for_a_while(services, after, attempt.id)
        return await _after_clarifying(services, after, attempt.id)
    if result.outcome is not Outcome.APPROVED:
        raise CancelRefused(fail_reason(result))
    return after


async def _once(
    services: ServicesWith[CancelStore], payment: Payment, asked: CancelRequest
) -> tuple[Attempt, Result, Payment]:
    """Begin the cancel, call the PG and record what came of it."""
    attempt, cancellation = await _begin(services, payment, asked)
    result = await _call(services, payment, cancellation)
    try:
        own_call = OwnCall(attempt, cancellation=cancellation)
        after = await record_cancel(services, payment, attempt.id, result, own_call=own_call)
    except StoreError as error:
        raise OutcomeUnknown("the cancel's outcome could not be kept and is being clarified") from error
    await note_availability(services, after, result)
    return attempt, result, after


async def _left_differs(services: ServicesWithoutStore, payment: Payment, result: Result) -> bool:
    """Return whether the PG refused because another amount is left there than here."""
    if result.outcome is not Outcome.DECLINED or result.decline is None:
        return False
    channel = await services.merchant_cache.channel(payment.merchant_id, payment.channel_id)
    return result.decline.code.partition(" ")[0] in driver_of(services, channel).abilities.left_differs_codes


async def _begin(
    services: ServicesWith[CancelStore], payment: Payment, asked: CancelRequest
) -> tuple[Attempt, Cancellation]:
    """Check what is asked in the documented order (docs/wire/portone-v1-rest.md 4.3), then commit the intent."""
    known = await services.store.cancellations.of_payments(payment.merchant_id, [payment.imp_uid])
    done = [c.split for c in known if c.done_at is not None]
    left = payment.order.price.total.amount - payment.cancelled_amount
    if left == 0:
        raise AlreadyCancelled("nothing is left to cancel")
    if asked.checksum is not None and asked.checksum != left:
        raise ChecksumMismatch(f"checksum {asked.checksum}, but {left} won are left")
    split = split_cancel(payment.order.price, done, asked.amount, asked.tax_free)
    if payment.pg_tid is None:
        raise PgTidMissing("the PG's id of this payment is not known yet")
    now = services.clock.now()
    attempt_id = asked.attempt_id or services.ids.row(now)
    attempt = Attempt(
        attempt_id,
        payment.merchant_id,
        Verb.CANCEL,
        attempt_id,
        now,
        imp_uid=payment.imp_uid,
        price=Price(Money(split.amount), Money(split.tax_free)),
    )
    mark = write_cancel_mark(payment.merchant_id, attempt_id)
    cancellation = Cancellation(
        payment.merchant_id,
        attempt_id,
        payment.imp_uid,
        split,
        asked.reason or DEFAULT_REASON,
        asked.tell,
        now,
        marked=mark is not None,
        kind=asked.kind,
    )

    audit_entry = None
    if asked.who is not None:
        facts = (f"cancellable={left}", f"cancelling={split.amount}")
        audit_entry = AuditEntry(
            services.ids.row(now),
            payment.merchant_id,
            AuditAction.CANCEL,
            payment.imp_uid,
            asked.who,
            cancellation.reason,
            *facts,
            now,
        )

    async def intent() -> bool:
        await services.store.write(BeginCancel(payment, attempt, cancellation, audit_entry))
        return True

    async def withdraw(_: bool) -> None:
        await record_cancel(services, payment, attempt_id, WITHDRAWN)

    try:
        await begin(services, Intent(payment.merchant_id, attempt_id, now, intent, lambda _: True, withdraw))
    except Conflict as error:
        raise CancelBusy("another cancel of this payment is running or unclear") from error
    return attempt, cancellation


async def _call(services: ServicesWithoutStore, payment: Payment, cancellation: Cancellation) -> Result:
    assert payment.pg_tid is not None, "checked before the intent was committed"
    try:
        channel = await services.merchant_cache.channel(payment.merchant_id, payment.channel_id)
        driver = driver_of(services, channel)
        available = payment.order.price.total.amount - payment.cancelled_amount
        mark = write_cancel_mark(payment.merchant_id, cancellation.id) if cancellation.marked else None
        params = CancelParams(payment.pg_tid, cancellation.split, available, mark)
        request = driver.cancel_request(account_for(services, channel, test_mode=payment.test_mode), params)
    except Exception as error:  # whatever keeps the request from being built, it was certainly not sent
        _log.exception("cancel_could_not_be_built", imp_uid=payment.imp_uid, kind=type(error).__name__)
        return not_built(error)
    begun_at = cancellation.begun_at
    return await call_pg(
        services,
        CallKind.CANCEL,
        payment.merchant_id,
        request,
        lambda reply: driver.read_cancel(params, reply),
        begun_at=begun_at,
    )


async def _after_clarifying(services: ServicesWith[CancelStore], payment: Payment, attempt_id: str) -> Payment:
    if await services.store.unknown_outcomes.of_payment(payment.merchant_id, payment.imp_uid) is not None:
        raise OutcomeUnknown("the PG's answer to the cancel is lost and being clarified")
    known = await services.store.cancellations.of_payments(payment.merchant_id, [payment.imp_uid])
    if next(c for c in known if c.id == attempt_id).done_at is None:
        past = await services.store.attempts.of_payment(payment.merchant_id, payment.imp_uid)
        code = next((p.code for p in past if p.attempt.id == attempt_id), None)
        raise CancelRefused(NOT_PROVED_TEXT if code == NOT_PROVED else NOT_CANCELLED_TEXT)
    return payment
