"""Billing keys and their ends at the PG as rows."""

from __future__ import annotations

from typing import Any

from maedal.billing_keys.billing_key import BillingKey, KeyEnd
from maedal.billing_keys.ending import KeyEnding
from maedal.payments.attempt import CardDetails, Method
from maedal.payments.payment import Buyer
from maedal.storage.engine.reading import moment, moment_not_null
from maedal.storage.engine.steps import Row, insert

KEY_COLUMNS = (
    "merchant_id", "id", "customer_uid", "channel_id", "pg_provider", "pg_merchant_id", "test_mode", "sealed_pg_key",
    "pg_user_id", "method", "card_issuer_name", "card_issuer_code", "card_check", "customer_id", "customer_name",
    "customer_email", "customer_tel", "customer_addr", "customer_postcode", "last_approved_at",
    "last_approval_seen_at", "inserted_at", "updated_at", "ended_at", "ended_by", "gone_at",
    "last_approval_in_reply",
)  # fmt: skip
ENDING_COLUMNS = ("merchant_id", "attempt_id", "billing_key_id", "tries", "due_at")
INSERT_KEY = insert("billing_keys", KEY_COLUMNS)
INSERT_ENDING = insert("key_endings", ENDING_COLUMNS)


def key_of(row: Row) -> BillingKey:
    card = None
    if row["card_issuer_name"] or row["card_check"] is not None:
        check = None if row["card_check"] is None else bool(row["card_check"])
        card = CardDetails(row["card_issuer_name"], row["card_issuer_code"], check_card=check)
    return BillingKey(
        merchant_id=row["merchant_id"],
        id=row["id"],
        customer_uid=row["customer_uid"],
        channel_id=row["channel_id"],
        pg_provider=row["pg_provider"],
        pg_merchant_id=row["pg_merchant_id"],
        test_mode=bool(row["test_mode"]),
        sealed_pg_key=bytes(row["sealed_pg_key"]),
        pg_user_id=row["pg_user_id"],
        inserted_at=moment_not_null(row["inserted_at"]),
        updated_at=moment_not_null(row["updated_at"]),
        method=Method(row["method"]) if row["method"] else None,
        card=card,
        customer_id=row["customer_id"],
        customer=Buyer(
            row["customer_name"],
            row["customer_email"],
            row["customer_tel"],
            row["customer_addr"],
            row["customer_postcode"],
        ),
        last_approved_at=moment(row["last_approved_at"]),
        last_approval_seen_at=moment(row["last_approval_seen_at"]),
        last_approval_in_reply=bool(row["last_approval_in_reply"]),
        ended_at=moment(row["ended_at"]),
        ended_by=KeyEnd(row["ended_by"]) if row["ended_by"] else None,
        gone_at=moment(row["gone_at"]),
    )


def key_values(k: BillingKey) -> tuple[Any, ...]:
    card = k.card or CardDetails()
    c = k.customer
    return (
        k.merchant_id, k.id, k.customer_uid, k.channel_id, k.pg_provider, k.pg_merchant_id, k.test_mode,
        k.sealed_pg_key, k.pg_user_id, k.method, card.issuer_name, card.issuer_code, card.check_card, k.customer_id,
        c.name, c.email, c.tel, c.addr, c.postcode, k.last_approved_at, k.last_approval_seen_at, k.inserted_at,
        k.updated_at, k.ended_at, k.ended_by, k.gone_at, k.last_approval_in_reply,
    )  # fmt: skip


def ending_of(row: Row) -> KeyEnding:
    return KeyEnding(
        row["merchant_id"], row["attempt_id"], row["billing_key_id"], row["tries"], moment_not_null(row["due_at"])
    )


def ending_values(e: KeyEnding) -> tuple[Any, ...]:
    return (e.merchant_id, e.attempt_id, e.billing_key_id, e.tries, e.due_at)
