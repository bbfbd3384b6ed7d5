"""What every database that keeps a store can do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from maedal.storage.engine.reading import Fetches
from maedal.storage.health import ServerIdentity, Standing
from maedal.storage.write import R, Write


class Engine(Fetches, Protocol):
    """One database: rows out, units in."""

    @property
    def on_connect(self) -> list[Callable[[ServerIdentity], None]]: ...
    async def open(self) -> None: ...
    async def standing(self) -> Standing: ...
    async def close(self) -> None: ...
    async def write(self, write: Write[R]) -> R: ...
    def snapshot(self) -> AbstractAsyncContextManager[Engine]: ...
