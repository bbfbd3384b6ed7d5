"""What is read of the audit log: acts in a merchant's matters, and deeds in those of the operators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from maedal.merchants.audit_entry import AuditAction, AuditEntry
from maedal.operators.operator_audit_entry import OperatorAuditAction, OperatorAuditEntry

Place = tuple[datetime, str]
"""Where a list by time goes on: after the row of this moment and id."""


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which acts or deeds are looked for, newest first; `since` inclusive, `before` not."""

    limit: int
    who: str | None = None
    kind: AuditAction | OperatorAuditAction | None = None
    subject: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class AuditEntryPage:
    """Acts in a merchant's matters, and where to go on when there may be more."""

    rows: Sequence[AuditEntry]
    next: Place | None


@dataclass(frozen=True, slots=True)
class OperatorEntryPage:
    """What was done about operators, and where to go on when there may be more."""

    rows: Sequence[OperatorAuditEntry]
    next: Place | None


class AuditReads(Protocol):
    """What is read of the audit log."""

    async def entries(self, merchant_id: str, count_max: int) -> Sequence[AuditEntry]:
        """Return the newest acts in a merchant's matters, newest first."""
        ...

    async def page(self, merchant_id: str, wanted: LogFilter) -> AuditEntryPage: ...
    async def operator_entries(self, count_max: int) -> Sequence[OperatorAuditEntry]:
        """Return the newest of what was done about operators, newest first."""
        ...

    async def operator_entry_page(self, wanted: LogFilter) -> OperatorEntryPage: ...
    async def about(self, merchant_id: str, subject: str, count_max: int) -> Sequence[AuditEntry]:
        """Return the newest acts about one thing, newest first."""
        ...

    async def count_under(self, merchant_id: str, audit_entry_id: str) -> int:
        """Return how many acts were done under an id that was drawn for several."""
        ...


class HasAudit(Protocol):
    @property
    def audit(self) -> AuditReads: ...
