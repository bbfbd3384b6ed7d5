"""Sign webhooks as Standard Webhooks says, and keep the secrets they are signed with."""

from __future__ import annotations

from typing import Protocol

from standardwebhooks import Webhook

from maedal.flows.merchant_entry import audit_entry_of
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.merchants.audit_entry import MAEDAL, AuditAction, what_differs
from maedal.merchants.errors import MerchantNotFound
from maedal.merchants.merchant import Merchant, draw_webhook_secret, webhook_secret_context
from maedal.payments.errors import InvalidParameter
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.merchants.writes import SetWebhookSecrets, WebhookSecrets
from maedal.storage.write import Writes
from maedal.webhooks.address import WebhookAddress, address_secret_context

SEQUENCE_HEADER = "webhook-sequence"
"""Ours, and not under the signature: a larger number is later news of the same payment."""


class SignWebhookStore(HasMerchants, Writes, Protocol): ...


def signature_headers(
    services: ServicesWithoutStore,
    merchant: Merchant,
    event_id: str,
    sequence: int,
    body: str,
    address: WebhookAddress | None = None,
) -> dict[str, str]:
    """Return the headers that prove who sent `body`, and when; none when the merchant has no secret.

    What goes to a further address is signed with that one's own secrets.

    While a secret is being changed there are two signatures in one header: a receiver takes any that it can check.
    """
    # A receiver compares the time with its own clock, which is people's: nobody else travels with `maedal dev`.
    now = services.people_clock.now()
    if address is None:
        found = (merchant.sealed_webhook_secret, merchant.sealed_old_webhook_secret)
        context = webhook_secret_context(merchant.code)
    else:
        found = (address.sealed_secret, address.sealed_old_secret)
        context = address_secret_context(address.merchant_id, address.id)
    opened = [services.vault.open(sealed, *context) for sealed in found if sealed is not None]
    if not opened:
        return {}
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(event_id, now, body) for secret in opened),
        SEQUENCE_HEADER: str(sequence),
    }


async def new_secret(services: ServicesWith[SignWebhookStore], code: str, *, who: str = MAEDAL) -> str:
    """Make the secret that signs from now on and return it in the clear; the one before signs beside it.

    Raises MerchantNotFound, InvalidParameter when an old one still signs (a third would lock out its operators), or
    Conflict when the secrets are being changed by somebody else.
    """
    before = await _secrets(services, code)
    if before.sealed_old is not None:
        raise InvalidParameter("merchant", "an old secret still signs; end it first: maedal webhook end-old-secret")
    secret = draw_webhook_secret()
    after = WebhookSecrets(services.vault.seal(secret, *webhook_secret_context(code)), before.sealed)
    await _put(services, code, before, after, who)
    return secret


async def end_old_secret(services: ServicesWith[SignWebhookStore], code: str, *, who: str = MAEDAL) -> None:
    """Sign with the new secret alone from now on.

    Raises MerchantNotFound, InvalidParameter when no old one signs, or Conflict as `new_secret` does.
    """
    before = await _secrets(services, code)
    if before.sealed_old is None:
        raise InvalidParameter("merchant", "no old secret signs any more")
    await _put(services, code, before, WebhookSecrets(before.sealed, None), who)


async def stop_signing(services: ServicesWith[SignWebhookStore], code: str, *, who: str = MAEDAL) -> None:
    """Sign no more: the secret, and an old one beside it, are forgotten. `new_secret` begins anew.

    Raises MerchantNotFound, InvalidParameter when nothing signs, or Conflict as `new_secret` does.
    """
    before = await _secrets(services, code)
    if before.sealed is None:
        raise InvalidParameter("merchant", "its webhooks are not signed")
    await _put(services, code, before, WebhookSecrets(None, None), who)


async def _put(
    services: ServicesWith[SignWebhookStore], code: str, before: WebhookSecrets, after: WebhookSecrets, who: str
) -> None:
    facts = what_differs({"signing": _signing(before)}, {"signing": _signing(after)})
    audit_entry = audit_entry_of(services, code, AuditAction.CHANGE_SIGNING, code, who, facts)
    await services.store.write(SetWebhookSecrets(code, before, after, audit_entry))


def _signing(secrets: WebhookSecrets) -> str:
    if secrets.sealed is None:
        return "none"
    return "one secret" if secrets.sealed_old is None else "two secrets"


async def _secrets(services: ServicesWith[SignWebhookStore], code: str) -> WebhookSecrets:
    merchant = await services.store.merchants.find(code)
    if merchant is None:
        raise MerchantNotFound(f"no merchant has the identification code {code}")
    return WebhookSecrets(merchant.sealed_webhook_secret, merchant.sealed_old_webhook_secret)
