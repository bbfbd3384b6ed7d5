"""Reconciling: what the PG's files said, the days that are done, what was found."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from maedal.payments.attempt import CardDetails, Method
from maedal.payments.moves import NEXT, Event, Start
from maedal.payments.payment import Payment
from maedal.reconciliation.finding import Finding, FindingKind
from maedal.reconciliation.settlement import Action, SettlementRow
from maedal.storage.proving import EnterOutcome
from maedal.storage.sql.acts import keep_acts
from maedal.storage.sql.recording import record
from maedal.storage.sql.rows import (
    INSERT_ATTEMPT,
    INSERT_EVENT,
    INSERT_PAYMENT,
    attempt_values,
    event_values,
    moment,
    new_payment_values,
)
from maedal.storage.sql.schedules import EXECUTE_ENTERED
from maedal.storage.sql.steps import Row, Rows, Run, unit
from maedal.storage.store import (
    AddFindings,
    ClaimDay,
    CloseFinding,
    DayState,
    DaySums,
    EnterPayment,
    FillTid,
    FinishDay,
    KeepRows,
    KeptRow,
)

ROW_COLUMNS = (
    "merchant_id", "pg_provider", "pg_aid", "pg_merchant_id", "day", "action", "order_id", "pg_tid", "amount", "method",
    "happened_at",
)  # fmt: skip
FINDING_COLUMNS = (
    "merchant_id", "id", "kind", "subject", "channel_id", "day", "order_id", "imp_uid", "pg_tid", "pg_aid",
    "amount_there", "amount_here", "happened_at", "found_at",
)  # fmt: skip


def _insert_once(table: str, columns: Sequence[str]) -> str:
    marks = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT DO NOTHING"


KEEP_ROW = _insert_once("settlement_rows", ROW_COLUMNS)
ADD_FINDING = _insert_once("findings", FINDING_COLUMNS) + (
    f" RETURNING CAST(${len(FINDING_COLUMNS) + 1} AS INTEGER) AS item"
)
CLOSE_FINDING = """
UPDATE findings SET closed_at = $3, closed_by = $4, close_reason = $5
 WHERE merchant_id = $1 AND id = $2 AND closed_at IS NULL
RETURNING CAST($6 AS INTEGER) AS item
"""
CLAIM_DAY = """
INSERT INTO settlement_days (merchant_id, channel_id, day, tries, due_at) VALUES ($1, $2, $3, 1, $5)
ON CONFLICT (merchant_id, channel_id, day) DO UPDATE
   SET tries = settlement_days.tries + 1, due_at = excluded.due_at
 WHERE settlement_days.done_at IS NULL AND settlement_days.due_at <= $4
RETURNING CAST($6 AS INTEGER) AS item
"""
FINISH_DAY = """
INSERT INTO settlement_days (merchant_id, channel_id, day, tries, due_at, done_at, complete, taken_there, taken_here,
       cancelled_there, cancelled_here)
VALUES ($1, $2, $3, 1, $4, $4, $5, $6, $7, $8, $9)
ON CONFLICT (merchant_id, channel_id, day) DO UPDATE
   SET done_at = excluded.done_at, complete = excluded.complete, taken_there = excluded.taken_there,
       taken_here = excluded.taken_here, cancelled_there = excluded.cancelled_there,
       cancelled_here = excluded.cancelled_here
"""
FILL_TID = """
UPDATE payments
   SET pg_tid = $4, method = coalesce(method, $5), version = version + 1, updated_at = $6,
       card_issuer_name = coalesce(card_issuer_name, $7), card_issuer_code = coalesce(card_issuer_code, $8),
       card_approval_number = coalesce(card_approval_number, $9),
       card_quota = CASE WHEN card_quota = 0 THEN CAST($10 AS BIGINT) ELSE card_quota END,
       card_check = coalesce(card_check, $11), receipt_url = coalesce(receipt_url, $12)
 WHERE merchant_id = $1 AND imp_uid = $2 AND version = $3 AND status = 'paid' AND pg_tid IS NULL
RETURNING CAST($13 AS INTEGER) AS item
"""
# What the payment rests on is now the file: it says more than that some payment was approved.
FILL_ATTEMPT = """
UPDATE attempts SET pg_tid = $3, proof = $4 WHERE merchant_id = $1 AND id = $2 AND outcome = 'approved'
"""

COUNT_ANEW = "UPDATE figures_counted SET until = $2 WHERE merchant_id = $1 AND until > $2"


@unit(KeepRows)
def keep_rows(writes: Sequence[KeepRows]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep rows of files; what is known already stays as it is."""
    yield Run(
        KEEP_ROW,
        [
            (
                w.merchant_id, w.pg_provider, r.pg_aid, r.pg_merchant_id, w.day.isoformat(), r.action, r.order_id,
                r.pg_tid, r.amount, r.method, r.happened_at,
            )
            for w in writes
            for r in w.rows
        ],
    )  # fmt: skip
    return [None] * len(writes)


@unit(EnterPayment)
def enter_payments(writes: Sequence[EnterPayment]) -> Generator[Rows | Run, Any, Sequence[Payment]]:
    """Begin and record each payment, let it execute what was planned, and let its hours be counted anew."""
    yield Run(INSERT_PAYMENT, [new_payment_values(w.payment) for w in writes])
    yield Run(INSERT_ATTEMPT, [attempt_values(w.attempt) for w in writes])
    return (yield from record_entered(writes))


def record_entered(
    writes: Sequence[EnterPayment] | Sequence[EnterOutcome],
) -> Generator[Rows | Run, Any, Sequence[Payment]]:
    """Record calls whose payments and attempts have just been entered, with all that follows from them."""
    yield Run(INSERT_EVENT, [event_values(w.payment, Start.ENTER, w.attempt.id, None, w.record.now) for w in writes])
    yield Run(
        EXECUTE_ENTERED,
        sorted(
            (w.payment.merchant_id, w.payment.order.merchant_uid, w.payment.imp_uid, w.payment.started_at)
            for w in writes
        ),
    )
    after = yield from record([w.record for w in writes])
    yield Run(COUNT_ANEW, [(p.merchant_id, p.started_at.replace(minute=0, second=0, microsecond=0)) for p in after])
    yield keep_acts([w.act for w in writes])
    return after


@unit(AddFindings)
def add_findings(writes: Sequence[AddFindings]) -> Generator[Rows | Run, Any, Sequence[Sequence[Finding]]]:
    """Keep findings that nobody found before."""
    results = []
    for w in writes:
        added = yield Rows(ADD_FINDING, [finding_values(f) for f in w.findings])
        results.append([f for f, rows in zip(w.findings, added, strict=True) if rows])
    return results


@unit(CloseFinding)
def close_findings(writes: Sequence[CloseFinding]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Close each finding that is open."""
    done = yield Rows(
        CLOSE_FINDING,
        [(w.act.merchant_id, w.finding_id, w.act.happened_at, w.act.who, w.act.reason) for w in writes],
    )
    acts = [w.act for w, rows in zip(writes, done, strict=True) if rows]
    if acts:
        yield keep_acts(acts)
    return [bool(rows) for rows in done]


@unit(ClaimDay)
def claim_days(writes: Sequence[ClaimDay]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Take each day that is due and not done."""
    done = yield Rows(
        CLAIM_DAY, [(w.merchant_id, w.channel_id, w.day.isoformat(), w.now, w.next_due_at) for w in writes]
    )
    return [bool(rows) for rows in done]


@unit(FinishDay)
def finish_days(writes: Sequence[FinishDay]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Mark days as done."""
    yield Run(
        FINISH_DAY,
        [
            (
                w.merchant_id, w.channel_id, w.day.isoformat(), w.now, w.complete, w.sums.taken_there,
                w.sums.taken_here, w.sums.cancelled_there, w.sums.cancelled_here,
            )
            for w in writes
        ],
    )  # fmt: skip
    return [None] * len(writes)


@unit(FillTid)
def fill_tids(writes: Sequence[FillTid]) -> Generator[Rows | Run, Any, Sequence[Payment | None]]:
    """Give each payment that is paid without it the PG's id of it."""
    done = yield Rows(FILL_TID, [_fill_values(w) for w in writes])
    filled = [(w, _filled(w)) for w, rows in zip(writes, done, strict=True) if rows]
    if filled:
        yield Run(FILL_ATTEMPT, [(w.payment.merchant_id, w.attempt_id, w.pg_tid, w.proof) for w, _ in filled])
        yield Run(
            INSERT_EVENT,
            [
                (p.merchant_id, p.imp_uid, p.version, Event.IDENTIFIED, p.status, w.proof, w.attempt_id, w.now)
                for w, p in filled
            ],
        )
    after = {(p.merchant_id, p.imp_uid): p for _, p in filled}
    return [after.get((w.payment.merchant_id, w.payment.imp_uid)) for w in writes]


def _fill_values(w: FillTid) -> tuple[Any, ...]:
    card = w.card or CardDetails()
    return (
        w.payment.merchant_id, w.payment.imp_uid, w.payment.version, w.pg_tid, w.method, w.now, card.issuer_name,
        card.issuer_code, card.approval_number, card.quota_months, card.check_card, w.receipt_url,
    )  # fmt: skip


def _filled(w: FillTid) -> Payment:
    return replace(
        w.payment,
        status=NEXT[w.payment.status, Event.IDENTIFIED],
        pg_tid=w.pg_tid,
        method=w.payment.method or w.method,
        card=w.payment.card or w.card,
        receipt_url=w.payment.receipt_url or w.receipt_url,
        version=w.payment.version + 1,
        updated_at=w.now,
    )


def finding_values(f: Finding) -> tuple[Any, ...]:
    return (
        f.merchant_id, f.id, f.kind, f.subject, f.channel_id, f.day.isoformat(), f.order_id, f.imp_uid, f.pg_tid,
        f.pg_aid, f.amount_there, f.amount_here, f.happened_at, f.found_at,
    )  # fmt: skip


def finding_of(row: Row) -> Finding:
    found_at = moment(row["found_at"])
    assert found_at is not None, "the column is NOT NULL"
    return Finding(
        merchant_id=row["merchant_id"],
        id=row["id"],
        kind=FindingKind(row["kind"]),
        subject=row["subject"],
        channel_id=row["channel_id"],
        day=date.fromisoformat(row["day"]),
        found_at=found_at,
        order_id=row["order_id"],
        imp_uid=row["imp_uid"],
        pg_tid=row["pg_tid"],
        pg_aid=row["pg_aid"],
        amount_there=row["amount_there"],
        amount_here=row["amount_here"],
        happened_at=moment(row["happened_at"]),
        closed_at=moment(row["closed_at"]),
        closed_by=row["closed_by"],
        close_reason=row["close_reason"],
    )


def kept_row_of(row: Row) -> KeptRow:
    happened_at = moment(row["happened_at"])
    assert happened_at is not None, "the column is NOT NULL"
    told = SettlementRow(
        pg_merchant_id=row["pg_merchant_id"],
        order_id=row["order_id"],
        pg_tid=row["pg_tid"],
        pg_aid=row["pg_aid"],
        action=Action(row["action"]),
        amount=row["amount"],
        method=Method(row["method"]) if row["method"] else None,
        happened_at=happened_at,
    )
    return KeptRow(date.fromisoformat(row["day"]), told)


def day_state_of(row: Row) -> DayState:
    due_at, done_at = moment(row["due_at"]), moment(row["done_at"])
    assert due_at is not None, "the column is NOT NULL"
    sums = None
    if done_at is not None:
        sums = DaySums(row["taken_there"], row["taken_here"], row["cancelled_there"], row["cancelled_here"])
    day = date.fromisoformat(row["day"])
    return DayState(day, row["tries"], due_at, done_at, complete=bool(row["complete"]), sums=sums)
