"""Undo a first payment whose billing key was lost with the answer: give the money back; the buyer begins anew.

The order lookup tells that money was taken, but nothing returns the key's secret (docs/wire/kakaopay.md 11). The
payment is recorded as paid, because it was, together with the intent to cancel it; the cancel is tried until the PG
confirms it. The merchant hears of it once, as cancelled; the buyer's page ends with a failure.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

import structlog

from maedal.flows.cancel import CancelRequest, cancel
from maedal.flows.services import ServicesWith
from maedal.payments.errors import AlreadyCancelled, CancelBusy, CancelRefused, OutcomeUnknown
from maedal.payments.payment import Payment
from maedal.storage.attempts.reads import HasAttempts
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.channels.reads import HasChannels
from maedal.storage.maintenance.reads import HasMaintenance
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.payments.reads import HasPayments
from maedal.storage.payments.writes import ClaimUndo
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.unknown_outcomes.reads import HasUnknownOutcomes
from maedal.storage.write import Writes

_log = structlog.get_logger()

REASON = "빌링키를 받지 못해 결제를 취소합니다."
BATCH_MAX = 20
WAIT_MIN = timedelta(minutes=1)
WAIT_MAX = timedelta(hours=6)


class UndoLostKeyStore(
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


async def undo_due(services: ServicesWith[UndoLostKeyStore]) -> int:
    """Try every payment that is due to be undone once; return how many there were."""
    found = await services.store.payments.due_undos(services.clock.now(), BATCH_MAX)
    for payment in found:
        await _undo(services, payment)
    return len(found)


async def _undo(services: ServicesWith[UndoLostKeyStore], payment: Payment) -> None:
    now = services.clock.now()
    assert payment.paid_at is not None, "only a paid payment is undone"
    wait = min(max((now - payment.paid_at) / 2, WAIT_MIN), WAIT_MAX)
    if not await services.store.write(ClaimUndo(payment, now + wait)):
        return
    try:
        await cancel(services, payment.merchant_id, CancelRequest(payment.imp_uid, None, reason=REASON, tell=True))
    except (CancelBusy, OutcomeUnknown, CancelRefused) as error:
        _log.warning("undoing_postponed", imp_uid=payment.imp_uid, reason=error.code)
    except AlreadyCancelled:
        _log.info("undone_already", imp_uid=payment.imp_uid)
    else:
        _log.info("undone", imp_uid=payment.imp_uid)
