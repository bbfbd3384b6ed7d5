"""What is written about differences between a PG and what is here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maedal.merchants.audit_entry import AuditEntry
from maedal.reconciliation.finding import Finding
from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class AddFindings(Write[Sequence[Finding]]):
    """Keep findings; gives those that nobody has found before."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class CloseFinding(Write[bool]):
    """Close a finding, with the act in the audit log; gives False when there is none, or it is closed already."""

    finding_id: str
    audit_entry: AuditEntry
