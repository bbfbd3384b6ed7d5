"""Findings: added once, closed by a person."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.reconciliation.finding import Finding
from maedal.storage.audit.rows import keep_audit_entries
from maedal.storage.engine.steps import Rows, Run, unit
from maedal.storage.findings.rows import ADD_FINDING, finding_values
from maedal.storage.findings.writes import AddFindings, CloseFinding

CLOSE_FINDING = """
UPDATE findings SET closed_at = $3, closed_by = $4, close_reason = $5
 WHERE merchant_id = $1 AND id = $2 AND closed_at IS NULL
RETURNING CAST($6 AS INTEGER) AS item
"""


@unit(AddFindings)
def add_findings(writes: Sequence[AddFindings]) -> Generator[Rows | Run, Any, Sequence[Sequence[Finding]]]:
    """Keep findings that nobody found before."""
    results = []
    for w in writes:
        added = yield Rows(ADD_FINDING, [finding_values(f) for f in w.findings])
        results.append([f for f, rows in zip(w.findings, added, strict=True) if rows])
    return results


@unit(CloseFinding)
def close_findings(writes: Sequence[CloseFinding]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Close each finding that is open."""
    done = yield Rows(
        CLOSE_FINDING,
        [
            (
                w.audit_entry.merchant_id,
                w.finding_id,
                w.audit_entry.happened_at,
                w.audit_entry.who,
                w.audit_entry.reason,
            )
            for w in writes
        ],
    )
    audit_entries = [w.audit_entry for w, rows in zip(writes, done, strict=True) if rows]
    if audit_entries:
        yield keep_audit_entries(audit_entries)
    return [bool(rows) for rows in done]
