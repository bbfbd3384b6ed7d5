"""Ending billing keys."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.billing_keys.billing_key import BillingKey
from maedal.payments.attempt import Attempt, Verb
from maedal.storage.sql.recording import CLOSE_ATTEMPT, END_LIVING_KEY, close_attempt_values
from maedal.storage.sql.rows import INSERT_ATTEMPT, attempt_values, key_of
from maedal.storage.sql.steps import Rows, Run, unit
from maedal.storage.store import BeginDeactivation, Conflict, RecordAttempt


@unit(BeginDeactivation)
def begin_deactivations(writes: Sequence[BeginDeactivation]) -> Generator[Rows | Run, Any, Sequence[BillingKey | None]]:
    """End each living key here, with an attempt that is to end it at the PG; None where there is no living key."""
    ended = yield Rows(END_LIVING_KEY, [(w.merchant_id, w.customer_uid, w.now, w.ended_by) for w in writes])
    keys = [key_of(rows[0]) if rows else None for rows in ended]
    attempts = [
        Attempt(w.attempt_id, w.merchant_id, Verb.DEACTIVATE, w.attempt_id, w.now, billing_key_id=key.id)
        for w, key in zip(writes, keys, strict=True)
        if key is not None
    ]
    if attempts:
        yield Run(INSERT_ATTEMPT, [attempt_values(a) for a in attempts])
    return keys


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
