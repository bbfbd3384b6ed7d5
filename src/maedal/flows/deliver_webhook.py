"""Deliver webhooks: claim what is due, post each once, keep what the receiver answered."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from maedal import metrics
from maedal.flows.parts import Parts
from maedal.storage.store import ClaimDeliveries, FinishDelivery
from maedal.webhooks.webhook import CONNECT_TIMEOUT, READ_TIMEOUT, Delivery

_log = structlog.get_logger()

BATCH_MAX = 50
LEASE = CONNECT_TIMEOUT + READ_TIMEOUT + timedelta(seconds=20)
"""Longer than any delivery can last, so that only a dead worker's claims come back."""
ANSWER_CHARS_MAX = 2000


async def deliver_webhooks(parts: Parts) -> int:
    """Deliver one batch of due webhooks side by side and return how many there were."""
    now = parts.clock.now()
    lease_id = parts.ids.row(now)
    claimed = await parts.store.write(ClaimDeliveries(lease_id, now, now + LEASE, BATCH_MAX))
    await asyncio.gather(*(_deliver(parts, delivery, lease_id) for delivery in claimed))
    return len(claimed)


async def _deliver(parts: Parts, delivery: Delivery, lease_id: str) -> None:
    answer = await parts.merchant_calls.post(
        delivery.url,
        delivery.media_type,
        delivery.body,
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
    )
    delivered = answer.status is not None and 200 <= answer.status < 300
    kept = answer.text.replace("\0", "")[:ANSWER_CHARS_MAX]
    await parts.store.write(FinishDelivery(delivery, lease_id, delivered, answer.status, kept, parts.clock.now()))
    metrics.WEBHOOKS.labels(str(delivered).lower()).inc()
    log = _log.info if delivered else _log.warning
    log("webhook_sent", imp_uid=delivery.imp_uid, delivery=delivery.id, status=answer.status, delivered=delivered)
