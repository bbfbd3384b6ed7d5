"""What is written about times in which a PG is closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maedal.maintenance.pause import Pause
from maedal.operators.operator_audit_entry import OperatorAuditEntry
from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class AddPause(Write[None]):
    """Keep a window that a person entered."""

    pause: Pause
    operator_entry: OperatorAuditEntry


@dataclass(frozen=True, slots=True)
class EndPause(Write[Pause | None]):
    """End a window now, or take it back if it has not begun; gives it as it was, or None if there is none."""

    pause_id: str
    now: datetime
    operator_entry: OperatorAuditEntry


@dataclass(frozen=True, slots=True)
class NotePause(Write[bool]):
    """Keep that the PG said it is closed; gives False when that is known for this moment already."""

    pause: Pause
