"""An entry of a merchant's audit log about a change of its settings, now."""

from __future__ import annotations

from maedal.flows.services import ServicesWithoutStore
from maedal.merchants.audit_entry import NO_REASON, AuditAction, AuditEntry


def audit_entry_of(
    services: ServicesWithoutStore,
    merchant_id: str,
    kind: AuditAction,
    subject: str,
    who: str,
    facts: tuple[str, str] = ("", ""),
) -> AuditEntry:
    """Return what the audit log is to keep of a change of settings: before and after, and who made it."""
    now = services.clock.now()
    return AuditEntry(services.ids.row(now), merchant_id, kind, subject, who, NO_REASON, *facts, now)
