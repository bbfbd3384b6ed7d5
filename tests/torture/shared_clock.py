"""One clock for all processes of a testbed: the machine's, and an offset that is moved forward by hand; it can stand still."""

from __future__ import annotations

import asyncio
import mmap
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

_HANDS = struct.Struct("dd")
"""The offset, and the machine's time at which the clock stands still, or zero."""


class SharedClock:
    """Reads the machine's clock plus the offset that the file holds; satisfies `maedal.clock.Clock`."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(_HANDS.pack(0.0, 0.0))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), _HANDS.size)

    def now(self) -> datetime:
        offset_seconds, stands_at = self._hands
        return datetime.fromtimestamp(stands_at or time.time(), UTC) + timedelta(seconds=offset_seconds)

    async def sleep(self, seconds: float) -> None:
        """Sleep in real time: a jump of the clock wakes nobody."""
        await asyncio.sleep(max(0.0, seconds))

    def advance(self, seconds: float) -> None:
        offset_seconds, stands_at = self._hands
        _HANDS.pack_into(self._shared, 0, offset_seconds + seconds, stands_at)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Let no time pass inside the block, for anybody; afterwards it is as late as if it had not stood still."""
        _HANDS.pack_into(self._shared, 0, self._hands[0], time.time())
        try:
            yield
        finally:
            _HANDS.pack_into(self._shared, 0, self._hands[0], 0.0)

    @property
    def _hands(self) -> tuple[float, float]:
        offset_seconds, stands_at = _HANDS.unpack_from(self._shared)
        return offset_seconds, stands_at
