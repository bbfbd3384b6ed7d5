"""How failing getToken calls are slowed down, without ever standing in the way of a server that is known.

A secret has some 470 bits, so nobody finds one by guessing. What this bounds is the work and the noise that a broken or
hostile caller makes. Calls that succeed are never counted: client libraries fetch a token before every call
(docs/wire/portone-v1-rest.md 1.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

SUBJECTS_MAX = 10_000
GOOD_MAX = 10_000


class Slowed(StrEnum):
    """What failures are counted for."""

    ADDRESS = "address"
    KEY = "key"


ALLOWANCE: dict[Slowed, tuple[int, timedelta]] = {
    Slowed.ADDRESS: (30, timedelta(seconds=2)),
    Slowed.KEY: (100, timedelta(seconds=1)),
}
"""So many failures at once, and how long it takes to regain one: nobody waits long, and nobody is locked out."""

Subject = tuple[Slowed, str]


@dataclass(slots=True)
class FailedTokens:
    """Remembers failures and good callers; each process for itself, and only for as long as it lives."""

    _spent: dict[Subject, tuple[float, datetime]] = field(default_factory=dict)
    _good: dict[tuple[str, str], None] = field(default_factory=dict)

    def wait(self, subjects: Sequence[Subject], now: datetime) -> timedelta:
        """Return how long it is until another failure of all of these would be looked at; zero for now."""
        longest = timedelta(0)
        for subject in subjects:
            burst, regained = ALLOWANCE[subject[0]]
            over = self._left_of(subject, now) - (burst - 1)
            if over > 0:
                longest = max(longest, over * regained)
        return longest

    def failed(self, subjects: Sequence[Subject], now: datetime) -> None:
        """Count a failure."""
        for subject in subjects:
            self._spent[subject] = (self._left_of(subject, now) + 1, now)
        if len(self._spent) > SUBJECTS_MAX:
            self._forget(now)

    def succeeded(self, api_key: str, address: str) -> None:
        """Keep that a caller at `address` knew the secret."""
        self._good.pop((api_key, address), None)
        self._good[api_key, address] = None
        if len(self._good) > GOOD_MAX:
            del self._good[next(iter(self._good))]

    def is_good(self, api_key: str, address: str) -> bool:
        """Return whether a caller at `address` has known the secret of this key before."""
        return (api_key, address) in self._good

    def _left_of(self, subject: Subject, now: datetime) -> float:
        spent, at = self._spent.get(subject, (0.0, now))
        return max(0.0, spent - (now - at) / ALLOWANCE[subject[0]][1])

    def _forget(self, now: datetime) -> None:
        """Forget what has been regained, and if that is not enough, the half that failed longest ago."""
        self._spent = {s: kept for s, kept in self._spent.items() if self._left_of(s, now) > 0}
        if len(self._spent) > SUBJECTS_MAX // 2:
            newest = sorted(self._spent.items(), key=lambda item: item[1][1])[-SUBJECTS_MAX // 2 :]
            self._spent = dict(newest)
