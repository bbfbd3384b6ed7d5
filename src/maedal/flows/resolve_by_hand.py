"""Settle by hand: a person says what became of a call whose outcome nobody could find out, and answers for it.

The PG is asked once more first, and what it proves goes before what a person says. The act is kept in the audit log in
the transaction that moves the payment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

import structlog

from maedal import metrics
from maedal.billing_keys.billing_key import secret_context
from maedal.flows.call_pg import account_for, ask_pg, driver_of
from maedal.flows.outcome_writes import cancel_record, charge_record
from maedal.flows.resolve_unknown import clarify
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.merchants.audit_entry import NO_REASON, AuditAction, AuditEntry, check_who_and_why
from maedal.payments.attempt import Approval, Decline, Outcome, Proof, Result, Verb
from maedal.payments.errors import InvalidParameter
from maedal.payments.moves import Status
from maedal.payments.payment import KeyUse, Payment
from maedal.pg.driver import AnswerLost, NotSent, OrderState, Unreadable
from maedal.storage.audit.writes import KeepAuditEntry
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.cancellations.writes import RecordCancel
from maedal.storage.channels.reads import HasChannels
from maedal.storage.errors import Conflict
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.payments.reads import HasPayments
from maedal.storage.payments.writes import Record, SupplyTid
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.unknown_outcomes.reads import HasUnknownOutcomes, OpenAttempt
from maedal.storage.unknown_outcomes.writes import SettleByHand
from maedal.storage.write import Writes

_log = structlog.get_logger()


class ResolveByHandStore(
    HasBillingKeys,
    HasCancellations,
    HasChannels,
    HasMerchants,
    HasPayments,
    HasSchedules,
    HasUnknownOutcomes,
    Writes,
    Protocol,
): ...


class Verdict(StrEnum):
    """What a person says became of a call."""

    CHARGED = "charged"
    NOT_CHARGED = "not-charged"
    CANCELLED = "cancelled"
    NOT_CANCELLED = "not-cancelled"


_OF_CANCELS = {Verdict.CANCELLED, Verdict.NOT_CANCELLED}
_KINDS = {
    Verdict.CHARGED: AuditAction.SETTLE_CHARGED,
    Verdict.NOT_CHARGED: AuditAction.SETTLE_NOT_CHARGED,
    Verdict.CANCELLED: AuditAction.SETTLE_CANCELLED,
    Verdict.NOT_CANCELLED: AuditAction.SETTLE_NOT_CANCELLED,
}
_DECLINES = {
    Verdict.NOT_CHARGED: Decline("NOT_TAKEN", "담당자가 결제되지 않은 것을 확인했습니다."),
    Verdict.NOT_CANCELLED: Decline("NOT_CANCELLED", "담당자가 취소되지 않은 것을 확인했습니다."),
}


@dataclass(frozen=True, slots=True)
class ManualResolution:
    """How a person settles an unknown outcome; `tid` is the PG's id of a charge, when it is known.

    With an `attempt_id` it is about that call alone: a page that was left open says nothing of a later one.
    """

    verdict: Verdict
    who: str
    reason: str
    tid: str | None = None
    attempt_id: str | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """What came of it: `by_hand` is False when the PG told the outcome at last, and the person was not needed."""

    payment: Payment
    by_hand: bool


async def resolve_by_hand(
    services: ServicesWith[ResolveByHandStore], merchant_id: str, imp_uid: str, resolution: ManualResolution
) -> Resolved:
    """Settle the unknown outcome of a payment, and return the payment as it stands then.

    Raises InvalidParameter, naming what is wrong: nothing is unknown, the verdict is about another kind of call, or the
    PG does not confirm the tid.
    """
    check_who_and_why(resolution.who, resolution.reason)
    found = await _unknown(services, merchant_id, imp_uid)
    if resolution.attempt_id not in {None, found.attempt.id}:
        raise InvalidParameter("imp_uid", f"another call of {imp_uid} is unknown now; look again")
    if (found.attempt.verb is Verb.CANCEL) != (resolution.verdict in _OF_CANCELS):
        raise InvalidParameter(
            "as", f"what is unknown here is a {found.attempt.verb}; {resolution.verdict} does not fit"
        )
    if resolution.tid is not None and (
        resolution.verdict is not Verdict.CHARGED or found.attempt.verb is not Verb.CHARGE
    ):
        raise InvalidParameter("tid", "a tid belongs to a charge that is settled as charged")
    payment = await clarify(services, found)
    still = await services.store.unknown_outcomes.of_payment(merchant_id, imp_uid)
    if still is None or still.attempt.id != found.attempt.id:
        return Resolved(payment, by_hand=False)
    if resolution.tid is not None:
        await _check_tid(services, payment, found.attempt.order_id, resolution.tid)
    result = await _result(services, payment, found, resolution)
    try:
        after = await _record(services, payment, found, resolution, result)
    except Conflict as error:
        raise InvalidParameter(
            "imp_uid", "somebody else settled it at this very moment; nothing was changed"
        ) from error
    metrics.RESOLVED.labels(found.attempt.verb, result.outcome, result.proof).inc()
    _log.warning("settled_by_hand", imp_uid=imp_uid, attempt=found.attempt.id, verdict=resolution.verdict)
    services.webhook_waiting.set()
    return Resolved(after, by_hand=True)


async def supply_tid(
    services: ServicesWith[ResolveByHandStore], merchant_id: str, imp_uid: str, tid: str, who: str, reason: str
) -> Payment:
    """Keep the PG's id of a payment that was found paid without one; the PG must confirm order and amount.

    Raises InvalidParameter, naming what is wrong; nothing is changed then.
    """
    check_who_and_why(who, reason)
    payment = await services.store.payments.find(merchant_id, imp_uid)
    if payment is None:
        raise InvalidParameter("imp_uid", f"{merchant_id} has no payment {imp_uid}")
    order_id = await services.store.payments.order_without_tid(merchant_id, imp_uid)
    if payment.status is not Status.PAID or payment.pg_tid is not None or order_id is None:
        raise InvalidParameter("imp_uid", f"{imp_uid} is not a paid payment that lacks its tid")
    await _check_tid(services, payment, order_id, tid)
    audit_entry = _audit_entry(services, payment, AuditAction.SUPPLY_TID, who, reason, "tid=-", f"tid={tid}")
    try:
        after = await services.store.write(SupplyTid(payment, tid, audit_entry))
    except Conflict as error:
        raise InvalidParameter("tid", "the payment has moved meanwhile; nothing was changed") from error
    return after


async def ask_now(
    services: ServicesWith[ResolveByHandStore],
    merchant_id: str,
    imp_uid: str,
    who: str,
    audit_entry_id: str | None = None,
) -> Resolved:
    """Ask the PG about an unknown outcome at once, because a person wants to know, and keep that they did.

    Asking is harmless to repeat; with an `audit_entry_id` it is in the audit log once. `by_hand` tells that the PG
    still does not tell. Raises InvalidParameter when nothing is unknown.
    """
    found = await _unknown(services, merchant_id, imp_uid)
    assert found.payment is not None, "checked when it was read"
    audit_entry = _audit_entry(services, found.payment, AuditAction.ASK_PG, who, NO_REASON, "unknown", "asked")
    await services.store.write(
        KeepAuditEntry(audit_entry if audit_entry_id is None else replace(audit_entry, id=audit_entry_id))
    )
    payment = await clarify(services, found)
    still = await services.store.unknown_outcomes.of_payment(merchant_id, imp_uid)
    services.webhook_waiting.set()
    return Resolved(payment, by_hand=still is not None and still.attempt.id == found.attempt.id)


async def _unknown(services: ServicesWith[ResolveByHandStore], merchant_id: str, imp_uid: str) -> OpenAttempt:
    found = await services.store.unknown_outcomes.of_payment(merchant_id, imp_uid)
    if found is None or found.payment is None:
        raise InvalidParameter("imp_uid", f"{merchant_id} has no payment {imp_uid} with an unknown outcome")
    if found.attempt.verb is not Verb.CANCEL and found.payment.status is not Status.UNKNOWN:
        raise InvalidParameter("imp_uid", f"{imp_uid} is {found.payment.status}; its outcome is known")
    return found


async def _check_tid(services: ServicesWithoutStore, payment: Payment, order_id: str, tid: str) -> None:
    channel = await services.merchant_cache.channel(payment.merchant_id, payment.channel_id)
    driver, account = driver_of(services, channel), account_for(services, channel, test_mode=payment.test_mode)
    try:
        facts = driver.read_order(tid, await ask_pg(services, payment.merchant_id, driver.order_request(account, tid)))
    except (NotSent, AnswerLost, Unreadable) as error:
        raise InvalidParameter("tid", "the PG does not confirm this tid; nothing was changed") from error
    amount = payment.order.price.total.amount
    if facts.order_id != order_id:
        raise InvalidParameter("tid", f"the PG says that {tid} belongs to another order; nothing was changed")
    if facts.total != amount:
        raise InvalidParameter("tid", f"the PG says {facts.total} won under {tid}, the payment {amount}")
    if facts.state not in {OrderState.APPROVED, OrderState.CANCELLED}:
        raise InvalidParameter("tid", f"the PG says that {tid} took no money ({facts.pg_state})")


async def _result(
    services: ServicesWith[ResolveByHandStore], payment: Payment, found: OpenAttempt, resolution: ManualResolution
) -> Result:
    if resolution.verdict in _DECLINES:
        return Result(Outcome.DECLINED, Proof.PERSON, decline=_DECLINES[resolution.verdict])
    if resolution.verdict is Verdict.CANCELLED or found.attempt.verb is Verb.APPROVE:
        return Result(Outcome.APPROVED, Proof.PERSON, approval=Approval(payment.pg_tid, payment.method, None))
    return Result(Outcome.APPROVED, Proof.PERSON, approval=await _approval(services, payment, found, resolution.tid))


async def _approval(
    services: ServicesWith[ResolveByHandStore], payment: Payment, found: OpenAttempt, tid: str | None
) -> Approval:
    """Return the approval of a charge with the key's present facts: the next lost charge is judged against them."""
    assert found.attempt.billing_key_id is not None, "a charge names its key"
    key = await services.store.billing_keys.find_by_id(payment.merchant_id, found.attempt.billing_key_id)
    assert key is not None, "a key is never deleted"
    channel = await services.merchant_cache.channel(payment.merchant_id, payment.channel_id)
    driver, account = driver_of(services, channel), account_for(services, channel, test_mode=payment.test_mode)
    pg_key = services.vault.open(key.sealed_pg_key, *secret_context(key))
    try:
        facts = driver.read_key(
            pg_key, await ask_pg(services, payment.merchant_id, driver.key_request(account, pg_key))
        )
    except (NotSent, AnswerLost, Unreadable):
        return Approval(tid, key.method, None)
    return Approval(tid, facts.method or key.method, facts.last_approved_at)


async def _record(
    services: ServicesWith[ResolveByHandStore],
    payment: Payment,
    found: OpenAttempt,
    resolution: ManualResolution,
    result: Result,
) -> Payment:
    record: Record | RecordCancel
    if found.attempt.verb is Verb.CANCEL:
        record = await cancel_record(services, payment, found.attempt.id, result)
        after = "cancelled" if resolution.verdict is Verdict.CANCELLED else "not cancelled"
    else:
        # The key went with the lost reply; money that was taken for it is given back.
        undo = resolution.verdict is Verdict.CHARGED and payment.order.key_use is KeyUse.ISSUE
        free = undo and payment.order.price.total.amount == 0
        if free:
            raise InvalidParameter(
                "as", "a billing key whose reply was lost cannot be recovered: settle it as not charged"
            )
        record = await charge_record(services, payment, found.attempt.id, result, undo=undo)
        after = "paid" if resolution.verdict is Verdict.CHARGED else "failed"
    tid = "" if resolution.tid is None else f", tid={resolution.tid}"
    audit_entry = _audit_entry(
        services, payment, _KINDS[resolution.verdict], resolution.who, resolution.reason, "unknown", after + tid
    )
    return await services.store.write(SettleByHand(record, audit_entry))


def _audit_entry(
    services: ServicesWithoutStore, payment: Payment, kind: AuditAction, who: str, reason: str, before: str, after: str
) -> AuditEntry:
    now = services.clock.now()
    return AuditEntry(
        services.ids.row(now), payment.merchant_id, kind, payment.imp_uid, who, reason, before, after, now
    )
