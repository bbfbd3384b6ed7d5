"""Recording what a call taught us: attempt, payment, event, key and webhooks in one transaction."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from maedal.billing_keys.ending import HEAD_START, KeyEnding
from maedal.merchants.channel import ReplacedKeys
from maedal.payments.attempt import Approval, Attempt, CardDetails, Decline, Outcome, Proof, Result, Verb
from maedal.payments.moves import NEXT, Event, Status
from maedal.payments.payment import Payment
from maedal.storage.sql.rows import (
    INSERT_ATTEMPT,
    INSERT_DELIVERY,
    INSERT_ENDING,
    INSERT_EVENT,
    INSERT_KEY,
    attempt_values,
    delivery_values,
    ending_values,
    event_values,
    key_of,
    key_values,
    moment,
)
from maedal.storage.sql.steps import Rows, Run, unit
from maedal.storage.store import ClaimLook, ClaimUndo, Conflict, FailSchedule, Record

CLOSE = """
UPDATE attempts
   SET outcome = $3, proof = $4, pg_tid = $5, code = $6, message = $7, recorded_at = $8,
       look_at = $9"""
CLOSE_ATTEMPT = f"""{CLOSE}
 WHERE merchant_id = $1 AND id = $2 AND (outcome IS NULL OR outcome = 'unknown')
RETURNING CAST($10 AS INTEGER) AS item
"""
MOVE_PAYMENT = """
UPDATE payments
   SET status = $5, version = version + 1, updated_at = $6, paid_at = $7, failed_at = $8, fail_code = $9,
       fail_reason = $10, pg_tid = $11, method = $12, card_issuer_name = $13, card_issuer_code = $14,
       card_approval_number = $15, card_quota = $16, card_check = $17, receipt_url = $18, billing_key_id = $19,
       status_at = $20
 WHERE merchant_id = $1 AND imp_uid = $2 AND status = $3 AND version = $4
RETURNING CAST($21 AS INTEGER) AS item
"""
END_LIVING_KEY = """
UPDATE billing_keys SET ended_at = $3, ended_by = $4, updated_at = $3
 WHERE merchant_id = $1 AND customer_uid = $2 AND ended_at IS NULL
RETURNING CAST($5 AS INTEGER) AS item, *
"""
REPLACED_KEYS = """
SELECT CAST($3 AS INTEGER) AS item, replaced_keys FROM channels WHERE merchant_id = $1 AND id = $2
"""
TO_UNDO = "UPDATE payments SET undo_at = $3 WHERE merchant_id = $1 AND imp_uid = $2"
CLAIM_UNDO = """
UPDATE payments SET undo_at = $4 WHERE merchant_id = $1 AND imp_uid = $2 AND undo_at = $3
RETURNING CAST($5 AS INTEGER) AS item
"""
CLAIM_LOOK = """
UPDATE attempts SET look_at = $4 WHERE merchant_id = $1 AND id = $2 AND outcome = 'unknown' AND look_at = $3
RETURNING CAST($5 AS INTEGER) AS item
"""
# What is recorded late says nothing of the key when the key has been charged since.
KEY_APPROVED = """
UPDATE billing_keys
   SET last_approved_at = $3, last_approval_seen_at = $4, last_approval_in_reply = $5, gone_at = NULL
 WHERE merchant_id = $1 AND id = $2 AND (last_approved_at IS NULL OR last_approved_at <= $3)
"""
KEY_GONE = "UPDATE billing_keys SET gone_at = $3 WHERE merchant_id = $1 AND id = $2 AND gone_at IS NULL"

# Only as long as the payment that failed is the one that executed the charge.
PLAN_TRY = """
UPDATE schedules SET next_try_at = $4, next_try_reason = $5
 WHERE merchant_id = $1 AND merchant_uid = $2 AND imp_uid = $3 AND status = 'executed'
"""
# The PG was closed: the charge waits as if it had not been begun, under a lease that nobody works on.
WAIT_AGAIN = """
UPDATE schedules
   SET status = 'scheduled', imp_uid = NULL, executed_at = NULL, lease_id = $4, leased_until = $5,
       waits_until = $5, waits_channel = $6
 WHERE merchant_id = $1 AND merchant_uid = $2 AND imp_uid = $3 AND status = 'executed'
"""
# The payment stays for whoever wants to know what was tried; the merchant's server is told of the one that ends it.
PUT_OFF = "UPDATE payments SET put_off = TRUE WHERE merchant_id = $1 AND imp_uid = $2"
# What nobody declined is no try of the merchant's rules.
UNCOUNT_TRY = """
UPDATE schedules SET tries = tries - 1
 WHERE merchant_id = $1 AND merchant_uid = $2 AND imp_uid = $3 AND status = 'executed' AND tries > 0
"""


def moved(payment: Payment, event: Event, now: datetime, **changes: Any) -> Payment:
    """Return `payment` after `event`. Raises KeyError for a move that is not in the table."""
    status = NEXT[payment.status, event]
    return replace(payment, status=status, version=payment.version + 1, updated_at=now, **changes)


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


def move_values(before: Payment, after: Payment) -> tuple[Any, ...]:
    card = after.card or CardDetails()
    return (
        before.merchant_id, before.imp_uid, before.status, before.version, after.status, after.updated_at,
        after.paid_at, after.failed_at, after.fail_code, after.fail_reason, after.pg_tid, after.method,
        card.issuer_name, card.issuer_code, card.approval_number, card.quota_months, card.check_card,
        after.receipt_url, after.billing_key_id, after.status_at,
    )  # fmt: skip


def _after(write: Record) -> Payment:
    """Return the payment as the recorded outcome leaves it."""
    changes: dict[str, Any] = {}
    approval = write.result.approval
    if write.event is Event.APPROVED:
        assert isinstance(approval, Approval), "approved without evidence"
        changes = {
            "paid_at": write.paid_at or write.now,
            "pg_tid": approval.pg_tid or write.payment.pg_tid,
            "method": approval.method,
            "card": approval.card,
            "receipt_url": approval.receipt_url,
        }
        if write.issued_key is not None:
            changes["billing_key_id"] = write.issued_key.id
    elif NEXT[write.payment.status, write.event] is Status.FAILED:
        assert write.result.outcome is not Outcome.UNKNOWN, "failed without proof"
        changes = {"failed_at": write.now, "fail_code": write.fail_code, "fail_reason": write.fail_reason}
    return moved(write.payment, write.event, write.now, **changes)


@unit(Record)
def record(writes: Sequence[Record]) -> Generator[Rows | Run, Any, Sequence[Payment]]:
    """Record each outcome, or, if any of them comes too late, none."""
    after = [_after(w) for w in writes]
    yield from _note_keys(writes)
    closed = yield Rows(
        CLOSE_ATTEMPT, [close_attempt_values(w.payment.merchant_id, w.attempt_id, w.result, w.now) for w in writes]
    )
    moves = yield Rows(MOVE_PAYMENT, [move_values(w.payment, a) for w, a in zip(writes, after, strict=True)])
    for write, attempt_rows, payment_rows in zip(writes, closed, moves, strict=True):
        if not attempt_rows or not payment_rows:
            raise Conflict(f"{write.payment.imp_uid} was moved by somebody else")
    yield Run(
        INSERT_EVENT,
        [event_values(a, w.event, w.attempt_id, w.result, w.now) for w, a in zip(writes, after, strict=True)],
    )
    issued = [w for w in writes if w.issued_key is not None]
    if issued:
        yield from _replace_keys(issued)
    deliveries = [delivery_values(d) for w in writes for d in w.deliveries]
    if deliveries:
        yield Run(INSERT_DELIVERY, deliveries)
    yield from plan_tries(writes)
    waiting = sorted(
        (w.payment.merchant_id, w.payment.order.merchant_uid, w.payment.imp_uid, w.attempt_id, w.postponed_until,
         w.waits_channel)
        for w in writes
        if w.postponed_until is not None
    )  # fmt: skip
    if waiting:
        yield Run(WAIT_AGAIN, waiting)
        yield Run(PUT_OFF, [(merchant_id, imp_uid) for merchant_id, _, imp_uid, *_ in waiting])
    uncounted = sorted(
        (w.payment.merchant_id, w.payment.order.merchant_uid, w.payment.imp_uid) for w in writes if w.uncounted
    )
    if uncounted:
        yield Run(UNCOUNT_TRY, uncounted)
    undone = [(w.payment.merchant_id, w.payment.imp_uid, w.now) for w in writes if w.undo]
    if undone:
        yield Run(TO_UNDO, undone)
    return after


@unit(ClaimLook)
def claim_looks(writes: Sequence[ClaimLook]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Take each look that is still to be taken as it was read."""
    done = yield Rows(CLAIM_LOOK, [(w.attempt.merchant_id, w.attempt.id, w.look_at, w.next_at) for w in writes])
    return [bool(rows) for rows in done]


@unit(ClaimUndo)
def claim_undos(writes: Sequence[ClaimUndo]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Take each try that is still to be made as it was read."""
    done = yield Rows(
        CLAIM_UNDO, [(w.payment.merchant_id, w.payment.imp_uid, w.payment.undo_at, w.next_at) for w in writes]
    )
    return [bool(rows) for rows in done]


def plan_tries(writes: Sequence[Record | FailSchedule]) -> Generator[Rows | Run, Any, None]:
    """Plan the next tries of charges that failed, in the transaction that says so."""
    planned = sorted(
        (w.payment.merchant_id, w.payment.order.merchant_uid, w.payment.imp_uid, w.next_try.at, w.next_try.reason)
        for w in writes
        if w.next_try is not None
    )
    if planned:
        yield Run(PLAN_TRY, planned)


def _note_keys(writes: Sequence[Record]) -> Generator[Rows | Run, Any, None]:
    """Keep what the outcomes say of the keys. The key comes before its attempt, as where a charge begins.

    Another node that late begins a charge of the key holds the key's row and waits for the attempt's; whoever held the
    attempt's and waited for the key's would wait for ever.
    """
    charged = [
        (
            w.payment.merchant_id,
            w.payment.billing_key_id,
            w.result.approval.approved_at,
            w.now,
            w.result.proof is Proof.REPLY,
        )
        for w in writes
        if w.issued_key is None and w.payment.billing_key_id and w.result.approval and w.result.approval.approved_at
    ]
    if charged:
        yield Run(KEY_APPROVED, charged)
    gone = [
        (w.payment.merchant_id, w.payment.billing_key_id, w.now)
        for w in writes
        if w.payment.billing_key_id and w.result.decline and w.result.decline.key_gone
    ]
    if gone:
        yield Run(KEY_GONE, gone)


def _replace_keys(writes: Sequence[Record]) -> Generator[Rows | Run, Any, None]:
    """Put each new key in the place of the living one. The place keeps the time of its first registration."""
    keys = [w.issued_key for w in writes if w.issued_key is not None]
    ended = yield Rows(
        END_LIVING_KEY,
        [(k.merchant_id, k.customer_uid, w.now, "replaced") for k, w in zip(keys, writes, strict=True)],
    )
    fresh = []
    for key, rows in zip(keys, ended, strict=True):
        first = moment(rows[0]["inserted_at"]) if rows else None
        fresh.append(key if first is None else replace(key, inserted_at=first))
    yield Run(INSERT_KEY, [key_values(k) for k in fresh])
    replaced = [
        (w.ending_attempt_id, w.now, key_of(row))
        for w, rows in zip(writes, ended, strict=True)
        for row in rows
        if w.ending_attempt_id is not None
    ]
    if not replaced:
        return
    wishes = yield Rows(REPLACED_KEYS, [(old.merchant_id, old.channel_id) for _, _, old in replaced])
    attempts = [
        Attempt(attempt_id, old.merchant_id, Verb.DEACTIVATE, attempt_id, now, billing_key_id=old.id)
        for (attempt_id, now, old), rows in zip(replaced, wishes, strict=True)
        if rows[0]["replaced_keys"] == ReplacedKeys.DEACTIVATE
    ]
    if attempts:
        yield from begin_endings(attempts)


def begin_endings(attempts: Sequence[Attempt]) -> Generator[Rows | Run, Any, None]:
    """Write the intent to end keys at the PG: each attempt's."""
    yield Run(INSERT_ATTEMPT, [attempt_values(a) for a in attempts])
    endings = []
    for a in attempts:
        assert a.billing_key_id is not None, "it is a key that ends"
        endings.append(KeyEnding(a.merchant_id, a.id, a.billing_key_id, 0, a.begun_at + HEAD_START))
    yield Run(INSERT_ENDING, [ending_values(e) for e in endings])
