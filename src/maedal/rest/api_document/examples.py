"""One example of everything that answers hold; a test holds each against its schema."""

from __future__ import annotations

from typing import Any

_BUYER = {
    "buyer_name": "홍길동",
    "buyer_email": "gildong@example.com",
    "buyer_tel": "010-1234-5678",
    "buyer_addr": None,
    "buyer_postcode": None,
}
_NO_CARD = {
    "card_code": None,
    "card_type": None,
    "card_issuer_code": None,
    "card_issuer_name": None,
    "card_publisher_code": None,
    "card_publisher_name": None,
    "card_number": None,
}
PAYMENT: dict[str, Any] = {
    "imp_uid": "imps_104233019873",
    "merchant_uid": "order_2024_05",
    "status": "paid",
    "amount": 8900,
    "cancel_amount": 0,
    "currency": "KRW",
    "name": "월간 이용권",
    **_BUYER,
    "customer_uid": "gildong_0001_1234",
    "customer_uid_usage": "payment",
    "custom_data": None,
    "channel": "api",
    "pay_method": "point",
    "pg_provider": "kakaopay",
    "pg_id": "TCSUBSCRIP",
    "pg_tid": "T66abc0123456789abcd",
    "emb_pg_provider": None,
    "apply_num": None,
    **_NO_CARD,
    "card_name": None,
    "card_quota": 0,
    "receipt_url": "https://mockup-pg-web.kakao.com/v1/confirmation/p/T66abc0123456789abcd/0123",
    "started_at": 1715000001,
    "paid_at": 1715000001,
    "failed_at": 0,
    "cancelled_at": 0,
    "fail_reason": None,
    "cancel_reason": None,
    "cancel_history": [],
    "cancel_receipt_urls": [],
    "deposit_history": [],
    "cash_receipt_issued": False,
    "escrow": False,
    "sandbox": True,
    "promotion": None,
    "user_agent": "python-requests/2.31.0",
    "bank_code": None,
    "bank_name": None,
    "vbank_code": None,
    "vbank_name": None,
    "vbank_num": None,
    "vbank_holder": None,
    "vbank_date": 0,
    "vbank_issued_at": 0,
}
CANCELLATION: dict[str, Any] = {
    "cancellation_id": "5f0c6f0e-9f6a-4f6e-8f6b-2c8f3f1e7a10",
    "amount": 900,
    "cancelled_at": 1715003600,
    "reason": "고객 변심",
    "pg_tid": "T66abc0123456789abcd",
    "receipt_url": PAYMENT["receipt_url"],
}
CANCELLED = PAYMENT | {
    "status": "cancelled",
    "cancel_amount": 900,
    "cancelled_at": 1715003600,
    "cancel_reason": "고객 변심",
    "cancel_history": [CANCELLATION],
    "cancel_receipt_urls": [PAYMENT["receipt_url"]],
}
DECLINED = PAYMENT | {
    "status": "failed",
    "paid_at": 0,
    "failed_at": 1715000001,
    "fail_reason": "[-782] 정기결제에 실패했습니다. (NOT_ENOUGH_BALANCE 잔액 부족)",
    "pay_method": None,
    "pg_tid": None,
    "receipt_url": None,
}
CUSTOMER: dict[str, Any] = {
    "customer_uid": "gildong_0001_1234",
    "customer_id": None,
    "customer_name": "홍길동",
    "customer_email": "gildong@example.com",
    "customer_tel": "010-1234-5678",
    "customer_addr": None,
    "customer_postcode": None,
    "pg_provider": "kakaopay",
    "pg_id": "TCSUBSCRIP",
    **_NO_CARD,
    "card_name": "카카오페이머니",
    "inserted": 1712000000,
    "updated": 1712000000,
    "sandbox": True,
}
SCHEDULE: dict[str, Any] = {
    "merchant_uid": "order_2024_06",
    "customer_uid": "gildong_0001_1234",
    "customer_id": None,
    "schedule_status": "scheduled",
    "schedule_at": 1717200000,
    "executed_at": 0,
    "revoked_at": 0,
    "amount": 8900,
    "currency": "KRW",
    "name": "월간 이용권",
    **_BUYER,
    "custom_data": None,
    "imp_uid": None,
    "payment_status": None,
    "fail_reason": None,
    "pg_provider": None,
    "pg_id": None,
    "promotion_id": None,
}
TOKEN = {"access_token": "0123456789abcdef0123456789abcdef01234567", "now": 1715000000, "expired_at": 1715001800}
CHANNEL = {
    "channel_key": "channel-key-0190d3f2-6b1e-7c3a-9f4d-2b6c1a7e5d80",
    "channel_name": "카카오페이 정기결제",
    "pg_provider": "kakaopay",
    "pg_id": "TCSUBSCRIP",
    "sandbox": True,
    "type": "payment",
}
PREPARED = {"merchant_uid": "order_2024_05", "amount": 12000, "currency": None}
CODE = {"code": "366", "name": "신한카드"}


def page(item: dict[str, Any]) -> dict[str, Any]:
    """Return a page that holds one thing."""
    return {"total": 1, "previous": 0, "next": 0, "list": [item]}
