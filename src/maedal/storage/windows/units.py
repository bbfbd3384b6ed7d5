"""Windows: opened, prepared, ended, or on their way to an approval."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.payments.moves import Event, Start, Status
from maedal.payments.payment import Payment
from maedal.storage.attempts.rows import INSERT_ATTEMPT, attempt_values
from maedal.storage.attempts.units import CLOSE_ATTEMPT, close_attempt_values
from maedal.storage.engine.steps import Rows, Run, unit
from maedal.storage.errors import Conflict
from maedal.storage.payments.rows import INSERT_EVENT, INSERT_PAYMENT, event_values, new_payment_values
from maedal.storage.payments.units.moving import MOVE_PAYMENT, move_values, moved
from maedal.storage.webhooks.rows import INSERT_DELIVERY, delivery_values
from maedal.storage.windows.rows import INSERT_WINDOW, window_values
from maedal.storage.windows.writes import (
    BeginApproval,
    EndWindow,
    ForgetUnfinished,
    NoteLeft,
    OpenWindow,
    RecordPrepared,
)

USED = """
SELECT CAST($3 AS INTEGER) AS item FROM payments p
 WHERE p.merchant_id = $1 AND p.merchant_uid = $2 AND p.status IN ('calling', 'unknown', 'paid', 'cancelled')
"""
PREPARED_WINDOW = """
UPDATE windows SET pc_url = $3, mobile_url = $4, app_url = $5 WHERE merchant_id = $1 AND imp_uid = $2
"""
# The PG's id is no move: the payment stands where it stood.
PREPARED_PAYMENT = "UPDATE payments SET pg_tid = $3, updated_at = $4 WHERE merchant_id = $1 AND imp_uid = $2"
KEEP_TOKEN = "UPDATE windows SET sealed_pg_token = $3 WHERE merchant_id = $1 AND imp_uid = $2"
GIVEN_UP = "UPDATE windows SET given_up_at = $3 WHERE merchant_id = $1 AND imp_uid = $2"
# A call for money, whatever became of it, needs its window: nothing of such a payment is touched.
FORGET_WINDOWS = """
DELETE FROM windows WHERE (merchant_id, imp_uid) IN (
    SELECT w.merchant_id, w.imp_uid FROM windows w
      JOIN payments p ON p.merchant_id = w.merchant_id AND p.imp_uid = w.imp_uid
     WHERE w.given_up_at < $1 AND p.status = 'failed'
       AND NOT EXISTS (
           SELECT 1 FROM attempts a WHERE a.merchant_id = w.merchant_id AND a.imp_uid = w.imp_uid
              AND (a.verb <> 'prepare' OR a.outcome IS NULL))
     ORDER BY w.given_up_at LIMIT $2
)
RETURNING CAST($3 AS INTEGER) AS item, merchant_id, imp_uid
"""
FORGET_BUYER = """
UPDATE payments
   SET buyer_name = NULL, buyer_email = NULL, buyer_tel = NULL, buyer_addr = NULL, buyer_postcode = NULL,
       custom_data = NULL, notice_urls = NULL, user_agent = NULL
 WHERE merchant_id = $1 AND imp_uid = $2 AND status = 'failed'
"""
# Written anew, without the buyer: a change of these columns is none that the texts follow by themselves.
FORGET_TEXT = "DELETE FROM payment_texts WHERE merchant_id = $1 AND imp_uid = $2"
WRITE_TEXT = "INSERT INTO payments_to_text (merchant_id, imp_uid) VALUES ($1, $2)"
LEFT = "UPDATE windows SET left_at = $3 WHERE merchant_id = $1 AND imp_uid = $2"


@unit(OpenWindow)
def open_windows(writes: Sequence[OpenWindow]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Open each window whose merchant_uid is free."""
    used = yield Rows(USED, [(w.payment.merchant_id, w.payment.order.merchant_uid) for w in writes])
    opened = [w for w, rows in zip(writes, used, strict=True) if not rows]
    if opened:
        yield Run(INSERT_PAYMENT, [new_payment_values(w.payment) for w in opened])
        yield Run(INSERT_WINDOW, [window_values(w.window) for w in opened])
        yield Run(INSERT_ATTEMPT, [attempt_values(w.attempt) for w in opened])
        yield Run(
            INSERT_EVENT,
            [event_values(w.payment, Start.OPEN, w.attempt.id, None, w.attempt.begun_at) for w in opened],
        )
    return [not rows for rows in used]


@unit(RecordPrepared)
def record_prepared(writes: Sequence[RecordPrepared]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep the PG's id and pages of each prepared window."""
    closed = yield Rows(
        CLOSE_ATTEMPT, [close_attempt_values(w.merchant_id, w.attempt_id, w.result, w.now) for w in writes]
    )
    for write, rows in zip(writes, closed, strict=True):
        if not rows:
            raise Conflict(f"{write.imp_uid} was prepared by somebody else")
    yield Run(PREPARED_WINDOW, [(w.merchant_id, w.imp_uid, w.pc_url, w.mobile_url, w.app_url) for w in writes])
    yield Run(
        PREPARED_PAYMENT,
        [(w.merchant_id, w.imp_uid, w.result.approval.pg_tid if w.result.approval else None, w.now) for w in writes],
    )
    return [None] * len(writes)


@unit(EndWindow)
def end_windows(writes: Sequence[EndWindow]) -> Generator[Rows | Run, Any, Sequence[Payment]]:
    """End each payment that no call has taken money for, and close the attempt that failed to prepare it."""
    after = [
        moved(w.payment, Event.GIVEN_UP, w.now, failed_at=w.now, fail_code=w.code, fail_reason=w.reason) for w in writes
    ]
    yield from _move([w.payment for w in writes], after)
    yield Run(GIVEN_UP, [(w.payment.merchant_id, w.payment.imp_uid, w.now) for w in writes])
    failed = [
        close_attempt_values(w.payment.merchant_id, w.attempt_id, w.result, w.now)
        for w in writes
        if w.attempt_id and w.result
    ]
    if failed:
        yield Rows(CLOSE_ATTEMPT, failed)
    yield Run(
        INSERT_EVENT,
        [event_values(a, Event.GIVEN_UP, w.attempt_id, w.result, w.now) for w, a in zip(writes, after, strict=True)],
    )
    deliveries = [delivery_values(d) for w in writes for d in w.deliveries]
    if deliveries:
        yield Run(INSERT_DELIVERY, deliveries)
    return after


@unit(ForgetUnfinished)
def forget_unfinished(writes: Sequence[ForgetUnfinished]) -> Generator[Rows | Run, Any, Sequence[int]]:
    """Forget windows, and whose they were."""
    gone = yield Rows(FORGET_WINDOWS, [(w.before, w.count_max) for w in writes])
    forgotten = [(row["merchant_id"], row["imp_uid"]) for rows in gone for row in rows]
    if forgotten:
        yield Run(FORGET_BUYER, forgotten)
        yield Run(FORGET_TEXT, forgotten)
        yield Run(WRITE_TEXT, forgotten)
    return [len(rows) for rows in gone]


@unit(BeginApproval)
def begin_approvals(writes: Sequence[BeginApproval]) -> Generator[Rows | Run, Any, Sequence[Payment]]:
    """Commit the intent to approve. The unique index refuses a merchant_uid that was paid meanwhile."""
    after = [moved(w.payment, Event.BEGIN, w.attempt.begun_at) for w in writes]
    yield from _move([w.payment for w in writes], after)
    yield Run(INSERT_ATTEMPT, [attempt_values(w.attempt) for w in writes])
    yield Run(
        INSERT_EVENT,
        [
            event_values(a, Event.BEGIN, w.attempt.id, None, w.attempt.begun_at)
            for w, a in zip(writes, after, strict=True)
        ],
    )
    yield Run(KEEP_TOKEN, [(w.payment.merchant_id, w.payment.imp_uid, w.sealed_pg_token) for w in writes])
    return after


@unit(NoteLeft)
def note_left(writes: Sequence[NoteLeft]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Note that the page went away."""
    yield Run(LEFT, [(w.merchant_id, w.imp_uid, w.now) for w in writes])
    return [None] * len(writes)


def _move(before: Sequence[Payment], after: Sequence[Payment]) -> Generator[Rows | Run, Any, None]:
    assert all(b.status is Status.READY for b in before), "only an open window may end or be approved"
    done = yield Rows(MOVE_PAYMENT, [move_values(b, a) for b, a in zip(before, after, strict=True)])
    for payment, rows in zip(before, done, strict=True):
        if not rows:
            raise Conflict(f"{payment.imp_uid} was moved by somebody else")
