"""How failed tries to sign in make the next one wait, so that nobody can go on guessing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Counted(StrEnum):
    """What failed tries are counted for."""

    ACCOUNT = "account"  # from where this operator has never signed in
    ADDRESS = "address"
    DEVICE = "device"  # one browser that this operator has signed in with
    PLACE = "place"  # one address that this operator has signed in from
    SESSION = "session"  # passwords and codes that somebody who is signed in is asked for again


FREE = {Counted.ACCOUNT: 5, Counted.ADDRESS: 20, Counted.DEVICE: 5, Counted.PLACE: 5, Counted.SESSION: 5}
"""So many tries wait for nothing. An address may be shared by an office."""
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
"""Bounded: whoever fails on purpose to lock somebody out cannot do so for good."""
FORGOTTEN_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Tries:
    """How often it failed in a row, and when last."""

    failures: int
    last_at: datetime

    def next_at(self, counted: Counted) -> datetime:
        """Return from when on another try is looked at."""
        over = self.failures - FREE[counted]
        if over < 0:
            return self.last_at
        # Bounded before it is shifted: a count grows for a day.
        doubled: int = 2 ** min(over, 10)
        return self.last_at + min(FIRST_WAIT * doubled, LONGEST_WAIT)

    def and_another(self, now: datetime) -> Tries:
        """Return the count with one more at `now`; what is a day old is forgotten."""
        return Tries(1 if now - self.last_at > FORGOTTEN_AFTER else self.failures + 1, now)
