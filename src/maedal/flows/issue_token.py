"""Give out access tokens and say whose they are (docs/wire/portone-v1-rest.md 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from maedal.flows.limit_requests import admit
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.merchants.addresses import allows, neighbourhood
from maedal.merchants.errors import AddressNotAllowed, TooManyFailures, WrongApiSecret
from maedal.merchants.failed_tokens import Slowed, Subject
from maedal.merchants.merchant import API_SECRET_PURPOSE, ApiKey, OldSecret, api_secret_context
from maedal.merchants.request_limit import Limited
from maedal.merchants.token import TokenLife, TokenOwner, next_life
from maedal.storage.errors import StoreError
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.merchants.writes import SeeApiKey, SetToken
from maedal.storage.sealing.reads import SealedColumn
from maedal.storage.sealing.writes import Reseal
from maedal.storage.write import Writes

_log = structlog.get_logger()

_TOKEN = "access-token"  # noqa: S105
_TOKEN_DIGEST = "access-token-digest"  # noqa: S105
RACES_MAX = 10
SEEN_EVERY = timedelta(minutes=1)
"""How often it is kept, at most, that a key is in use: a charge must not pay for it."""


class IssueTokenStore(HasMerchants, Writes, Protocol): ...


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token, 40 lowercase hex, and whose it is."""

    text: str
    expires_at: datetime
    merchant_id: str
    api_key: str


async def issue_token(
    services: ServicesWith[IssueTokenStore], api_key: str, secret: str, *, address: str | None = None
) -> AccessToken:
    """Return the living token of an API key, or a new one, to a caller at `address`.

    Raises TooManyRequests when a caller that is not known for this key asks too often; WrongApiSecret for an unknown
    key or wrong secret; TooManyFailures, before the secret is looked at, when
    there were too many of these, except for a caller who knew it before; AddressNotAllowed when the secret is right and
    the merchant's list does not have the address.

    The token is derived from the key and the second of its issue, so every
    node gives out the same one and none is stored. While the secret before the present one is good, it has a token of
    its own, which ends with it.
    """
    counted = False
    for _ in range(RACES_MAX):
        known = await services.store.merchants.api_key(api_key)
        if known is not None and known.ended_at is not None:
            known = None
        now = services.clock.now()
        if not counted and not _is_known_good(services, known, address):
            counted = True
            await admit(services, Limited.TOKEN, address)
        old = _check_secret(services, known, secret, address, now)
        assert known is not None, "an unknown key has no secret"
        await check_address(services, known.merchant_id, address)
        _see(services, known.merchant_id, known.api_key, known.last_used_at, address)
        life = old or known
        before = None
        if life.token_issued_at is not None and life.token_expires_at is not None:
            before = TokenLife(life.token_issued_at, life.token_expires_at)
        other = known.token_issued_at
        if old is None:
            other = known.old_secret.token_issued_at if known.old_secret else None
        after = next_life(before, now, other=other, until=old.until if old else None)
        living = None
        if before is not None and after.issued_at == before.issued_at:
            # It was made with the key that was primary then, on the node that made it.
            living = _living_token(services, known, life.token_digest, before.issued_at)
            if living is None:
                after = next_life(None, now, other=other, until=old.until if old else None)
        token = living or _tokens(services, known.merchant_id, known.api_key, after.issued_at)[0]
        if after == before and living is not None:
            _keep_better(services, known, secret, old)
            return AccessToken(token, after.expires_at, known.merchant_id, known.api_key)
        kept = services.vault.digest(_TOKEN_DIGEST, token)
        digest = old.digest if old else known.secret_digest
        set_token = SetToken(
            known.merchant_id, known.api_key, before, after, kept, digest, of_old_secret=old is not None
        )
        if await services.store.write(set_token):
            _keep_better(services, known, secret, old)
            return AccessToken(token, after.expires_at, known.merchant_id, known.api_key)
        # Another node was first: its token is the one to give. Or the secret was changed at this very moment.
    raise AssertionError("the token changed hands too often")


async def owner_of(
    services: ServicesWith[IssueTokenStore], token: str, *, address: str | None = None
) -> TokenOwner | None:
    """Return whose token this is and until when, or None when it is unknown or has expired."""
    owner = await services.store.merchants.token_owner(services.vault.digests(_TOKEN_DIGEST, token))
    if owner is None or owner.expires_at <= services.clock.now():
        return None
    if token not in _tokens(services, owner.merchant_id, owner.api_key, owner.issued_at):
        # Its digest stands in the row of a key that it was not made for: somebody wrote it there.
        _log.error("token_of_another_row", merchant=owner.merchant_id, api_key=owner.api_key)
        return None
    _see(services, owner.merchant_id, owner.api_key, owner.last_used_at, address)
    return owner


async def check_address(services: ServicesWithoutStore, merchant_id: str, address: str | None) -> None:
    """Raise AddressNotAllowed unless the merchant's list lets a caller at `address` in.

    A change of the list counts within two seconds, on every node.
    """
    merchant = await services.merchant_cache.merchant(merchant_id)
    if not allows(merchant.allowed_addresses, address):
        _log.warning("address_not_allowed", merchant=merchant_id, address=address)
        raise AddressNotAllowed(f"{address or 'an unknown address'} is not among the merchant's allowed addresses")


def _check_secret(
    services: ServicesWithoutStore, known: ApiKey | None, secret: str, address: str | None, now: datetime
) -> OldSecret | None:
    """Return the old secret if that one was shown, None if it was the present one; raise if neither."""
    slowed: list[Subject] = []
    if address is not None:
        slowed.append((Slowed.ADDRESS, neighbourhood(address)))
    if known is not None:
        # Of unknown keys there are as many as somebody cares to think of.
        slowed.append((Slowed.KEY, known.api_key))
    if not _is_known_good(services, known, address):
        wait = services.failed_tokens.wait(slowed, now)
        if wait:
            seconds = math.ceil(wait.total_seconds())
            _log.warning("get_token_slowed", address=address, wait_seconds=seconds)
            raise TooManyFailures(f"too many wrong secrets; try again in {seconds} seconds", seconds)
    old = known.living_old_secret(now) if known is not None else None
    # An unknown key, and one without an old secret, cost the same comparisons as any other.
    bound_to = api_secret_context(known.merchant_id, known.api_key) if known else ("", "")
    is_new = services.vault.matches(API_SECRET_PURPOSE, secret, known.secret_digest if known else None, *bound_to)
    is_old = services.vault.matches(API_SECRET_PURPOSE, secret, old.digest if old else None, *bound_to)
    if known is None or not (is_new or (is_old and old is not None)):
        services.failed_tokens.failed(slowed, now)
        _log.warning("get_token_failed", address=address)
        raise WrongApiSecret("the API key or the secret is wrong")
    if address is not None:
        services.failed_tokens.succeeded(known.api_key, address)
    return None if is_new else old


def _tokens(services: ServicesWithoutStore, merchant_id: str, api_key: str, issued_at: datetime) -> list[str]:
    """Return the tokens that a key of this merchant has for this second, by the primary key and by every other."""
    made_of = f"{api_key}\0{int(issued_at.timestamp())}"
    return [digest[:20].hex() for digest in services.vault.digests(_TOKEN, made_of, merchant_id)]


def _living_token(services: ServicesWithoutStore, known: ApiKey, kept: bytes | None, issued_at: datetime) -> str | None:
    for token in _tokens(services, known.merchant_id, known.api_key, issued_at):
        if services.vault.matches(_TOKEN_DIGEST, token, kept):
            return token
    return None


def _keep_better(services: ServicesWith[Writes], known: ApiKey, secret: str, old: OldSecret | None) -> None:
    """Seal the hash of a secret from before hashes were sealed, now that the secret is there; nobody waits for it."""
    kept = old.digest if old else known.secret_digest
    if not services.vault.is_outdated(kept):
        return
    column = SealedColumn.OLD_API_SECRET if old else SealedColumn.API_SECRET
    after = services.vault.keep(API_SECRET_PURPOSE, secret, *api_secret_context(known.merchant_id, known.api_key))

    async def keep() -> None:
        try:
            await services.store.write(Reseal(column, ((known.merchant_id, known.api_key),), (kept,), (after,)))
        except StoreError as error:
            _log.warning("secret_not_resealed", kind=type(error).__name__)

    services.background.begin(keep())


def _is_known_good(services: ServicesWithoutStore, known: ApiKey | None, address: str | None) -> bool:
    if known is None or address is None:
        return False
    return address == known.last_used_from or services.failed_tokens.is_good(known.api_key, address)


def _see(
    services: ServicesWith[IssueTokenStore], merchant_id: str, api_key: str, last: datetime | None, address: str | None
) -> None:
    """Keep that a key is in use, once a minute; nobody waits for it, and nothing fails for it."""
    now = services.clock.now()
    if last is not None and now - last < SEEN_EVERY:
        return

    async def keep() -> None:
        try:
            await services.store.write(SeeApiKey(merchant_id, api_key, now, now - SEEN_EVERY, address))
        except StoreError as error:
            _log.warning("last_use_not_kept", kind=type(error).__name__)

    services.background.begin(keep())
