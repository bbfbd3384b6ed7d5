"""Keep who takes a log along as a file, before its first row goes out: in the log itself."""

from __future__ import annotations

from typing import Protocol

from maedal.flows.merchant_entry import audit_entry_of
from maedal.flows.operator_entry import operator_entry
from maedal.flows.services import ServicesWith
from maedal.merchants.audit_entry import AuditAction
from maedal.operators.operator_audit_entry import OperatorAuditAction
from maedal.storage.audit.writes import KeepAuditEntry
from maedal.storage.operators.writes import KeepOperatorEntry
from maedal.storage.write import Writes

LOG = "log"


class ExportLogsStore(Writes, Protocol): ...


async def note_audit_log_export(
    services: ServicesWith[ExportLogsStore], merchant_id: str, who: str, summary: str
) -> None:
    """Keep that somebody takes a merchant's audit log along; `summary` says how and which of it, as `name=value; …`."""
    entry = audit_entry_of(services, merchant_id, AuditAction.EXPORT_LOG, LOG, who, ("", summary))
    await services.store.write(KeepAuditEntry(entry))


async def note_operator_log_export(services: ServicesWith[ExportLogsStore], who: str, summary: str) -> None:
    """Keep that somebody takes the log of operators along."""
    entry = operator_entry(services, OperatorAuditAction.EXPORT_LOG, LOG, who, "", summary)
    await services.store.write(KeepOperatorEntry(entry))
