"""Reconciling in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from maedal.payments.attempt import Outcome
from maedal.storage.attempts.rows import attempt_of
from maedal.storage.cancellations.rows import cancellation_of
from maedal.storage.engine.reading import ROWS_MAX, Fetches, SqlReads, moment, rows_in
from maedal.storage.engine.steps import Row
from maedal.storage.payments.queries import SqlPaymentReads
from maedal.storage.reconciliation.reads import AccountSpan, DayState, KeptRow, KnownCancel, KnownCharge
from maedal.storage.reconciliation.rows import day_state_of, kept_row_of


class SqlReconciliationReads(SqlReads):
    """The `ReconciliationReads` (see reads.py) of a store in SQL."""

    def __init__(self, engine: Fetches) -> None:
        super().__init__(engine)
        self._payments = SqlPaymentReads(engine)

    async def days(self, merchant_id: str, channel_id: str, since: date, until: date) -> Sequence[DayState]:
        rows = await self._engine.fetch(
            "SELECT * FROM settlement_days WHERE merchant_id = $1 AND channel_id = $2 AND day >= $3 AND day <= $4"
            f" ORDER BY day LIMIT {ROWS_MAX}",
            merchant_id,
            channel_id,
            since.isoformat(),
            until.isoformat(),
        )
        return [day_state_of(row) for row in rows]

    async def known_charges(self, merchant_id: str, order_ids: Sequence[str]) -> Sequence[KnownCharge]:
        # An order number is the id of the attempt that was given it to the PG: a charge, or the opening of a window.
        supplied = await rows_in(
            self._engine, "SELECT imp_uid FROM attempts WHERE merchant_id = $1 AND id IN", merchant_id, order_ids
        )
        imp_uids = sorted({row["imp_uid"] for row in supplied if row["imp_uid"] is not None})
        rows = await rows_in(
            self._engine,
            "SELECT * FROM attempts WHERE verb IN ('approve', 'charge') AND merchant_id = $1 AND imp_uid IN",
            merchant_id,
            imp_uids,
        )
        return await self._known_charges(merchant_id, rows)

    async def known_at_another_pg(self, span: AccountSpan, order_ids: Sequence[str]) -> Sequence[str]:
        if not order_ids:
            return []
        marks = ", ".join(f"${n}" for n in range(4, 4 + len(order_ids)))
        rows = await self._engine.fetch(
            "SELECT DISTINCT a.id FROM channels c CROSS JOIN attempts a WHERE c.pg_provider = $1"
            " AND c.pg_merchant_id = $2 AND c.merchant_id <> $3 AND a.merchant_id = c.merchant_id"
            f" AND a.id IN ({marks})",
            span.pg_provider,
            span.pg_merchant_id,
            span.merchant_id,
            *order_ids,
        )
        return [row["id"] for row in rows]

    async def kept_rows(self, merchant_id: str, order_ids: Sequence[str], pg_tids: Sequence[str]) -> Sequence[KeptRow]:
        found: dict[tuple[str, str], KeptRow] = {}
        for column, values in (("order_id", order_ids), ("pg_tid", pg_tids)):
            rows = await rows_in(
                self._engine,
                f"SELECT * FROM settlement_rows WHERE merchant_id = $1 AND {column} IN",
                merchant_id,
                values,
            )
            found |= {(row["pg_provider"], row["pg_aid"]): kept_row_of(row) for row in rows}
        return sorted(found.values(), key=lambda kept: (kept.row.happened_at, kept.row.pg_aid))

    async def charges_without_row(
        self, span: AccountSpan, after: tuple[datetime, str], count_max: int
    ) -> Sequence[KnownCharge]:
        assert count_max <= ROWS_MAX, "a bounded number of rows"
        rows = await self._engine.fetch(
            "SELECT a.* FROM attempts a CROSS JOIN payments p WHERE a.merchant_id = $1"
            " AND a.verb IN ('approve', 'charge') AND a.outcome IN ('approved', 'unknown')"
            " AND a.begun_at >= $2 AND a.begun_at < $3 AND (a.begun_at > $4 OR (a.begun_at = $4 AND a.id > $5))"
            " AND p.merchant_id = a.merchant_id AND p.imp_uid = a.imp_uid AND p.pg_provider = $6"
            " AND p.pg_merchant_id = $7 AND p.amount > 0 AND NOT EXISTS (SELECT 1 FROM settlement_rows r"
            " WHERE r.merchant_id = a.merchant_id AND r.order_id = a.order_id AND r.action = 'payment')"
            " ORDER BY a.begun_at, a.id LIMIT $8",
            span.merchant_id,
            span.since,
            span.before,
            *after,
            span.pg_provider,
            span.pg_merchant_id,
            count_max,
        )
        return await self._known_charges(span.merchant_id, rows)

    async def cancels_between(
        self, span: AccountSpan, after: tuple[datetime, str], count_max: int
    ) -> Sequence[KnownCancel]:
        assert count_max <= ROWS_MAX, "a bounded number of rows"
        rows = await self._engine.fetch(
            "SELECT c.* FROM cancellations c CROSS JOIN attempts a CROSS JOIN payments p WHERE c.merchant_id = $1"
            " AND c.begun_at >= $2 AND c.begun_at < $3 AND (c.begun_at > $4 OR (c.begun_at = $4 AND c.id > $5))"
            " AND a.merchant_id = c.merchant_id AND a.id = c.id AND p.merchant_id = c.merchant_id"
            " AND p.imp_uid = c.imp_uid AND p.pg_provider = $6 AND p.pg_merchant_id = $7"
            " AND (c.done_at IS NOT NULL OR a.outcome IS NULL OR a.outcome = 'unknown')"
            " AND (a.proof IS NULL OR a.proof <> 'imported') ORDER BY c.begun_at, c.id LIMIT $8",
            span.merchant_id,
            span.since,
            span.before,
            *after,
            span.pg_provider,
            span.pg_merchant_id,
            count_max,
        )
        imp_uids = [row["imp_uid"] for row in rows]
        payments = {p.imp_uid: p for p in await self._payments.by_ids(span.merchant_id, imp_uids, [])}
        return [KnownCancel(cancellation_of(row), payments[row["imp_uid"]]) for row in rows]

    async def _known_charges(self, merchant_id: str, rows: Sequence[Row]) -> list[KnownCharge]:
        payments = {p.imp_uid: p for p in await self._payments.by_ids(merchant_id, [r["imp_uid"] for r in rows], [])}
        return [
            KnownCharge(
                attempt_of(row),
                payments[row["imp_uid"]],
                Outcome(row["outcome"]) if row["outcome"] else None,
                moment(row["recorded_at"]),
            )
            for row in rows
        ]
