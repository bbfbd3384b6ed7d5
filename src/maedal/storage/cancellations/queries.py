"""Cancels in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from maedal.payments.cancellation import Cancellation
from maedal.storage.cancellations.reads import CancellationFilter, RefusedRefund
from maedal.storage.cancellations.rows import cancellation_of
from maedal.storage.engine.reading import ROWS_MAX, SqlReads, moment_not_null
from maedal.storage.payments.rows import payment_of

# Looked for among the refused ones alone; of several refusals of one payment the last counts.
REFUSED_SINCE = """
SELECT p.*, a.amount AS refused_amount, a.code AS refused_code, a.message AS refused_message,
       a.recorded_at AS refused_at
  FROM attempts a JOIN payments p ON p.merchant_id = a.merchant_id AND p.imp_uid = a.imp_uid
 WHERE a.merchant_id = $1 AND a.verb = 'cancel' AND a.outcome = 'declined' AND a.recorded_at >= $2{of_mode}
   AND p.cancelled_amount < p.amount
   AND NOT EXISTS (SELECT 1 FROM attempts l WHERE l.merchant_id = a.merchant_id AND l.imp_uid = a.imp_uid
                   AND l.verb = 'cancel' AND (l.begun_at, l.id) > (a.begun_at, a.id))
 ORDER BY a.recorded_at DESC LIMIT $3
"""


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

    async def search(
        self, merchant_id: str, wanted: CancellationFilter, limit: int, after: tuple[datetime, str] | None = None
    ) -> Sequence[Cancellation]:
        assert limit <= ROWS_MAX, "a bounded number of rows"
        where, values = _where(merchant_id, wanted)
        if after is not None:
            values += after
            where += f" AND (c.begun_at, c.id) < (${len(values) - 1}, ${len(values)})"
        rows = await self._engine.fetch(
            f"SELECT c.* FROM cancellations c WHERE {where} ORDER BY c.begun_at DESC, c.id DESC LIMIT {limit}", *values
        )
        return [cancellation_of(row) for row in rows]

    async def count(self, merchant_id: str, wanted: CancellationFilter, count_max: int) -> int:
        where, values = _where(merchant_id, wanted)
        rows = await self._engine.fetch(
            f"SELECT count(*) AS count FROM (SELECT 1 FROM cancellations c WHERE {where} LIMIT {count_max}) t", *values
        )
        return int(rows[0]["count"])

    async def refused_since(
        self, merchant_id: str, since: datetime, count_max: int, test_mode: bool | None = None
    ) -> Sequence[RefusedRefund]:
        mode = () if test_mode is None else (test_mode,)
        sql = REFUSED_SINCE.format(of_mode="" if test_mode is None else " AND p.test_mode = $4")
        rows = await self._engine.fetch(sql, merchant_id, since, min(count_max, ROWS_MAX), *mode)
        return [
            RefusedRefund(
                payment_of(row),
                row["refused_amount"],
                row["refused_code"],
                row["refused_message"],
                moment_not_null(row["refused_at"]),
            )
            for row in rows
        ]

    async def has_open(self, merchant_id: str, imp_uid: str) -> bool:
        rows = await self._engine.fetch(
            "SELECT 1 FROM attempts WHERE merchant_id = $1 AND imp_uid = $2 AND verb = 'cancel'"
            " AND (outcome IS NULL OR outcome = 'unknown')",
            merchant_id,
            imp_uid,
        )
        return bool(rows)


def _where(merchant_id: str, wanted: CancellationFilter) -> tuple[str, list[Any]]:
    values: list[Any] = [merchant_id, wanted.since, wanted.before]
    where = "c.merchant_id = $1 AND c.begun_at >= $2 AND c.begun_at < $3"
    if wanted.test_mode is not None:
        values.append(wanted.test_mode)
        where += (
            " AND EXISTS (SELECT 1 FROM payments p WHERE p.merchant_id = c.merchant_id AND p.imp_uid = c.imp_uid"
            " AND p.test_mode = $4)"
        )
    return where, values
