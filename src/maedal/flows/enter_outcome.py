"""Enter a call of which the database knows nothing any more: it lost its newest commits when a standby took over.

The process that made the call knows all of it, and what it taught.
"""

from __future__ import annotations

from typing import Protocol

from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.flows.unrecorded_outcomes import KnownOutcome
from maedal.merchants.audit_entry import AuditAction, AuditEntry
from maedal.payments.moves import Status
from maedal.payments.payment import Payment
from maedal.storage.cancellations.writes import BeginCancel
from maedal.storage.durability.writes import EnterOutcome
from maedal.storage.errors import Conflict, StoreError
from maedal.storage.payments.reads import HasPayments
from maedal.storage.payments.writes import Record
from maedal.storage.windows.writes import BeginApproval
from maedal.storage.write import Writes

OURSELVES = "maedal"
"""Who did it, in the audit log."""
REASON = "known to the process that made the call; the database had forgotten it"


class EnterOutcomeStore(HasPayments, Writes, Protocol): ...


async def begin_anew(services: ServicesWith[EnterOutcomeStore], known: KnownOutcome) -> Payment | None:
    """Begin a call again in the books whose payment they still know, and return that; None when they do not.

    Raises Conflict when the payment has ended in another way, and StoreError when a cancel cannot be begun now.
    """
    own_call, payment = known.own_call, known.payment
    assert own_call is not None, "only who made the call knows it"
    stored = await services.store.payments.find(payment.merchant_id, payment.imp_uid)
    if own_call.cancellation is not None:
        if stored is None or stored.status not in {Status.PAID, Status.CANCELLED}:
            raise StoreError("the payment of the cancel is not here, or not paid")
        try:
            await services.store.write(BeginCancel(stored, own_call.attempt, own_call.cancellation))
        except Conflict as error:
            raise StoreError("another cancel of the payment is open") from error
        return stored
    if stored is None:
        return None
    if stored.status is not Status.READY:
        raise Conflict("the payment was begun anew, or has ended")
    return await services.store.write(BeginApproval(stored, own_call.attempt, own_call.sealed_pg_token))


def entry_of(services: ServicesWithoutStore, known: KnownOutcome, record: Record) -> EnterOutcome:
    """Return the write that enters the call and its outcome under its own ids."""
    own_call, payment = known.own_call, known.payment
    assert own_call is not None, "only who made the call knows it"
    after = f"attempt={known.attempt_id}; outcome={known.result.outcome}"
    audit_entry = AuditEntry(
        services.ids.row(record.now),
        payment.merchant_id,
        AuditAction.ENTER_PAYMENT,
        payment.imp_uid,
        OURSELVES,
        REASON,
        "",
        after,
        record.now,
    )
    return EnterOutcome(payment, own_call.attempt, record, audit_entry, own_call.key, own_call.window)
