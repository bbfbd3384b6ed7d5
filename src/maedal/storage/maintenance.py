"""What we need of any store for the times in which a PG is closed, in our words; see store.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from maedal.maintenance.pause import Pause
from maedal.operators.deed import Deed
from maedal.schedules.schedule import Schedule


@dataclass(frozen=True, slots=True)
class AddPause:
    """Keep a window that a person entered."""

    pause: Pause
    deed: Deed


@dataclass(frozen=True, slots=True)
class EndPause:
    """End a window now, or take it back if it has not begun; gives it as it was, or None if there is none."""

    pause_id: str
    now: datetime
    deed: Deed


@dataclass(frozen=True, slots=True)
class NotePause:
    """Keep that the PG said it is closed; gives False when that is known for this moment already."""

    pause: Pause


@dataclass(frozen=True, slots=True)
class PostponeSchedule:
    """Let a claimed charge wait: nobody claims it before `until`. Gives False when it has moved since its claim."""

    schedule: Schedule
    until: datetime
    channel_id: str | None = None
    """The channel whose pause it waits for; it is due when that ends, if that is earlier."""


MaintenanceWrite = AddPause | EndPause | NotePause | PostponeSchedule


class MaintenanceReads(Protocol):
    """What is read of closed times."""

    async def pauses(self, since: datetime) -> Sequence[Pause]:
        """Return windows that end after `since`, also those to come, by their beginning."""
        ...

    async def pace_used_until(self) -> datetime | None:
        """Return until when the pace of catching up is used up: when last a charge that had waited was claimed."""
        ...
