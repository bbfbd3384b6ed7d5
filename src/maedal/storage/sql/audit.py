"""The audit log: acts of people, kept in the transaction of what they did."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.merchants.act import Act, ActKind
from maedal.storage.sql.acts import keep_acts
from maedal.storage.sql.cancels import record_cancels
from maedal.storage.sql.recording import record
from maedal.storage.sql.rows import moment, payment_of
from maedal.storage.sql.steps import Row, Rows, Run, unit
from maedal.storage.store import Conflict, Record, SettleByHand, SupplyTid

SUPPLY_TID = """
UPDATE payments SET pg_tid = $4, updated_at = $5
 WHERE merchant_id = $1 AND imp_uid = $2 AND version = $3 AND status = 'paid' AND pg_tid IS NULL
RETURNING CAST($6 AS INTEGER) AS item, *
"""
WITHOUT_TID = """
SELECT * FROM payments WHERE status = 'paid' AND pg_tid IS NULL ORDER BY paid_at LIMIT $1
"""
ORDER_WITHOUT_TID = """
SELECT order_id FROM attempts
 WHERE merchant_id = $1 AND imp_uid = $2 AND verb = 'charge' AND outcome = 'approved' AND pg_tid IS NULL
"""
EVENTS = "SELECT * FROM payment_events WHERE merchant_id = $1 AND imp_uid = $2 ORDER BY version"
ACTS = "SELECT * FROM audit_log WHERE merchant_id = $1 ORDER BY id DESC LIMIT $2"


def act_of(row: Row) -> Act:
    happened_at = moment(row["happened_at"])
    assert happened_at is not None, "the column is never null"
    return Act(
        id=row["id"],
        merchant_id=row["merchant_id"],
        kind=ActKind(row["kind"]),
        subject=row["subject"],
        who=row["who"],
        reason=row["reason"],
        before=row["fact_before"],
        after=row["fact_after"],
        happened_at=happened_at,
    )


@unit(SettleByHand)
def settle_by_hand(writes: Sequence[SettleByHand]) -> Generator[Rows | Run, Any, Sequence[Any]]:
    """Record each as its call would have been recorded, and keep who said so."""
    results: list[Any] = []
    for write in writes:
        if isinstance(write.record, Record):
            results += yield from record([write.record])
        else:
            results += yield from record_cancels([write.record])
    yield keep_acts(w.act for w in writes)
    return results


@unit(SupplyTid)
def supply_tids(writes: Sequence[SupplyTid]) -> Generator[Rows | Run, Any, Sequence[Any]]:
    """Keep each tid, or, if any of the payments has moved, none."""
    done = yield Rows(
        SUPPLY_TID,
        [(w.payment.merchant_id, w.payment.imp_uid, w.payment.version, w.pg_tid, w.act.happened_at) for w in writes],
    )
    for write, rows in zip(writes, done, strict=True):
        if not rows:
            raise Conflict(f"{write.payment.imp_uid} was moved by somebody else")
    yield keep_acts(w.act for w in writes)
    return [payment_of(rows[0]) for rows in done]
