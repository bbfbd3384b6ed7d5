"""A TCP proxy that can be cut: what is on its way is lost, in both directions, and for a while nobody gets through."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from tests.support.tcp_relay import TcpRelay


class Proxy(TcpRelay):
    """Passes everything on to one port."""

    def __init__(self, target_port: int) -> None:
        self._target = target_port
        self._closed_until = 0.0
        super().__init__()

    def cut(self, seconds: float = 0.0) -> None:
        """Reset every connection, and refuse new ones for so long."""
        self._closed_until = time.monotonic() + seconds
        self._loop.call_soon_threadsafe(self._reset)

    def refuse(self, seconds: float) -> None:
        """Listen no more for so long: whoever connects is refused at once, and what is connected goes on."""
        self._run(self._refuse(seconds))

    async def _refuse(self, seconds: float) -> None:
        await self._deafen()
        await asyncio.sleep(seconds)
        await self._listen(self.port)

    def _targets(self) -> Sequence[int]:
        return (self._target,)

    async def _admits(self) -> bool:
        return time.monotonic() >= self._closed_until
