"""Files to import, built entry by entry."""

from __future__ import annotations

import copy
import json

CODE, OTHER = "imp12345678", "imp87654321"
API_KEY, SECRET = "1234567890123456", "a secret of the merchant's"
CHANNEL = "channel-key-11111111-1111-4111-8111-111111111111"
START = 1_700_000_000
FAR = 4_000_000_000


def a_payment(number: int = 0, **changes):
    return {
        "imp_uid": f"imp_{number:012d}",
        "merchant_uid": f"order_{number}",
        "amount": 9_900,
        "name": "Monthly plan",
        "status": "paid",
        "channel": "api",
        "currency": "KRW",
        "buyer_name": "홍길동",
        "customer_uid": "c_1",
        "customer_uid_usage": "payment",
        "pay_method": "card",
        "card_name": "신한카드",
        "apply_num": "12345678",
        "pg_provider": "kakaopay",
        "pg_id": "TCSUBSCRIP",
        "pg_tid": f"T{number:019d}",
        "sandbox": True,
        "started_at": START + number,
        "paid_at": START + number + 1,
        "failed_at": 0,
        "cancelled_at": 0,
        "cancel_history": [],
    } | changes


def a_cancelled(number: int = 0, **changes):
    history = [
        {"amount": 4_000, "cancelled_at": START + 10, "reason": "first", "cancellation_id": f"c{number}a"},
        {"amount": 5_900, "cancelled_at": START + 20, "reason": "rest", "cancellation_id": f"c{number}b"},
    ]
    more = {"status": "cancelled", "cancel_amount": 9_900, "cancelled_at": START + 20, "cancel_history": history}
    return a_payment(number, **more | changes)


def a_key(customer_uid: str = "c_1", **changes):
    return {
        "customer_uid": customer_uid,
        "pg_provider": "kakaopay",
        "pg_id": "TCSUBSCRIP",
        "pg_key": "S1234567890",
        "pg_user_id": "user-1",
        "card_name": "신한카드",
        "card_type": 0,
        "pay_method": "card",
        "inserted": START,
        "updated": START,
        "customer_name": "홍길동",
    } | changes


def a_schedule(merchant_uid: str = "next_1", **changes):
    return {
        "merchant_uid": merchant_uid,
        "customer_uid": "c_1",
        "schedule_at": FAR,
        "amount": 9_900,
        "name": "Monthly plan",
        "schedule_status": "scheduled",
        "executed_at": 0,
        "revoked_at": 0,
    } | changes


def a_file(**changes):
    return copy.deepcopy(
        {
            "maedal": 1,
            "merchants": [
                {"code": CODE, "name": "A shop", "api_keys": [{"api_key": API_KEY, "api_secret": SECRET}]},
            ],
            "channels": [
                {"channel_key": CHANNEL, "pg_provider": "kakaopay", "pg_id": "TCSUBSCRIP", "kind": "recurring",
                 "sandbox": True},
            ],
            "billing_keys": [a_key()],
            "payments": [a_payment(0), a_cancelled(1)],
            "schedules": [a_schedule()],
            "prepared": [{"merchant_uid": "soon", "amount": 5_000}],
        }
        | changes
    )  # fmt: skip


def write(path, content):
    path.write_text(json.dumps(content, ensure_ascii=False))
    return path


def write_many(path, payments: int):
    """Write a file of so many payments without holding them."""
    content = a_file(payments=[], billing_keys=[], schedules=[])
    head = json.dumps(content | {"payments": ["HERE"]}, ensure_ascii=False)
    before, _, after = head.partition('"HERE"')
    with path.open("w") as file:
        file.write(before)
        for number in range(payments):
            file.write(("," if number else "") + json.dumps(a_payment(number), ensure_ascii=False))
        file.write(after)
    return path
