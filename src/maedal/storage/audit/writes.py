"""What is written to the audit log by itself; everything else is kept beside what was done."""

from __future__ import annotations

from dataclasses import dataclass

from maedal.merchants.audit_entry import AuditEntry
from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class KeepAuditEntry(Write[bool]):
    """Keep an act that changes nothing by itself; gives False when one of this id is kept already."""

    audit_entry: AuditEntry
