"""KakaoPay's file of a day, as a test wants it to be (docs/wire/kakaopay.md 12)."""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta, timezone
from typing import Any

KST = timezone(timedelta(hours=9))
BUCKET = "B000000001"
FILE_KEY = "5ca1ab1e" * 8
_numbers = itertools.count(1)


def a_row(
    order_id: str, tid: str, amount: int, at: datetime, action: str = "PAYMENT", **changes: Any
) -> dict[str, Any]:
    """Return what KakaoPay took at `at`, or gave back with `action` CANCEL."""
    row = {
        "cid": "TCSUBSCRIP",
        "tid": tid,
        "aid": f"A{next(_numbers):019x}",
        "approved_at": at.astimezone(KST).strftime("%Y-%m-%dT%H:%M:%S"),
        "partner_order_id": order_id,
        "payment_method_type": "MONEY",
        "payment_action_type": action,
        "payment_detail_action_type": "PAYMENT_SUBSCRIPTION",
        "currency": "KRW",
        "amount": amount,
        "point_amount": 0,
        "discount_amount": 0,
    }
    return row | changes


def a_file(day: date, *rows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the file of a day with these rows; its sums are right unless `changes` say otherwise."""

    def reply(action: str) -> dict[str, int]:
        amounts = [row["amount"] for row in rows if row["payment_action_type"] == action]
        return {"count": len(amounts), "amount": sum(amounts)}

    file = {
        "type": "PAYMENT",
        "bucket_id": BUCKET,
        "target_date": f"{day:%Y%m%d}",
        "file_created_at": f"{day + timedelta(days=1)}T07:30:00",
        "partner": "a shop",
        "statistics": {"payment": reply("PAYMENT"), "cancel": reply("CANCEL")},
        "data": list(rows),
    }
    return file | changes
