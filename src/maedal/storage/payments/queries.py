"""Payments in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from maedal.billing_keys.billing_key import BillingKey
from maedal.payments.moves import Status
from maedal.payments.payment import Payment
from maedal.storage.engine.log_pages import ITEMS_MAX
from maedal.storage.engine.reading import ROWS_MAX, SqlReads, condition, rows_after
from maedal.storage.payments.reads import (
    CUSTOMER_PAYMENTS_MAX,
    CustomerSums,
    PastEvent,
    PaymentFilter,
    PaymentPage,
    Sorting,
)
from maedal.storage.payments.rows import past_event_of, payment_of

_ORDERS = {
    Sorting.STARTED: "started_at ASC",
    Sorting.STARTED_NEWEST: "started_at DESC",
    Sorting.PAID: "coalesce(paid_at, '1970-01-01 00:00:00+00:00') ASC",
    Sorting.PAID_NEWEST: "coalesce(paid_at, '1970-01-01 00:00:00+00:00') DESC",
    Sorting.UPDATED: "updated_at ASC",
    Sorting.UPDATED_NEWEST: "updated_at DESC",
}
# The same orders where no index is to be walked: it would be read from its end until rows of the span come.
_UNWALKED = _ORDERS | {
    Sorting.STARTED: "coalesce(started_at, updated_at) ASC",
    Sorting.STARTED_NEWEST: "coalesce(started_at, updated_at) DESC",
}
# A paid payment came to its status when it was paid, and these are in the order of an index.
_PAID_ALONE = {Sorting.PAID: "status_at ASC", Sorting.PAID_NEWEST: "status_at DESC"}
SORTED_MAX = 20_000
"""Of so many rows a page is sorted; of more, the newest are walked from the end where the span ends there."""
NEWER = """
SELECT count(*) AS newer FROM (SELECT started_at FROM payments WHERE merchant_id = $1 AND started_at > $2 LIMIT $3) AS t
"""
NEWER_MAX = 10_000
"""So many payments that are newer than a span are walked over before its own come."""
WITHOUT_TID = """
SELECT * FROM payments WHERE status = 'paid' AND pg_tid IS NULL ORDER BY paid_at LIMIT $1
"""
WITHOUT_TID_OF = """
SELECT * FROM payments
 WHERE merchant_id = $1 AND status = 'paid' AND pg_tid IS NULL{of_mode} ORDER BY paid_at LIMIT $2
"""
ORDER_WITHOUT_TID = """
SELECT order_id FROM attempts
 WHERE merchant_id = $1 AND imp_uid = $2 AND verb = 'charge' AND outcome = 'approved' AND pg_tid IS NULL
"""
SUMS_OF_CUSTOMER = """
SELECT count(*) AS seen, coalesce(sum(CASE WHEN paid_at IS NOT NULL AND amount > 0 THEN 1 ELSE 0 END), 0) AS paid_count,
       coalesce(sum(CASE WHEN paid_at IS NOT NULL THEN amount ELSE 0 END), 0) AS taken,
       coalesce(sum(cancelled_amount), 0) AS refunded,
       coalesce(sum(CASE WHEN status = 'failed' THEN 1 ELSE 0 END), 0) AS failed_count
  FROM (SELECT status, amount, cancelled_amount, paid_at FROM payments
         WHERE merchant_id = $1 AND customer_uid = $2{of_mode} ORDER BY started_at DESC LIMIT $3) bounded
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
            "merchant_id = $1 AND status",
            wanted.statuses,
            ("merchant_uid =", wanted.merchant_uid),
            ("customer_uid =", wanted.customer_uid),
            ("status_at >=", wanted.since),
            ("status_at <=", wanted.until),
        )
        # How many rows a span has decides how its page is found.
        fetch = self._engine.fetch if wanted.until is None else self._engine.fetch_planned
        # Whether a payment was put off is in no index that a span is counted by; these few are counted apart.
        counted = "SELECT count(*) FROM payments WHERE"
        count = await fetch(f"SELECT ({counted} {where}) - ({counted} {where} AND put_off) AS total", *values)
        total = int(count[0]["total"])
        n = len(values)
        rows = await fetch(
            f"SELECT * FROM payments WHERE {where} AND NOT put_off"
            f" ORDER BY {await self._order(merchant_id, wanted, total)}, imp_uid"
            f" LIMIT CAST(${n + 1} AS BIGINT) OFFSET CAST(${n + 2} AS BIGINT)",
            *values,
            wanted.limit,
            (wanted.page - 1) * wanted.limit,
        )
        return PaymentPage(total, [payment_of(row) for row in rows])

    async def _order(self, merchant_id: str, wanted: PaymentFilter, total: int) -> str:
        """Return the order of a page, so written that it is found by the index that finds it soonest."""
        if wanted.until is None:
            return _ORDERS[wanted.sorting]
        if tuple(wanted.statuses) == (Status.PAID,) and wanted.sorting in _PAID_ALONE:
            return _PAID_ALONE[wanted.sorting]
        if wanted.sorting is not Sorting.STARTED_NEWEST or total <= SORTED_MAX:
            return _UNWALKED[wanted.sorting]
        rows = await self._engine.fetch(NEWER, merchant_id, wanted.until, NEWER_MAX + 1)
        return (_ORDERS if rows[0]["newer"] <= NEWER_MAX else _UNWALKED)[wanted.sorting]

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

    async def of_customer(
        self, merchant_id: str, customer_uid: str, limit: int, test_mode: bool | None = None
    ) -> Sequence[Payment]:
        assert limit <= ROWS_MAX, "a bounded number of payments"
        of_mode, mode = _of_mode(test_mode, 4)
        rows = await self._engine.fetch(
            f"SELECT * FROM payments WHERE merchant_id = $1 AND customer_uid = $2{of_mode}"
            " ORDER BY started_at DESC LIMIT $3",
            merchant_id,
            customer_uid,
            limit,
            *mode,
        )
        return [payment_of(row) for row in rows]

    async def last_failure_of(
        self, merchant_id: str, customer_uid: str, test_mode: bool | None = None
    ) -> Payment | None:
        of_mode, mode = _of_mode(test_mode, 3)
        rows = await self._engine.fetch(
            f"SELECT * FROM payments WHERE merchant_id = $1 AND customer_uid = $2 AND status = 'failed'{of_mode}"
            " ORDER BY started_at DESC LIMIT 1",
            merchant_id,
            customer_uid,
            *mode,
        )
        return payment_of(rows[0]) if rows else None

    async def sums_of_customer(
        self, merchant_id: str, customer_uid: str, test_mode: bool | None = None
    ) -> CustomerSums:
        of_mode, mode = _of_mode(test_mode, 4)
        [row] = await self._engine.fetch(
            SUMS_OF_CUSTOMER.format(of_mode=of_mode), merchant_id, customer_uid, CUSTOMER_PAYMENTS_MAX, *mode
        )
        return CustomerSums(
            int(row["paid_count"]),
            int(row["taken"]),
            int(row["refunded"]),
            int(row["failed_count"]),
            row["seen"] < CUSTOMER_PAYMENTS_MAX,
        )

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

    async def without_tid_of(
        self, merchant_id: str, count_max: int, test_mode: bool | None = None
    ) -> Sequence[Payment]:
        of_mode, mode = _of_mode(test_mode, 3)
        sql = WITHOUT_TID_OF.format(of_mode=of_mode)
        rows = await self._engine.fetch(sql, merchant_id, min(count_max, ITEMS_MAX), *mode)
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


def _of_mode(test_mode: bool | None, number: int) -> tuple[str, tuple[bool, ...]]:
    """Return the condition that a payment is of a mode, which is the value of that number; none for all modes."""
    return ("", ()) if test_mode is None else (f" AND test_mode = ${number}", (test_mode,))
