"""A clock that the test moves."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta


class HandClock:
    """Stands still until it is moved; a sleep ends when enough has been added, or, with `running`, moves it itself."""

    def __init__(self, start: datetime = datetime(2026, 9, 1, 1, 0, 0, tzinfo=UTC), *, running: bool = False) -> None:
        self._now = start
        self._running = running
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        return self._now

    def add(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        end = self._now + timedelta(seconds=seconds)
        if self._running:
            self.add(seconds)
            await asyncio.sleep(0)
            return
        while self._now < end:
            await self._moved.wait()
