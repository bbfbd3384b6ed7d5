"""What is written for the lists of payments that people look through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maedal.merchants.audit_entry import AuditEntry
from maedal.storage.payment_lists.reads import Export, SavedView
from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class IndexTexts(Write[int]):
    """Let payments that changed be found by what they are now, up to `count_max` of them; gives how many there were."""

    count_max: int


@dataclass(frozen=True, slots=True)
class PutView(Write[None]):
    """Keep a view; one of the same name of the same operator is replaced."""

    view: SavedView
    audit_entry: AuditEntry


@dataclass(frozen=True, slots=True)
class DropView(Write[bool]):
    """Forget a view; gives False when there is none."""

    view: SavedView
    audit_entry: AuditEntry


@dataclass(frozen=True, slots=True)
class PutColumns(Write[None]):
    """Keep which columns an operator wants to see in lists of payments."""

    operator_id: str
    columns: str


@dataclass(frozen=True, slots=True)
class BeginExport(Write[None]):
    """Keep that a list begins to be written out, and who did it."""

    export: Export
    audit_entry: AuditEntry
    forget_before: datetime
    """The operator's exports from before this are forgotten."""


@dataclass(frozen=True, slots=True)
class PutExport(Write[None]):
    """Keep how far it has come."""

    export: Export
