"""Operators and their sessions in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from maedal.operators.invite import Invite
from maedal.operators.operator import Operator
from maedal.operators.passkey import Passkey
from maedal.operators.role import Role
from maedal.operators.session import Session
from maedal.storage.engine.reading import SqlReads
from maedal.storage.operators.rows import invite_of, operator_of, passkey_of, session_of

OPERATORS_MAX = 1000
SESSIONS_MAX = 100
DEMANDED = "EXISTS (SELECT 1 FROM second_step_roles r WHERE r.role = u.role) AS second_step_demanded"
OPERATORS = f"SELECT u.*, {DEMANDED} FROM users u"
INVITED = f"""
SELECT u.*, {DEMANDED}, i.digest, i.expires_at, i.row_seal AS invite_seal
  FROM invites i JOIN users u ON u.id = i.user_id
 WHERE i.digest = $1 AND i.expires_at > $2 AND u.disabled_at IS NULL
"""
SESSION_WITH_OPERATOR = f"""
SELECT s.id AS session_id, s.user_id, s.token_digest, s.half, s.address, s.user_agent, s.created_at AS begun_at,
       s.seen_at, s.expires_at, s.row_seal AS session_seal, u.*, {DEMANDED}
  FROM sessions s JOIN users u ON u.id = s.user_id
 WHERE s.token_digest = $1 AND u.disabled_at IS NULL
"""
SESSIONS = """
SELECT id AS session_id, user_id, token_digest, half, address, user_agent, created_at AS begun_at, seen_at, expires_at,
       row_seal AS session_seal
  FROM sessions WHERE user_id = $1 ORDER BY created_at DESC LIMIT $2
"""
CODES_MAX = 100
CODES = "SELECT digest FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL LIMIT $2"
PASSKEYS_MAX = 100
PASSKEYS = "SELECT * FROM passkeys WHERE user_id = $1 ORDER BY created_at, id LIMIT $2"
KNOWN_PLACE = "SELECT 1 AS known FROM sign_in_places WHERE user_id = $1 AND place = $2 AND last_at >= $3"
CODES_LEFT = "SELECT count(*) AS count FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL"


class SqlOperatorReads(SqlReads):
    """The `OperatorReads` (see reads.py) of a store in SQL."""

    async def all(self) -> Sequence[Operator]:
        rows = await self._engine.fetch(f"{OPERATORS} ORDER BY name_folded LIMIT {OPERATORS_MAX}")
        return [operator_of(row) for row in rows]

    async def find(self, operator_id: str) -> Operator | None:
        rows = await self._engine.fetch(f"{OPERATORS} WHERE id = $1", operator_id)
        return operator_of(rows[0]) if rows else None

    async def find_by_name(self, name: str) -> Operator | None:
        rows = await self._engine.fetch(f"{OPERATORS} WHERE name_folded = $1", name.casefold())
        return operator_of(rows[0]) if rows else None

    async def session(self, token_digests: Sequence[bytes]) -> tuple[Session, Operator] | None:
        for digest in token_digests:
            rows = await self._engine.fetch(SESSION_WITH_OPERATOR, digest)
            if rows:
                return session_of(rows[0]), operator_of(rows[0])
        return None

    async def sessions(self, operator_id: str) -> Sequence[Session]:
        return [session_of(row) for row in await self._engine.fetch(SESSIONS, operator_id, SESSIONS_MAX)]

    async def recovery_codes(self, operator_id: str) -> Sequence[bytes]:
        rows = await self._engine.fetch(CODES, operator_id, CODES_MAX)
        return [bytes(row["digest"]) for row in rows]

    async def passkeys(self, operator_id: str) -> Sequence[Passkey]:
        return [passkey_of(row) for row in await self._engine.fetch(PASSKEYS, operator_id, PASSKEYS_MAX)]

    async def knows_place(self, operator_id: str, places: Sequence[bytes], since: datetime) -> bool:
        for place in places:
            if await self._engine.fetch(KNOWN_PLACE, operator_id, place, since):
                return True
        return False

    async def invited(self, digests: Sequence[bytes], now: datetime) -> tuple[Operator, Invite] | None:
        for digest in digests:
            rows = await self._engine.fetch(INVITED, digest, now)
            if rows:
                return operator_of(rows[0]), invite_of(rows[0])
        return None

    async def second_step_roles(self) -> frozenset[Role]:
        return frozenset(Role(row["role"]) for row in await self._engine.fetch("SELECT role FROM second_step_roles"))

    async def recovery_codes_left(self, operator_id: str) -> int:
        rows = await self._engine.fetch(CODES_LEFT, operator_id)
        count: int = rows[0]["count"]
        return count
