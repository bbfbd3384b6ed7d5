"""Payments in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from maedal.billing_keys.billing_key import BillingKey
from maedal.payments.moves import Status
from maedal.payments.payment import Payment
from maedal.storage.engine.log_pages import ITEMS_MAX
from maedal.storage.engine.reading import ROWS_MAX, SqlReads, condition, rows_after
from maedal.storage.payments.reads import PastEvent, PaymentFilter, PaymentPage, Sorting
from maedal.storage.payments.rows import past_event_of, payment_of

_ORDERS = {
    Sorting.STARTED: "started_at ASC",
    Sorting.STARTED_NEWEST: "started_at DESC",
    Sorting.PAID: "coalesce(paid_at, '1970-01-01 00:00:00+00:00') ASC",
    Sorting.PAID_NEWEST: "coalesce(paid_at, '1970-01-01 00:00:00+00:00') DESC",
    Sorting.UPDATED: "updated_at ASC",
    Sorting.UPDATED_NEWEST: "updated_at DESC",
}
WITHOUT_TID = """
SELECT * FROM payments WHERE status = 'paid' AND pg_tid IS NULL ORDER BY paid_at LIMIT $1
"""
WITHOUT_TID_OF = """
SELECT * FROM payments WHERE merchant_id = $1 AND status = 'paid' AND pg_tid IS NULL ORDER BY paid_at LIMIT $2
"""
ORDER_WITHOUT_TID = """
SELECT order_id FROM attempts
 WHERE merchant_id = $1 AND imp_uid = $2 AND verb = 'charge' AND outcome = 'approved' AND pg_tid IS NULL
"""
EVENTS = "SELECT * FROM payment_events WHERE merchant_id = $1 AND imp_uid = $2 ORDER BY version"


class SqlPaymentReads(SqlReads):
    """The `PaymentReads` (see reads.py) of a store in SQL."""

    async def find(self, merchant_id: str, imp_uid: str) -> Payment | None:
        rows = await self._engine.fetch(
            "SELECT * FROM payments WHERE merchant_id = $1 AND imp_uid = $2", merchant_id, imp_uid
        )
        return payment_of(rows[0]) if rows else None

    async def find_by_merchant_uid(
        self, merchant_id: str, merchant_uid: str, statuses: Sequence[Status], sorting: Sorting
    ) -> Payment | None:
        marks = ", ".join(f"${n}" for n in range(3, 3 + len(statuses)))
        rows = await self._engine.fetch(
            f"SELECT * FROM payments WHERE merchant_id = $1 AND merchant_uid = $2 AND status IN ({marks})"
            f" AND NOT put_off ORDER BY {_ORDERS[sorting]}, imp_uid LIMIT 1",
            merchant_id,
            merchant_uid,
            *statuses,
        )
        return payment_of(rows[0]) if rows else None

    async def by_ids(
        self, merchant_id: str, imp_uids: Sequence[str], merchant_uids: Sequence[str]
    ) -> Sequence[Payment]:
        found: dict[str, Payment] = {}
        for column, values in (("imp_uid", imp_uids), ("merchant_uid", merchant_uids)):
            if values:
                marks = ", ".join(f"${n}" for n in range(2, 2 + len(values)))
                rows = await self._engine.fetch(
                    f"SELECT * FROM payments WHERE merchant_id = $1 AND {column} IN ({marks})"
                    f" ORDER BY started_at DESC, imp_uid DESC LIMIT {ROWS_MAX}",
                    merchant_id,
                    *values,
                )
                found |= {row["imp_uid"]: payment_of(row) for row in rows}
        return sorted(found.values(), key=lambda p: (p.started_at, p.imp_uid), reverse=True)

    async def find_by_attempt(self, merchant_id: str, attempt_id: str) -> Payment | None:
        rows = await self._engine.fetch(
            "SELECT p.* FROM attempts a JOIN payments p ON p.merchant_id = a.merchant_id AND p.imp_uid = a.imp_uid"
            " WHERE a.merchant_id = $1 AND a.id = $2",
            merchant_id,
            attempt_id,
        )
        return payment_of(rows[0]) if rows else None

    async def page(self, merchant_id: str, wanted: PaymentFilter) -> PaymentPage:
        where, values = condition(
            [merchant_id],
            "merchant_id = $1 AND NOT put_off AND status",
            wanted.statuses,
            ("merchant_uid =", wanted.merchant_uid),
            ("customer_uid =", wanted.customer_uid),
            ("status_at >=", wanted.since),
            ("status_at <=", wanted.until),
        )
        count = await self._engine.fetch(f"SELECT count(*) AS total FROM payments WHERE {where}", *values)
        n = len(values)
        rows = await self._engine.fetch(
            f"SELECT * FROM payments WHERE {where} ORDER BY {_ORDERS[wanted.sorting]}, imp_uid"
            f" LIMIT CAST(${n + 1} AS BIGINT) OFFSET CAST(${n + 2} AS BIGINT)",
            *values,
            wanted.limit,
            (wanted.page - 1) * wanted.limit,
        )
        return PaymentPage(count[0]["total"], [payment_of(row) for row in rows])

    async def after(self, merchant_id: str, imp_uid: str, count_max: int) -> Sequence[Payment]:
        return [
            payment_of(row)
            for row in await rows_after(self._engine, "payments", "imp_uid", merchant_id, imp_uid, count_max)
        ]

    async def of_key(self, merchant_id: str, key: BillingKey, limit: int) -> Sequence[Payment]:
        rows = await self._engine.fetch(
            "SELECT * FROM payments WHERE merchant_id = $1 AND customer_uid = $2 AND billing_key_id = $3"
            " ORDER BY started_at DESC LIMIT $4",
            merchant_id,
            key.customer_uid,
            key.id,
            limit,
        )
        return [payment_of(row) for row in rows]

    async def issue_of_key(self, merchant_id: str, key: BillingKey) -> Payment | None:
        rows = await self._engine.fetch(
            "SELECT * FROM payments WHERE merchant_id = $1 AND customer_uid = $2 AND billing_key_id = $3"
            " AND key_use = 'issue' ORDER BY started_at LIMIT 1",
            merchant_id,
            key.customer_uid,
            key.id,
        )
        return payment_of(rows[0]) if rows else None

    async def without_tid(self, count_max: int) -> Sequence[Payment]:
        return [payment_of(row) for row in await self._engine.fetch(WITHOUT_TID, count_max)]

    async def without_tid_of(self, merchant_id: str, count_max: int) -> Sequence[Payment]:
        rows = await self._engine.fetch(WITHOUT_TID_OF, merchant_id, min(count_max, ITEMS_MAX))
        return [payment_of(row) for row in rows]

    async def order_without_tid(self, merchant_id: str, imp_uid: str) -> str | None:
        rows = await self._engine.fetch(ORDER_WITHOUT_TID, merchant_id, imp_uid)
        return str(rows[0]["order_id"]) if rows else None

    async def due_undos(self, due: datetime, count_max: int) -> Sequence[Payment]:
        rows = await self._engine.fetch(
            "SELECT * FROM payments WHERE undo_at IS NOT NULL AND undo_at <= $1 ORDER BY undo_at LIMIT $2",
            due,
            count_max,
        )
        return [payment_of(row) for row in rows]

    async def events(self, merchant_id: str, imp_uid: str) -> Sequence[PastEvent]:
        rows = await self._engine.fetch(EVENTS, merchant_id, imp_uid)
        return [past_event_of(row) for row in rows]
