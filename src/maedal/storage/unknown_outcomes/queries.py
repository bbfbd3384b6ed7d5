"""Unknown outcomes in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from maedal.payments.payment import Payment
from maedal.storage.attempts.rows import attempt_of
from maedal.storage.engine.log_pages import ITEMS_MAX, Values
from maedal.storage.engine.reading import Fetches, SqlReads, moment
from maedal.storage.engine.steps import Row
from maedal.storage.payments.queries import SqlPaymentReads
from maedal.storage.payments.rows import payment_of
from maedal.storage.unknown_outcomes.reads import COUNT_MAX, OpenAttempt, OpenCounts, UnknownCall

UNKNOWN = """
SELECT * FROM attempts
 WHERE merchant_id = $1 AND outcome = 'unknown' AND verb IN ('approve', 'charge', 'cancel')
 ORDER BY begun_at LIMIT $2
"""
# Each is counted in an index of open items alone, up to a bound.
COUNTS = f"""
SELECT
 (SELECT count(*) FROM (SELECT 1 FROM attempts WHERE merchant_id = $1 AND outcome = 'unknown'
   AND verb IN ('approve', 'charge', 'cancel') LIMIT {COUNT_MAX + 1}) bounded) AS unknown,
 (SELECT count(*) FROM (SELECT 1 FROM payments WHERE merchant_id = $1 AND status = 'paid' AND pg_tid IS NULL
   LIMIT {COUNT_MAX + 1}) bounded) AS without_tid,
 (SELECT count(*) FROM (SELECT 1 FROM findings WHERE merchant_id = $1 AND closed_at IS NULL
   LIMIT {COUNT_MAX + 1}) bounded) AS findings,
 (SELECT count(*) FROM (SELECT 1 FROM key_endings WHERE merchant_id = $1 AND ended_at IS NULL
   LIMIT {COUNT_MAX + 1}) bounded) AS key_endings,
 (SELECT count(*) FROM (SELECT 1 FROM webhook_deliveries WHERE merchant_id = $1 AND state = 'failed'
   AND created_at >= $2 LIMIT {COUNT_MAX + 1}) bounded) AS webhooks
"""


class SqlUnknownOutcomeReads(SqlReads):
    """The `UnknownOutcomeReads` (see reads.py) of a store in SQL."""

    def __init__(self, engine: Fetches) -> None:
        super().__init__(engine)
        self._payments = SqlPaymentReads(engine)

    async def unanswered(self, begun_before: datetime, count_max: int) -> Sequence[OpenAttempt]:
        rows = await self._engine.fetch(
            "SELECT * FROM attempts WHERE outcome IS NULL AND begun_at < $1 AND verb <> 'deactivate'"
            " ORDER BY begun_at LIMIT $2",
            begun_before,
            count_max,
        )
        return [await self._open_attempt(row) for row in rows]

    async def due(self, due: datetime, count_max: int) -> Sequence[OpenAttempt]:
        rows = await self._engine.fetch(
            "SELECT * FROM attempts WHERE outcome = 'unknown' AND verb IN ('approve', 'charge', 'cancel')"
            " AND look_at <= $1 ORDER BY look_at LIMIT $2",
            due,
            count_max,
        )
        return [await self._open_attempt(row) for row in rows]

    async def of_payment(self, merchant_id: str, imp_uid: str) -> OpenAttempt | None:
        rows = await self._engine.fetch(
            "SELECT * FROM attempts WHERE merchant_id = $1 AND imp_uid = $2 AND outcome = 'unknown'"
            " AND verb IN ('approve', 'charge', 'cancel') LIMIT 1",
            merchant_id,
            imp_uid,
        )
        return await self._open_attempt(rows[0]) if rows else None

    async def of_merchant(self, merchant_id: str, count_max: int) -> Sequence[UnknownCall]:
        rows = await self._engine.fetch(UNKNOWN, merchant_id, min(count_max, ITEMS_MAX))
        if not rows:
            return []
        values = Values(merchant_id)
        marks = values.marks(sorted({row["imp_uid"] for row in rows}))
        found = await self._engine.fetch(
            f"SELECT * FROM payments WHERE merchant_id = $1 AND imp_uid IN ({marks})", *values.all
        )
        payments = {row["imp_uid"]: payment_of(row) for row in found}
        return [_unknown_call_of(row, payments[row["imp_uid"]]) for row in rows]

    async def open_counts(self, merchant_id: str, webhooks_since: datetime) -> OpenCounts:
        [row] = await self._engine.fetch(COUNTS, merchant_id, webhooks_since)
        return OpenCounts(row["unknown"], row["without_tid"], row["findings"], row["key_endings"], row["webhooks"])

    async def _open_attempt(self, row: Row) -> OpenAttempt:
        payment = await self._payments.find(row["merchant_id"], row["imp_uid"]) if row["imp_uid"] else None
        return OpenAttempt(
            attempt_of(row),
            payment,
            moment(row["approved_before"]),
            moment(row["look_at"]),
            row["code"],
            bool(row["approved_before_in_reply"]),
        )


def _unknown_call_of(row: Row, payment: Payment) -> UnknownCall:
    recorded_at = moment(row["recorded_at"])
    assert recorded_at is not None, "an outcome that is unknown was recorded as such"
    return UnknownCall(
        attempt=attempt_of(row),
        payment=payment,
        recorded_at=recorded_at,
        code=row["code"],
        message=row["message"],
        approved_before=moment(row["approved_before"]),
        approved_before_in_reply=bool(row["approved_before_in_reply"]),
        looks=row["looks"],
        looked_at=moment(row["looked_at"]),
        look_saw=row["look_saw"],
        approved_after=moment(row["look_approved_at"]),
        look_at=moment(row["look_at"]),
    )
