"""Telling the merchant: what goes into the outbox together with an outcome."""

from __future__ import annotations

from datetime import datetime

from maedal.flows.services import ServicesWithoutStore
from maedal.payments.cancellation import Cancellation
from maedal.payments.moves import Status
from maedal.payments.payment import Payment
from maedal.webhooks.webhook import Delivery, destinations, is_reported, render


async def deliveries(
    services: ServicesWithoutStore, payment: Payment, status: Status, now: datetime
) -> tuple[Delivery, ...]:
    """Return the webhooks that tell that `payment` reaches `status`; none when nobody is to be told.

    They are numbered by the version of the payment that they tell, so that their order is known everywhere.
    """
    if status not in {Status.PAID, Status.FAILED}:
        return ()
    merchant = await services.merchant_cache.merchant(payment.merchant_id)
    urls = destinations(payment, merchant)
    if not urls or not is_reported(payment, status, merchant):
        return ()
    media_type, body = render(payment, status, merchant.webhook_type(test_mode=payment.test_mode))
    sequence = payment.version + 1
    return tuple(
        Delivery(payment.merchant_id, services.ids.row(now), payment.imp_uid, url, media_type, body, now, sequence)
        for url in urls
    )


async def cancel_deliveries(
    services: ServicesWithoutStore, payment: Payment, cancellation: Cancellation, now: datetime
) -> tuple[Delivery, ...]:
    """Return the webhook that tells a cancel: to the merchant's saved address, for payments that told anybody (5.3).

    It is only recorded when the cancel did not ask for it (5.2). Where the gateway itself gives the money back because
    the billing key was lost, it goes to everybody who would have heard of the payment.
    """
    merchant = await services.merchant_cache.merchant(payment.merchant_id)
    url = merchant.webhook_url(test_mode=payment.test_mode)
    urls = destinations(payment, merchant)
    if urls and payment.undo_at is None:
        urls = () if url is None else (url,)
    webhook_type = merchant.webhook_type(test_mode=payment.test_mode)
    media_type, body = render(payment, Status.CANCELLED, webhook_type, cancellation_id=cancellation.id)
    sequence, only_recorded = payment.version + 1, not cancellation.tell
    return tuple(
        Delivery(
            payment.merchant_id,
            services.ids.row(now),
            payment.imp_uid,
            url,
            media_type,
            body,
            now,
            sequence,
            only_recorded=only_recorded,
        )
        for url in urls
    )
