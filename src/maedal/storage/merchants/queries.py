"""Merchants in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from maedal.merchants.go_live import KeptCheck
from maedal.merchants.merchant import ApiKey, Merchant
from maedal.merchants.token import TokenOwner
from maedal.storage.engine.reading import ROWS_MAX, SqlReads, moment, moment_not_null
from maedal.storage.merchants.rows import api_key_of, kept_check_of, merchant_of, scopes_of

OWNER_OF = """
SELECT merchant_id, api_key, token_issued_at AS issued_at, token_expires_at AS expires_at, last_used_at,
       scopes
  FROM api_keys WHERE token_digest = $1
 UNION ALL
SELECT merchant_id, api_key, old_token_issued_at, old_token_expires_at, last_used_at, scopes
  FROM api_keys WHERE old_token_digest = $1
"""
KEPT_CHECKS = "SELECT * FROM live_checks WHERE merchant_id = $1 LIMIT 100"


class SqlMerchantReads(SqlReads):
    """The `MerchantReads` (see reads.py) of a store in SQL."""

    async def find(self, code: str) -> Merchant | None:
        rows = await self._engine.fetch("SELECT * FROM merchants WHERE code = $1", code)
        return merchant_of(rows[0]) if rows else None

    async def all(self) -> Sequence[Merchant]:
        rows = await self._engine.fetch(f"SELECT * FROM merchants ORDER BY code LIMIT {ROWS_MAX}")
        return [merchant_of(row) for row in rows]

    async def api_key(self, api_key: str) -> ApiKey | None:
        rows = await self._engine.fetch("SELECT * FROM api_keys WHERE api_key_folded = $1", api_key.casefold())
        return api_key_of(rows[0]) if rows else None

    async def api_keys(self, merchant_id: str) -> Sequence[ApiKey]:
        rows = await self._engine.fetch(
            f"SELECT * FROM api_keys WHERE merchant_id = $1 ORDER BY api_key LIMIT {ROWS_MAX}", merchant_id
        )
        return sorted((api_key_of(row) for row in rows), key=lambda key: (key.created_at, key.api_key))

    async def token_owner(self, token_digests: Sequence[bytes]) -> TokenOwner | None:
        for digest in token_digests:
            rows = await self._engine.fetch(OWNER_OF, digest)
            if rows:
                row = rows[0]
                life = moment_not_null(row["issued_at"]), moment_not_null(row["expires_at"])
                return TokenOwner(
                    row["merchant_id"],
                    row["api_key"],
                    *life,
                    moment(row["last_used_at"]),
                    scopes_of(row["scopes"]),
                )
        return None

    async def live_checks(self, merchant_ids: Sequence[str]) -> Sequence[KeptCheck]:
        found = []
        for merchant_id in merchant_ids:
            rows = await self._engine.fetch(KEPT_CHECKS, merchant_id)
            found += [kept_check_of(row) for row in rows]
        return found
