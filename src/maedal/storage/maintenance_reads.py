"""Reads of the times in which a PG is closed, over any engine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from maedal.maintenance.pause import Pause
from maedal.storage.sql import maintenance as sql
from maedal.storage.sql.rows import moment
from maedal.storage.sql.schedules import PACE
from maedal.storage.sql.steps import Row

PAUSES_MAX = 1000


class Fetches(Protocol):
    """What reads rows."""

    async def fetch(self, sql: str, *values: Any) -> Sequence[Row]: ...


class SqlMaintenanceReads:
    """The `MaintenanceReads` (see maintenance.py) of a store."""

    engine: Fetches

    async def pauses(self, since: datetime) -> Sequence[Pause]:
        return [sql.pause_of(row) for row in await self.engine.fetch(sql.PAUSES, since, PAUSES_MAX)]

    async def pace_used_until(self) -> datetime | None:
        rows = await self.engine.fetch(sql.PACE_USED, PACE)
        return moment(rows[0]["free_at"]) if rows else None
