"""Cancels: begun one at a time per payment, recorded with the payment's own move."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.payments.attempt import Outcome
from maedal.payments.moves import Event
from maedal.payments.payment import Payment
from maedal.storage.attempts.rows import INSERT_ATTEMPT, attempt_values
from maedal.storage.attempts.units import CLOSE_ATTEMPT, close_attempt_values
from maedal.storage.audit.rows import keep_audit_entries
from maedal.storage.cancellations.rows import INSERT_CANCELLATION, cancellation_values
from maedal.storage.cancellations.writes import BeginCancel, RecordCancel
from maedal.storage.engine.steps import Rows, Run, unit
from maedal.storage.errors import Conflict
from maedal.storage.payments.rows import INSERT_EVENT, event_values
from maedal.storage.payments.units.moving import moved
from maedal.storage.webhooks.rows import INSERT_DELIVERY, delivery_values

# The lock keeps another cancel's record from slipping between this look and the attempt's commit.
UNMOVED = """
SELECT CAST($4 AS INTEGER) AS item FROM payments
 WHERE merchant_id = $1 AND imp_uid = $2 AND version = $3 AND status IN ('paid', 'cancelled') {for_share}
"""
CANCEL_PAYMENT = """
UPDATE payments
   SET status = $5, version = version + 1, updated_at = $6, cancelled_at = $6, status_at = $6, cancelled_amount = $7,
       cancel_reason = $8, undo_at = CASE WHEN amount = CAST($7 AS BIGINT) THEN NULL ELSE undo_at END
 WHERE merchant_id = $1 AND imp_uid = $2 AND status = $3 AND version = $4
RETURNING CAST($9 AS INTEGER) AS item
"""
CANCEL_DONE = "UPDATE cancellations SET done_at = $3, pg_aid = $4 WHERE merchant_id = $1 AND id = $2"


@unit(BeginCancel)
def begin_cancels(writes: Sequence[BeginCancel]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Commit each intent; the unique index lets one open cancel of a payment through."""
    found = yield Rows(UNMOVED, [(w.payment.merchant_id, w.payment.imp_uid, w.payment.version) for w in writes])
    for write, rows in zip(writes, found, strict=True):
        if not rows:
            raise Conflict(f"{write.payment.imp_uid} was moved by somebody else")
    yield Run(INSERT_ATTEMPT, [attempt_values(w.attempt) for w in writes])
    yield Run(INSERT_CANCELLATION, [cancellation_values(w.cancellation) for w in writes])
    audit_entries = [w.audit_entry for w in writes if w.audit_entry is not None]
    if audit_entries:
        yield keep_audit_entries(audit_entries)
    return [None] * len(writes)


@unit(RecordCancel)
def record_cancels(writes: Sequence[RecordCancel]) -> Generator[Rows | Run, Any, Sequence[Payment]]:
    """Record each outcome, or, if any of them comes too late, none."""
    done = [w for w in writes if w.result.outcome is Outcome.APPROVED]
    after = {w.cancellation.id: _after(w) for w in done}
    # The payment comes before the attempt, as where a cancel begins, so that two nodes never wait for each other.
    if done:
        yield from _move(done, after)
    closed = yield Rows(
        CLOSE_ATTEMPT,
        [close_attempt_values(w.payment.merchant_id, w.cancellation.id, w.result, w.now) for w in writes],
    )
    for write, rows in zip(writes, closed, strict=True):
        if not rows:
            raise Conflict(f"the cancel {write.cancellation.id} was recorded by somebody else")
    return [after.get(w.cancellation.id, w.payment) for w in writes]


def _after(write: RecordCancel) -> Payment:
    return moved(
        write.payment,
        Event.CANCEL,
        write.now,
        cancelled_at=write.now,
        cancelled_amount=write.payment.cancelled_amount + write.cancellation.split.amount,
        cancel_reason=write.cancellation.reason,
    )


def _move(done: Sequence[RecordCancel], after: dict[str, Payment]) -> Generator[Rows | Run, Any, None]:
    values = []
    for w in done:
        a = after[w.cancellation.id]
        before = w.payment
        values.append(
            (
                before.merchant_id,
                before.imp_uid,
                before.status,
                before.version,
                a.status,
                w.now,
                a.cancelled_amount,
                a.cancel_reason,
            )
        )
    moves = yield Rows(CANCEL_PAYMENT, values)
    for write, rows in zip(done, moves, strict=True):
        if not rows:
            raise Conflict(f"{write.payment.imp_uid} was moved by somebody else")
    aids = {w.cancellation.id: w.result.approval.pg_aid for w in done if w.result.approval is not None}
    yield Run(CANCEL_DONE, [(w.payment.merchant_id, w.cancellation.id, w.now, aids[w.cancellation.id]) for w in done])
    yield Run(
        INSERT_EVENT,
        [event_values(after[w.cancellation.id], Event.CANCEL, w.cancellation.id, w.result, w.now) for w in done],
    )
    deliveries = [delivery_values(d) for w in done for d in w.deliveries]
    if deliveries:
        yield Run(INSERT_DELIVERY, deliveries)
