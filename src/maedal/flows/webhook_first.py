"""Webhook first: the browser learns the end of its window once the merchant was told, for merchants that want it so.

Source: docs/wire/portone-v1-rest.md 5.4. Waiting only reads, so a reload, or a browser that goes away, changes nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

import structlog

from maedal.flows.services import ServicesWith
from maedal.payments.payment import Payment
from maedal.storage.errors import StoreError
from maedal.storage.webhooks.reads import HasWebhooks

_log = structlog.get_logger()

FIRST_LOOK_SECONDS = 0.05
LOOK_SECONDS_MAX = 0.5
"""The worker that sends the webhook may be another process, so the store is asked: soon at first, then more rarely."""


class WebhookFirstStore(HasWebhooks, Protocol): ...


async def wait_until_delivered(services: ServicesWith[WebhookFirstStore], payment: Payment) -> None:
    """Return once each webhook of the payment's outcome was answered or has failed once, or the wait is over.

    Returns at once when the merchant does not want the wait, or there is no outcome or no webhook of it.
    """
    deadline = services.clock.now() + timedelta(seconds=services.limits.webhook_first_seconds)
    wait = FIRST_LOOK_SECONDS
    while await awaits_webhook(services, payment) and services.clock.now() < deadline:
        await services.clock.sleep(wait)
        wait = min(wait * 2, LOOK_SECONDS_MAX)


async def awaits_webhook(services: ServicesWith[WebhookFirstStore], payment: Payment) -> bool:
    """Return whether the browser is not to learn the payment's outcome yet.

    The wait is counted from the outcome: whoever asks later, or again, does not prolong it.
    """
    outcome_at = payment.paid_at or payment.failed_at
    if outcome_at is None:
        return False
    if services.clock.now() - outcome_at >= timedelta(seconds=services.limits.webhook_first_seconds):
        return False
    try:
        merchant = await services.merchant_cache.merchant(payment.merchant_id)
        return merchant.webhook_first and await services.store.webhooks.has_untried(
            payment.merchant_id, payment.imp_uid, outcome_at
        )
    except StoreError:
        # The outcome is known. A buyer who has paid is not shown an error for the sake of an order of events.
        _log.exception("webhook_first_not_known", imp_uid=payment.imp_uid)
        return False
