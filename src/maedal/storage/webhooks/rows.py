"""Webhooks and their tries as rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from maedal.merchants.merchant import WebhookRetry, WebhookType
from maedal.storage.engine.reading import moment_not_null
from maedal.storage.engine.steps import Row, insert
from maedal.webhooks.address import WebhookAddress, WebhookEvent
from maedal.webhooks.webhook import Delivery, DeliveryLog, DeliveryState, Try

DELIVERY_COLUMNS = (
    "merchant_id", "id", "imp_uid", "sequence", "url", "by_hand", "receiver", "media_type", "body", "state", "tries",
    "created_at", "due_at", "address_id",
)  # fmt: skip
TRY_COLUMNS = ("merchant_id", "delivery_id", "number", "url", "sent_at", "duration_ms", "answer_status", "answer")
INSERT_DELIVERY = insert("webhook_deliveries", DELIVERY_COLUMNS)
INSERT_TRY = insert("webhook_tries", TRY_COLUMNS)
ADDRESS_COLUMNS = (
    "merchant_id", "id", "name", "url", "test_mode", "events", "webhook_type", "webhook_retry", "active",
    "sealed_secret", "sealed_old_secret", "created_at", "version",
)  # fmt: skip
INSERT_ADDRESS = insert("webhook_addresses", ADDRESS_COLUMNS)


def delivery_of(row: Row) -> Delivery:
    return Delivery(
        merchant_id=row["merchant_id"],
        id=row["id"],
        imp_uid=row["imp_uid"],
        url=row["url"],
        media_type=row["media_type"],
        body=row["body"],
        created_at=moment_not_null(row["created_at"]),
        sequence=row["sequence"],
        tries=row["tries"],
        by_hand=bool(row["by_hand"]),
        resend_url=row["resend_url"],
        only_recorded=row["state"] == DeliveryState.RECORDED,
        address_id=row["address_id"],
    )


def delivery_values(d: Delivery) -> tuple[Any, ...]:
    """Return the columns of a new delivery: it is due at once, unless it is only recorded."""
    state = DeliveryState.RECORDED if d.only_recorded else DeliveryState.WAITING
    return (
        d.merchant_id, d.id, d.imp_uid, d.sequence, d.url, d.by_hand, d.receiver, d.media_type, d.body, state,
        d.tries, d.created_at, d.created_at, d.address_id,
    )  # fmt: skip


def delivery_log_of(row: Row, tries: Sequence[Row]) -> DeliveryLog:
    made = (
        Try(
            number=t["number"],
            url=t["url"],
            sent_at=moment_not_null(t["sent_at"]),
            duration=timedelta(milliseconds=t["duration_ms"]),
            answer_status=t["answer_status"],
            answer=t["answer"],
        )
        for t in tries
    )
    return DeliveryLog(delivery_of(row), DeliveryState(row["state"]), moment_not_null(row["due_at"]), tuple(made))


def try_values(d: Delivery, made: Try) -> tuple[Any, ...]:
    return (
        d.merchant_id, d.id, made.number, made.url, made.sent_at, max(made.duration // timedelta(milliseconds=1), 0),
        made.answer_status, made.answer,
    )  # fmt: skip


def address_of(row: Row) -> WebhookAddress:
    old = row["sealed_old_secret"]
    return WebhookAddress(
        merchant_id=row["merchant_id"],
        id=row["id"],
        name=row["name"],
        url=row["url"],
        test_mode=bool(row["test_mode"]),
        created_at=moment_not_null(row["created_at"]),
        # One that only a later version knows is left out.
        events=frozenset(WebhookEvent(name) for name in row["events"].split() if name in set(WebhookEvent)),
        webhook_type=WebhookType(row["webhook_type"]),
        retry=WebhookRetry(row["webhook_retry"]),
        active=bool(row["active"]),
        sealed_secret=bytes(row["sealed_secret"]),
        sealed_old_secret=None if old is None else bytes(old),
        version=row["version"],
    )


def address_values(a: WebhookAddress) -> tuple[Any, ...]:
    return (
        a.merchant_id, a.id, a.name, a.url, a.test_mode, " ".join(sorted(a.events)), a.webhook_type, a.retry, a.active,
        a.sealed_secret, a.sealed_old_secret, a.created_at, a.version,
    )  # fmt: skip
