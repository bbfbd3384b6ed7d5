"""Recording what a call taught us: attempt, payment, event, key and webhooks in one transaction."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

from maedal.merchants.channel import ReplacedKeys
from maedal.payments.attempt import Approval, Attempt, Outcome, Proof, Verb
from maedal.payments.moves import NEXT, Event, Start, Status
from maedal.payments.payment import Payment
from maedal.storage.attempts.units import CLOSE_ATTEMPTS, close_attempt_values
from maedal.storage.billing_keys.rows import INSERT_KEY, key_of, key_values
from maedal.storage.billing_keys.units import END_LIVING_KEY, KEY_GONE, KEYS_APPROVED, begin_endings
from maedal.storage.channels.units import REPLACED_KEYS
from maedal.storage.engine.reading import moment
from maedal.storage.engine.steps import ChangeAll, Rows, Run, Step, unit
from maedal.storage.errors import Conflict
from maedal.storage.payments.rows import INSERT_EVENT, INSERT_PAYMENT, event_values, new_payment_values
from maedal.storage.payments.units.moving import MOVE_PAYMENT, MOVE_PAYMENTS, move_values, moved
from maedal.storage.payments.writes import ClaimUndo, FailSchedule, Record
from maedal.storage.prepared_amounts.units import NAMED_CUSTOMER
from maedal.storage.schedules.execution import EXECUTE, PLAN_TRY, UNCOUNT_TRY, WAIT_AGAIN, execute_values
from maedal.storage.webhooks.rows import INSERT_DELIVERY, delivery_values

TO_UNDO = "UPDATE payments SET undo_at = $3 WHERE merchant_id = $1 AND imp_uid = $2"
CLAIM_UNDO = """
UPDATE payments SET undo_at = $4 WHERE merchant_id = $1 AND imp_uid = $2 AND undo_at = $3
RETURNING CAST($5 AS INTEGER) AS item
"""
# The payment stays for whoever wants to know what was tried; the merchant's server is told of the one that ends it.
PUT_OFF = "UPDATE payments SET put_off = TRUE WHERE merchant_id = $1 AND imp_uid = $2"


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


@unit(Record, by_key=True)
def record(writes: Sequence[Record]) -> Generator[Step, Any, Sequence[Payment]]:
    """Record each outcome, or, if any of them comes too late, none."""
    after = [_after(w) for w in writes]
    yield from _note_keys(writes)
    closed = yield ChangeAll(
        CLOSE_ATTEMPTS, [close_attempt_values(w.payment.merchant_id, w.attempt_id, w.result, w.now) for w in writes]
    )
    moves = yield ChangeAll(MOVE_PAYMENTS, [move_values(w.payment, a) for w, a in zip(writes, after, strict=True)])
    if closed != len(writes) or moves != len(writes):
        # Alone each of them will tell which it was.
        raise Conflict(f"{', '.join(w.payment.imp_uid for w in writes)}: moved by somebody else")
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


@unit(ClaimUndo)
def claim_undos(writes: Sequence[ClaimUndo]) -> Generator[Step, Any, Sequence[bool]]:
    """Take each try that is still to be made as it was read."""
    done = yield Rows(
        CLAIM_UNDO, [(w.payment.merchant_id, w.payment.imp_uid, w.payment.undo_at, w.next_at) for w in writes]
    )
    return [bool(rows) for rows in done]


def plan_tries(writes: Sequence[Record | FailSchedule]) -> Generator[Step, Any, None]:
    """Plan the next tries of charges that failed, in the transaction that says so."""
    planned = sorted(
        (w.payment.merchant_id, w.payment.order.merchant_uid, w.payment.imp_uid, w.next_try.at, w.next_try.reason)
        for w in writes
        if w.next_try is not None
    )
    if planned:
        yield Run(PLAN_TRY, planned)


def _note_keys(writes: Sequence[Record]) -> Generator[Step, Any, None]:
    """Keep what the outcomes say of the keys. The key comes before its attempt, as where a charge begins.

    Another node that late begins a charge of the key holds the key's row and waits for the attempt's; whoever held the
    attempt's and waited for the key's would wait for ever.
    """
    charged: dict[tuple[str, str], tuple[Any, ...]] = {}
    for w in writes:
        key_id, approval = w.payment.billing_key_id, w.result.approval
        if w.issued_key is not None or not key_id or approval is None or approval.approved_at is None:
            continue
        place = (w.payment.merchant_id, key_id)
        if place not in charged or charged[place][2] <= approval.approved_at:
            charged[place] = (*place, approval.approved_at, w.now, w.result.proof is Proof.REPLY)
    if charged:
        yield ChangeAll(KEYS_APPROVED, list(charged.values()))
    gone = [
        (w.payment.merchant_id, w.payment.billing_key_id, w.now)
        for w in writes
        if w.payment.billing_key_id and w.result.decline and w.result.decline.key_gone
    ]
    if gone:
        yield Run(KEY_GONE, gone)


def _replace_keys(writes: Sequence[Record]) -> Generator[Step, Any, None]:
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
        (w, key_of(row))
        for w, rows in zip(writes, ended, strict=True)
        for row in rows
        if w.ending_attempt_id is not None
    ]
    if not replaced:
        return
    requests = yield Rows(REPLACED_KEYS, [(old.merchant_id, old.channel_id) for _, old in replaced])
    # A page alone ends nothing at the PG for good: anybody can open one who knows a customer_uid.
    named = yield Rows(
        NAMED_CUSTOMER,
        [(old.merchant_id, w.payment.order.merchant_uid, w.payment.order.customer_uid) for w, old in replaced],
    )
    attempts = [
        Attempt(
            w.ending_attempt_id, old.merchant_id, Verb.DEACTIVATE, w.ending_attempt_id, w.now, billing_key_id=old.id
        )
        for (w, old), rows, by_server in zip(replaced, requests, named, strict=True)
        if w.ending_attempt_id is not None and by_server and rows[0]["replaced_keys"] == ReplacedKeys.DEACTIVATE
    ]
    if attempts:
        yield from begin_endings(attempts)


@unit(FailSchedule)
def fail_schedules(writes: Sequence[FailSchedule]) -> Generator[Step, Any, Sequence[bool]]:
    """Keep a failed payment for each that still stands as it was claimed."""
    done = yield Rows(EXECUTE, [execute_values(w.schedule, w.payment) for w in writes])
    kept = [w for w, rows in zip(writes, done, strict=True) if rows]
    if kept:
        assert all(w.payment.status is Status.READY for w in kept), "no call was made"
        after = [
            moved(w.payment, Event.GIVEN_UP, w.now, failed_at=w.now, fail_code=w.code, fail_reason=w.reason)
            for w in kept
        ]
        yield Run(INSERT_PAYMENT, [new_payment_values(w.payment) for w in kept])
        yield Run(INSERT_EVENT, [event_values(w.payment, Start.PLAN, None, None, w.now) for w in kept])
        yield Rows(MOVE_PAYMENT, [move_values(w.payment, a) for w, a in zip(kept, after, strict=True)])
        yield Run(INSERT_EVENT, [event_values(a, Event.GIVEN_UP, None, None, a.updated_at) for a in after])
        deliveries = [delivery_values(d) for w in kept for d in w.deliveries]
        if deliveries:
            yield Run(INSERT_DELIVERY, deliveries)
        yield from plan_tries(kept)
    return [bool(rows) for rows in done]
