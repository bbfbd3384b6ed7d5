"""Recovery: a scheduled charge that failed is tried again, by rules of the merchant's own; without a rule never.

A rule belongs to one reason and says how long to wait before each try, or until which day of a month, so that their
number is bounded. Only a failure with proof is followed by a try: an unknown outcome is none.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from maedal.payments.attempt import DeclineReason
from maedal.payments.errors import InvalidParameter

KST = timezone(timedelta(hours=9))
PAY_DAY_HOUR = 10
"""When on a pay day a try is made, in Korean time: wages are there by then."""
PAY_DAY_MAX = 31
MONTHS = 12


@dataclass(frozen=True, slots=True)
class PayDay:
    """Until this day of the month comes next; a month that has no such day has it on its last one."""

    day: int

    def after(self, now: datetime) -> datetime:
        """Return when that is, in UTC: at 10:00 in Korea, and no sooner than any other try may be."""
        at = now.astimezone(KST)
        year, month = at.year, at.month
        while True:
            day = min(self.day, calendar.monthrange(year, month)[1])
            found = datetime(year, month, day, PAY_DAY_HOUR, tzinfo=KST)
            if found - now >= WAIT_MIN:
                return found.astimezone(UTC)
            year, month = (year, month + 1) if month < MONTHS else (year + 1, 1)


Wait = timedelta | PayDay
RecoveryRules = Mapping[DeclineReason, tuple[Wait, ...]]
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


def read_waits(text: str) -> tuple[Wait, ...]:
    """Return the waits that are written like `1d,3d,@25`; `never` is none. Raises InvalidParameter."""
    if text.strip() == NEVER:
        return ()
    return tuple(map(_wait, text.split(",")))


def written(waits: Sequence[Wait]) -> str:
    """Return waits as `read_waits` reads them."""
    return ",".join(map(_text, waits)) or NEVER


def _wait(word: str) -> Wait:
    if (on := re.fullmatch(r"@([1-9]|[12][0-9]|3[01])", word.strip(), re.ASCII)) is not None:
        return PayDay(int(on[1]))
    found = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", word.strip(), re.ASCII)
    if found is None:
        raise InvalidParameter(
            "after",
            f"waits are written like 1d,3d,7d (m, h or d), a day of the month like @25, or `{NEVER}`, not {word!r}",
        )
    return int(found[1]) * _UNITS[found[2]]


def _text(wait: Wait) -> str:
    if isinstance(wait, PayDay):
        return f"@{wait.day}"
    seconds = int(wait.total_seconds())
    sizes = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
    return next(f"{seconds // size}{unit}" for unit, size in sizes if not seconds % size)


def check_waits(waits: Sequence[Wait]) -> None:
    """Raise InvalidParameter unless these waits can be a rule; no wait at all is the rule never to try."""
    if len(waits) > TRIES_MAX:
        raise InvalidParameter("after", f"at most {TRIES_MAX} tries are made")
    if not all(isinstance(wait, PayDay) or WAIT_MIN <= wait <= WAIT_MAX for wait in waits):
        raise InvalidParameter("after", "a try waits for 10 minutes at least and 31 days at most")


def next_try(rules: RecoveryRules, reason: DeclineReason | None, tries: int, now: datetime) -> NextTry | None:
    """Return the try that follows a failure for `reason` after so many tries; None when that was the last."""
    waits = () if reason is None else rules.get(reason, ())
    return NextTry(moment_after(waits[tries], now), reason) if reason is not None and tries < len(waits) else None


def moment_after(wait: Wait, now: datetime) -> datetime:
    """Return when a wait that begins now is over."""
    return wait.after(now) if isinstance(wait, PayDay) else now + wait
