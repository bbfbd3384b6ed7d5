"""One clock for all processes of a town: the machine's, and an offset that is moved forward by hand."""

from __future__ import annotations

import asyncio
import mmap
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

_SECONDS = struct.Struct("d")


class SharedClock:
    """Reads the machine's clock plus the offset that the file holds; satisfies `maedal.clock.Clock`."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(_SECONDS.pack(0.0))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), _SECONDS.size)

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.offset_seconds)

    async def sleep(self, seconds: float) -> None:
        """Sleep in real time: a jump of the clock wakes nobody."""
        await asyncio.sleep(max(0.0, seconds))

    @property
    def offset_seconds(self) -> float:
        offset: float = _SECONDS.unpack_from(self._shared)[0]
        return offset

    def advance(self, seconds: float) -> None:
        _SECONDS.pack_into(self._shared, 0, self.offset_seconds + seconds)
