"""Findings in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maedal.reconciliation.finding import Finding
from maedal.storage.engine.reading import ROWS_MAX, SqlReads, rows_in
from maedal.storage.findings.reads import FindingFilter
from maedal.storage.findings.rows import finding_of


class SqlFindingReads(SqlReads):
    """The `FindingReads` (see reads.py) of a store in SQL."""

    async def search(self, merchant_id: str, wanted: FindingFilter) -> Sequence[Finding]:
        assert wanted.limit <= ROWS_MAX, "a bounded number of findings"
        values: list[Any] = [merchant_id]
        where = "merchant_id = $1" + (" AND closed_at IS NULL" if wanted.open_only else "")
        for column, value in (("id", wanted.finding_id), ("day", wanted.day and wanted.day.isoformat())):
            if value is not None:
                values.append(value)
                where += f" AND {column} = ${len(values)}"
        if wanted.test_mode is not None:
            values.append(wanted.test_mode)
            where += (
                " AND EXISTS (SELECT 1 FROM channels c WHERE c.merchant_id = $1 AND c.id = findings.channel_id"
                f" AND c.test_mode = ${len(values)})"
            )
        rows = await self._engine.fetch(
            f"SELECT * FROM findings WHERE {where} ORDER BY found_at DESC, id DESC LIMIT {wanted.limit}", *values
        )
        return [finding_of(row) for row in rows]

    async def of_pg_tids(self, merchant_id: str, pg_tids: Sequence[str]) -> Sequence[Finding]:
        rows = await rows_in(
            self._engine, "SELECT * FROM findings WHERE merchant_id = $1 AND pg_tid IN", merchant_id, pg_tids
        )
        return [finding_of(row) for row in rows]
