"""What is read of findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from maedal.reconciliation.finding import Finding


@dataclass(frozen=True, slots=True)
class FindingFilter:
    """Which of a merchant's findings are looked for, newest first."""

    limit: int
    open_only: bool = True
    day: date | None = None
    finding_id: str | None = None
    test_mode: bool | None = None
    """Of the channel whose file it was found in."""


class FindingReads(Protocol):
    """What is read of findings."""

    async def search(self, merchant_id: str, wanted: FindingFilter) -> Sequence[Finding]: ...
    async def of_pg_tids(self, merchant_id: str, pg_tids: Sequence[str]) -> Sequence[Finding]:
        """Return the findings about any of these ids of the PG."""
        ...


class HasFindings(Protocol):
    @property
    def findings(self) -> FindingReads: ...
