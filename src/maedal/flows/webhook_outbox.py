"""Telling the merchant: what goes into the outbox together with an outcome."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from maedal.flows.services import ServicesWithoutStore
from maedal.payments.cancellation import Cancellation
from maedal.payments.moves import Status
from maedal.payments.payment import Payment
from maedal.webhooks.address import WebhookAddress, choosing
from maedal.webhooks.webhook import Delivery, destinations, is_reported, render


async def deliveries(
    services: ServicesWithoutStore, payment: Payment, status: Status, now: datetime
) -> tuple[Delivery, ...]:
    """Return the webhooks that tell that `payment` reaches `status`; none when nobody is to be told.

    Those of the merchant's own address and of the payment's follow PortOne's rules; further addresses hear of what they
    chose. An address that is both is told once, as the further one. They are numbered by the version of the payment
    that they tell, so that their order is known everywhere.
    """
    if status not in {Status.PAID, Status.FAILED}:
        return ()
    merchant = await services.merchant_cache.merchant(payment.merchant_id)
    further = choosing(await services.merchant_cache.webhook_addresses(payment.merchant_id), payment, status)
    urls = destinations(payment, merchant) if is_reported(payment, status, merchant) else ()
    if not urls and not further:
        return ()
    written = render(payment, status, merchant.webhook_type(test_mode=payment.test_mode))
    own = [_delivery(services, payment, url, written, now) for url in urls if url not in {a.url for a in further}]
    return (*own, *_to_further(services, payment, status, further, now))


def _delivery(
    services: ServicesWithoutStore,
    payment: Payment,
    url: str,
    written: tuple[str, str],
    now: datetime,
    *,
    only_recorded: bool = False,
    address_id: str | None = None,
) -> Delivery:
    return Delivery(
        payment.merchant_id,
        services.ids.row(now),
        payment.imp_uid,
        url,
        *written,
        now,
        payment.version + 1,
        only_recorded=only_recorded,
        address_id=address_id,
    )


def _to_further(
    services: ServicesWithoutStore,
    payment: Payment,
    status: Status,
    addresses: Sequence[WebhookAddress],
    now: datetime,
    cancellation_id: str | None = None,
) -> list[Delivery]:
    """Return one webhook for each address; it is only recorded for one that is not active."""
    return [
        _delivery(
            services,
            payment,
            address.url,
            render(payment, status, address.webhook_type, cancellation_id=cancellation_id),
            now,
            only_recorded=not address.active,
            address_id=address.id,
        )
        for address in addresses
    ]


async def cancel_deliveries(
    services: ServicesWithoutStore, payment: Payment, cancellation: Cancellation, now: datetime
) -> tuple[Delivery, ...]:
    """Return the webhook that tells a cancel: to the merchant's saved address, for payments that told anybody (5.3).

    It is only recorded when the cancel did not ask for it (5.2). Where the gateway itself gives the money back because
    the billing key was lost, it goes to everybody who would have heard of the payment. Further addresses that chose
    cancels hear of each, whoever asked for it.
    """
    merchant = await services.merchant_cache.merchant(payment.merchant_id)
    addresses = await services.merchant_cache.webhook_addresses(payment.merchant_id)
    further = choosing(addresses, payment, Status.CANCELLED)
    url = merchant.webhook_url(test_mode=payment.test_mode)
    urls = destinations(payment, merchant)
    if urls and payment.undo_at is None:
        urls = () if url is None else (url,)
    webhook_type = merchant.webhook_type(test_mode=payment.test_mode)
    written = render(payment, Status.CANCELLED, webhook_type, cancellation_id=cancellation.id)
    only_recorded = not cancellation.tell
    own = [
        _delivery(services, payment, url, written, now, only_recorded=only_recorded)
        for url in urls
        if url not in {address.url for address in further}
    ]
    return (*own, *_to_further(services, payment, Status.CANCELLED, further, now, cancellation.id))
