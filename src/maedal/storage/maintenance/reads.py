"""What is read of times in which a PG is closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from maedal.maintenance.pause import Pause


class MaintenanceReads(Protocol):
    """What is read of closed times."""

    async def pauses(self, since: datetime) -> Sequence[Pause]:
        """Return windows that end after `since`, also those to come, by their beginning."""
        ...


class HasMaintenance(Protocol):
    @property
    def maintenance(self) -> MaintenanceReads: ...
