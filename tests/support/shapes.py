"""What every answer looks like: the keys, their types, and whether they may be null (docs/wire/portone-v1-rest.md)."""

from __future__ import annotations

from types import NoneType
from typing import Any

TEXT, WHOLE, FLAG, LIST = (str,), (int,), (bool,), (list,)
TEXT_OR_NULL, WHOLE_OR_NULL, NULL = (str, NoneType), (int, NoneType), (NoneType,)

PAYMENT = {
    "amount": WHOLE,
    "apply_num": TEXT_OR_NULL,
    "bank_code": NULL,
    "bank_name": NULL,
    "buyer_addr": TEXT_OR_NULL,
    "buyer_email": TEXT_OR_NULL,
    "buyer_name": TEXT_OR_NULL,
    "buyer_postcode": TEXT_OR_NULL,
    "buyer_tel": TEXT_OR_NULL,
    "cancel_amount": WHOLE,
    "cancel_history": LIST,
    "cancel_reason": TEXT_OR_NULL,
    "cancel_receipt_urls": LIST,
    "cancelled_at": WHOLE,
    "card_code": TEXT_OR_NULL,
    "card_issuer_code": NULL,
    "card_issuer_name": NULL,
    "card_name": TEXT_OR_NULL,
    "card_number": NULL,
    "card_publisher_code": NULL,
    "card_publisher_name": NULL,
    "card_quota": WHOLE,
    "card_type": WHOLE_OR_NULL,
    "cash_receipt_issued": FLAG,
    "channel": TEXT,
    "currency": TEXT,
    "custom_data": TEXT_OR_NULL,
    "customer_uid": TEXT_OR_NULL,
    "customer_uid_usage": TEXT_OR_NULL,
    "deposit_history": LIST,
    "emb_pg_provider": NULL,
    "escrow": FLAG,
    "fail_reason": TEXT_OR_NULL,
    "failed_at": WHOLE,
    "imp_uid": TEXT,
    "merchant_uid": TEXT,
    "name": TEXT_OR_NULL,
    "paid_at": WHOLE,
    "pay_method": TEXT_OR_NULL,
    "pg_id": TEXT,
    "pg_provider": TEXT,
    "pg_tid": TEXT_OR_NULL,
    "promotion": NULL,
    "receipt_url": TEXT_OR_NULL,
    "sandbox": FLAG,
    "started_at": WHOLE,
    "status": TEXT,
    "user_agent": TEXT_OR_NULL,
    "vbank_code": NULL,
    "vbank_date": WHOLE,
    "vbank_holder": NULL,
    "vbank_issued_at": WHOLE,
    "vbank_name": NULL,
    "vbank_num": NULL,
}
"""Section 3, as KakaoPay fills it."""

CUSTOMER = {
    "card_code": TEXT_OR_NULL,
    "card_issuer_code": NULL,
    "card_issuer_name": NULL,
    "card_name": TEXT,
    "card_number": NULL,
    "card_publisher_code": NULL,
    "card_publisher_name": NULL,
    "card_type": WHOLE_OR_NULL,
    "customer_addr": TEXT_OR_NULL,
    "customer_email": TEXT_OR_NULL,
    "customer_id": TEXT_OR_NULL,
    "customer_name": TEXT_OR_NULL,
    "customer_postcode": TEXT_OR_NULL,
    "customer_tel": TEXT_OR_NULL,
    "customer_uid": TEXT,
    "inserted": WHOLE,
    "pg_id": TEXT,
    "pg_provider": TEXT,
    "sandbox": FLAG,
    "updated": WHOLE,
}
"""Section 4.6."""

CHANNEL = {
    "channel_key": TEXT,
    "channel_name": TEXT,
    "pg_id": TEXT,
    "pg_provider": TEXT,
    "sandbox": FLAG,
    "type": TEXT,
}
"""Section 4.1."""

CANCELLATION = {
    "amount": WHOLE,
    "cancellation_id": TEXT,
    "cancelled_at": WHOLE,
    "pg_tid": TEXT,
    "reason": TEXT,
    "receipt_url": TEXT_OR_NULL,
}
"""Section 3.1, an entry of `cancel_history`."""

PAGE = {"list": LIST, "next": WHOLE, "previous": WHOLE, "total": WHOLE}
"""Section 4.2.1."""

SCHEDULE = {
    "amount": WHOLE,
    "buyer_addr": TEXT_OR_NULL,
    "buyer_email": TEXT_OR_NULL,
    "buyer_name": TEXT_OR_NULL,
    "buyer_postcode": TEXT_OR_NULL,
    "buyer_tel": TEXT_OR_NULL,
    "currency": TEXT,
    "custom_data": TEXT_OR_NULL,
    "customer_id": NULL,
    "customer_uid": TEXT,
    "executed_at": WHOLE,
    "fail_reason": TEXT_OR_NULL,
    "imp_uid": TEXT_OR_NULL,
    "merchant_uid": TEXT,
    "name": TEXT,
    "payment_status": TEXT_OR_NULL,
    "pg_id": TEXT_OR_NULL,
    "pg_provider": TEXT_OR_NULL,
    "promotion_id": NULL,
    "revoked_at": WHOLE,
    "schedule_at": WHOLE,
    "schedule_status": TEXT,
}
"""Section 4.5.9."""

TOKEN = {"access_token": TEXT, "expired_at": WHOLE, "now": WHOLE}

REFUSAL = {"success", "imp_success", "imp_uid", "merchant_uid", "error_code", "error_msg"}
"""What the page's callback gets when no window opens (docs/wire/portone-browser-sdk.md 2.3)."""


def check(value: dict[str, Any], shape: dict[str, tuple[type, ...]]) -> dict[str, Any]:
    """Return `value` after holding it against `shape`: no key missing, none too many, each of its type."""
    assert set(value) == set(shape), set(value) ^ set(shape)
    wrong = {key: item for key, item in value.items() if type(item) not in shape[key]}
    assert not wrong, wrong
    return value


def answered(response: Any, *, status: int = 200) -> Any:
    """Return the `response` of an envelope of code 0."""
    body = envelope(response, status)
    assert (body["code"], body["message"]) == (0, None), body
    return body["response"]


def refused(response: Any, status: int, code: int) -> str:
    """Return the message of an envelope that refuses."""
    body = envelope(response, status)
    assert (body["code"], body["response"]) == (code, None), body
    return body["message"]


def envelope(response: Any, *statuses: int) -> dict[str, Any]:
    """Return the envelope after holding it against section 2.1."""
    assert response.status_code in statuses, (response.status_code, response.text)
    assert response.headers["content-type"].split(";")[0] == "application/json"
    assert "content-encoding" not in response.headers
    assert int(response.headers["content-length"]) == len(response.content)
    body = response.json()
    assert set(body) == {"code", "message", "response"}, body
    assert type(body["code"]) is int
    assert (body["message"] is None) is (body["code"] == 0), body
    assert body["code"] == 0 or (body["message"] and body["response"] is None), body
    return body


def sdk_refusal(response: Any, *statuses: int) -> dict[str, Any]:
    """Return the refusal of an SDK endpoint after holding it against its shape."""
    assert response.status_code in statuses, (response.status_code, response.text)
    assert response.headers["access-control-allow-origin"] == "*"
    assert "no-store" in response.headers["cache-control"]
    body = response.json()
    assert set(body) >= REFUSAL, body
    assert (body["success"], body["imp_success"]) == (False, False)
    assert body["error_code"], body
    assert body["error_msg"], body
    return body
