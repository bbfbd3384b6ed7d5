"""Calls to a PG as rows."""

from __future__ import annotations

from typing import Any

from maedal.billing_keys.billing_key import BillingKey
from maedal.payments.attempt import Attempt, Verb
from maedal.payments.money import Money, Price
from maedal.storage.engine.reading import moment_not_null
from maedal.storage.engine.steps import Row, insert

ATTEMPT_COLUMNS = (
    "merchant_id", "id", "verb", "order_id", "imp_uid", "billing_key_id", "amount", "tax_free", "approved_before",
    "begun_at", "approved_before_in_reply",
)  # fmt: skip
INSERT_ATTEMPT = insert("attempts", ATTEMPT_COLUMNS)


def attempt_of(row: Row) -> Attempt:
    price = None if row["amount"] is None else Price(Money(row["amount"]), Money(row["tax_free"]))
    return Attempt(
        id=row["id"],
        merchant_id=row["merchant_id"],
        verb=Verb(row["verb"]),
        order_id=row["order_id"],
        begun_at=moment_not_null(row["begun_at"]),
        imp_uid=row["imp_uid"],
        billing_key_id=row["billing_key_id"],
        price=price,
    )


def attempt_values(a: Attempt, key: BillingKey | None = None) -> tuple[Any, ...]:
    """Return an attempt's columns; with the key of a charge, what is known of its last approval by then."""
    return (
        a.merchant_id, a.id, a.verb, a.order_id, a.imp_uid, a.billing_key_id,
        None if a.price is None else a.price.total.amount, None if a.price is None else a.price.tax_free.amount,
        None if key is None else key.last_approved_at, a.begun_at, key is not None and key.last_approval_in_reply,
    )  # fmt: skip
