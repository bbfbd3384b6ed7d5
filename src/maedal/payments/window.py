"""A window: what the buyer's browser and the PG's page need while a payment is being made with the buyer present."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from maedal.payments.payment import Payment

CANCELLED_BY_BUYER = "[결제포기] 사용자가 결제를 취소하셨습니다"
"""Exactly this text: shops compare it (docs/wire/portone-browser-sdk.md 2.3)."""

TELLS_FOR = timedelta(minutes=30)
"""How long after its end a window's own addresses tell the result: buyers come back from KakaoTalk, and reload."""


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

    def tells(self, payment: Payment, now: datetime) -> bool:
        """Return whether who holds one of the window's tokens still learns how its `payment` stands.

        As long as the payment has no end, which says nothing of anybody, and for a bounded time after it.
        """
        ended_at = payment.paid_at or payment.failed_at
        return ended_at is None or now < max(self.expires_at, ended_at) + TELLS_FOR


def token_context(merchant_id: str, imp_uid: str) -> tuple[str, ...]:
    """Return under what a window's PG token is sealed."""
    return (f"windows.sealed_pg_token:{imp_uid}", merchant_id)
