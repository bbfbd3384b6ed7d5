"""Reads of the servers that hold the database, over any engine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from maedal.storage.servers import DatabaseServer, UnseenApproval
from maedal.storage.sql import servers as sql
from maedal.storage.sql.steps import Row


class Fetches(Protocol):
    """What reads rows."""

    async def fetch(self, sql: str, *values: Any) -> Sequence[Row]: ...


class SqlServerReads:
    """The `ServerReads` (see servers.py) of a store."""

    engine: Fetches

    async def server(self) -> DatabaseServer | None:
        rows = await self.engine.fetch(sql.HERE)
        return sql.server_of(rows[0]) if rows else None

    async def unseen_approvals(self, merchant_id: str, since: datetime, count_max: int) -> Sequence[UnseenApproval]:
        return [sql.unseen_of(row) for row in await self.engine.fetch(sql.UNSEEN, merchant_id, since, count_max)]
