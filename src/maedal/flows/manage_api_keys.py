"""Renew, end and name a merchant's API keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from maedal.flows.merchant_entry import audit_entry_of
from maedal.flows.services import ServicesWith
from maedal.merchants.audit_entry import MAEDAL, AuditAction, what_differs
from maedal.merchants.errors import MerchantNotFound
from maedal.merchants.merchant import (
    API_SECRET_PURPOSE,
    KEY_NAME_CHARS_MAX,
    OVERLAP_MAX,
    ApiKey,
    api_secret_context,
    draw_api_secret,
)
from maedal.payments.errors import InvalidParameter
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.merchants.writes import EndOldSecret, NameApiKey, RenewApiSecret
from maedal.storage.write import Writes


class ManageApiKeysStore(HasMerchants, Writes, Protocol): ...


async def renew_api_secret(
    services: ServicesWith[ManageApiKeysStore],
    code: str,
    api_key: str,
    *,
    overlap: timedelta = timedelta(0),
    who: str = MAEDAL,
) -> str:
    """Draw a new secret for an API key and return it in the clear; the old one and its token are good for `overlap`.

    A secret that was old already is void at once. A node remembers for a second whose a token is, so on another node
    one that is void may live that long. Raises MerchantNotFound, InvalidParameter when the merchant has no such key or
    the overlap is too long, or Conflict when somebody else was first.
    """
    if not timedelta(0) <= overlap <= OVERLAP_MAX:
        raise InvalidParameter("overlap", f"an old secret stays good for {OVERLAP_MAX.days} days at most")
    known = await _api_key(services, code, api_key)
    secret = draw_api_secret()
    digest = services.vault.keep(API_SECRET_PURPOSE, secret, *api_secret_context(known.merchant_id, known.api_key))
    now = services.clock.now()
    until = now + overlap if overlap else None
    fact = f"old_secret={f'good until {until:%Y-%m-%d %H:%M:%S} UTC' if until else 'void'}"
    audit_entry = audit_entry_of(services, code, AuditAction.NEW_API_SECRET, api_key, who, ("", fact))
    await services.store.write(RenewApiSecret(code, api_key, known.secret_digest, digest, now, audit_entry, until))
    services.merchant_cache.forget_merchant(code)
    return secret


async def end_old_api_secret(
    services: ServicesWith[ManageApiKeysStore], code: str, api_key: str, *, who: str = MAEDAL
) -> None:
    """End the secret before the present one, and its token, now.

    Raises MerchantNotFound, or InvalidParameter when there is no such key or no old secret of it is good any more.
    """
    known = await _api_key(services, code, api_key)
    old = known.living_old_secret(services.clock.now())
    audit_entry = audit_entry_of(services, code, AuditAction.END_OLD_API_SECRET, api_key, who)
    if old is None or not await services.store.write(EndOldSecret(code, api_key, old.digest, audit_entry)):
        raise InvalidParameter("api_key", "no old secret of this key is good any more")
    services.merchant_cache.forget_merchant(code)


async def name_api_key(
    services: ServicesWith[ManageApiKeysStore], code: str, api_key: str, name: str, *, who: str = MAEDAL
) -> None:
    """Call an API key by a name, for people's eyes. Raises MerchantNotFound or InvalidParameter."""
    name = " ".join(name.split())
    if len(name) > KEY_NAME_CHARS_MAX or not name.isprintable():
        raise InvalidParameter("name", f"a name has at most {KEY_NAME_CHARS_MAX} printable characters")
    known = await _api_key(services, code, api_key)
    facts = what_differs({"name": known.name}, {"name": name})
    audit_entry = audit_entry_of(services, code, AuditAction.NAME_API_KEY, api_key, who, facts) if any(facts) else None
    await services.store.write(NameApiKey(code, api_key, name, audit_entry))


async def _api_key(services: ServicesWith[ManageApiKeysStore], code: str, api_key: str) -> ApiKey:
    if await services.store.merchants.find(code) is None:
        raise MerchantNotFound(f"no merchant has the identification code {code}")
    known = next((key for key in await services.store.merchants.api_keys(code) if key.api_key == api_key), None)
    if known is None:
        raise InvalidParameter("api_key", f"{code} has no API key {api_key}")
    return known
