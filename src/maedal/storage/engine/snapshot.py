"""A database as it was at one moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from maedal.storage.engine.steps import Row
from maedal.storage.errors import StoreError
from maedal.storage.health import ServerIdentity, Standing
from maedal.storage.write import R, Write


class Snapshot:
    """An engine whose reads all see one moment, through a transaction that its owner opens and ends."""

    def __init__(self, name: str, fetch: Callable[..., Awaitable[Sequence[Row]]]) -> None:
        self.name = name
        self.on_connect: list[Callable[[ServerIdentity], None]] = []
        self._fetch = fetch

    async def open(self) -> None: ...
    async def standing(self) -> Standing:
        return Standing()

    async def close(self) -> None: ...

    async def write(self, write: Write[R]) -> R:
        raise StoreError(f"a snapshot is read only, and takes no {type(write).__name__}")

    async def fetch(self, sql: str, *values: Any) -> Sequence[Row]:
        return await self._fetch(sql, *values)

    async def fetch_planned(self, sql: str, *values: Any) -> Sequence[Row]:
        return await self._fetch(sql, *values)

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]:
        raise StoreError("this is a snapshot already")
