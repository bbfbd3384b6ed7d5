"""Closing a call to a PG with what it taught us."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from typing import Any

from maedal.payments.attempt import Decline, Outcome, Result
from maedal.storage.attempts.writes import RecordAttempt
from maedal.storage.engine.steps import Rows, Run, unit
from maedal.storage.errors import Conflict

CLOSE = """
UPDATE attempts
   SET outcome = $3, proof = $4, pg_tid = $5, code = $6, message = $7, recorded_at = $8,
       look_at = $9"""
CLOSE_ATTEMPT = f"""{CLOSE}
 WHERE merchant_id = $1 AND id = $2 AND (outcome IS NULL OR outcome = 'unknown')
RETURNING CAST($10 AS INTEGER) AS item
"""


def close_attempt_values(merchant_id: str, attempt_id: str, result: Result, now: datetime) -> tuple[Any, ...]:
    approval, decline = result.approval, result.decline or Decline("", "")
    tid = None if approval is None else approval.pg_tid
    return (
        merchant_id,
        attempt_id,
        result.outcome,
        result.proof,
        tid,
        decline.code or None,
        decline.message or None,
        now,
        now if result.outcome is Outcome.UNKNOWN else None,
    )


@unit(RecordAttempt)
def record_attempts(writes: Sequence[RecordAttempt]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep what the PG said."""
    closed = yield Rows(
        CLOSE_ATTEMPT, [close_attempt_values(w.merchant_id, w.attempt_id, w.result, w.now) for w in writes]
    )
    for write, rows in zip(writes, closed, strict=True):
        if not rows:
            raise Conflict(f"attempt {write.attempt_id} was recorded by somebody else")
    return [None] * len(writes)
