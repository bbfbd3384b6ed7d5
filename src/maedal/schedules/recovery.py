"""Recovery: a scheduled charge that failed is tried again, by rules of the merchant's own; without a rule never.

A rule belongs to one reason and says how long to wait before each try, so that their number is bounded. Only a failure
with proof is followed by a try: an unknown outcome is none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from maedal.payments.attempt import DeclineReason
from maedal.payments.errors import InvalidParameter

RecoveryRules = Mapping[DeclineReason, tuple[timedelta, ...]]
"""For each reason, the waits before the first try, the second, and so on."""

NEVER = "never"
TRIES_MAX = 10
WAIT_MIN = timedelta(minutes=10)
WAIT_MAX = timedelta(days=31)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class NextTry:
    """When a failed charge is tried again, and why it failed."""

    at: datetime
    reason: DeclineReason


def read_waits(text: str) -> tuple[timedelta, ...]:
    """Return the waits that are written like `1d,3d,7d`; `never` is none. Raises InvalidParameter."""
    if text.strip() == NEVER:
        return ()
    return tuple(map(_wait, text.split(",")))


def written(waits: Sequence[timedelta]) -> str:
    """Return waits as `read_waits` reads them."""
    return ",".join(map(_text, waits)) or NEVER


def _wait(word: str) -> timedelta:
    found = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", word.strip(), re.ASCII)
    if found is None:
        raise InvalidParameter("after", f"waits are written like 1d,3d,7d (m, h or d) or `{NEVER}`, not {word!r}")
    return int(found[1]) * _UNITS[found[2]]


def _text(wait: timedelta) -> str:
    seconds = int(wait.total_seconds())
    sizes = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
    return next(f"{seconds // size}{unit}" for unit, size in sizes if not seconds % size)


def check_waits(waits: Sequence[timedelta]) -> None:
    """Raise InvalidParameter unless these waits can be a rule; no wait at all is the rule never to try."""
    if len(waits) > TRIES_MAX:
        raise InvalidParameter("after", f"at most {TRIES_MAX} tries are made")
    if not all(WAIT_MIN <= wait <= WAIT_MAX for wait in waits):
        raise InvalidParameter("after", "a try waits for 10 minutes at least and 31 days at most")


def next_try(rules: RecoveryRules, reason: DeclineReason | None, tries: int, now: datetime) -> NextTry | None:
    """Return the try that follows a failure for `reason` after so many tries; None when that was the last."""
    waits = () if reason is None else rules.get(reason, ())
    return NextTry(now + waits[tries], reason) if reason is not None and tries < len(waits) else None
