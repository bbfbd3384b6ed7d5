"""A window: what the buyer's browser and the PG's page need while a payment is being made with the buyer present."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

CANCELLED_BY_BUYER = "[결제포기] 사용자가 결제를 취소하셨습니다"
"""Exactly this text: shops compare it (docs/wire/portone-browser-sdk.md 2.3)."""


class Device(StrEnum):
    """What the buyer holds, as the SDK decided."""

    PC = "pc"
    MOBILE = "mobile"


class Shown(StrEnum):
    """How the window is shown: what its end must do."""

    FRAME = "frame"
    POPUP = "popup"
    REDIRECT = "redirect"


@dataclass(frozen=True, slots=True)
class Window:
    """One opened payment window. `return_url` is bound here and never read from a request again."""

    merchant_id: str
    imp_uid: str
    device: Device
    shown: Shown
    nonce: str
    page_origin: str
    page_url: str
    return_url: str | None
    confirm_url: str | None
    pg_user_id: str
    customer_id: str | None
    order_id: str
    """The order number that the PG knows: the id of the attempt that prepared the window."""
    opened_at: datetime
    expires_at: datetime
    pc_url: str | None = None
    mobile_url: str | None = None
    app_url: str | None = None
    left_at: datetime | None = None


def token_context(merchant_id: str, imp_uid: str) -> tuple[str, ...]:
    """Return under what a window's PG token is sealed."""
    return (f"windows.sealed_pg_token:{imp_uid}", merchant_id)
