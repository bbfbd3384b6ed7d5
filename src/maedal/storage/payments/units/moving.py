"""Moving a payment as the table of legal moves has it, and only from where it was read."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from maedal.payments.attempt import CardDetails
from maedal.payments.moves import NEXT, Event
from maedal.payments.payment import Payment

MOVE_PAYMENT = """
UPDATE payments
   SET status = $5, version = version + 1, updated_at = $6, paid_at = $7, failed_at = $8, fail_code = $9,
       fail_reason = $10, pg_tid = $11, method = $12, card_issuer_name = $13, card_issuer_code = $14,
       card_approval_number = $15, card_quota = $16, card_check = $17, receipt_url = $18, billing_key_id = $19,
       status_at = $20
 WHERE merchant_id = $1 AND imp_uid = $2 AND status = $3 AND version = $4
RETURNING CAST($21 AS INTEGER) AS item
"""


def moved(payment: Payment, event: Event, now: datetime, **changes: Any) -> Payment:
    """Return `payment` after `event`. Raises KeyError for a move that is not in the table."""
    status = NEXT[payment.status, event]
    return replace(payment, status=status, version=payment.version + 1, updated_at=now, **changes)


def move_values(before: Payment, after: Payment) -> tuple[Any, ...]:
    card = after.card or CardDetails()
    return (
        before.merchant_id, before.imp_uid, before.status, before.version, after.status, after.updated_at,
        after.paid_at, after.failed_at, after.fail_code, after.fail_reason, after.pg_tid, after.method,
        card.issuer_name, card.issuer_code, card.approval_number, card.quota_months, card.check_card,
        after.receipt_url, after.billing_key_id, after.status_at,
    )  # fmt: skip
