"""What happened, for people who read along: every call that the shop, its pages and the payment server made.

A shop of your own needs none of this. Secrets are masked on the way in, so they are nowhere to be shown.
"""

import secrets
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

import msgspec

Kind = Literal["request_pay", "callback", "rest", "redirect", "webhook"]

SECRET_NAMES = {"imp_secret", "access_token", "authorization"}
ENTRIES_MAX = 120


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One call. `sent` and `got` are JSON as it went over the wire, with secrets masked."""

    number: int
    at: float
    kind: Kind
    title: str
    method: str | None = None
    url: str | None = None
    headers: dict[str, str] | None = None
    sent: Any = None
    status: int | None = None
    got: Any = None
    milliseconds: int | None = None


def masked(value: Any, name: str = "") -> Any:
    """The same JSON with every secret cut to its first four characters."""
    if isinstance(value, dict):
        return {key: masked(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner) for inner in value]
    if name.lower() not in SECRET_NAMES or not isinstance(value, str):
        return value
    scheme, space, secret = value.rpartition(" ")
    return f"{scheme}{space}{secret[:4]}••••••••"


class Journal:
    """The last entries, and a version that changes whenever a page should look again."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._entries: deque[Entry] = deque(maxlen=ENTRIES_MAX)
        self._start, self._changes, self._number = secrets.token_hex(4), 0, 0

    @property
    def version(self) -> str:
        return f"{self._start}-{self._changes}"

    def changed(self) -> None:
        self._changes += 1

    def write(self, kind: Kind, title: str, **facts: Any) -> None:
        self._number += 1
        for part in ("headers", "sent", "got"):
            facts[part] = masked(facts.get(part))
        self._entries.append(Entry(number=self._number, at=self._now(), kind=kind, title=title, **facts))
        self.changed()

    def newest_first(self) -> list[Entry]:
        return list(reversed(self._entries))
