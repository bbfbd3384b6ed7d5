"""An entry of the log of operators, now: every flow that changes something about them writes one beside the change."""

from __future__ import annotations

from maedal.flows.services import ServicesWithoutStore
from maedal.operators.operator_audit_entry import OperatorAuditAction, OperatorAuditEntry


def operator_entry(
    services: ServicesWithoutStore, kind: OperatorAuditAction, subject: str, who: str, before: str = "", after: str = ""
) -> OperatorAuditEntry:
    """Return an entry with an id and time of its own; `subject` is the operator's name, or the PG's."""
    now = services.clock.now()
    return OperatorAuditEntry(services.ids.row(now), kind, subject, who, before, after, now)
