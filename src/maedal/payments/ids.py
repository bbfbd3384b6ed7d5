"""Identifiers that we draw ourselves."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Protocol

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: nothing that is misread aloud
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]


class Ids(Protocol):
    """Where new identifiers come from; a parameter, so that tests can make them collide."""

    def window_payment(self) -> str:
        """Return a new `imp_uid` of a payment made in the buyer's browser."""
        ...

    def server_payment(self) -> str:
        """Return a new `imp_uid` of a payment that a merchant's server or schedule started."""
        ...

    def row(self, now: datetime) -> str:
        """Return a new id for any other row; ids of later moments sort after earlier ones."""
        ...


class RandomIds:
    """`imp_` or `imps_` and 12 random digits (docs/wire/portone-v1-rest.md 0.3); 26 characters for the rest."""

    def window_payment(self) -> str:
        return f"imp_{secrets.randbelow(10**12):012d}"

    def server_payment(self) -> str:
        return f"imps_{secrets.randbelow(10**12):012d}"

    def row(self, now: datetime) -> str:
        # 48 bits of milliseconds and 82 random ones: new rows land at the end of their index.
        number = (int(now.timestamp() * 1000) & (1 << 48) - 1) << 82 | secrets.randbits(82)
        return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])
