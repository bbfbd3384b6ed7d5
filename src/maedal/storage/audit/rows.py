"""Acts and deeds as the audit log keeps them, written beside what they did."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from maedal.merchants.audit_entry import AuditAction, AuditEntry
from maedal.operators.operator_audit_entry import OperatorAuditAction, OperatorAuditEntry
from maedal.storage.engine.reading import moment, moment_not_null
from maedal.storage.engine.steps import Row, Run, insert

AUDIT_ENTRY_COLUMNS = (
    "merchant_id",
    "id",
    "kind",
    "subject",
    "who",
    "reason",
    "fact_before",
    "fact_after",
    "happened_at",
)
OPERATOR_ENTRY_COLUMNS = ("id", "kind", "subject", "who", "fact_before", "fact_after", "happened_at")
INSERT_AUDIT_ENTRY = insert("audit_log", AUDIT_ENTRY_COLUMNS)
INSERT_OPERATOR_ENTRY = insert("user_log", OPERATOR_ENTRY_COLUMNS)


def audit_entry_values(audit_entry: AuditEntry) -> tuple[Any, ...]:
    return (
        audit_entry.merchant_id,
        audit_entry.id,
        audit_entry.kind,
        audit_entry.subject,
        audit_entry.who,
        audit_entry.reason,
        audit_entry.before,
        audit_entry.after,
        audit_entry.happened_at,
    )


def keep_audit_entries(audit_entries: Iterable[AuditEntry | None]) -> Run:
    """Return the step that keeps those acts that are there."""
    return Run(
        INSERT_AUDIT_ENTRY,
        [audit_entry_values(audit_entry) for audit_entry in audit_entries if audit_entry is not None],
    )


def audit_entry_of(row: Row) -> AuditEntry:
    happened_at = moment(row["happened_at"])
    assert happened_at is not None, "the column is never null"
    return AuditEntry(
        id=row["id"],
        merchant_id=row["merchant_id"],
        kind=AuditAction(row["kind"]),
        subject=row["subject"],
        who=row["who"],
        reason=row["reason"],
        before=row["fact_before"],
        after=row["fact_after"],
        happened_at=happened_at,
    )


def operator_entry_values(d: OperatorAuditEntry) -> tuple[Any, ...]:
    return (d.id, d.kind, d.subject, d.who, d.before, d.after, d.happened_at)


def operator_entry_of(row: Row) -> OperatorAuditEntry:
    return OperatorAuditEntry(
        id=row["id"],
        kind=OperatorAuditAction(row["kind"]),
        subject=row["subject"],
        who=row["who"],
        before=row["fact_before"],
        after=row["fact_after"],
        happened_at=moment_not_null(row["happened_at"]),
    )
