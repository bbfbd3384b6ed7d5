"""What requests to KakaoPay share: addresses, keys, how long an answer is waited for, and a purchase's fields."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from maedal.pg.driver import Account, ChargeParams, FileAccount, PgRequest, PrepareParams
from maedal.pg.kakaopay import fields

LIVE_URL = "https://open-api.kakaopay.com"
CONNECT_TIMEOUT_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 15.0
"""Above KakaoPay's own limit of 11 s, so that its answer is heard when there is one (3.2)."""

FILE_URL = "https://biz-dapi.kakaopay.com"
"""The newer of the two hosts of the file API; the older is biz-api.kakaopay.com (12)."""
FILE_READ_TIMEOUT_SECONDS = 60.0
_BASE = "/online/v1/payment"
METHOD_NAMES = {method: name for name, method in fields.METHODS.items()}
AVAILABLE_CARDS = {
    "361": "BC", "381": "KB", "367": "HYUNDAI", "365": "SAMSUNG", "368": "LOTTE", "371": "NH", "041": "WOORIONLY",
    "374": "HANA", "366": "SHINHAN", "370": "CITI", "090": "KAKAOBANK",
}  # fmt: skip
"""PortOne's card codes to KakaoPay's names (docs/wire/portone-browser-sdk.md 1.6); the pairing is ours, by name."""


def file_key_request(account: FileAccount, url: str, reply_bytes_max: int) -> PgRequest:
    """Build a call of the file API, with the key of its own."""
    return PgRequest(
        url=url,
        headers={"Authorization": f"PG_BIZAPI_KEY {account.secret}"},
        body=b"",
        connect_timeout_seconds=CONNECT_TIMEOUT_SECONDS,
        read_timeout_seconds=FILE_READ_TIMEOUT_SECONDS,
        method="GET",
        reply_bytes_max=reply_bytes_max,
    )


def purchase(account: Account, params: PrepareParams | ChargeParams) -> dict[str, Any]:
    """Return what ready and subscription say alike: who buys what from whom, for how much."""
    return {
        "cid": account.pg_merchant_id,
        "partner_order_id": params.order_id,
        "partner_user_id": params.user_id,
        "item_name": params.name,
        "quantity": params.quantity,
        "total_amount": params.price.total.amount,
        "tax_free_amount": params.price.tax_free.amount,
        "vat_amount": params.price.vat.amount,
    }


def payload(mark: str | None) -> dict[str, str]:
    """Return what KakaoPay keeps with the action and tells again in its order lookup (7.4)."""
    return {} if mark is None else {"payload": mark}


_written = json.JSONEncoder(ensure_ascii=False).encode


def secret_key_request(account: Account, path: str, body: Mapping[str, Any]) -> PgRequest:
    """Build a call of the payment API; `path` is what follows its base."""
    return PgRequest(
        url=account.base_url + _BASE + path,
        headers={"Authorization": f"SECRET_KEY {account.secret}", "Content-Type": "application/json"},
        body=_written(body).encode(),
        connect_timeout_seconds=CONNECT_TIMEOUT_SECONDS,
        read_timeout_seconds=READ_TIMEOUT_SECONDS,
    )
