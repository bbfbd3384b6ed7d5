"""Deliver webhooks: claim what is due, post each once, keep what the receiver answered, and when to try again."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Protocol

import structlog

from maedal import metrics
from maedal.flows.services import Answer, ServicesWith
from maedal.flows.sign_webhook import signature_headers
from maedal.merchants.merchant import WebhookRetry
from maedal.storage.webhooks.writes import ClaimDeliveries, FinishDelivery
from maedal.storage.write import Writes
from maedal.webhooks.webhook import (
    CONNECT_TIMEOUT,
    READ_TIMEOUT,
    RESEND_CONNECT_TIMEOUT,
    RESEND_READ_TIMEOUT,
    Delivery,
    Try,
    wait_after,
)

_log = structlog.get_logger()

LEASE = CONNECT_TIMEOUT + READ_TIMEOUT + timedelta(seconds=20)
"""Longer than any delivery can last, so that only a dead worker's claims come back."""
ANSWER_CHARS_MAX = 2000
TURNED_OFF = "the address was turned off or removed before this was sent"
"""Why nothing was sent to a further address that is there no more; nobody was called."""


class DeliverWebhookStore(Writes, Protocol): ...


async def claim_due(
    services: ServicesWith[DeliverWebhookStore], count_max: int, busy: Collection[tuple[str, str]]
) -> tuple[str, Sequence[Delivery]]:
    """Take up to `count_max` due webhooks for this worker alone; gives the lease and them.

    `busy` are merchants with a receiver that has enough to do already; what is theirs stays where it is.
    """
    now = services.clock.now()
    lease_id = services.ids.row(now)
    claim = ClaimDeliveries(lease_id, now, now + LEASE, count_max, tuple(sorted(busy)))
    return lease_id, await services.store.write(claim)


async def deliver(services: ServicesWith[DeliverWebhookStore], delivery: Delivery, lease_id: str) -> None:
    """Post one claimed webhook, keep what came of it, and plan the next try if the merchant wants one."""
    merchant = await services.merchant_cache.merchant(delivery.merchant_id)
    address = None
    if delivery.address_id is not None:
        addresses = await services.merchant_cache.webhook_addresses(delivery.merchant_id)
        address = next((one for one in addresses if one.id == delivery.address_id), None)
    sent_at = services.clock.now()
    is_off = delivery.address_id is not None and (address is None or not (address.active or delivery.by_hand))
    if is_off:
        answer = Answer(None, TURNED_OFF)
    else:
        answer = await services.merchant_calls.post(
            delivery.address,
            delivery.media_type,
            delivery.body,
            connect_timeout=RESEND_CONNECT_TIMEOUT if delivery.by_hand else CONNECT_TIMEOUT,
            read_timeout=RESEND_READ_TIMEOUT if delivery.by_hand else READ_TIMEOUT,
            headers=signature_headers(services, merchant, delivery.event_id, delivery.sequence, delivery.body, address),
        )
    now = services.clock.now()
    made = Try(
        number=delivery.tries + 1,
        url=delivery.address,
        sent_at=sent_at,
        duration=now - sent_at,
        answer_status=answer.status,
        answer=answer.text.replace("\0", "")[:ANSWER_CHARS_MAX],
    )
    retry = WebhookRetry.NONE
    if not delivery.by_hand and not is_off:
        retry = merchant.webhook_retry if address is None else address.retry
    wait = wait_after(made, retry, secrets.randbelow(1_000) / 1_000)
    next_at = None if wait is None else now + wait
    if not await services.store.write(FinishDelivery(delivery, lease_id, made, now, next_at)):
        metrics.LEASES_LOST.labels("webhook").inc()
    metrics.WEBHOOKS.labels(str(made.delivered).lower()).inc()
    log = _log.info if made.delivered else _log.warning
    log(
        "webhook_sent",
        imp_uid=delivery.imp_uid,
        delivery=delivery.id,
        number=made.number,
        status=answer.status,
        delivered=made.delivered,
    )
