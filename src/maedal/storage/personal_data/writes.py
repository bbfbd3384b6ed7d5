"""What is erased of buyers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maedal.merchants.audit_entry import AuditEntry
from maedal.storage.personal_data.reads import Counts, Traces
from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class EraseBuyers(Write[Counts]):
    """Erase what these rows, and what hangs on them, tell of buyers; gives how many told something.

    What is still under way is left alone. Windows, webhook answers, kept answers and search texts of the payments go
    along.
    """

    merchant_id: str
    traces: Traces
    now: datetime
    audit_entry: AuditEntry
