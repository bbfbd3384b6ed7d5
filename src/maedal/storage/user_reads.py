"""Reads of users and sessions, over any engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from maedal.operators.deed import Deed
from maedal.operators.operator import Operator
from maedal.operators.session import Session
from maedal.storage.sql import users as sql
from maedal.storage.sql.steps import Row

USERS_MAX = 1000
SESSIONS_MAX = 100


class Fetches(Protocol):
    """What reads rows."""

    async def fetch(self, sql: str, *values: Any) -> Sequence[Row]: ...


class SqlUserReads:
    """The `UserReads` (see users.py) of a store."""

    engine: Fetches

    async def users(self) -> Sequence[Operator]:
        rows = await self.engine.fetch(f"SELECT * FROM users ORDER BY name_folded LIMIT {USERS_MAX}")
        return [sql.user_of(row) for row in rows]

    async def user(self, user_id: str) -> Operator | None:
        rows = await self.engine.fetch("SELECT * FROM users WHERE id = $1", user_id)
        return sql.user_of(rows[0]) if rows else None

    async def user_named(self, name: str) -> Operator | None:
        rows = await self.engine.fetch("SELECT * FROM users WHERE name_folded = $1", name.casefold())
        return sql.user_of(rows[0]) if rows else None

    async def session(self, token_digests: Sequence[bytes]) -> tuple[Session, Operator] | None:
        for digest in token_digests:
            rows = await self.engine.fetch(sql.SESSION_WITH_USER, digest)
            if rows:
                return sql.session_of(rows[0]), sql.user_of(rows[0])
        return None

    async def sessions(self, user_id: str) -> Sequence[Session]:
        return [sql.session_of(row) for row in await self.engine.fetch(sql.SESSIONS, user_id, SESSIONS_MAX)]

    async def recovery_codes_left(self, user_id: str) -> int:
        rows = await self.engine.fetch(sql.CODES_LEFT, user_id)
        count: int = rows[0]["count"]
        return count

    async def deeds(self, count_max: int) -> Sequence[Deed]:
        rows = await self.engine.fetch("SELECT * FROM user_log ORDER BY id DESC LIMIT $1", count_max)
        return [sql.deed_of(row) for row in rows]
