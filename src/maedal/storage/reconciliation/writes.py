"""What is written of a PG's files of a day, and of how far each has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from maedal.reconciliation.settlement import SettlementRow
from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class KeepRows(Write[None]):
    """Keep what a PG's file of a day says. A row that is known already stays as it is."""

    merchant_id: str
    pg_provider: str
    day: date
    rows: tuple[SettlementRow, ...]


@dataclass(frozen=True, slots=True)
class ClaimDay(Write[bool]):
    """Take the next try to have the file of a day; gives False when somebody else took it, or the day is done."""

    merchant_id: str
    channel_id: str
    day: date
    now: datetime
    next_due_at: datetime


@dataclass(frozen=True, slots=True)
class DaySums:
    """What was taken and given back on a day, in won: as the PG's file has it, and as it is here."""

    taken_there: int
    taken_here: int
    cancelled_there: int
    cancelled_here: int

    @property
    def agree(self) -> bool:
        """Whether both tell the same."""
        return self.taken_there == self.taken_here and self.cancelled_there == self.cancelled_here


@dataclass(frozen=True, slots=True)
class FinishDay(Write[None]):
    """Mark the file of a day as compared. `complete`: what is missing in it certainly did not happen on that day."""

    merchant_id: str
    channel_id: str
    day: date
    complete: bool
    sums: DaySums
    now: datetime
