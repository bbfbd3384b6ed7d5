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
 WHERE merchant_id = $1 AND outcome = 'unknown' AND verb IN ('approve', 'charge', 'cancel'){of_mode}
 ORDER BY begun_at LIMIT $2
"""
# Whether a row is of the mode that is the last value of the question.
OF_PAYMENT = """
 AND EXISTS (SELECT 1 FROM payments p WHERE p.merchant_id = $1 AND p.imp_uid = {table}.imp_uid AND p.test_mode = {mode})
"""
OF_CHANNEL = (
    " AND EXISTS (SELECT 1 FROM channels c WHERE c.merchant_id = $1 AND c.id = findings.channel_id"
    " AND c.test_mode = $3)"
)
OF_KEY = (
    " AND EXISTS (SELECT 1 FROM billing_keys k WHERE k.merchant_id = $1 AND k.id = key_endings.billing_key_id"
    " AND k.test_mode = $3)"
)

# Made good by a cancel that was begun later, or by one that left nothing.
REFUSED_REFUNDS = """
verb = 'cancel' AND outcome = 'declined' AND recorded_at >= $2
 AND EXISTS (SELECT 1 FROM payments p WHERE p.merchant_id = $1 AND p.imp_uid = attempts.imp_uid
             AND p.cancelled_amount < p.amount)
 AND NOT EXISTS (SELECT 1 FROM attempts l WHERE l.merchant_id = $1 AND l.imp_uid = attempts.imp_uid
                 AND l.verb = 'cancel' AND (l.begun_at, l.id) > (attempts.begun_at, attempts.id))
"""


def _counts(*, of_mode: bool) -> str:
    """Return the question how much is open: each is counted in an index of open items alone, up to a bound."""
    of = {
        "attempts": OF_PAYMENT.format(table="attempts", mode="$3"),
        "payments": " AND test_mode = $3",
        "findings": OF_CHANNEL,
        "key_endings": OF_KEY,
        "webhook_deliveries": OF_PAYMENT.format(table="webhook_deliveries", mode="$3"),
    }
    open_items = {
        "unknown": ("attempts", "outcome = 'unknown' AND verb IN ('approve', 'charge', 'cancel')"),
        "without_tid": ("payments", "status = 'paid' AND pg_tid IS NULL"),
        "findings": ("findings", "closed_at IS NULL"),
        "key_endings": ("key_endings", "ended_at IS NULL"),
        "webhooks": ("webhook_deliveries", "state = 'failed' AND created_at >= $2"),
        "refunds": ("attempts", REFUSED_REFUNDS),
    }
    parts = [
        f"(SELECT count(*) FROM (SELECT 1 FROM {table} WHERE merchant_id = $1 AND {condition}"
        f"{of[table] if of_mode else ''} LIMIT {COUNT_MAX + 1}) bounded) AS {name}"
        for name, (table, condition) in open_items.items()
    ]
    return f"SELECT {', '.join(parts)}"


COUNTS, COUNTS_OF_MODE = _counts(of_mode=False), _counts(of_mode=True)


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

    async def of_merchant(
        self, merchant_id: str, count_max: int, test_mode: bool | None = None
    ) -> Sequence[UnknownCall]:
        of_mode = "" if test_mode is None else OF_PAYMENT.format(table="attempts", mode="$3")
        mode = () if test_mode is None else (test_mode,)
        sql = UNKNOWN.format(of_mode=of_mode)
        rows = await self._engine.fetch(sql, merchant_id, min(count_max, ITEMS_MAX), *mode)
        if not rows:
            return []
        values = Values(merchant_id)
        marks = values.marks(sorted({row["imp_uid"] for row in rows}))
        found = await self._engine.fetch(
            f"SELECT * FROM payments WHERE merchant_id = $1 AND imp_uid IN ({marks})", *values.all
        )
        payments = {row["imp_uid"]: payment_of(row) for row in found}
        return [_unknown_call_of(row, payments[row["imp_uid"]]) for row in rows]

    async def open_counts(self, merchant_id: str, since: datetime, test_mode: bool | None = None) -> OpenCounts:
        if test_mode is None:
            [row] = await self._engine.fetch(COUNTS, merchant_id, since)
        else:
            [row] = await self._engine.fetch(COUNTS_OF_MODE, merchant_id, since, test_mode)
        return OpenCounts(
            row["unknown"], row["without_tid"], row["findings"], row["key_endings"], row["webhooks"], row["refunds"]
        )

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
