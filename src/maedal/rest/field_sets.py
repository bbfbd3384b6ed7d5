"""The 2021 field set: the keys that strict clients of that year know, and no other (docs/wire/portone-v1-rest.md 3).

go-iamport refuses an object with a key it does not know. A merchant whose server uses it asks for this set.
"""

from __future__ import annotations

from typing import Any

PAYMENT_2021 = frozenset(
    [
        "amount",
        "apply_num",
        "bank_code",
        "bank_name",
        "buyer_addr",
        "buyer_email",
        "buyer_name",
        "buyer_postcode",
        "buyer_tel",
        "cancel_amount",
        "cancel_history",
        "cancel_reason",
        "cancel_receipt_urls",
        "cancelled_at",
        "card_code",
        "card_name",
        "card_number",
        "card_quota",
        "card_type",
        "cash_receipt_issued",
        "channel",
        "currency",
        "custom_data",
        "customer_uid",
        "customer_uid_usage",
        "escrow",
        "fail_reason",
        "failed_at",
        "imp_uid",
        "merchant_uid",
        "name",
        "paid_at",
        "pay_method",
        "pg_id",
        "pg_provider",
        "pg_tid",
        "promotion",
        "receipt_url",
        "started_at",
        "status",
        "user_agent",
        "vbank_code",
        "vbank_date",
        "vbank_holder",
        "vbank_issued_at",
        "vbank_name",
        "vbank_num",
    ]
)
"""Section 3."""
CANCEL_2021 = frozenset({"pg_tid", "amount", "cancelled_at", "reason", "receipt_url"})
"""An entry of `cancel_history`, section 3."""
CUSTOMER_2021 = frozenset(
    [
        "card_code",
        "card_name",
        "card_number",
        "card_type",
        "customer_addr",
        "customer_email",
        "customer_name",
        "customer_postcode",
        "customer_tel",
        "customer_uid",
        "inserted",
        "pg_id",
        "pg_provider",
        "updated",
    ]
)
"""Section 4.6."""
SCHEDULE_2021 = frozenset(
    [
        "customer_uid",
        "merchant_uid",
        "imp_uid",
        "schedule_at",
        "executed_at",
        "revoked_at",
        "amount",
        "name",
        "buyer_name",
        "buyer_tel",
        "buyer_email",
        "buyer_addr",
        "buyer_postcode",
        "schedule_status",
        "payment_status",
        "fail_reason",
        "custom_data",
    ]
)
"""Section 4.5.9."""
PREPARED_2021 = frozenset({"merchant_uid", "amount"})
"""Section 4.4."""


def only(keys: frozenset[str], shown: dict[str, Any]) -> dict[str, Any]:
    """Return `shown` with these keys alone, in its own order."""
    return {key: value for key, value in shown.items() if key in keys}


def payment_of_2021(shown: dict[str, Any]) -> dict[str, Any]:
    """Return a payment object as it was in 2021, its cancellations too."""
    return only(PAYMENT_2021, shown) | {"cancel_history": [only(CANCEL_2021, c) for c in shown["cancel_history"]]}
