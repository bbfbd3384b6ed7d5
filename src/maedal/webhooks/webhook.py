"""A webhook: the news of one payment, on its way to one address (docs/wire/portone-v1-rest.md 5)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlencode

from maedal.merchants.merchant import Merchant, WebhookType
from maedal.payments.moves import Status
from maedal.payments.payment import KeyUse, Payment

CONNECT_TIMEOUT = timedelta(seconds=10)
READ_TIMEOUT = timedelta(seconds=30)

_MEDIA_TYPES = {WebhookType.JSON: "application/json", WebhookType.FORM: "application/x-www-form-urlencoded"}


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"  # the receiver answered 2xx
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook for one address, as kept in the outbox."""

    merchant_id: str
    id: str
    imp_uid: str
    url: str
    media_type: str
    body: str
    due_at: datetime


def is_told(payment: Payment, status: Status) -> bool:
    """Return whether the merchant is told when `payment` reaches `status` (5.2).

    Approvals are; of failures only scheduled ones, because whoever made the other calls is told in the answer.
    """
    if status is Status.PAID:
        return True
    return status is Status.FAILED and payment.order.key_use is KeyUse.SCHEDULED


def destinations(payment: Payment, merchant: Merchant) -> tuple[str, ...]:
    """Return the addresses to tell: those of the request instead of the merchant's own (5.3)."""
    if payment.order.notice_urls:
        return payment.order.notice_urls
    url = merchant.webhook_url(test_mode=payment.test_mode)
    return (url,) if url else ()


def render(
    payment: Payment, status: Status, webhook_type: WebhookType, *, cancellation_id: str | None = None
) -> tuple[str, str]:
    """Return media type and body of the webhook that tells `status`; cancels name their cancellation."""
    fields = {"imp_uid": payment.imp_uid, "merchant_uid": payment.order.merchant_uid, "status": status.value}
    if cancellation_id is not None:
        fields["cancellation_id"] = cancellation_id
    body = json.dumps(fields, ensure_ascii=False) if webhook_type is WebhookType.JSON else urlencode(fields)
    return _MEDIA_TYPES[webhook_type], body
