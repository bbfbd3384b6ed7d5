"""Giving a payment that is paid without it the PG's id of it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

from maedal.payments.attempt import CardDetails
from maedal.payments.moves import NEXT, Event
from maedal.payments.payment import Payment
from maedal.storage.audit.rows import keep_audit_entries
from maedal.storage.engine.steps import Rows, Run, unit
from maedal.storage.errors import Conflict
from maedal.storage.payments.rows import INSERT_EVENT, payment_of
from maedal.storage.payments.writes import FillTid, SupplyTid

SUPPLY_TID = """
UPDATE payments SET pg_tid = $4, updated_at = $5
 WHERE merchant_id = $1 AND imp_uid = $2 AND version = $3 AND status = 'paid' AND pg_tid IS NULL
RETURNING CAST($6 AS INTEGER) AS item, *
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


@unit(SupplyTid)
def supply_tids(writes: Sequence[SupplyTid]) -> Generator[Rows | Run, Any, Sequence[Any]]:
    """Keep each tid, or, if any of the payments has moved, none."""
    done = yield Rows(
        SUPPLY_TID,
        [
            (w.payment.merchant_id, w.payment.imp_uid, w.payment.version, w.pg_tid, w.audit_entry.happened_at)
            for w in writes
        ],
    )
    for write, rows in zip(writes, done, strict=True):
        if not rows:
            raise Conflict(f"{write.payment.imp_uid} was moved by somebody else")
    yield keep_audit_entries(w.audit_entry for w in writes)
    return [payment_of(rows[0]) for rows in done]


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
