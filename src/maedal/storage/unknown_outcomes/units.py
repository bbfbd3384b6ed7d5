"""Looking at unknown outcomes in turn, and settling one by a person's word."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.storage.audit.rows import keep_audit_entries
from maedal.storage.cancellations.units import record_cancels
from maedal.storage.engine.steps import Rows, Run, Step, unit
from maedal.storage.payments.units.recording import record
from maedal.storage.payments.writes import Record
from maedal.storage.unknown_outcomes.writes import ClaimLook, KeepLook, SettleByHand

CLAIM_LOOK = """
UPDATE attempts SET look_at = $4 WHERE merchant_id = $1 AND id = $2 AND outcome = 'unknown' AND look_at = $3
RETURNING CAST($5 AS INTEGER) AS item
"""
KEEP_LOOK = """
UPDATE attempts
   SET looks = looks + 1, looked_at = $3, look_saw = $4,
       look_approved_at = coalesce($5, look_approved_at)
 WHERE merchant_id = $1 AND id = $2 AND outcome = 'unknown'
"""


@unit(ClaimLook)
def claim_looks(writes: Sequence[ClaimLook]) -> Generator[Step, Any, Sequence[bool]]:
    """Take each look that is still to be taken as it was read."""
    done = yield Rows(CLAIM_LOOK, [(w.attempt.merchant_id, w.attempt.id, w.look_at, w.next_at) for w in writes])
    return [bool(rows) for rows in done]


@unit(KeepLook)
def keep_looks(writes: Sequence[KeepLook]) -> Generator[Step, Any, Sequence[None]]:
    """Keep what each look saw."""
    yield Run(KEEP_LOOK, [(w.attempt.merchant_id, w.attempt.id, w.at, w.saw, w.approved_at) for w in writes])
    return [None] * len(writes)


@unit(SettleByHand)
def settle_by_hand(writes: Sequence[SettleByHand]) -> Generator[Step, Any, Sequence[Any]]:
    """Record each as its call would have been recorded, and keep who said so."""
    results: list[Any] = []
    for write in writes:
        if isinstance(write.record, Record):
            results += yield from record([write.record])
        else:
            results += yield from record_cancels([write.record])
    yield keep_audit_entries(w.audit_entry for w in writes)
    return results
