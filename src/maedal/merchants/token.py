"""The life of an access token (docs/wire/portone-v1-rest.md 1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

LIFETIME = timedelta(minutes=30)
EXTENSION = timedelta(minutes=5)
NEAR_END = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class TokenLife:
    """When the token of an API key was issued and when it ends; whole seconds, because the wire has no finer ones."""

    issued_at: datetime
    expires_at: datetime


def next_life(current: TokenLife | None, now: datetime) -> TokenLife:
    """Return the life of the token to give out now.

    The same token as before while it lives; with less than a minute left it is extended by five; a new one afterwards.
    """
    if current is None or current.expires_at <= now:
        start = now.replace(microsecond=0)
        return TokenLife(start, start + LIFETIME)
    if current.expires_at - now < NEAR_END:
        return TokenLife(current.issued_at, current.expires_at + EXTENSION)
    return current
