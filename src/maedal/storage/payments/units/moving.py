"""Moving a payment as the table of legal moves has it, and only from where it was read."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from maedal.payments.attempt import CardDetails
from maedal.payments.moves import NEXT, Event
from maedal.payments.payment import Payment
from maedal.storage.engine.steps import Together

MOVE_PAYMENT = """
UPDATE payments
   SET status = $5, version = version + 1, updated_at = $6, paid_at = $7, failed_at = $8, fail_code = $9,
       fail_reason = $10, pg_tid = $11, method = $12, card_issuer_name = $13, card_issuer_code = $14,
       card_approval_number = $15, card_quota = $16, card_check = $17, receipt_url = $18, billing_key_id = $19,
       status_at = $20
 WHERE merchant_id = $1 AND imp_uid = $2 AND status = $3 AND version = $4
RETURNING CAST($21 AS INTEGER) AS item
"""
# The same for many; they are fewer when somebody else has moved one of them.
MOVE_PAYMENTS = Together(
    """
UPDATE payments
   SET status = item.status, version = payments.version + 1, updated_at = item.updated_at, paid_at = item.paid_at,
       failed_at = item.failed_at, fail_code = item.fail_code, fail_reason = item.fail_reason, pg_tid = item.pg_tid,
       method = item.method, card_issuer_name = item.card_issuer_name, card_issuer_code = item.card_issuer_code,
       card_approval_number = item.card_approval_number, card_quota = item.card_quota, card_check = item.card_check,
       receipt_url = item.receipt_url, billing_key_id = item.billing_key_id, status_at = item.status_at
  FROM {items}
 WHERE payments.merchant_id = item.merchant_id AND payments.imp_uid = item.imp_uid
   AND payments.status = item.status_before AND payments.version = item.version_before
""",
    (
        "merchant_id text", "imp_uid text", "status_before text", "version_before bigint", "status text",
        "updated_at timestamptz", "paid_at timestamptz", "failed_at timestamptz", "fail_code text", "fail_reason text",
        "pg_tid text", "method text", "card_issuer_name text", "card_issuer_code text", "card_approval_number text",
        "card_quota bigint", "card_check boolean", "receipt_url text", "billing_key_id text", "status_at timestamptz",
    ),
)  # fmt: skip


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
