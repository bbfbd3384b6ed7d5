"""Unpaid charges in SQL: each read bounded, and a range of an index."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from maedal.dunning.unpaid import DunningRules, Unpaid
from maedal.storage.dunning.reads import FailedRenewal, PaidAfterAll, Recovered
from maedal.storage.dunning.rows import rules_of, unpaid_of
from maedal.storage.engine.reading import ROWS_MAX, SqlReads, moment_not_null

RULES = "SELECT * FROM dunning_rules WHERE merchant_id = $1"
EVERY_RULES = "SELECT * FROM dunning_rules WHERE merchant_id > $1 ORDER BY merchant_id LIMIT $2"
FAILED = """
SELECT p.imp_uid, p.merchant_uid, p.status_at FROM payments p
 WHERE p.merchant_id = $1 AND p.status = 'failed' AND p.status_at >= $2 AND p.key_use = 'payment.scheduled'
   AND NOT EXISTS (
       SELECT 1 FROM unpaid u
        WHERE u.merchant_id = $1 AND u.merchant_uid = p.merchant_uid AND (u.imp_uid = p.imp_uid OR u.state <> 'open'))
 ORDER BY p.status_at LIMIT $3
"""
FIND = "SELECT * FROM unpaid WHERE merchant_id = $1 AND merchant_uid = $2"
BY_TOKEN = "SELECT * FROM unpaid WHERE token_digest = $1 LIMIT 1"
OPEN = "SELECT * FROM unpaid WHERE merchant_id = $1 AND state = 'open' ORDER BY noticed_at DESC LIMIT $2"
PAID = """
SELECT u.*, p.imp_uid AS payer, p.status_at AS payer_at FROM unpaid u
  JOIN payments p ON p.merchant_id = u.merchant_id AND p.merchant_uid = u.merchant_uid AND p.status = 'paid'
 WHERE u.merchant_id = $1 AND u.state = 'open' LIMIT $2
"""
OVER = "SELECT * FROM unpaid WHERE merchant_id = $1 AND state = 'open' AND expires_at <= $2 LIMIT $3"
RECOVERED = """
SELECT count(*) AS count, CAST(coalesce(sum(amount), 0) AS BIGINT) AS amount FROM unpaid
 WHERE merchant_id = $1 AND test_mode = $2 AND state = 'paid' AND paid_at >= $3 AND paid_at < $4
"""


class SqlDunningReads(SqlReads):
    """The `DunningReads` (see reads.py) of a store in SQL."""

    async def rules(self, merchant_id: str) -> DunningRules | None:
        rows = await self._engine.fetch(RULES, merchant_id)
        return rules_of(rows[0]) if rows else None

    async def every_rules(self, after: str, count_max: int) -> Sequence[DunningRules]:
        assert count_max <= ROWS_MAX, "a bounded number of rows"
        return [rules_of(row) for row in await self._engine.fetch(EVERY_RULES, after, count_max)]

    async def failed_since(self, merchant_id: str, since: datetime, count_max: int) -> Sequence[FailedRenewal]:
        rows = await self._engine.fetch(FAILED, merchant_id, since, count_max)
        return [FailedRenewal(row["imp_uid"], row["merchant_uid"], moment_not_null(row["status_at"])) for row in rows]

    async def find(self, merchant_id: str, merchant_uid: str) -> Unpaid | None:
        rows = await self._engine.fetch(FIND, merchant_id, merchant_uid)
        return unpaid_of(rows[0]) if rows else None

    async def by_token(self, token_digest: bytes) -> Unpaid | None:
        rows = await self._engine.fetch(BY_TOKEN, token_digest)
        return unpaid_of(rows[0]) if rows else None

    async def open(self, merchant_id: str, count_max: int) -> Sequence[Unpaid]:
        return [unpaid_of(row) for row in await self._engine.fetch(OPEN, merchant_id, count_max)]

    async def paid_after_all(self, merchant_id: str, count_max: int) -> Sequence[PaidAfterAll]:
        rows = await self._engine.fetch(PAID, merchant_id, count_max)
        return [PaidAfterAll(unpaid_of(row), row["payer"], moment_not_null(row["payer_at"])) for row in rows]

    async def over(self, merchant_id: str, now: datetime, count_max: int) -> Sequence[Unpaid]:
        return [unpaid_of(row) for row in await self._engine.fetch(OVER, merchant_id, now, count_max)]

    async def recovered(self, merchant_id: str, test_mode: bool, since: datetime, before: datetime) -> Recovered:
        rows = await self._engine.fetch(RECOVERED, merchant_id, test_mode, since, before)
        return Recovered(int(rows[0]["count"]), int(rows[0]["amount"]))
