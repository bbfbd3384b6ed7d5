"""The life of an access token (docs/wire/portone-v1-rest.md 1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from maedal.merchants.scope import Scope

LIFETIME = timedelta(minutes=30)
EXTENSION = timedelta(minutes=5)
NEAR_END = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class TokenLife:
    """When the token of an API key was issued and when it ends; whole seconds, because the wire has no finer ones."""

    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TokenOwner:
    """Whose a token is, since when and until when, what for, and when the key was last seen in use."""

    merchant_id: str
    api_key: str
    issued_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    scopes: frozenset[Scope] | None = None
    """What the token may be used for: the scopes of its key."""


def next_life(
    current: TokenLife | None, now: datetime, *, other: datetime | None = None, until: datetime | None = None
) -> TokenLife:
    """Return the life of the token to give out now.

    The same token as before while it lives; with less than a minute left it is extended by five; a new one afterwards.
    A token is made of the second of its issue, so a new one never has that of the key's `other` token; and it ends
    `until` then at the latest, with the secret that it was given for.
    """
    if current is not None and now < current.expires_at:
        if current.expires_at - now >= NEAR_END:
            return current
        longer = current.expires_at + EXTENSION
        return TokenLife(current.issued_at, longer if until is None else min(longer, until))
    start = now.replace(microsecond=0)
    end = start + LIFETIME
    if start == other:
        start -= timedelta(seconds=1)
    return TokenLife(start, end if until is None else min(end, until))
