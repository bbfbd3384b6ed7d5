"""Closing a call to a PG with what it taught us."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from typing import Any

from maedal.payments.attempt import Decline, Outcome, Result
from maedal.storage.attempts.writes import RecordAttempt
from maedal.storage.engine.steps import Rows, Run, Together, unit
from maedal.storage.errors import Conflict

CLOSE = """
UPDATE attempts
   SET outcome = $3, proof = $4, pg_tid = $5, code = $6, message = $7, recorded_at = $8,
       look_at = $9"""
CLOSE_ATTEMPT = f"""{CLOSE}
 WHERE merchant_id = $1 AND id = $2 AND (outcome IS NULL OR outcome = 'unknown')
RETURNING CAST($10 AS INTEGER) AS item
"""
# The same for many; they are fewer when somebody else has recorded one of them. Said so that no index of open work
# looks shorter to PostgreSQL than the way by the key: under load it is full of what has just been closed.
CLOSE_ATTEMPTS = Together(
    """
UPDATE attempts
   SET outcome = item.outcome, proof = item.proof, pg_tid = item.pg_tid, code = item.code, message = item.message,
       recorded_at = item.recorded_at, look_at = item.look_at
  FROM {items}
 WHERE attempts.merchant_id = item.merchant_id AND attempts.id = item.id
   AND coalesce(attempts.outcome, 'unknown') = 'unknown'
""",
    (
        "merchant_id text", "id text", "outcome text", "proof text", "pg_tid text", "code text", "message text",
        "recorded_at timestamptz", "look_at timestamptz",
    ),
)  # fmt: skip


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
