"""Write a list out: who did it is kept first, then rows come in parts, with how far it has come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol, TypeVar

from maedal.flows.services import ServicesWith
from maedal.merchants.audit_entry import NO_REASON, AuditAction, AuditEntry
from maedal.operators.operator import Operator
from maedal.storage.payment_lists.reads import Export
from maedal.storage.payment_lists.writes import BeginExport, PutExport
from maedal.storage.write import Writes

NOTED_EVERY = timedelta(seconds=1)
KEPT = timedelta(days=1)
_T = TypeVar("_T")


class ExportListStore(Writes, Protocol): ...


async def begin_list_export(
    services: ServicesWith[ExportListStore],
    merchant_id: str,
    operator: Operator,
    export_id: str,
    name: str,
    total: int | None,
    summary: str,
    *,
    kind: AuditAction = AuditAction.EXPORT_LIST,
    exact: bool = True,
) -> Export:
    """Commit that an operator writes out a list, with what the audit log says of it; return the export as it begins.

    `total` is how many rows there are, or with `exact` False at least are; None where nobody has counted.
    """
    now = services.clock.now()
    export = Export(export_id, operator.id, 0, total or 0, exact and total is not None, done=False, seen_at=now)
    entry = AuditEntry(services.ids.row(now), merchant_id, kind, name, operator.name, NO_REASON, "", summary, now)
    await services.store.write(BeginExport(export, entry, now - KEPT))
    return export


async def noted(
    services: ServicesWith[ExportListStore], export: Export, parts: AsyncIterator[Sequence[_T]]
) -> AsyncIterator[Sequence[_T]]:
    """Give the parts of a list as they come, and keep how far it has come."""
    async for part in parts:
        yield part
        now, rows = services.clock.now(), export.rows + len(part)
        is_noted = now - export.seen_at >= NOTED_EVERY
        export = replace(export, rows=rows, seen_at=now if is_noted else export.seen_at)
        if is_noted:
            await services.store.write(PutExport(export))
    await services.store.write(PutExport(replace(export, done=True, seen_at=services.clock.now())))
