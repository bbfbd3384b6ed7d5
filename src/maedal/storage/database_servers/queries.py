"""Database servers in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from maedal.storage.database_servers.reads import DatabaseServer, UnseenApproval
from maedal.storage.database_servers.rows import server_of, unseen_of
from maedal.storage.engine.reading import SqlReads

HERE = "SELECT s.* FROM database_servers s WHERE s.id = (SELECT {server})"
UNSEEN = """
SELECT k.customer_uid, u.approved_at, u.found_at, k.last_approved_at
  FROM unseen_approvals u JOIN billing_keys k ON k.merchant_id = u.merchant_id AND k.id = u.billing_key_id
 WHERE u.merchant_id = $1 AND u.found_at >= $2 ORDER BY u.approved_at LIMIT $3
"""


class SqlDatabaseServerReads(SqlReads):
    """The `DatabaseServerReads` (see reads.py) of a store in SQL."""

    async def current(self) -> DatabaseServer | None:
        rows = await self._engine.fetch(HERE)
        return server_of(rows[0]) if rows else None

    async def unseen_approvals(self, merchant_id: str, since: datetime, count_max: int) -> Sequence[UnseenApproval]:
        return [unseen_of(row) for row in await self._engine.fetch(UNSEEN, merchant_id, since, count_max)]
