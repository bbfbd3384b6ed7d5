"""Windows as rows."""

from __future__ import annotations

from typing import Any

from maedal.payments.window import Device, Shown, Window
from maedal.storage.engine.reading import moment, moment_not_null
from maedal.storage.engine.steps import Row, insert

WINDOW_COLUMNS = (
    "merchant_id", "imp_uid", "device", "shown", "nonce", "page_origin", "page_url", "return_url", "confirm_url",
    "pg_user_id", "customer_id", "order_id", "pc_url", "mobile_url", "app_url", "opened_at", "expires_at", "left_at",
)  # fmt: skip
INSERT_WINDOW = insert("windows", WINDOW_COLUMNS)


def window_of(row: Row) -> Window:
    return Window(
        merchant_id=row["merchant_id"],
        imp_uid=row["imp_uid"],
        device=Device(row["device"]),
        shown=Shown(row["shown"]),
        nonce=row["nonce"],
        page_origin=row["page_origin"],
        page_url=row["page_url"],
        return_url=row["return_url"],
        confirm_url=row["confirm_url"],
        pg_user_id=row["pg_user_id"],
        customer_id=row["customer_id"],
        order_id=row["order_id"],
        opened_at=moment_not_null(row["opened_at"]),
        expires_at=moment_not_null(row["expires_at"]),
        pc_url=row["pc_url"],
        mobile_url=row["mobile_url"],
        app_url=row["app_url"],
        left_at=moment(row["left_at"]),
    )


def window_values(w: Window) -> tuple[Any, ...]:
    return tuple(getattr(w, column) for column in WINDOW_COLUMNS)
