"""Cancels in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from maedal.payments.cancellation import Cancellation
from maedal.storage.cancellations.rows import cancellation_of
from maedal.storage.engine.reading import ROWS_MAX, SqlReads


class SqlCancellationReads(SqlReads):
    """The `CancellationReads` (see reads.py) of a store in SQL."""

    async def of_payments(self, merchant_id: str, imp_uids: Sequence[str]) -> Sequence[Cancellation]:
        assert len(imp_uids) <= ROWS_MAX, "a bounded number of payments"
        if not imp_uids:
            return []
        marks = ", ".join(f"${n}" for n in range(2, 2 + len(imp_uids)))
        rows = await self._engine.fetch(
            f"SELECT * FROM cancellations WHERE merchant_id = $1 AND imp_uid IN ({marks}) ORDER BY begun_at, id",
            merchant_id,
            *imp_uids,
        )
        return [cancellation_of(row) for row in rows]

    async def has_open(self, merchant_id: str, imp_uid: str) -> bool:
        rows = await self._engine.fetch(
            "SELECT 1 FROM attempts WHERE merchant_id = $1 AND imp_uid = $2 AND verb = 'cancel'"
            " AND (outcome IS NULL OR outcome = 'unknown')",
            merchant_id,
            imp_uid,
        )
        return bool(rows)
