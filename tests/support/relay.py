"""A TCP relay that can stop passing anything on while its sockets stay open: how a cut network looks to both ends."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tests.support.tcp_relay import TcpRelay


class Relay(TcpRelay):
    """Passes everything on to the first of `targets` that takes the connection."""

    def __init__(self, targets: Sequence[int], port: int | None = None) -> None:
        self._ports = targets
        self._passing = asyncio.Event()
        self._passing.set()
        super().__init__(port)

    def cut(self) -> None:
        """Swallow everything from now on; connections are still taken, and stay open."""
        self._loop.call_soon_threadsafe(self._passing.clear)

    def heal(self) -> None:
        """Pass on again. What was open during the cut is reset: a part of what it said is missing."""
        self._loop.call_soon_threadsafe(self._heal)

    def _heal(self) -> None:
        if not self._passing.is_set():
            self._reset()
        self._passing.set()

    def _targets(self) -> Sequence[int]:
        return self._ports

    async def _admits(self) -> bool:
        return await self._passing.wait()

    def _lets_through(self) -> bool:
        return self._passing.is_set()
