"""Registered amounts in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from maedal.payments.money import Currency
from maedal.payments.prepared import PreparedAmount
from maedal.storage.engine.reading import SqlReads, rows_after
from maedal.storage.engine.steps import Row


class SqlPreparedAmountReads(SqlReads):
    """The `PreparedAmountReads` (see reads.py) of a store in SQL."""

    async def find(self, merchant_id: str, merchant_uid: str) -> PreparedAmount | None:
        rows = await self._engine.fetch(
            "SELECT * FROM prepared_amounts WHERE merchant_id = $1 AND merchant_uid = $2", merchant_id, merchant_uid
        )
        return _prepared_of(rows[0]) if rows else None

    async def after(self, merchant_id: str, merchant_uid: str, count_max: int) -> Sequence[PreparedAmount]:
        rows = await rows_after(self._engine, "prepared_amounts", "merchant_uid", merchant_id, merchant_uid, count_max)
        return [_prepared_of(row) for row in rows]


def _prepared_of(row: Row) -> PreparedAmount:
    currency = Currency(row["currency"]) if row["currency"] else None
    return PreparedAmount(row["merchant_id"], row["merchant_uid"], row["amount"], currency, row["customer_uid"])
