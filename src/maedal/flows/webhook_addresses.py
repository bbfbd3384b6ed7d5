"""Add, change and remove further addresses of a merchant's webhooks, and change the secrets that sign for them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Protocol

from maedal.flows.merchant_entry import audit_entry_of
from maedal.flows.services import ServicesWith
from maedal.merchants.audit_entry import MAEDAL, AuditAction, AuditEntry, what_differs
from maedal.merchants.errors import MerchantNotFound
from maedal.merchants.merchant import Merchant, WebhookRetry, WebhookType, draw_webhook_secret
from maedal.payments.errors import InvalidParameter
from maedal.storage.errors import Conflict
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.webhooks.reads import HasWebhooks
from maedal.storage.webhooks.writes import AddWebhookAddress, PutWebhookAddress, RemoveWebhookAddress
from maedal.storage.write import Writes
from maedal.webhooks.address import (
    ADDRESSES_MAX,
    NAME_CHARS_MAX,
    URL_BYTES_MAX,
    WebhookAddress,
    WebhookEvent,
    address_secret_context,
    read_events,
)

FURTHER_MAX = ADDRESSES_MAX - 1
CHANGED = "the webhook addresses were changed by somebody else; look again"


class WebhookAddressesStore(HasMerchants, HasWebhooks, Writes, Protocol): ...


@dataclass(frozen=True, slots=True)
class AddressSettings:
    """What a person sets of an address."""

    name: str
    url: str
    test_mode: bool
    events: Collection[str]
    webhook_type: str = WebhookType.JSON
    retry: str = WebhookRetry.PATIENT
    active: bool = True


async def add_address(
    services: ServicesWith[WebhookAddressesStore], code: str, wanted: AddressSettings, *, who: str = MAEDAL
) -> tuple[WebhookAddress, str]:
    """Add an address, and return it with the secret that signs for it in the clear, which is shown this once.

    Raises MerchantNotFound, or InvalidParameter that names the field, also when there are too many.
    """
    merchant, others = await _addresses(services, code)
    if len(others) >= FURTHER_MAX:
        raise InvalidParameter("url", f"a merchant has {ADDRESSES_MAX} webhook addresses at most; remove one first")
    now = services.clock.now()
    empty = WebhookAddress(code, services.ids.row(now), "", "", wanted.test_mode, now)
    secret = draw_webhook_secret()
    sealed = services.vault.seal(secret, *address_secret_context(code, empty.id))
    address = replace(_changed(empty, wanted, merchant, others), sealed_secret=sealed)
    facts = what_differs({}, _facts(address))
    audit_entry = audit_entry_of(services, code, AuditAction.ADD_WEBHOOK_ADDRESS, address.id, who, facts)
    try:
        await services.store.write(AddWebhookAddress(address, FURTHER_MAX, audit_entry))
    except Conflict as error:  # somebody else has just added one
        raise InvalidParameter("address", CHANGED) from error
    services.merchant_cache.forget_merchant(code)
    return address, secret


async def change_address(
    services: ServicesWith[WebhookAddressesStore],
    code: str,
    address_id: str,
    wanted: AddressSettings,
    *,
    who: str = MAEDAL,
) -> WebhookAddress:
    """Change an address. What waits for it goes to where it was to go when it was put into the outbox.

    Raises as `add_address` does, also when there is no such address, or it is being changed by somebody else.
    """
    merchant, found = await _addresses(services, code)
    before = _one(found, address_id)
    after = _changed(before, wanted, merchant, [one for one in found if one.id != address_id])
    facts = what_differs(_facts(before), _facts(after))
    if any(facts):
        audit_entry = audit_entry_of(services, code, AuditAction.CHANGE_WEBHOOK_ADDRESS, address_id, who, facts)
        await _put(services, before, after, audit_entry)
    return after


async def remove_address(
    services: ServicesWith[WebhookAddressesStore], code: str, address_id: str, *, who: str = MAEDAL
) -> None:
    """Remove an address: it is told no more, also not of what waits for it. Its webhooks stay in the log.

    Raises as `change_address` does.
    """
    _, found = await _addresses(services, code)
    before = _one(found, address_id)
    facts = what_differs(_facts(before), {})
    audit_entry = audit_entry_of(services, code, AuditAction.REMOVE_WEBHOOK_ADDRESS, address_id, who, facts)
    if not await services.store.write(RemoveWebhookAddress(code, address_id, before.version, audit_entry)):
        raise InvalidParameter("address", CHANGED)
    services.merchant_cache.forget_merchant(code)


async def new_address_secret(
    services: ServicesWith[WebhookAddressesStore], code: str, address_id: str, *, who: str = MAEDAL
) -> str:
    """Make the secret that signs for an address from now on, in the clear; the one before signs beside it.

    Raises as `change_address` does, and InvalidParameter when an old one still signs.
    """
    _, found = await _addresses(services, code)
    before = _one(found, address_id)
    if before.sealed_old_secret is not None:
        raise InvalidParameter("address", "an old secret still signs for this address; end it first")
    secret = draw_webhook_secret()
    sealed = services.vault.seal(secret, *address_secret_context(code, address_id))
    facts = ("signing=one secret", "signing=two secrets")
    audit_entry = audit_entry_of(services, code, AuditAction.CHANGE_SIGNING, address_id, who, facts)
    after = replace(before, sealed_secret=sealed, sealed_old_secret=before.sealed_secret)
    await _put(services, before, after, audit_entry)
    return secret


async def end_old_address_secret(
    services: ServicesWith[WebhookAddressesStore], code: str, address_id: str, *, who: str = MAEDAL
) -> None:
    """Sign for an address with its new secret alone. Raises as `change_address` does, and when no old one signs."""
    _, found = await _addresses(services, code)
    before = _one(found, address_id)
    if before.sealed_old_secret is None:
        raise InvalidParameter("address", "no old secret signs for this address any more")
    facts = ("signing=two secrets", "signing=one secret")
    audit_entry = audit_entry_of(services, code, AuditAction.CHANGE_SIGNING, address_id, who, facts)
    await _put(services, before, replace(before, sealed_old_secret=None), audit_entry)


async def _put(
    services: ServicesWith[WebhookAddressesStore],
    before: WebhookAddress,
    after: WebhookAddress,
    audit_entry: AuditEntry,
) -> None:
    after = replace(after, version=before.version + 1)
    try:
        done = await services.store.write(PutWebhookAddress(before.version, after, audit_entry))
    except Conflict:  # another one has just become the same
        done = False
    if not done:
        raise InvalidParameter("address", CHANGED)
    services.merchant_cache.forget_merchant(before.merchant_id)


async def _addresses(services: ServicesWith[WebhookAddressesStore], code: str) -> tuple[Merchant, list[WebhookAddress]]:
    merchant = await services.store.merchants.find(code)
    if merchant is None:
        raise MerchantNotFound(f"no merchant has the identification code {code}")
    return merchant, list(await services.store.webhooks.addresses(code))


def _one(found: Collection[WebhookAddress], address_id: str) -> WebhookAddress:
    for address in found:
        if address.id == address_id:
            return address
    raise InvalidParameter("address", "the merchant has no such webhook address")


def _changed(
    address: WebhookAddress, wanted: AddressSettings, merchant: Merchant, others: Collection[WebhookAddress]
) -> WebhookAddress:
    """Return the address as it is wanted. Raises InvalidParameter that names what cannot be."""
    name = " ".join(wanted.name.split())
    if not 0 < len(name) <= NAME_CHARS_MAX or not name.isprintable():
        raise InvalidParameter("name", f"a name has 1 to {NAME_CHARS_MAX} printable characters")
    # An address that was copied often ends with a blank.
    url = wanted.url.strip()
    if not url.startswith(("http://", "https://")) or len(url.encode()) > URL_BYTES_MAX or not url.isprintable():
        raise InvalidParameter(
            "url", f"an address starts with http:// or https:// and has {URL_BYTES_MAX} bytes at most"
        )
    taken = {one.url for one in others if one.test_mode == wanted.test_mode}
    if url in taken or url == merchant.webhook_url(test_mode=wanted.test_mode):
        raise InvalidParameter("url", "another of the merchant's webhook addresses is the same")
    if wanted.webhook_type not in set(WebhookType):
        raise InvalidParameter("type", f"the type must be one of {', '.join(WebhookType)}")
    if wanted.retry not in set(WebhookRetry):
        raise InvalidParameter("retry", f"retry must be one of {', '.join(WebhookRetry)}")
    return replace(
        address,
        name=name,
        url=url,
        test_mode=wanted.test_mode,
        events=read_events(wanted.events),
        webhook_type=WebhookType(wanted.webhook_type),
        retry=WebhookRetry(wanted.retry),
        active=wanted.active,
    )


def _facts(address: WebhookAddress) -> dict[str, str]:
    return {
        "name": address.name,
        "test_mode": "yes" if address.test_mode else "no",
        # What follows the path of an address may be a token, and the log is for more eyes than the receiver's.
        "address": address.url.partition("?")[0] + ("?…" if "?" in address.url else ""),
        "events": " ".join(event for event in WebhookEvent if event in address.events),
        "type": address.webhook_type,
        "retry": address.retry,
        "active": "on" if address.active else "off",
    }
