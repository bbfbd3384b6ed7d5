"""Catching up: how quickly charges that waited for the PG's opening begin, counted over all workers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

A_SECOND = timedelta(seconds=1)
CLOCKS_APART_MAX = timedelta(minutes=1)
"""A moment that lies further ahead was written by a clock that has jumped back since."""


@dataclass(frozen=True, slots=True)
class Pace:
    """So many charges a second, while charges wait for an opening that has come.

    What all workers share is one moment: until when the pace is used up. Each charge moves it on by its share.
    """

    per_second: float
    opened_at: datetime | None
    """When a PG opened that had been closed for everything: what was due before has waited, claimed or not."""
    night_ended_at: datetime | None = None
    """When a night ended, which closes one method alone: only what was put off until then has waited for it."""

    def free_at(self, kept: datetime | None, now: datetime) -> datetime:
        """Return until when the pace is used up: never so long ago that a burst could follow."""
        oldest = now - max(A_SECOND, self._share(1))
        return oldest if kept is None or kept > now + CLOCKS_APART_MAX else max(kept, oldest)

    def count(self, free_at: datetime, now: datetime) -> int:
        """Return how many charges may begin now."""
        return max(0, int((now - free_at).total_seconds() * self.per_second + 1e-6))

    def after(self, free_at: datetime, count: int) -> datetime:
        """Return until when the pace is used up by `count` charges more."""
        return free_at + self._share(count)

    def _share(self, count: int) -> timedelta:
        return timedelta(seconds=count / self.per_second)
