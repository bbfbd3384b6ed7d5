"""Acts that are kept once, however often they are written."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.storage.audit.rows import AUDIT_ENTRY_COLUMNS, audit_entry_values
from maedal.storage.audit.writes import KeepAuditEntry
from maedal.storage.engine.steps import Rows, Run, unit

KEEP_AUDIT_ENTRY = (
    f"INSERT INTO audit_log ({', '.join(AUDIT_ENTRY_COLUMNS)})"
    f" VALUES ({', '.join(f'${n + 1}' for n in range(len(AUDIT_ENTRY_COLUMNS)))})"
    f" ON CONFLICT DO NOTHING RETURNING CAST(${len(AUDIT_ENTRY_COLUMNS) + 1} AS INTEGER) AS item"
)


@unit(KeepAuditEntry)
def keep_audit_entries_once(writes: Sequence[KeepAuditEntry]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Keep each act that is not kept already."""
    kept = yield Rows(KEEP_AUDIT_ENTRY, [audit_entry_values(w.audit_entry) for w in writes])
    return [bool(rows) for rows in kept]
