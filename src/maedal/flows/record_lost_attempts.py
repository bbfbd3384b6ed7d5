"""Notice attempts that nobody answered for: their process died between the call and the record.

Whether the call was made, and what it did, nobody knows: they are recorded as unknown, and clarified like any other.
"""

from __future__ import annotations

import structlog

from maedal.flows.end_window import end_window
from maedal.flows.parts import Parts
from maedal.flows.record_outcome import record, record_cancel
from maedal.payments.attempt import LOST, Verb
from maedal.payments.moves import Status
from maedal.storage.store import Conflict, RecordAttempt

_log = structlog.get_logger()

BATCH_MAX = 100


async def record_lost_attempts(parts: Parts) -> int:
    """Record every attempt that is older than any call can last and has no outcome; return how many there were."""
    found = await parts.store.unanswered(parts.clock.now() - parts.limits.unanswered_after, BATCH_MAX)
    for open_attempt in found:
        attempt, payment = open_attempt.attempt, open_attempt.payment
        _log.warning("attempt_lost", attempt=attempt.id, verb=attempt.verb, imp_uid=attempt.imp_uid)
        window_is_over = attempt.verb is Verb.PREPARE and payment is not None and payment.status is not Status.READY
        if payment is None or window_is_over:
            try:
                await parts.store.write(RecordAttempt(attempt.merchant_id, attempt.id, LOST, parts.clock.now()))
            except Conflict:
                continue
        elif attempt.verb is Verb.PREPARE:
            # Nothing is taken by preparing, and a window whose address we never learnt can never be approved.
            await end_window(
                parts,
                payment,
                "F0004",
                f"PG사 결제요청에 실패하여 중단합니다.({payment.imp_uid})",
                attempt_id=attempt.id,
                result=LOST,
            )
        elif attempt.verb is Verb.CANCEL:
            await record_cancel(parts, payment, attempt.id, LOST)
        elif payment.status is Status.CALLING:
            await record(parts, payment, attempt.id, LOST)
    return len(found)
