"""Send webhooks again, or an example: what a person asks for who looks at the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from maedal.flows.services import Answer, ServicesWith
from maedal.flows.sign_webhook import signature_headers
from maedal.merchants.audit_entry import NO_REASON, AuditAction, AuditEntry
from maedal.merchants.errors import MerchantNotFound
from maedal.merchants.merchant import Merchant
from maedal.payments.errors import InvalidParameter
from maedal.payments.moves import Status
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.payments.reads import HasPayments
from maedal.storage.webhooks.reads import DeliverySearch, HasWebhooks
from maedal.storage.webhooks.writes import ResendMany
from maedal.storage.write import Writes
from maedal.webhooks.webhook import EXAMPLE_STATUS, RESEND_CONNECT_TIMEOUT, RESEND_READ_TIMEOUT, example

EXAMPLES = (EXAMPLE_STATUS, Status.PAID.value, Status.FAILED.value, Status.CANCELLED.value)
"""What an example can tell."""


class ResendWebhooksStore(HasMerchants, HasPayments, HasWebhooks, Writes, Protocol): ...


@dataclass(frozen=True, slots=True)
class TestCall:
    """What was sent as an example, where, and what the receiver said to it after how long."""

    url: str
    media_type: str
    body: str
    answer: Answer
    duration: timedelta


async def resend_webhooks(
    services: ServicesWith[ResendWebhooksStore],
    merchant_code: str,
    search: DeliverySearch,
    *,
    to_current: bool,
    who: str,
    audit_entry_id: str | None = None,
) -> int | None:
    """Put the webhooks that `search` finds into the outbox again and return how many; those under way stay as they
    are.

    They go to the address they were told at, or `to_current` to the one that the merchant has saved now. With an
    `audit_entry_id` it is done once however often it is asked for; None tells that it was done before. Raises
    MerchantNotFound, or InvalidParameter when there is no such address.
    """
    merchant = await _merchant(services, merchant_code)
    found = await services.store.webhooks.matching(merchant_code, search)
    urls: dict[str, str | None] = {}
    further: dict[str, str] = {}
    if to_current:
        imp_uids = list({delivery.imp_uid for delivery in found})
        first = {delivery.imp_uid for delivery in found if delivery.address_id is None}
        for payment in await services.store.payments.by_ids(merchant_code, imp_uids, []):
            if payment.imp_uid in first:
                urls[payment.imp_uid] = _saved(merchant, test_mode=payment.test_mode)
        further = {one.id: one.url for one in await services.store.webhooks.addresses(merchant_code)}
    now = services.clock.now()
    audit_entry = AuditEntry(
        id=audit_entry_id or services.ids.row(now),
        merchant_id=merchant_code,
        kind=AuditAction.RESEND_WEBHOOKS,
        subject=found[0].id if len(found) == 1 else merchant_code,
        who=who,
        reason=NO_REASON,
        before="",
        after=f"webhooks={len(found)}; to={'current' if to_current else 'original'}",
        happened_at=now,
    )
    sent = await services.store.write(
        ResendMany(
            tuple(found),
            tuple(urls.get(d.imp_uid) if d.address_id is None else further.get(d.address_id) for d in found),
            audit_entry,
            now,
        )
    )
    services.webhook_waiting.set()
    return sent


async def call_for_test(
    services: ServicesWith[ResendWebhooksStore],
    merchant_code: str,
    *,
    test_mode: bool = True,
    address_id: str | None = None,
    status: str = EXAMPLE_STATUS,
) -> TestCall:
    """Send an example to the merchant's saved address or a further one, signed as all others, and give what came back.

    Raises MerchantNotFound, or InvalidParameter when no address is saved or no webhook tells such a status.
    """
    merchant = await _merchant(services, merchant_code)
    if status not in EXAMPLES:
        raise InvalidParameter("status", f"the status must be one of {', '.join(EXAMPLES)}")
    address = None
    if address_id is None:
        url, webhook_type = _saved(merchant, test_mode=test_mode), merchant.webhook_type(test_mode=test_mode)
    else:
        found = await services.store.webhooks.addresses(merchant_code)
        address = next((one for one in found if one.id == address_id), None)
        if address is None:
            raise InvalidParameter("address", "the merchant has no such webhook address")
        url, webhook_type = address.url, address.webhook_type
    media_type, body = example(webhook_type, status)
    now = services.clock.now()
    answer = await services.merchant_calls.post(
        url,
        media_type,
        body,
        connect_timeout=RESEND_CONNECT_TIMEOUT,
        read_timeout=RESEND_READ_TIMEOUT,
        headers=signature_headers(services, merchant, f"test-{services.ids.row(now)}", 1, body, address),
    )
    return TestCall(url, media_type, body, answer, services.clock.now() - now)


def _saved(merchant: Merchant, *, test_mode: bool) -> str:
    url = merchant.webhook_url(test_mode=test_mode)
    if url is None:
        mode = "test" if test_mode else "live"
        raise InvalidParameter("merchant", f"no address is set for {mode} payments: maedal merchant webhook --{mode}")
    return url


async def _merchant(services: ServicesWith[ResendWebhooksStore], code: str) -> Merchant:
    merchant = await services.store.merchants.find(code)
    if merchant is None:
        raise MerchantNotFound(f"no merchant has the identification code {code}")
    return merchant
