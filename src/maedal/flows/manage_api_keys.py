"""Add, end, name and limit a merchant's API keys, and renew their secrets."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from maedal.flows.merchant_entry import audit_entry_of
from maedal.flows.services import ServicesWith
from maedal.merchants.audit_entry import MAEDAL, AuditAction, what_differs
from maedal.merchants.errors import MerchantNotFound
from maedal.merchants.merchant import (
    API_KEYS_MAX,
    API_SECRET_PURPOSE,
    KEY_NAME_CHARS_MAX,
    OVERLAP_MAX,
    ApiKey,
    api_secret_context,
    draw_api_key,
    draw_api_secret,
)
from maedal.merchants.scope import read_scopes, written
from maedal.payments.errors import InvalidParameter
from maedal.storage.errors import Conflict
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.merchants.writes import AddApiKey, EndApiKey, EndOldSecret, NameApiKey, RenewApiSecret, SetScopes
from maedal.storage.write import Writes

DRAWS_MAX = 5
CHANGES_AT_ONCE_MAX = 5


class ManageApiKeysStore(HasMerchants, Writes, Protocol): ...


@dataclass(frozen=True, slots=True)
class CreatedApiKey:
    """A new API key and its secret in the clear, which is kept nowhere."""

    api_key: str
    api_secret: str = field(repr=False)


async def create_api_key(
    services: ServicesWith[ManageApiKeysStore],
    code: str,
    name: str,
    scopes: Collection[str] | None,
    *,
    who: str = MAEDAL,
) -> CreatedApiKey:
    """Make another API key of a merchant that may be used for `scopes`, or with None for everything.

    Raises MerchantNotFound, or InvalidParameter for a name or scope that cannot be, or when there are so many already.
    """
    await _merchant(services, code)
    name = _checked_name(name)
    if not name:
        raise InvalidParameter("name", "a name is needed, to tell the keys apart")
    wanted = None if scopes is None else read_scopes(scopes)
    secret = draw_api_secret()
    for tries in range(DRAWS_MAX):
        good = [key for key in await services.store.merchants.api_keys(code) if key.ended_at is None]
        if len(good) >= API_KEYS_MAX:
            raise InvalidParameter("name", f"a merchant has {API_KEYS_MAX} API keys at most; end one first")
        drawn = draw_api_key()
        kept = services.vault.keep(API_SECRET_PURPOSE, secret, *api_secret_context(code, drawn))
        key = ApiKey(code, drawn, kept, services.clock.now(), name=name, scopes=wanted)
        facts = ("", f"name={name}; scopes={written(wanted)}")
        audit_entry = audit_entry_of(services, code, AuditAction.ADD_API_KEY, drawn, who, facts)
        try:
            await services.store.write(AddApiKey(key, API_KEYS_MAX, audit_entry))
        except Conflict:
            if tries == DRAWS_MAX - 1:
                raise
        else:
            return CreatedApiKey(drawn, secret)
    raise AssertionError("the loop returns or raises")


async def end_api_key(
    services: ServicesWith[ManageApiKeysStore], code: str, api_key: str, *, who: str = MAEDAL
) -> None:
    """End an API key and its tokens, for good. On another node a token of it may live for a second more.

    Raises MerchantNotFound, or InvalidParameter when there is no such key, or it has ended, or it is the last one.
    """
    known = await _api_key(services, code, api_key)
    facts = (f"name={known.name}; scopes={written(known.scopes)}", "")
    audit_entry = audit_entry_of(services, code, AuditAction.END_API_KEY, api_key, who, facts)
    if not await services.store.write(EndApiKey(code, api_key, services.clock.now(), audit_entry)):
        raise InvalidParameter("api_key", "the last API key of a merchant cannot be ended; make another one first")
    services.merchant_cache.forget_merchant(code)


async def set_scopes(
    services: ServicesWith[ManageApiKeysStore],
    code: str,
    api_key: str,
    scopes: Collection[str] | None,
    *,
    who: str = MAEDAL,
) -> None:
    """Say what an API key may be used for, None for everything; tokens of it that are alive may do the same at once.

    Raises MerchantNotFound, or InvalidParameter when there is no such key or scope.
    """
    wanted = None if scopes is None else read_scopes(scopes)
    for _ in range(CHANGES_AT_ONCE_MAX):
        known = await _api_key(services, code, api_key)
        if known.scopes == wanted:
            return
        facts = what_differs({"scopes": written(known.scopes)}, {"scopes": written(wanted)})
        audit_entry = audit_entry_of(services, code, AuditAction.CHANGE_SCOPES, api_key, who, facts)
        if await services.store.write(SetScopes(code, api_key, known.scopes, wanted, audit_entry)):
            services.merchant_cache.forget_merchant(code)
            return
    raise InvalidParameter("api_key", "somebody else keeps changing the key; nothing was changed")


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
    name = _checked_name(name)
    known = await _api_key(services, code, api_key)
    facts = what_differs({"name": known.name}, {"name": name})
    audit_entry = audit_entry_of(services, code, AuditAction.NAME_API_KEY, api_key, who, facts) if any(facts) else None
    await services.store.write(NameApiKey(code, api_key, name, audit_entry))


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if len(name) > KEY_NAME_CHARS_MAX or not name.isprintable():
        raise InvalidParameter("name", f"a name has at most {KEY_NAME_CHARS_MAX} printable characters")
    return name


async def _merchant(services: ServicesWith[ManageApiKeysStore], code: str) -> None:
    if await services.store.merchants.find(code) is None:
        raise MerchantNotFound(f"no merchant has the identification code {code}")


async def _api_key(services: ServicesWith[ManageApiKeysStore], code: str, api_key: str) -> ApiKey:
    await _merchant(services, code)
    known = next((key for key in await services.store.merchants.api_keys(code) if key.api_key == api_key), None)
    if known is None or known.ended_at is not None:
        raise InvalidParameter("api_key", f"{code} has no API key {api_key}")
    return known
