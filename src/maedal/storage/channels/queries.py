"""Channels in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from maedal.merchants.channel import Channel
from maedal.merchants.channel_pause import ChannelPause
from maedal.storage.channels.rows import channel_of, pause_of
from maedal.storage.engine.reading import ROWS_MAX, SqlReads

PAUSES_MAX = 1000
CHANNEL_PAUSES = "SELECT * FROM channel_pauses ORDER BY since LIMIT $1"
CHANNEL_PAUSE = "SELECT * FROM channel_pauses WHERE merchant_id = $1 AND channel_id = $2"


class SqlChannelReads(SqlReads):
    """The `ChannelReads` (see reads.py) of a store in SQL."""

    async def of_merchant(self, merchant_id: str) -> Sequence[Channel]:
        rows = await self._engine.fetch(
            f"SELECT * FROM channels WHERE merchant_id = $1 ORDER BY created_at, id LIMIT {ROWS_MAX}", merchant_id
        )
        return [channel_of(row) for row in rows]

    async def with_files(self, after: tuple[str, str], count_max: int) -> Sequence[Channel]:
        rows = await self._engine.fetch(
            "SELECT * FROM channels WHERE sealed_file_key IS NOT NULL AND (merchant_id, id) > ($1, $2)"
            " ORDER BY merchant_id, id LIMIT $3",
            *after,
            count_max,
        )
        return [channel_of(row) for row in rows]

    async def pauses(self) -> Sequence[ChannelPause]:
        return [pause_of(row) for row in await self._engine.fetch(CHANNEL_PAUSES, PAUSES_MAX)]

    async def pause(self, merchant_id: str, channel_id: str) -> ChannelPause | None:
        rows = await self._engine.fetch(CHANNEL_PAUSE, merchant_id, channel_id)
        return pause_of(rows[0]) if rows else None
