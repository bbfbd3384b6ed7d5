"""Concepts to wire objects (docs/wire/portone-v1-rest.md 3 and 4.6). The only epoch conversions in maedal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from maedal.billing_keys.billing_key import BillingKey
from maedal.merchants.channel import Channel
from maedal.payments.attempt import CardDetails, Method
from maedal.payments.cancellation import Cancellation
from maedal.payments.moves import Status
from maedal.payments.payment import Origin, Payment
from maedal.rest.codes import card_company
from maedal.schedules.schedule import Schedule

STATUS = {
    Status.READY: "ready",
    Status.CALLING: "ready",
    Status.UNKNOWN: "ready",  # never "failed" without proof
    Status.PAID: "paid",
    Status.FAILED: "failed",
    Status.CANCELLED: "cancelled",
}
"""The one mapping of our statuses to the wire's."""

BEHIND = {wire: tuple(s for s, w in STATUS.items() if w == wire) for wire in set(STATUS.values())}
"""Our statuses behind each of the wire's."""

EPOCH_MAX = 9_999_999_999
"""The largest time that a call takes, in Unix seconds: far behind any year that is meant, and no milliseconds."""

PAY_METHOD = {Method.CARD: "card", Method.MONEY: "point"}
MONEY_NAME = "카카오페이머니"


def epoch(moment: datetime | None) -> int:
    """Return Unix seconds; 0 stands for "not yet"."""
    return 0 if moment is None else int(moment.timestamp())


def from_epoch(seconds: int) -> datetime:
    """Return the moment of Unix seconds."""
    return datetime.fromtimestamp(seconds, UTC)


def payment_object(payment: Payment, cancellations: Sequence[Cancellation] = ()) -> dict[str, Any]:
    """Return the payment object, every key present; `cancellations` are the payment's own, oldest first."""
    order, buyer = payment.order, payment.order.buyer
    card = payment.card
    code, name = card_company(card.issuer_name) if card is not None else (None, None)
    # KakaoPay Money has no approval number; the browser's payments show "" for it, the server's null.
    apply_num = card.approval_number if card is not None else None
    if apply_num is None and payment.origin is not Origin.API and payment.status in _PAID:
        apply_num = ""
    return {
        "amount": order.price.total.amount,
        "apply_num": apply_num,
        "bank_code": None,
        "bank_name": None,
        "buyer_addr": buyer.addr,
        "buyer_email": buyer.email,
        "buyer_name": buyer.name,
        "buyer_postcode": buyer.postcode,
        "buyer_tel": buyer.tel,
        "cancel_amount": payment.cancelled_amount,
        "cancel_history": [cancel_entry(payment, c) for c in cancellations if c.done_at is not None],
        "cancel_reason": payment.cancel_reason,
        "cancel_receipt_urls": [payment.receipt_url for c in cancellations if c.done_at and payment.receipt_url],
        "cancelled_at": epoch(payment.cancelled_at),
        "card_code": code,
        "card_issuer_code": None,
        "card_issuer_name": None,
        "card_name": name,
        "card_number": None,
        "card_publisher_code": None,
        "card_publisher_name": None,
        "card_quota": card.quota_months if card is not None else 0,
        "card_type": card_type(card),
        "cash_receipt_issued": False,
        "channel": payment.origin.value,
        "currency": order.price.total.currency.value,
        "custom_data": order.custom_data,
        "customer_uid": order.customer_uid,
        "customer_uid_usage": None if order.key_use is None else order.key_use.value,
        "deposit_history": [],
        "emb_pg_provider": None,
        "escrow": '"escrow": true' in (order.kept or ""),
        "fail_reason": payment.fail_reason,
        "failed_at": epoch(payment.failed_at),
        "imp_uid": payment.imp_uid,
        "merchant_uid": order.merchant_uid,
        "name": order.name,
        "paid_at": epoch(payment.paid_at),
        "pay_method": None if payment.method is None else PAY_METHOD[payment.method],
        "pg_id": payment.pg_merchant_id,
        "pg_provider": payment.pg_provider,
        "pg_tid": payment.pg_tid if payment.status is not Status.FAILED else None,
        "promotion": None,
        "receipt_url": payment.receipt_url,
        "sandbox": payment.test_mode,
        "started_at": epoch(payment.started_at),
        "status": STATUS[payment.status],
        "user_agent": order.user_agent,
        "vbank_code": None,
        "vbank_date": 0,
        "vbank_holder": None,
        "vbank_issued_at": 0,
        "vbank_name": None,
        "vbank_num": None,
    }


def cancel_entry(payment: Payment, cancellation: Cancellation) -> dict[str, Any]:
    """Return one entry of `cancel_history` (3.1). KakaoPay cancels under the original tid."""
    return {
        "pg_tid": payment.pg_tid,
        "amount": cancellation.split.amount,
        "cancelled_at": epoch(cancellation.done_at),
        "reason": cancellation.reason,
        "cancellation_id": cancellation.id,
        "receipt_url": payment.receipt_url,
    }


_PAID = frozenset({Status.PAID, Status.CANCELLED})


def customer_object(key: BillingKey) -> dict[str, Any]:
    """Return the customer object of a billing key."""
    card = key.card if key.method is Method.CARD else None
    code, name = card_company(card.issuer_name) if card is not None else (None, MONEY_NAME)
    customer = key.customer
    return {
        "card_code": code,
        "card_issuer_code": None,
        "card_issuer_name": None,
        "card_name": name or "카드",
        "card_number": None,
        "card_publisher_code": None,
        "card_publisher_name": None,
        "card_type": card_type(card),
        "customer_addr": customer.addr,
        "customer_email": customer.email,
        "customer_id": key.customer_id,
        "customer_name": customer.name,
        "customer_postcode": customer.postcode,
        "customer_tel": customer.tel,
        "customer_uid": key.customer_uid,
        "inserted": epoch(key.inserted_at),
        "pg_id": key.pg_merchant_id,
        "pg_provider": key.pg_provider,
        "sandbox": key.test_mode,
        "updated": epoch(key.updated_at),
    }


PAYMENT_STATUS = {status: None if wire == "ready" else wire for status, wire in STATUS.items()}
"""What a scheduled charge shows of its payment; nothing while that one is open."""


def schedule_object(schedule: Schedule) -> dict[str, Any]:
    """Return the schedule result (4.5.9)."""
    order, buyer, payment = schedule.order, schedule.order.buyer, schedule.payment
    return {
        "amount": order.price.total.amount,
        "buyer_addr": buyer.addr,
        "buyer_email": buyer.email,
        "buyer_name": buyer.name,
        "buyer_postcode": buyer.postcode,
        "buyer_tel": buyer.tel,
        "currency": order.price.total.currency.value,
        "custom_data": order.custom_data,
        "customer_id": None,
        "customer_uid": order.customer_uid,
        "executed_at": epoch(schedule.executed_at),
        "fail_reason": None if payment is None else payment.fail_reason,
        "imp_uid": schedule.imp_uid,
        "merchant_uid": order.merchant_uid,
        "name": order.name,
        "payment_status": None if payment is None else PAYMENT_STATUS[payment.status],
        "pg_id": None if payment is None else payment.pg_merchant_id,
        "pg_provider": None if payment is None else payment.pg_provider,
        "promotion_id": None,
        "revoked_at": epoch(schedule.revoked_at),
        "schedule_at": epoch(schedule.schedule_at),
        "schedule_status": schedule.status.value,
    }


def pg_object(channel: Channel) -> dict[str, Any]:
    """Return one entry of `GET /users/pg` (4.1)."""
    return {
        "channel_key": channel.id,
        "channel_name": channel.name,
        "pg_id": channel.pg_merchant_id,
        "pg_provider": channel.pg_provider,
        "sandbox": channel.test_mode,
        "type": "payment",
    }


def card_type(card: CardDetails | None) -> int | None:
    """Return 0 for a credit card, 1 for a check card, None when unknown."""
    return None if card is None or card.check_card is None else int(card.check_card)
