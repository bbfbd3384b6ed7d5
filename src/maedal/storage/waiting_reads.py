"""Reads of channels that rest, over any engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from maedal.merchants.channel_pause import ChannelPause
from maedal.storage.sql import waiting as sql
from maedal.storage.sql.steps import Row

PAUSES_MAX = 1000


class Fetches(Protocol):
    """What reads rows."""

    async def fetch(self, sql: str, *values: Any) -> Sequence[Row]: ...


class SqlWaitingReads:
    """The `WaitingReads` (see waiting.py) of a store."""

    engine: Fetches

    async def channel_pauses(self) -> Sequence[ChannelPause]:
        return [sql.pause_of(row) for row in await self.engine.fetch(sql.CHANNEL_PAUSES, PAUSES_MAX)]

    async def channel_pause(self, merchant_id: str, channel_id: str) -> ChannelPause | None:
        rows = await self.engine.fetch(sql.CHANNEL_PAUSE, merchant_id, channel_id)
        return sql.pause_of(rows[0]) if rows else None
