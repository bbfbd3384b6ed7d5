"""Payments and their events as rows."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from maedal.payments.attempt import CardDetails, Method, Result
from maedal.payments.money import Currency, Money, Price
from maedal.payments.moves import Event, Start, Status
from maedal.payments.payment import Buyer, KeyUse, Order, Origin, Payment
from maedal.storage.engine.reading import moment, moment_not_null
from maedal.storage.engine.steps import Row, insert
from maedal.storage.payments.reads import PastEvent

PAYMENT_COLUMNS = (
    "merchant_id", "imp_uid", "merchant_uid", "status", "version", "origin", "amount", "tax_free", "cancelled_amount",
    "currency", "name", "quantity", "buyer_name", "buyer_email", "buyer_tel", "buyer_addr", "buyer_postcode",
    "custom_data", "notice_urls", "user_agent", "card_quota_asked", "kept", "customer_uid", "key_use", "billing_key_id",
    "channel_id", "pg_provider", "pg_merchant_id", "test_mode", "pg_tid", "method", "card_issuer_name",
    "card_issuer_code", "card_approval_number", "card_quota", "card_check", "receipt_url", "started_at", "updated_at",
    "paid_at", "failed_at", "cancelled_at", "fail_code", "fail_reason", "cancel_reason",
)  # fmt: skip
# A new payment has none of the columns that an outcome fills in.
NEW_PAYMENT_COLUMNS = (
    *PAYMENT_COLUMNS[: PAYMENT_COLUMNS.index("pg_tid")], "card_quota", "started_at", "updated_at", "status_at"
)  # fmt: skip
EVENT_COLUMNS = ("merchant_id", "imp_uid", "version", "event", "status", "proof", "attempt_id", "happened_at")
EVENTS_BY_NAME: dict[str, Event | Start] = {event.value: event for event in (*Event, *Start)}
INSERT_PAYMENT = insert("payments", NEW_PAYMENT_COLUMNS)
INSERT_EVENT = insert("payment_events", EVENT_COLUMNS)


def payment_of(row: Row) -> Payment:
    card = None
    if row["card_issuer_name"] or row["card_approval_number"] or row["card_quota"] or row["card_check"] is not None:
        card = CardDetails(
            issuer_name=row["card_issuer_name"],
            issuer_code=row["card_issuer_code"],
            approval_number=row["card_approval_number"],
            quota_months=row["card_quota"] or 0,
            check_card=None if row["card_check"] is None else bool(row["card_check"]),
        )
    currency = Currency(row["currency"])
    return Payment(
        merchant_id=row["merchant_id"],
        imp_uid=row["imp_uid"],
        order=Order(
            merchant_uid=row["merchant_uid"],
            name=row["name"],
            price=Price(Money(row["amount"], currency), Money(row["tax_free"], currency)),
            buyer=Buyer(
                row["buyer_name"], row["buyer_email"], row["buyer_tel"], row["buyer_addr"], row["buyer_postcode"]
            ),
            customer_uid=row["customer_uid"],
            key_use=KeyUse(row["key_use"]) if row["key_use"] else None,
            custom_data=row["custom_data"],
            notice_urls=tuple(json.loads(row["notice_urls"])) if row["notice_urls"] else (),
            user_agent=row["user_agent"],
            quantity=row["quantity"],
            card_quota_months=row["card_quota_asked"],
            kept=row["kept"],
        ),
        status=Status(row["status"]),
        origin=Origin(row["origin"]),
        pg_provider=row["pg_provider"],
        pg_merchant_id=row["pg_merchant_id"],
        channel_id=row["channel_id"],
        test_mode=bool(row["test_mode"]),
        started_at=moment_not_null(row["started_at"]),
        updated_at=moment_not_null(row["updated_at"]),
        version=row["version"],
        billing_key_id=row["billing_key_id"],
        method=Method(row["method"]) if row["method"] else None,
        pg_tid=row["pg_tid"],
        card=card,
        receipt_url=row["receipt_url"],
        cancelled_amount=row["cancelled_amount"],
        paid_at=moment(row["paid_at"]),
        failed_at=moment(row["failed_at"]),
        cancelled_at=moment(row["cancelled_at"]),
        fail_code=row["fail_code"],
        fail_reason=row["fail_reason"],
        cancel_reason=row["cancel_reason"],
        undo_at=moment(row["undo_at"]),
        put_off=bool(row["put_off"]),
    )


def new_payment_values(p: Payment) -> tuple[Any, ...]:
    o = p.order
    b = o.buyer
    return (
        p.merchant_id, p.imp_uid, o.merchant_uid, p.status, p.version, p.origin, o.price.total.amount,
        o.price.tax_free.amount, p.cancelled_amount, o.price.total.currency, o.name, o.quantity, b.name, b.email, b.tel,
        b.addr, b.postcode, o.custom_data, json.dumps(o.notice_urls) if o.notice_urls else None, o.user_agent,
        o.card_quota_months, o.kept, o.customer_uid, o.key_use, p.billing_key_id, p.channel_id, p.pg_provider,
        p.pg_merchant_id, p.test_mode, 0, p.started_at, p.updated_at, p.status_at,
    )  # fmt: skip


def payment_values(p: Payment) -> tuple[Any, ...]:
    """Return all columns of a payment as it stands, and when it came to its status."""
    o, b, card = p.order, p.order.buyer, p.card or CardDetails()
    return (
        p.merchant_id, p.imp_uid, o.merchant_uid, p.status, p.version, p.origin, o.price.total.amount,
        o.price.tax_free.amount, p.cancelled_amount, o.price.total.currency, o.name, o.quantity, b.name, b.email, b.tel,
        b.addr, b.postcode, o.custom_data, json.dumps(o.notice_urls) if o.notice_urls else None, o.user_agent,
        o.card_quota_months, o.kept, o.customer_uid, o.key_use, p.billing_key_id, p.channel_id, p.pg_provider,
        p.pg_merchant_id, p.test_mode, p.pg_tid, p.method, card.issuer_name, card.issuer_code, card.approval_number,
        card.quota_months, card.check_card, p.receipt_url, p.started_at, p.updated_at, p.paid_at, p.failed_at,
        p.cancelled_at, p.fail_code, p.fail_reason, p.cancel_reason, p.status_at,
    )  # fmt: skip


def past_event_of(row: Row) -> PastEvent:
    return PastEvent(
        EVENTS_BY_NAME[row["event"]],
        Status(row["status"]),
        row["proof"],
        row["attempt_id"],
        moment_not_null(row["happened_at"]),
    )


def event_values(
    payment: Payment, event: Event | Start, attempt_id: str | None, result: Result | None, now: datetime
) -> tuple[Any, ...]:
    """Return the event that brought `payment` to where it stands now."""
    proof = None if result is None else result.proof
    return (payment.merchant_id, payment.imp_uid, payment.version, event, payment.status, proof, attempt_id, now)
