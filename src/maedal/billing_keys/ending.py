"""A key's end at the PG: it has ended here already, and the PG is told until it says so too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from maedal.billing_keys.billing_key import KeyEnd
from maedal.payments.attempt import Outcome

HEAD_START = timedelta(seconds=5)
"""How long the caller that ended the key has for the first try before a worker takes it up."""
FIRST_WAIT = timedelta(minutes=1)
"""Above the longest time that one try can last, so that two never overlap."""
WAIT_MAX = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class KeyEnding:
    """A key that is to end at the PG. `tries` counts the tries begun; `due_at` is when the next one may begin."""

    merchant_id: str
    attempt_id: str
    billing_key_id: str
    tries: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class PendingEnding:
    """What a person wants to know of a key that has not ended at the PG yet.

    `charge_open`: a charge of it is running or unclear, and is waited for. The rest is what the last try taught us.
    """

    ending: KeyEnding
    customer_uid: str
    ended_by: KeyEnd
    charge_open: bool
    outcome: Outcome | None
    code: str | None
    message: str | None


def wait_after(tries: int) -> timedelta:
    """Return how long to wait after so many tries: a minute, doubled each time, at most six hours."""
    assert tries > 0, tries
    wait = FIRST_WAIT
    for _ in range(min(tries - 1, 10)):
        wait *= 2
    return min(wait, WAIT_MAX)
