"""The simulator's time: a wall clock that can be pushed forward, told in Korea (docs/wire/kakaopay.md, 2)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

KST = timezone(timedelta(hours=9), "KST")


def wall_clock() -> datetime:
    return datetime.now(UTC)


def ahead_by(file: Path) -> Callable[[], datetime]:
    """A wall clock that is as many seconds ahead as the file says; whoever writes it moves this simulator along."""

    def wall() -> datetime:
        ahead = float(file.read_text()) if file.exists() else 0.0
        return wall_clock() + timedelta(seconds=ahead)

    return wall


class Clock:
    """Whole epoch seconds from a wall clock plus what tests have advanced; it never goes back by itself."""

    def __init__(self, wall: Callable[[], datetime] = wall_clock, advanced_seconds: int = 0) -> None:
        self._wall = wall
        self.advanced_seconds = advanced_seconds

    def now(self) -> int:
        return int(self._wall().timestamp()) + self.advanced_seconds

    def advance(self, seconds: int) -> None:
        assert seconds >= 0, f"the clock only goes forward, not by {seconds} s"
        self.advanced_seconds += seconds


def wire_time(epoch_seconds: int) -> str:
    """`2026-11-23T12:34:56`: the KST wall clock without zone or fraction."""
    return datetime.fromtimestamp(epoch_seconds, KST).strftime("%Y-%m-%dT%H:%M:%S")


def zoned_time(epoch_seconds: int) -> str:
    """The same moment with its offset, for the control API and the pages."""
    return datetime.fromtimestamp(epoch_seconds, KST).isoformat(timespec="seconds")


def month_of(epoch_seconds: int) -> str:
    """`2026-11`: the calendar month in Korea, in which charges of a SID are counted."""
    return datetime.fromtimestamp(epoch_seconds, KST).strftime("%Y-%m")


def next_midnight(epoch_seconds: int) -> int:
    """The next 00:00 in Korea, when the call quota of a day begins anew."""
    at = datetime.fromtimestamp(epoch_seconds, KST)
    midnight = (at + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(midnight.timestamp())
