"""Cancels that only the PG knew of: entered with everything that follows from them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.payments.attempt import Approval, Attempt, Outcome, Proof, Result, Verb
from maedal.payments.cancellation import Cancellation
from maedal.payments.money import Money, Price
from maedal.payments.moves import Event
from maedal.payments.payment import Payment
from maedal.storage.attempts.rows import ATTEMPT_COLUMNS, attempt_values
from maedal.storage.audit.rows import keep_audit_entries
from maedal.storage.cancellations.rows import INSERT_CANCELLATION, cancellation_values
from maedal.storage.cancellations.writes import EnterRefunds
from maedal.storage.engine.steps import Rows, Run, insert, unit
from maedal.storage.errors import Conflict
from maedal.storage.figures.units import COUNT_ANEW, COUNT_MONTHS_ANEW, month_anew
from maedal.storage.findings.rows import ADD_FINDING, finding_values
from maedal.storage.payments.rows import INSERT_EVENT, event_values
from maedal.storage.payments.units.moving import moved
from maedal.storage.webhooks.rows import INSERT_DELIVERY, delivery_values

GIVEN_BACK = Result(Outcome.APPROVED, Proof.ORDER_LOOKUP, approval=Approval(None, None, None))

# The lock comes first, as where a cancel begins and is recorded.
MOVE = """
UPDATE payments
   SET status = $4, version = $5, updated_at = $6, status_at = $6, cancelled_at = $7, cancelled_amount = $8,
       cancel_reason = $9, undo_at = CASE WHEN amount = CAST($8 AS BIGINT) THEN NULL ELSE undo_at END
 WHERE merchant_id = $1 AND imp_uid = $2 AND version = $3 AND status IN ('paid', 'cancelled')
RETURNING CAST($10 AS INTEGER) AS item
"""
SAME = """
SELECT CAST($4 AS INTEGER) AS item FROM payments WHERE merchant_id = $1 AND imp_uid = $2 AND version = $3 {for_share}
"""
# One that is over from the beginning stands beside a cancel of ours that is open.
ATTEMPT = insert("attempts", (*ATTEMPT_COLUMNS, "outcome", "proof", "pg_tid", "recorded_at"))
MADE = """
UPDATE attempts SET outcome = 'approved', proof = 'order_lookup', pg_tid = $3, code = NULL, message = NULL,
       recorded_at = $4, look_at = NULL
 WHERE merchant_id = $1 AND id = $2
"""
DONE = """
UPDATE cancellations SET done_at = $3, pg_aid = $4 WHERE merchant_id = $1 AND id = $2 AND done_at IS NULL
RETURNING CAST($5 AS INTEGER) AS item
"""
IDENTIFY = """
UPDATE cancellations SET pg_aid = $3 WHERE merchant_id = $1 AND id = $2 AND pg_aid IS NULL
"""

NOW_HERE = """
UPDATE findings SET amount_here = $4, imp_uid = $5
 WHERE merchant_id = $1 AND kind = $2 AND subject = $3 AND amount_here IS NULL
"""


@unit(EnterRefunds)
def enter_refunds(writes: Sequence[EnterRefunds]) -> Generator[Rows | Run, Any, Sequence[Payment]]:
    """Enter what each write holds, or nothing of all."""
    after: list[Payment] = []
    for w in writes:
        payment = yield from _enter(w)
        after.append(payment)
    return after


def _enter(w: EnterRefunds) -> Generator[Rows | Run, Any, Payment]:
    entered = sorted((*w.refunds, *w.late), key=lambda c: (_done_at(c), c.id))
    before, after = w.payment, w.payment
    steps = []
    for refund in entered:
        times = [at for at in (after.cancelled_at, refund.done_at) if at is not None]
        after = moved(
            after,
            Event.CANCEL,
            w.now,
            cancelled_at=max(times),
            cancelled_amount=after.cancelled_amount + refund.split.amount,
            cancel_reason=refund.reason,
        )
        steps.append((refund, after))
    ids = (before.merchant_id, before.imp_uid, before.version)
    if steps:
        moves = (after.status, after.version, w.now, after.cancelled_at, after.cancelled_amount, after.cancel_reason)
        [rows] = yield Rows(MOVE, [(*ids, *moves)])
    else:
        [rows] = yield Rows(SAME, [ids])
    if not rows:
        raise Conflict(f"{before.imp_uid} was moved by somebody else")
    if w.refunds:
        over = (Outcome.APPROVED, Proof.ORDER_LOOKUP, before.pg_tid, w.now)
        yield Run(ATTEMPT, [(*attempt_values(_attempt(c)), *over) for c in w.refunds])
        yield Run(INSERT_CANCELLATION, [cancellation_values(c) for c in w.refunds])
        done = yield Rows(DONE, [(c.merchant_id, c.id, c.done_at, c.pg_aid) for c in w.refunds])
        assert all(done), "they were written before"
    if w.late:
        yield Run(MADE, [(c.merchant_id, c.id, before.pg_tid, w.now) for c in w.late])
        done = yield Rows(DONE, [(c.merchant_id, c.id, c.done_at, c.pg_aid) for c in w.late])
        if not all(done):
            raise Conflict(f"a cancel of {before.imp_uid} was recorded by somebody else")
    if w.identified:
        yield Run(IDENTIFY, [(c.merchant_id, c.id, c.pg_aid) for c in w.identified])
    if steps:
        yield Run(INSERT_EVENT, [event_values(p, Event.CANCEL, c.id, GIVEN_BACK, w.now) for c, p in steps])
        hours = sorted({_done_at(c).replace(minute=0, second=0, microsecond=0) for c in entered})
        yield Run(COUNT_ANEW, [(before.merchant_id, hours[0])])
        yield Run(COUNT_MONTHS_ANEW, [month_anew(before.merchant_id, hours[0])])
    if w.deliveries:
        yield Run(INSERT_DELIVERY, [delivery_values(d) for d in w.deliveries])
    if w.findings:
        # One that was found in the PG's file before stays: it is entered now, and that is what a person is to read.
        yield Run(NOW_HERE, [(f.merchant_id, f.kind, f.subject, f.amount_here, f.imp_uid) for f in w.findings])
        yield Rows(ADD_FINDING, [finding_values(f) for f in w.findings])
    if w.audit_entry is not None:
        yield keep_audit_entries([w.audit_entry])
    return after


def _attempt(c: Cancellation) -> Attempt:
    price = Price(Money(c.split.amount), Money(c.split.tax_free))
    return Attempt(c.id, c.merchant_id, Verb.CANCEL, c.id, c.begun_at, imp_uid=c.imp_uid, price=price)


def _done_at(c: Cancellation) -> Any:
    assert c.done_at is not None, "only what is done is entered"
    return c.done_at
