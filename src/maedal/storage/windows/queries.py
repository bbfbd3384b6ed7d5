"""Windows in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from maedal.payments.payment import Payment
from maedal.payments.window import Window
from maedal.storage.engine.reading import SqlReads
from maedal.storage.payments.rows import payment_of
from maedal.storage.windows.rows import window_of

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


class SqlWindowReads(SqlReads):
    """The `WindowReads` (see reads.py) of a store in SQL."""

    async def find(self, merchant_id: str, imp_uid: str) -> Window | None:
        rows = await self._engine.fetch(
            "SELECT * FROM windows WHERE merchant_id = $1 AND imp_uid = $2", merchant_id, imp_uid
        )
        return window_of(rows[0]) if rows else None

    async def sealed_pg_token(self, merchant_id: str, imp_uid: str) -> bytes | None:
        rows = await self._engine.fetch(
            "SELECT sealed_pg_token FROM windows WHERE merchant_id = $1 AND imp_uid = $2", merchant_id, imp_uid
        )
        return bytes(rows[0]["sealed_pg_token"]) if rows and rows[0]["sealed_pg_token"] is not None else None

    async def expired(self, before: datetime, count_max: int, after: datetime | None = None) -> Sequence[Payment]:
        # Windows of every PG live less than a day; the bound keeps the scan to the index of open ones.
        rows = await self._engine.fetch(
            "SELECT p.* FROM payments p JOIN windows w ON w.merchant_id = p.merchant_id AND w.imp_uid = p.imp_uid"
            " WHERE p.status = 'ready' AND p.started_at < $1 AND p.started_at > $3 AND w.expires_at < $1"
            " ORDER BY p.started_at LIMIT $2",
            before,
            count_max,
            after or BEGINNING,
        )
        return [payment_of(row) for row in rows]
