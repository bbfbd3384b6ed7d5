"""Recording an outcome: the money may have moved, so a store that stumbles is asked again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from maedal import metrics
from maedal.billing_keys.billing_key import BillingKey
from maedal.flows import maintenance, recovery, telling, waiting
from maedal.flows.deactivate_key import end_at_pg
from maedal.flows.parts import Parts
from maedal.payments.attempt import Outcome, Result
from maedal.payments.moves import NEXT, Event, Status
from maedal.payments.payment import KeyUse, Payment
from maedal.storage.store import Conflict, Record, RecordCancel, StoreError
from maedal.webhooks.webhook import Delivery

_log = structlog.get_logger()

TRIES_MAX = 6
EVENTS = {
    Outcome.APPROVED: Event.APPROVED,
    Outcome.DECLINED: Event.DECLINED,
    Outcome.NOT_SENT: Event.NOT_SENT,
    Outcome.UNKNOWN: Event.LOST,
}


def fail_reason(result: Result) -> str:
    """Return why nothing was taken, with the PG's own code in front (docs/wire/portone-v1-rest.md 4.5.2)."""
    assert result.decline is not None, "a failure says why"
    number = result.decline.code.partition(" ")[0]
    return f"[{number}] {result.decline.message}"


async def record(
    parts: Parts,
    payment: Payment,
    attempt_id: str,
    result: Result,
    *,
    issued_key: BillingKey | None = None,
    reason: str | None = None,
    undo: bool = False,
) -> Payment:
    """Commit what a call taught us and return the payment as it stands then.

    With `undo` money was taken for a billing key that is lost: nobody is told that it was, and it is to be given back.

    Somebody else may have recorded the same attempt first (a worker that found it lying open): then their record stands
    and is returned. If the store stays away, raises StoreError; the attempt then stays open and is clarified later.
    """
    return await _keep_trying(
        parts, payment, lambda: _write(parts, payment, attempt_id, result, issued_key, reason, undo), result
    )


async def record_cancel(parts: Parts, payment: Payment, attempt_id: str, result: Result) -> Payment:
    """Commit what a cancel taught us and return the payment as it stands then; the same rules as `record`."""
    return await _keep_trying(parts, payment, lambda: _write_cancel(parts, payment, attempt_id, result), result)


async def _keep_trying(
    parts: Parts, payment: Payment, write: Callable[[], Awaitable[Payment]], result: Result
) -> Payment:
    for tries in range(TRIES_MAX):
        try:
            after = await write()
        except Conflict:
            stored = await parts.store.payment(payment.merchant_id, payment.imp_uid)
            assert stored is not None, "a payment is never deleted"
            if stored.version == payment.version and stored.status is Status.CALLING:
                # Nobody was first: a rule of the database refuses the record itself. It is clarified like a lost one.
                _log.exception("outcome_refused_by_the_store", imp_uid=payment.imp_uid, outcome=result.outcome)
                raise
            metrics.LEASES_LOST.labels("attempt").inc()
            _log.info("outcome_already_recorded", imp_uid=payment.imp_uid, status=stored.status)
            return stored
        except StoreError:
            if tries == TRIES_MAX - 1:
                metrics.RECORDING_FAILED.inc()
                _log.exception("outcome_not_recorded", imp_uid=payment.imp_uid, outcome=result.outcome)
                raise
            await parts.clock.sleep(0.1 * 2**tries)
        else:
            metrics.OUTCOMES.labels(result.outcome, result.proof).inc()
            if result.decline is not None:
                metrics.PG_ERRORS.labels(metrics.code_label(result.decline.code)).inc()
            return after
    raise AssertionError("the loop returns or raises")


async def cancel_record(parts: Parts, payment: Payment, attempt_id: str, result: Result) -> RecordCancel:
    """Return the write that keeps what a cancel taught us, with the webhooks that follow."""
    now = parts.clock.now()
    known = await parts.store.cancellations(payment.merchant_id, [payment.imp_uid])
    cancellation = next(c for c in known if c.id == attempt_id)
    deliveries: tuple[Delivery, ...] = ()
    if result.outcome is Outcome.APPROVED:
        deliveries = await telling.cancel_deliveries(parts, payment, cancellation, now)
    return RecordCancel(payment, cancellation, result, now, deliveries)


async def _write_cancel(parts: Parts, payment: Payment, attempt_id: str, result: Result) -> Payment:
    record = await cancel_record(parts, payment, attempt_id, result)
    after = await parts.store.write(record)
    if record.cancellation.tell and record.deliveries:
        parts.webhook_waiting.set()
    return after


async def charge_record(
    parts: Parts,
    payment: Payment,
    attempt_id: str,
    result: Result,
    *,
    issued_key: BillingKey | None = None,
    reason: str | None = None,
    undo: bool = False,
) -> Record:
    """Return the write that keeps what a charge or an approval taught us, with everything that follows from it."""
    now = parts.clock.now()
    event = EVENTS[result.outcome]
    failed = result.outcome in {Outcome.DECLINED, Outcome.NOT_SENT}
    deliveries = () if undo else await telling.deliveries(parts, payment, NEXT[payment.status, event], now)
    ending = None if issued_key is None else parts.ids.row(now)
    reason_of_failure = result.decline.reason if failed and result.decline else None
    next_try = await recovery.next_try_of(parts, payment, reason_of_failure, now)
    postponed_until = None
    decline = result.decline if failed and payment.order.key_use is KeyUse.SCHEDULED else None
    if decline is not None and (decline.maintenance or decline.fault is not None):
        schedule = await parts.store.schedule(payment.merchant_id, payment.order.merchant_uid)
        if decline.maintenance:
            postponed_until = await maintenance.waits_until(parts, payment, schedule, now)
        else:
            assert decline.fault is not None, "one or the other"
            postponed_until = waiting.waits_until(payment, schedule, decline.fault, now)
        next_try = next_try or await maintenance.next_try_when_open(parts, payment, schedule, now)
        if postponed_until is not None:
            # Nothing has failed that the merchant planned: it waits, and its end will be told.
            deliveries = ()
            metrics.POSTPONED.labels(decline.fault or "answered").inc()
    return Record(
        payment=payment,
        attempt_id=attempt_id,
        event=event,
        result=result,
        now=now,
        fail_code=result.decline.code if failed and result.decline else None,
        fail_reason=(reason or fail_reason(result)) if failed else None,
        issued_key=issued_key,
        ending_attempt_id=ending,
        deliveries=deliveries,
        undo=undo,
        next_try=next_try,
        postponed_until=postponed_until,
    )


async def _write(
    parts: Parts,
    payment: Payment,
    attempt_id: str,
    result: Result,
    issued_key: BillingKey | None,
    reason: str | None,
    undo: bool,
) -> Payment:
    record = await charge_record(parts, payment, attempt_id, result, issued_key=issued_key, reason=reason, undo=undo)
    after = await parts.store.write(record)
    if record.ending_attempt_id is not None:
        # The key that was replaced, if there was one, ends at the PG only now that the new one works.
        parts.background.begin(end_at_pg(parts, payment.merchant_id, record.ending_attempt_id))
    if record.deliveries:
        parts.webhook_waiting.set()
    return after
