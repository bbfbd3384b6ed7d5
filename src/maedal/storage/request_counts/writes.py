"""What is written about requests that are counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class CountRequests(Write[int]):
    """Add what one process has counted for a subject in a minute; gives the count of all processes."""

    subject: bytes
    """A keyed hash: whose requests they are is nobody's business once they are counted."""
    minute: datetime
    """When it began."""
    count: int

    @property
    def lock_order(self) -> tuple[str, str]:
        return (self.subject.hex(), "")


@dataclass(frozen=True, slots=True)
class SweepRequestCounts(Write[int]):
    """Forget counts of minutes that are over, so many at most; gives how many."""

    before: datetime
    count_max: int
