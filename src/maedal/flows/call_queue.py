"""Taking turns: callers that want the same billing key queue up inside the process instead of polling the store."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Hashable


class CallQueue:
    """One turn at a time for each thing, first come first served."""

    def __init__(self) -> None:
        self._locks: dict[Hashable, asyncio.Lock] = {}
        self._callers: Counter[Hashable] = Counter()

    @contextlib.asynccontextmanager
    async def turn(self, thing: Hashable, wait_seconds: float) -> AsyncIterator[bool]:
        """Wait for a turn at `thing`; gives False when none came in time."""
        lock = self._locks.setdefault(thing, asyncio.Lock())
        self._callers[thing] += 1
        try:
            if self._callers[thing] == 1:
                await lock.acquire()  # nobody else is there: it is free, and needs no clock beside it
            else:
                try:
                    async with asyncio.timeout(wait_seconds):
                        await lock.acquire()
                except TimeoutError:
                    yield False
                    return
            try:
                yield True
            finally:
                lock.release()
        finally:
            # A lock that nobody wants is forgotten, so that the table stays as small as what is going on.
            self._callers[thing] -= 1
            if not self._callers[thing]:
                del self._callers[thing], self._locks[thing]
