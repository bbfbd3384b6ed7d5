"""Times in which a PG is closed, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from maedal.maintenance.pause import Pause
from maedal.storage.engine.reading import SqlReads
from maedal.storage.maintenance.rows import pause_of

PAUSES_MAX = 1000
PAUSES = "SELECT * FROM pg_pauses WHERE ends_at > $1 ORDER BY ends_at LIMIT $2"


class SqlMaintenanceReads(SqlReads):
    """The `MaintenanceReads` (see reads.py) of a store in SQL."""

    async def pauses(self, since: datetime) -> Sequence[Pause]:
        return [pause_of(row) for row in await self._engine.fetch(PAUSES, since, PAUSES_MAX)]
