"""The audit log in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from maedal.merchants.audit_entry import AuditEntry
from maedal.operators.operator_audit_entry import OperatorAuditEntry
from maedal.storage.audit.reads import AuditEntryPage, LogFilter, OperatorEntryPage, Place
from maedal.storage.audit.rows import audit_entry_of, operator_entry_of
from maedal.storage.engine.log_pages import ITEMS_MAX, LOOKED_THROUGH_MAX, Range, Values, newest_rows, page_of
from maedal.storage.engine.reading import SqlReads
from maedal.storage.engine.steps import Row

AUDIT_ENTRIES = "SELECT * FROM audit_log WHERE merchant_id = $1 ORDER BY id DESC LIMIT $2"
AUDIT_ENTRIES_ABOUT = "SELECT * FROM audit_log WHERE merchant_id = $1 AND subject = $2 ORDER BY id DESC LIMIT $3"
AUDIT_ENTRIES_UNDER = "SELECT count(*) AS count FROM audit_log WHERE merchant_id = $1 AND id >= $2 AND id <= $3"


class SqlAuditReads(SqlReads):
    """The `AuditReads` (see reads.py) of a store in SQL."""

    async def entries(self, merchant_id: str, count_max: int) -> Sequence[AuditEntry]:
        return [audit_entry_of(row) for row in await self._engine.fetch(AUDIT_ENTRIES, merchant_id, count_max)]

    async def page(self, merchant_id: str, wanted: LogFilter) -> AuditEntryPage:
        rows, go_on = await self._log("audit_log", Values(merchant_id), "merchant_id = $1", wanted)
        return AuditEntryPage([audit_entry_of(row) for row in rows], go_on)

    async def operator_entries(self, count_max: int) -> Sequence[OperatorAuditEntry]:
        rows = await self._engine.fetch("SELECT * FROM user_log ORDER BY id DESC LIMIT $1", count_max)
        return [operator_entry_of(row) for row in rows]

    async def operator_entry_page(self, wanted: LogFilter) -> OperatorEntryPage:
        rows, go_on = await self._log("user_log", Values(), "TRUE", wanted)
        return OperatorEntryPage([operator_entry_of(row) for row in rows], go_on)

    async def about(self, merchant_id: str, subject: str, count_max: int) -> Sequence[AuditEntry]:
        return [
            audit_entry_of(row)
            for row in await self._engine.fetch(AUDIT_ENTRIES_ABOUT, merchant_id, subject, count_max)
        ]

    async def count_under(self, merchant_id: str, audit_entry_id: str) -> int:
        rows = await self._engine.fetch(
            AUDIT_ENTRIES_UNDER, merchant_id, f"{audit_entry_id}.00000", f"{audit_entry_id}.99999"
        )
        return int(rows[0]["count"])

    async def _log(
        self, table: str, values: Values, merchant_scope: str, wanted: LogFilter
    ) -> tuple[Sequence[Row], Place | None]:
        assert wanted.limit <= ITEMS_MAX, "a bounded number of acts"
        window = merchant_scope
        if wanted.since is not None:
            window += f" AND happened_at >= {values.mark(wanted.since)}"
        if wanted.before is not None:
            window += f" AND happened_at < {values.mark(wanted.before)}"
        if wanted.after is not None:
            window += f" AND (happened_at, id) < ({values.mark(wanted.after[0])}, {values.mark(wanted.after[1])})"
        if wanted.subject is not None:
            window += f" AND subject = {values.mark(wanted.subject)}"
        span = Range(
            newest_rows(table, window, "happened_at", LOOKED_THROUGH_MAX),
            "happened_at",
            tuple(values.all),
            LOOKED_THROUGH_MAX,
        )
        filters = [
            f"found.{column} = {values.mark(value)}"
            for column, value in (("who", wanted.who), ("kind", wanted.kind))
            if value is not None
        ]
        return await page_of(self._engine, "SELECT *", span, filters, wanted.limit, values)
