"""Reads of an export, over any engine."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol, Self

from maedal.storage.sql.steps import Row


class Snapshots(Protocol):
    """A database that can be read as it was at one moment."""

    async def fetch(self, sql: str, *values: Any) -> Sequence[Row]: ...
    def snapshot(self) -> AbstractAsyncContextManager[Any]: ...


class SqlExportReads:
    """The `ExportReads` (see exports.py) of a store."""

    engine: Snapshots

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Self]:
        async with self.engine.snapshot() as frozen:
            seen = copy.copy(self)
            seen.engine = frozen
            yield seen

    async def keys_to_end(self, merchant_id: str, billing_key_ids: Sequence[str]) -> set[str]:
        marks = ", ".join(f"${n}" for n in range(2, len(billing_key_ids) + 2))
        rows = await self.engine.fetch(
            f"SELECT billing_key_id FROM key_endings WHERE merchant_id = $1 AND billing_key_id IN ({marks})"
            " AND ended_at IS NULL",
            merchant_id,
            *billing_key_ids,
        )
        return {row["billing_key_id"] for row in rows}
