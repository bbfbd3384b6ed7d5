"""What an outcome is written as: the record of a charge or a cancel, with everything that follows from it."""

from __future__ import annotations

from typing import Protocol

from maedal import metrics
from maedal.billing_keys.billing_key import BillingKey
from maedal.flows import channel_pauses, maintenance, recovery, webhook_outbox
from maedal.flows.services import ServicesWith
from maedal.payments.attempt import Outcome, Proof, Result
from maedal.payments.moves import NEXT, Event
from maedal.payments.payment import KeyUse, Payment
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.cancellations.writes import RecordCancel
from maedal.storage.channels.reads import HasChannels
from maedal.storage.errors import Conflict
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.payments.writes import Record
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.write import Writes
from maedal.webhooks.webhook import Delivery

NOTHING_HAPPENED = "처리되지 않았으며, 같은 요청을 나중에 다시 할 수 있습니다."
"""Said after what nobody declined: the buyer was not charged, or nothing was given back, and the same may be asked."""
EVENTS = {
    Outcome.APPROVED: Event.APPROVED,
    Outcome.DECLINED: Event.DECLINED,
    Outcome.NOT_SENT: Event.NOT_SENT,
    Outcome.UNKNOWN: Event.LOST,
}


class OutcomeWritesStore(
    HasBillingKeys, HasCancellations, HasChannels, HasMerchants, HasSchedules, Writes, Protocol
): ...


def fail_reason(result: Result) -> str:
    """Return why nothing was taken, with the PG's own code in front (docs/wire/portone-v1-rest.md 4.5.2)."""
    assert result.decline is not None, "a failure says why"
    number = result.decline.code.partition(" ")[0]
    text = f"[{number}] {result.decline.message}"
    return f"{text} ({NOTHING_HAPPENED})" if result.decline.fault is not None else text


async def cancel_record(
    services: ServicesWith[OutcomeWritesStore], payment: Payment, attempt_id: str, result: Result
) -> RecordCancel:
    """Return the write that keeps what a cancel taught us, with the webhooks that follow.

    Raises Conflict when the database knows of no such cancel.
    """
    now = services.clock.now()
    known = await services.store.cancellations.of_payments(payment.merchant_id, [payment.imp_uid])
    cancellation = next((c for c in known if c.id == attempt_id), None)
    if cancellation is None:
        raise Conflict(f"the cancel {attempt_id} is not known here")
    deliveries: tuple[Delivery, ...] = ()
    if result.outcome is Outcome.APPROVED:
        deliveries = await webhook_outbox.cancel_deliveries(services, payment, cancellation, now)
    return RecordCancel(payment, cancellation, result, now, deliveries)


async def charge_record(
    services: ServicesWith[OutcomeWritesStore],
    payment: Payment,
    attempt_id: str,
    result: Result,
    *,
    issued_key: BillingKey | None = None,
    reason: str | None = None,
    undo: bool = False,
) -> Record:
    """Return the write that keeps what a charge or an approval taught us, with everything that follows from it."""
    now = services.clock.now()
    event = EVENTS[result.outcome]
    failed = result.outcome in {Outcome.DECLINED, Outcome.NOT_SENT}
    deliveries = () if undo else await webhook_outbox.deliveries(services, payment, NEXT[payment.status, event], now)
    ending = None if issued_key is None else services.ids.row(now)
    reason_of_failure = None
    if failed and result.decline is not None:
        # What was unknown and is proved by anything else than the PG's own answer is no decline for a rule.
        answered = result.outcome is Outcome.DECLINED and result.proof is Proof.REPLY
        reason_of_failure = result.decline.retry_reason if answered else result.decline.reason
    next_try = await recovery.next_try_of(services, payment, reason_of_failure, now)
    postponed_until, uncounted = None, False
    decline = result.decline if failed and payment.order.key_use is KeyUse.SCHEDULED else None
    if decline is not None and (decline.maintenance or decline.fault is not None):
        schedule = await services.store.schedules.find(payment.merchant_id, payment.order.merchant_uid)
        if decline.maintenance or decline.fault is None:
            postponed_until = await maintenance.waits_until(services, payment, schedule, now)
            next_try = next_try or await maintenance.next_try_when_open(services, payment, schedule, now)
        else:
            postponed_until = await channel_pauses.waits_until(services, payment, schedule, decline.fault, now)
            next_try = await channel_pauses.next_try(services, payment, schedule, decline.fault, now)
            uncounted = next_try is not None
            if not decline.fault.of_channel:
                next_try = await maintenance.next_try_when_open(services, payment, schedule, now)
        if postponed_until is not None or uncounted:
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
        waits_channel=payment.channel_id if decline and decline.fault and decline.fault.of_channel else None,
        uncounted=uncounted,
    )
