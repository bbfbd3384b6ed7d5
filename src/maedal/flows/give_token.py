"""Give out access tokens and say whose they are (docs/wire/portone-v1-rest.md 1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maedal.flows.parts import Parts
from maedal.merchants.errors import WrongApiSecret
from maedal.merchants.token import TokenLife, next_life
from maedal.storage.store import SetToken

SECRET_PURPOSE = "api-secret"  # noqa: S105 - the name of a purpose
_TOKEN = "access-token"  # noqa: S105
_TOKEN_DIGEST = "access-token-digest"  # noqa: S105
RACES_MAX = 10


@dataclass(frozen=True, slots=True)
class GivenToken:
    """An access token: 40 lowercase hex."""

    text: str
    expires_at: datetime


async def give_token(parts: Parts, api_key: str, secret: str) -> GivenToken:
    """Return the living token of an API key, or a new one. Raises WrongApiSecret for an unknown key or wrong secret.

    The token is derived from the key and the second of its issue, so every node gives out the same one and none is
    stored.
    """
    for _ in range(RACES_MAX):
        known = await parts.store.api_key(api_key)
        # An unknown key costs the same comparison as a wrong secret.
        digest = known.secret_digest if known is not None else bytes(32)
        if not parts.vault.matches(SECRET_PURPOSE, secret, digest) or known is None:
            raise WrongApiSecret("the API key or the secret is wrong")
        before = None
        if known.token_issued_at is not None and known.token_expires_at is not None:
            before = TokenLife(known.token_issued_at, known.token_expires_at)
        life = next_life(before, parts.clock.now())
        token = parts.vault.digest(_TOKEN, f"{known.api_key}\0{int(life.issued_at.timestamp())}")[:20].hex()
        if life == before:
            return GivenToken(token, life.expires_at)
        kept = parts.vault.digest(_TOKEN_DIGEST, token)
        if await parts.store.write(SetToken(known.merchant_id, known.api_key, before, life, kept)):
            return GivenToken(token, life.expires_at)
        # Another node was first: its token is the one to give.
    raise AssertionError("the token changed hands too often")


async def owner_of(parts: Parts, token: str) -> tuple[str, datetime] | None:
    """Return whose token this is and until when, or None when it is unknown or has expired."""
    owner = await parts.store.token_owner(parts.vault.digests(_TOKEN_DIGEST, token))
    return owner if owner is not None and owner[1] > parts.clock.now() else None
