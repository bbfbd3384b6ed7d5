"""What an operator has signed in from before: a browser that keeps a sign of it, and an address.

Failed tries from there are counted by themselves, so that whoever guesses from elsewhere keeps nobody out.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

DEVICE_LIFETIME = timedelta(days=180)
PLACE_LIFETIME = timedelta(days=90)
_CHARS_MAX = 200
_SECOND = "%Y%m%dT%H%M%S"


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A browser that an operator signed in with. What it keeps is this and a keyed hash of it; we keep nothing."""

    operator_id: str
    id: str
    since: datetime

    def lives(self, now: datetime) -> bool:
        """Return whether it still counts as known."""
        return now - self.since < DEVICE_LIFETIME

    def text(self) -> str:
        """Return what is signed."""
        return f"{self.operator_id}.{self.id}.{self.since:{_SECOND}}"


def draw_device(operator_id: str, now: datetime) -> KnownDevice:
    """Return a new one."""
    return KnownDevice(operator_id, secrets.token_hex(16), now)


def read_device(kept: str) -> tuple[KnownDevice, bytes] | None:
    """Return what a browser shows and the hash with it, still to be checked; None when it is nothing of the kind."""
    parts = kept.split(".") if len(kept) <= _CHARS_MAX else []
    if len(parts) != 4:
        return None
    try:
        since = datetime.strptime(parts[2], _SECOND).replace(tzinfo=UTC)
        return KnownDevice(parts[0], parts[1], since), bytes.fromhex(parts[3])
    except ValueError:
        return None
