"""Calls to a PG in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from maedal.payments.attempt import Outcome, Proof
from maedal.storage.attempts.reads import PastAttempt
from maedal.storage.attempts.rows import attempt_of
from maedal.storage.engine.reading import SqlReads, moment

ATTEMPTS_MAX = 200
ATTEMPTS = "SELECT * FROM attempts WHERE merchant_id = $1 AND imp_uid = $2 ORDER BY begun_at, id LIMIT $3"


class SqlAttemptReads(SqlReads):
    """The `AttemptReads` (see reads.py) of a store in SQL."""

    async def of_payment(self, merchant_id: str, imp_uid: str) -> Sequence[PastAttempt]:
        rows = await self._engine.fetch(ATTEMPTS, merchant_id, imp_uid, ATTEMPTS_MAX)
        return [
            PastAttempt(
                attempt_of(row),
                Outcome(row["outcome"]) if row["outcome"] else None,
                Proof(row["proof"]) if row["proof"] else None,
                row["pg_tid"],
                row["code"],
                row["message"],
                moment(row["recorded_at"]),
            )
            for row in rows
        ]
