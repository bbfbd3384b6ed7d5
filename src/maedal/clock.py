"""Time, passed in: nothing else in maedal asks the machine what time it is."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """What every flow needs of time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return once `seconds` have passed on this clock."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class TravelClock:
    """The machine's clock and how far somebody travelled ahead: for `maedal dev`, which shows a year in a minute.

    The distance in seconds is kept in a file. The simulator and the demo shop read the same file, so that all of them
    are at the same moment, and a restart does not bring yesterday back.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.machine = SystemClock()
        self.ahead = timedelta(seconds=float(path.read_text()) if path.exists() else 0)

    def now(self) -> datetime:
        return self.machine.now() + self.ahead

    async def sleep(self, seconds: float) -> None:
        """Sleep in real time: a jump wakes nobody."""
        await asyncio.sleep(seconds)

    def travel(self, to: datetime) -> None:
        """Let it be `to` now, for everybody who reads the file; time never goes back."""
        ahead = max(self.ahead, to - self.machine.now())
        beside = self._path.with_name(self._path.name + ".new")
        beside.write_text(f"{ahead.total_seconds():.6f}")
        beside.replace(self._path)
        self.ahead = ahead
