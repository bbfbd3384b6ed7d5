"""Notice attempts that nobody answered for: their process died between the call and the record.

Whether the call was made, and what it did, nobody knows: they are recorded as unknown, and clarified like any other.
"""

from __future__ import annotations

from typing import Protocol

import structlog

from maedal.flows.end_window import end_window
from maedal.flows.record_outcome import record, record_cancel
from maedal.flows.services import ServicesWith
from maedal.payments.attempt import LOST, Verb
from maedal.payments.moves import Status
from maedal.storage.attempts.writes import RecordAttempt
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.channels.reads import HasChannels
from maedal.storage.database_servers.reads import HasDatabaseServers
from maedal.storage.errors import Conflict
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.payments.reads import HasPayments
from maedal.storage.reconciliation.reads import HasReconciliation
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.unknown_outcomes.reads import HasUnknownOutcomes
from maedal.storage.windows.reads import HasWindows
from maedal.storage.write import Writes

_log = structlog.get_logger()

BATCH_MAX = 100


class RecordLostAttemptsStore(
    HasBillingKeys,
    HasCancellations,
    HasChannels,
    HasDatabaseServers,
    HasMerchants,
    HasPayments,
    HasReconciliation,
    HasSchedules,
    HasUnknownOutcomes,
    HasWindows,
    Writes,
    Protocol,
): ...


async def record_lost_attempts(services: ServicesWith[RecordLostAttemptsStore]) -> int:
    """Record every attempt that is older than any call can last and has no outcome; return how many there were."""
    found = await services.store.unknown_outcomes.unanswered(
        services.clock.now() - services.limits.unanswered_after, BATCH_MAX
    )
    for open_attempt in found:
        attempt, payment = open_attempt.attempt, open_attempt.payment
        _log.warning("attempt_lost", attempt=attempt.id, verb=attempt.verb, imp_uid=attempt.imp_uid)
        window_is_over = attempt.verb is Verb.PREPARE and payment is not None and payment.status is not Status.READY
        if payment is None or window_is_over:
            try:
                await services.store.write(RecordAttempt(attempt.merchant_id, attempt.id, LOST, services.clock.now()))
            except Conflict:
                continue
        elif attempt.verb is Verb.PREPARE:
            # Nothing is taken by preparing, and a window whose address we never learnt can never be approved.
            await end_window(
                services,
                payment,
                "F0004",
                f"PG사 결제요청에 실패하여 중단합니다.({payment.imp_uid})",
                attempt_id=attempt.id,
                result=LOST,
            )
        elif attempt.verb is Verb.CANCEL:
            await record_cancel(services, payment, attempt.id, LOST)
        elif payment.status is Status.CALLING:
            await record(services, payment, attempt.id, LOST)
    return len(found)
