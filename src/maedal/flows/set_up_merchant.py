"""Make a merchant, and say which fields its answers have: what the settings pages and commands call."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from maedal.flows.merchant_entry import audit_entry_of
from maedal.flows.services import ServicesWith
from maedal.merchants.audit_entry import MAEDAL, AuditAction, what_differs
from maedal.merchants.errors import MerchantNotFound
from maedal.merchants.merchant import (
    API_SECRET_PURPOSE,
    ApiKey,
    FieldSet,
    Merchant,
    api_secret_context,
    draw_api_key,
    draw_api_secret,
    draw_code,
)
from maedal.storage.errors import Conflict
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.merchants.writes import AddMerchant, SetFieldSet
from maedal.storage.write import Writes

DRAWS_MAX = 5


class SetUpMerchantStore(HasMerchants, Writes, Protocol): ...


@dataclass(frozen=True, slots=True)
class CreatedMerchant:
    """A new merchant and its API secret in the clear, which is kept nowhere."""

    merchant: Merchant
    api_key: str
    api_secret: str


async def create_merchant(
    services: ServicesWith[SetUpMerchantStore],
    name: str,
    *,
    code: str | None = None,
    api_key: str | None = None,
    api_secret: str | None = None,
    webhook_url_test: str | None = None,
    who: str = MAEDAL,
) -> CreatedMerchant:
    """Create a merchant; code, key and secret are drawn unless given. Raises Conflict when a given one is taken."""
    secret = api_secret or draw_api_secret()
    for tries in range(DRAWS_MAX):
        now = services.clock.now()
        merchant = Merchant(code or draw_code(), name, now, webhook_url_test=webhook_url_test)
        key = ApiKey(
            merchant.code,
            api_key or draw_api_key(),
            b"",
            services.clock.now(),
        )
        kept = services.vault.keep(API_SECRET_PURPOSE, secret, *api_secret_context(key.merchant_id, key.api_key))
        key = replace(key, secret_digest=kept)
        audit_entry = audit_entry_of(
            services, merchant.code, AuditAction.CREATE_MERCHANT, merchant.code, who, ("", f"name={name}")
        )
        try:
            await services.store.write(AddMerchant(merchant, key, audit_entry))
        except Conflict:
            if code is not None or tries == DRAWS_MAX - 1:
                raise
        else:
            return CreatedMerchant(merchant, key.api_key, secret)
    raise AssertionError("the loop returns or raises")


async def set_field_set(
    services: ServicesWith[SetUpMerchantStore], code: str, field_set: FieldSet, *, who: str = MAEDAL
) -> None:
    """Change which keys the objects of a merchant's answers have. Raises MerchantNotFound."""
    merchant = await services.store.merchants.find(code)
    if merchant is None:
        raise MerchantNotFound(f"no merchant has the identification code {code}")
    facts = what_differs({"fields": merchant.field_set}, {"fields": field_set})
    audit_entry = audit_entry_of(services, code, AuditAction.CHANGE_FIELDS, code, who, facts) if any(facts) else None
    await services.store.write(SetFieldSet(code, field_set, audit_entry))
