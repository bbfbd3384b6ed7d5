"""The store, over any engine: reads are index ranges with a bound, writes go to the engine's units."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Protocol

from maedal.billing_keys.billing_key import BillingKey, KeyEnd
from maedal.billing_keys.ending import KeyEnding, PendingEnding
from maedal.merchants.act import Act
from maedal.merchants.channel import Channel
from maedal.merchants.merchant import ApiKey, Merchant
from maedal.merchants.token import TokenOwner
from maedal.payments.attempt import Outcome
from maedal.payments.cancellation import Cancellation
from maedal.payments.money import Currency
from maedal.payments.moves import Status
from maedal.payments.payment import Payment
from maedal.payments.prepared import PreparedAmount
from maedal.payments.window import Window
from maedal.reconciliation.finding import Finding
from maedal.schedules.schedule import Schedule
from maedal.storage.desk_reads import SqlDeskReads
from maedal.storage.export_reads import SqlExportReads
from maedal.storage.figure_reads import SqlFigureReads
from maedal.storage.keyring_reads import SqlKeyringReads
from maedal.storage.maintenance_reads import SqlMaintenanceReads
from maedal.storage.merchant_settings_reads import SqlSettingsReads
from maedal.storage.payment_list_reads import SqlPaymentListReads
from maedal.storage.plan_reads import SqlPlanReads
from maedal.storage.server_reads import SqlServerReads
from maedal.storage.sql import audit, watching
from maedal.storage.sql.billing_keys import CHARGE_OPEN
from maedal.storage.sql.imports import CLASHES
from maedal.storage.sql.reconciling import day_state_of, finding_of, kept_row_of
from maedal.storage.sql.rows import (
    api_key_of,
    attempt_of,
    cancellation_of,
    channel_of,
    ending_of,
    key_of,
    merchant_of,
    moment,
    past_event_of,
    payment_of,
    schedule_of,
    told_of,
    window_of,
)
from maedal.storage.sql.steps import Row
from maedal.storage.standing import warnings
from maedal.storage.store import (
    AccountSpan,
    DayState,
    FindingWish,
    ImportClash,
    Invariant,
    KeptRow,
    KnownCancel,
    KnownCharge,
    NotMigrated,
    OpenAttempt,
    OpenWork,
    Page,
    PageWish,
    PastEvent,
    SchedulePage,
    ScheduleWish,
    ServerIdentity,
    Sorting,
    Standing,
    StoreError,
    StoreHealth,
    ToldWish,
    Violation,
    Waiting,
    Write,
)
from maedal.storage.user_reads import SqlUserReads
from maedal.storage.waiting_reads import SqlWaitingReads
from maedal.webhooks.webhook import DeliveryLog

_ORDERS = {
    Sorting.STARTED: "started_at ASC",
    Sorting.STARTED_NEWEST: "started_at DESC",
    Sorting.PAID: "coalesce(paid_at, '1970-01-01 00:00:00+00:00') ASC",
    Sorting.PAID_NEWEST: "coalesce(paid_at, '1970-01-01 00:00:00+00:00') DESC",
    Sorting.UPDATED: "updated_at ASC",
    Sorting.UPDATED_NEWEST: "updated_at DESC",
}
ROWS_MAX = 1000
HEALTH_SECONDS = 3.0
"""How long the database may take to answer a question about its health."""


class Engine(Protocol):
    """One database: rows out, units in."""

    name: str

    @property
    def on_connect(self) -> list[Callable[[ServerIdentity], None]]: ...
    async def open(self) -> None: ...
    async def standing(self) -> Standing: ...
    async def close(self) -> None: ...
    async def write(self, write: Any) -> Any: ...
    async def fetch(self, sql: str, *values: Any) -> Sequence[Row]: ...
    async def fetch_planned(self, sql: str, *values: Any) -> Sequence[Row]: ...
    def snapshot(self) -> AbstractAsyncContextManager[Engine]: ...


OWNER_OF = """
SELECT merchant_id, api_key, token_expires_at AS expires_at, last_used_at FROM api_keys WHERE token_digest = $1
 UNION ALL
SELECT merchant_id, api_key, old_token_expires_at, last_used_at FROM api_keys WHERE old_token_digest = $1
"""


class SqlStore(
    SqlUserReads,
    SqlSettingsReads,
    SqlExportReads,
    SqlPlanReads,
    SqlKeyringReads,
    SqlDeskReads,
    SqlPaymentListReads,
    SqlFigureReads,
    SqlMaintenanceReads,
    SqlServerReads,
    SqlWaitingReads,
):
    """A `Store` (see store.py) kept in SQL."""

    def __init__(self, engine: Engine, schema_version: str) -> None:
        self.engine: Engine = engine
        self._schema_version = schema_version

    def on_connect(self, listen: Callable[[ServerIdentity], None]) -> None:
        """Have `listen` called with whom each new connection leads to, before anything is asked over it."""
        self.engine.on_connect.append(listen)

    async def open(self) -> None:
        await self.engine.open()

    async def close(self) -> None:
        await self.engine.close()

    async def write(self, write: Write) -> Any:
        return await self.engine.write(write)

    async def merchant(self, code: str) -> Merchant | None:
        rows = await self.engine.fetch("SELECT * FROM merchants WHERE code = $1", code)
        return merchant_of(rows[0]) if rows else None

    async def merchants(self) -> Sequence[Merchant]:
        rows = await self.engine.fetch(f"SELECT * FROM merchants ORDER BY code LIMIT {ROWS_MAX}")
        return [merchant_of(row) for row in rows]

    async def api_key(self, api_key: str) -> ApiKey | None:
        rows = await self.engine.fetch("SELECT * FROM api_keys WHERE api_key_folded = $1", api_key.casefold())
        return api_key_of(rows[0]) if rows else None

    async def token_owner(self, token_digests: Sequence[bytes]) -> TokenOwner | None:
        for digest in token_digests:
            rows = await self.engine.fetch(OWNER_OF, digest)
            if rows:
                row = rows[0]
                expires_at = moment(row["expires_at"])
                assert expires_at is not None, "a digest has an expiry"
                return TokenOwner(row["merchant_id"], row["api_key"], expires_at, moment(row["last_used_at"]))
        return None

    async def channels(self, merchant_id: str) -> Sequence[Channel]:
        rows = await self.engine.fetch(
            f"SELECT * FROM channels WHERE merchant_id = $1 ORDER BY created_at, id LIMIT {ROWS_MAX}", merchant_id
        )
        return [channel_of(row) for row in rows]

    async def payment(self, merchant_id: str, imp_uid: str) -> Payment | None:
        rows = await self.engine.fetch(
            "SELECT * FROM payments WHERE merchant_id = $1 AND imp_uid = $2", merchant_id, imp_uid
        )
        return payment_of(rows[0]) if rows else None

    async def payment_of(
        self, merchant_id: str, merchant_uid: str, statuses: Sequence[Status], sorting: Sorting
    ) -> Payment | None:
        marks = ", ".join(f"${n}" for n in range(3, 3 + len(statuses)))
        rows = await self.engine.fetch(
            f"SELECT * FROM payments WHERE merchant_id = $1 AND merchant_uid = $2 AND status IN ({marks})"
            f" AND NOT put_off ORDER BY {_ORDERS[sorting]}, imp_uid LIMIT 1",
            merchant_id,
            merchant_uid,
            *statuses,
        )
        return payment_of(rows[0]) if rows else None

    async def payments_by_ids(
        self, merchant_id: str, imp_uids: Sequence[str], merchant_uids: Sequence[str]
    ) -> Sequence[Payment]:
        found: dict[str, Payment] = {}
        for column, values in (("imp_uid", imp_uids), ("merchant_uid", merchant_uids)):
            if values:
                marks = ", ".join(f"${n}" for n in range(2, 2 + len(values)))
                rows = await self.engine.fetch(
                    f"SELECT * FROM payments WHERE merchant_id = $1 AND {column} IN ({marks})"
                    f" ORDER BY started_at DESC, imp_uid DESC LIMIT {ROWS_MAX}",
                    merchant_id,
                    *values,
                )
                found |= {row["imp_uid"]: payment_of(row) for row in rows}
        return sorted(found.values(), key=lambda p: (p.started_at, p.imp_uid), reverse=True)

    async def page(self, merchant_id: str, wanted: PageWish) -> Page:
        where, values = _where(
            [merchant_id],
            "merchant_id = $1 AND NOT put_off AND status",
            wanted.statuses,
            ("merchant_uid =", wanted.merchant_uid),
            ("customer_uid =", wanted.customer_uid),
            ("status_at >=", wanted.since),
            ("status_at <=", wanted.until),
        )
        count = await self.engine.fetch(f"SELECT count(*) AS total FROM payments WHERE {where}", *values)
        n = len(values)
        rows = await self.engine.fetch(
            f"SELECT * FROM payments WHERE {where} ORDER BY {_ORDERS[wanted.sorting]}, imp_uid"
            f" LIMIT CAST(${n + 1} AS BIGINT) OFFSET CAST(${n + 2} AS BIGINT)",
            *values,
            wanted.limit,
            (wanted.page - 1) * wanted.limit,
        )
        return Page(count[0]["total"], [payment_of(row) for row in rows])

    async def cancellations(self, merchant_id: str, imp_uids: Sequence[str]) -> Sequence[Cancellation]:
        assert len(imp_uids) <= ROWS_MAX, "a bounded number of payments"
        if not imp_uids:
            return []
        marks = ", ".join(f"${n}" for n in range(2, 2 + len(imp_uids)))
        rows = await self.engine.fetch(
            f"SELECT * FROM cancellations WHERE merchant_id = $1 AND imp_uid IN ({marks}) ORDER BY begun_at, id",
            merchant_id,
            *imp_uids,
        )
        return [cancellation_of(row) for row in rows]

    async def prepared(self, merchant_id: str, merchant_uid: str) -> PreparedAmount | None:
        rows = await self.engine.fetch(
            "SELECT * FROM prepared_amounts WHERE merchant_id = $1 AND merchant_uid = $2", merchant_id, merchant_uid
        )
        return _prepared_of(rows[0]) if rows else None

    async def schedule(self, merchant_id: str, merchant_uid: str) -> Schedule | None:
        rows = await self.engine.fetch(
            "SELECT * FROM schedules WHERE merchant_id = $1 AND merchant_uid = $2", merchant_id, merchant_uid
        )
        found = await self._with_payments(merchant_id, rows)
        return found[0] if found else None

    async def planned_tries(self, merchant_id: str, count_max: int) -> Sequence[Schedule]:
        assert count_max <= ROWS_MAX, "a bounded number of rows"
        rows = await self.engine.fetch(
            "SELECT * FROM schedules WHERE merchant_id = $1 AND next_try_at IS NOT NULL"
            " ORDER BY next_try_at, merchant_uid LIMIT $2",
            merchant_id,
            count_max,
        )
        return await self._with_payments(merchant_id, rows)

    async def schedules(self, merchant_id: str, wanted: ScheduleWish) -> SchedulePage:
        where, values = _where(
            [merchant_id, wanted.since, wanted.before],
            "merchant_id = $1 AND schedule_at >= $2 AND schedule_at < $3 AND status",
            wanted.statuses,
            ("customer_uid =", wanted.customer_uid),
        )
        count = await self.engine.fetch(f"SELECT count(*) AS total FROM schedules WHERE {where}", *values)
        n = len(values)
        rows = await self.engine.fetch(
            f"SELECT * FROM schedules WHERE {where}"
            f" ORDER BY schedule_at {'ASC' if wanted.oldest_first else 'DESC'}, merchant_uid"
            f" LIMIT CAST(${n + 1} AS BIGINT) OFFSET CAST(${n + 2} AS BIGINT)",
            *values,
            wanted.limit,
            (wanted.page - 1) * wanted.limit,
        )
        return SchedulePage(count[0]["total"], await self._with_payments(merchant_id, rows))

    async def _with_payments(self, merchant_id: str, rows: Sequence[Row]) -> list[Schedule]:
        schedules = [schedule_of(row) for row in rows]
        executed = [s.imp_uid for s in schedules if s.imp_uid is not None]
        payments = {p.imp_uid: p for p in await self.payments_by_ids(merchant_id, executed, [])}
        return [replace(s, payment=payments.get(s.imp_uid) if s.imp_uid else None) for s in schedules]

    async def told(self, merchant_id: str, wanted: ToldWish) -> Sequence[DeliveryLog]:
        where, values = _where(
            [merchant_id],
            "merchant_id = $1 AND state",
            wanted.states,
            ("id =", wanted.delivery_id),
            ("imp_uid =", wanted.imp_uid),
            ("created_at >=", wanted.since),
        )
        assert wanted.limit <= ROWS_MAX, "a bounded number of webhooks"
        rows = await self.engine.fetch(
            f"SELECT * FROM webhook_deliveries WHERE {where} ORDER BY created_at DESC, id DESC LIMIT {wanted.limit}",
            *values,
        )
        if not rows:
            return []
        marks = ", ".join(f"${n}" for n in range(2, 2 + len(rows)))
        tries = await self.engine.fetch(
            f"SELECT * FROM webhook_tries WHERE merchant_id = $1 AND delivery_id IN ({marks})"
            " ORDER BY delivery_id, number",
            merchant_id,
            *(row["id"] for row in rows),
        )
        made: dict[str, list[Row]] = {}
        for row in tries:
            made.setdefault(row["delivery_id"], []).append(row)
        return [told_of(row, made.get(row["id"], ())) for row in rows]

    async def untried(self, merchant_id: str, imp_uid: str, told_by: datetime) -> bool:
        rows = await self.engine.fetch(
            "SELECT 1 FROM webhook_deliveries WHERE merchant_id = $1 AND imp_uid = $2 AND state = 'waiting'"
            " AND tries = 0 AND created_at <= $3 LIMIT 1",
            merchant_id,
            imp_uid,
            told_by,
        )
        return bool(rows)

    async def window(self, merchant_id: str, imp_uid: str) -> Window | None:
        rows = await self.engine.fetch(
            "SELECT * FROM windows WHERE merchant_id = $1 AND imp_uid = $2", merchant_id, imp_uid
        )
        return window_of(rows[0]) if rows else None

    async def sealed_pg_token(self, merchant_id: str, imp_uid: str) -> bytes | None:
        rows = await self.engine.fetch(
            "SELECT sealed_pg_token FROM windows WHERE merchant_id = $1 AND imp_uid = $2", merchant_id, imp_uid
        )
        return bytes(rows[0]["sealed_pg_token"]) if rows and rows[0]["sealed_pg_token"] is not None else None

    async def expired_windows(self, before: datetime, count_max: int) -> Sequence[Payment]:
        # Windows of every PG live less than a day; the bound keeps the scan to the index of open ones.
        rows = await self.engine.fetch(
            "SELECT p.* FROM payments p JOIN windows w ON w.merchant_id = p.merchant_id AND w.imp_uid = p.imp_uid"
            " WHERE p.status = 'ready' AND p.started_at < $1 AND w.expires_at < $1 ORDER BY p.started_at LIMIT $2",
            before,
            count_max,
        )
        return [payment_of(row) for row in rows]

    async def billing_keys(self, merchant_id: str, customer_uids: Sequence[str]) -> Sequence[BillingKey]:
        marks = ", ".join(f"${n}" for n in range(2, 2 + len(customer_uids)))
        rows = await self.engine.fetch(
            f"SELECT * FROM billing_keys WHERE merchant_id = $1 AND customer_uid IN ({marks}) AND ended_at IS NULL",
            merchant_id,
            *customer_uids,
        )
        return [key_of(row) for row in rows]

    async def billing_key_by_id(self, merchant_id: str, billing_key_id: str) -> BillingKey | None:
        rows = await self.engine.fetch(
            "SELECT * FROM billing_keys WHERE merchant_id = $1 AND id = $2", merchant_id, billing_key_id
        )
        return key_of(rows[0]) if rows else None

    async def billing_key(self, merchant_id: str, customer_uid: str) -> BillingKey | None:
        rows = await self.engine.fetch(
            "SELECT * FROM billing_keys WHERE merchant_id = $1 AND customer_uid = $2 AND ended_at IS NULL",
            merchant_id,
            customer_uid,
        )
        return key_of(rows[0]) if rows else None

    async def due_key_endings(self, now: datetime, count_max: int) -> Sequence[KeyEnding]:
        rows = await self.engine.fetch(
            f"SELECT * FROM key_endings e WHERE ended_at IS NULL AND due_at <= $1 AND NOT {CHARGE_OPEN}"
            " ORDER BY due_at LIMIT $2",
            now,
            count_max,
        )
        return [ending_of(row) for row in rows]

    async def pending_key_endings(self, count_max: int) -> Sequence[PendingEnding]:
        rows = await self.engine.fetch(
            "SELECT e.merchant_id, e.attempt_id, e.billing_key_id, e.tries, e.due_at, k.customer_uid, k.ended_by,"
            f" {CHARGE_OPEN} AS charge_open, t.outcome, t.code, t.message FROM key_endings e"
            " JOIN billing_keys k ON k.merchant_id = e.merchant_id AND k.id = e.billing_key_id"
            " JOIN attempts t ON t.merchant_id = e.merchant_id AND t.id = e.attempt_id"
            " WHERE e.ended_at IS NULL ORDER BY e.due_at LIMIT $1",
            count_max,
        )
        return [
            PendingEnding(
                ending=ending_of(row),
                customer_uid=row["customer_uid"],
                ended_by=KeyEnd(row["ended_by"]),
                charge_open=bool(row["charge_open"]),
                outcome=Outcome(row["outcome"]) if row["outcome"] else None,
                code=row["code"],
                message=row["message"],
            )
            for row in rows
        ]

    async def unanswered(self, begun_before: datetime, count_max: int) -> Sequence[OpenAttempt]:
        rows = await self.engine.fetch(
            "SELECT * FROM attempts WHERE outcome IS NULL AND begun_at < $1 AND verb <> 'deactivate'"
            " ORDER BY begun_at LIMIT $2",
            begun_before,
            count_max,
        )
        return [await self._open_attempt(row) for row in rows]

    async def unknown(self, due: datetime, count_max: int) -> Sequence[OpenAttempt]:
        rows = await self.engine.fetch(
            "SELECT * FROM attempts WHERE outcome = 'unknown' AND verb IN ('approve', 'charge', 'cancel')"
            " AND look_at <= $1 ORDER BY look_at LIMIT $2",
            due,
            count_max,
        )
        return [await self._open_attempt(row) for row in rows]

    async def due_undos(self, due: datetime, count_max: int) -> Sequence[Payment]:
        rows = await self.engine.fetch(
            "SELECT * FROM payments WHERE undo_at IS NOT NULL AND undo_at <= $1 ORDER BY undo_at LIMIT $2",
            due,
            count_max,
        )
        return [payment_of(row) for row in rows]

    async def unknown_of(self, merchant_id: str, imp_uid: str) -> OpenAttempt | None:
        rows = await self.engine.fetch(
            "SELECT * FROM attempts WHERE merchant_id = $1 AND imp_uid = $2 AND outcome = 'unknown'"
            " AND verb IN ('approve', 'charge', 'cancel') LIMIT 1",
            merchant_id,
            imp_uid,
        )
        return await self._open_attempt(rows[0]) if rows else None

    async def without_tid(self, count_max: int) -> Sequence[Payment]:
        return [payment_of(row) for row in await self.engine.fetch(audit.WITHOUT_TID, count_max)]

    async def order_without_tid(self, merchant_id: str, imp_uid: str) -> str | None:
        rows = await self.engine.fetch(audit.ORDER_WITHOUT_TID, merchant_id, imp_uid)
        return str(rows[0]["order_id"]) if rows else None

    async def payment_of_attempt(self, merchant_id: str, attempt_id: str) -> Payment | None:
        rows = await self.engine.fetch(
            "SELECT p.* FROM attempts a JOIN payments p ON p.merchant_id = a.merchant_id AND p.imp_uid = a.imp_uid"
            " WHERE a.merchant_id = $1 AND a.id = $2",
            merchant_id,
            attempt_id,
        )
        return payment_of(rows[0]) if rows else None

    async def events(self, merchant_id: str, imp_uid: str) -> Sequence[PastEvent]:
        rows = await self.engine.fetch(audit.EVENTS, merchant_id, imp_uid)
        return [past_event_of(row) for row in rows]

    async def acts(self, merchant_id: str, count_max: int) -> Sequence[Act]:
        return [audit.act_of(row) for row in await self.engine.fetch(audit.ACTS, merchant_id, count_max)]

    async def _open_attempt(self, row: Row) -> OpenAttempt:
        payment = await self.payment(row["merchant_id"], row["imp_uid"]) if row["imp_uid"] else None
        return OpenAttempt(
            attempt_of(row),
            payment,
            moment(row["approved_before"]),
            moment(row["look_at"]),
            row["code"],
            bool(row["approved_before_in_reply"]),
        )

    async def staged(self, digest: str) -> int:
        rows = await self.engine.fetch("SELECT staged FROM import_files WHERE digest = $1", digest)
        return int(rows[0]["staged"]) if rows else 0

    async def import_clash(self, digest: str) -> ImportClash | None:
        for clash in CLASHES:
            rows = await self.engine.fetch(clash.sql, digest)
            if rows:
                return ImportClash(clash.section, rows[0]["position"], clash.field, clash.text)
        return None

    async def open_charge(self, merchant_id: str, billing_key_id: str) -> bool:
        rows = await self.engine.fetch(
            "SELECT 1 FROM attempts WHERE merchant_id = $1 AND billing_key_id = $2 AND verb = 'charge'"
            " AND (outcome IS NULL OR outcome = 'unknown')",
            merchant_id,
            billing_key_id,
        )
        return bool(rows)

    async def ended_key_charged_since(self, merchant_id: str, customer_uid: str) -> datetime | None:
        # Few charges of a merchant are under way at once; a customer may have had many keys.
        rows = await self.engine.fetch(
            "SELECT a.begun_at FROM attempts a CROSS JOIN billing_keys k WHERE a.merchant_id = $1 AND a.verb = 'charge'"
            " AND a.outcome IS NULL AND k.merchant_id = a.merchant_id AND k.id = a.billing_key_id"
            " AND k.customer_uid = $2 AND k.ended_at IS NOT NULL ORDER BY a.begun_at DESC LIMIT 1",
            merchant_id,
            customer_uid,
        )
        return moment(rows[0]["begun_at"]) if rows else None

    async def open_cancel(self, merchant_id: str, imp_uid: str) -> bool:
        rows = await self.engine.fetch(
            "SELECT 1 FROM attempts WHERE merchant_id = $1 AND imp_uid = $2 AND verb = 'cancel'"
            " AND (outcome IS NULL OR outcome = 'unknown')",
            merchant_id,
            imp_uid,
        )
        return bool(rows)

    async def api_keys(self, merchant_id: str) -> Sequence[ApiKey]:
        rows = await self.engine.fetch(
            f"SELECT * FROM api_keys WHERE merchant_id = $1 ORDER BY api_key LIMIT {ROWS_MAX}", merchant_id
        )
        return [api_key_of(row) for row in rows]

    async def payments_after(self, merchant_id: str, imp_uid: str, count_max: int) -> Sequence[Payment]:
        return [payment_of(row) for row in await self._after("payments", "imp_uid", merchant_id, imp_uid, count_max)]

    async def billing_keys_after(self, merchant_id: str, billing_key_id: str, count_max: int) -> Sequence[BillingKey]:
        rows = await self._after("billing_keys", "id", merchant_id, billing_key_id, count_max)
        return [key_of(row) for row in rows]

    async def schedules_after(self, merchant_id: str, merchant_uid: str, count_max: int) -> Sequence[Schedule]:
        rows = await self._after("schedules", "merchant_uid", merchant_id, merchant_uid, count_max)
        return await self._with_payments(merchant_id, rows)

    async def prepared_after(self, merchant_id: str, merchant_uid: str, count_max: int) -> Sequence[PreparedAmount]:
        rows = await self._after("prepared_amounts", "merchant_uid", merchant_id, merchant_uid, count_max)
        return [_prepared_of(row) for row in rows]

    async def _after(self, table: str, column: str, merchant_id: str, last: str, count_max: int) -> Sequence[Row]:
        assert count_max <= ROWS_MAX, "a bounded number of rows"
        return await self.engine.fetch(
            f"SELECT * FROM {table} WHERE merchant_id = $1 AND {column} > $2 ORDER BY {column} LIMIT $3",
            merchant_id,
            last,
            count_max,
        )

    async def channels_with_files(self, after: tuple[str, str], count_max: int) -> Sequence[Channel]:
        rows = await self.engine.fetch(
            "SELECT * FROM channels WHERE sealed_file_key IS NOT NULL AND (merchant_id, id) > ($1, $2)"
            " ORDER BY merchant_id, id LIMIT $3",
            *after,
            count_max,
        )
        return [channel_of(row) for row in rows]

    async def days(self, merchant_id: str, channel_id: str, since: date, until: date) -> Sequence[DayState]:
        rows = await self.engine.fetch(
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
        given = await self._in("SELECT imp_uid FROM attempts WHERE merchant_id = $1 AND id IN", merchant_id, order_ids)
        imp_uids = sorted({row["imp_uid"] for row in given if row["imp_uid"] is not None})
        rows = await self._in(
            "SELECT * FROM attempts WHERE verb IN ('approve', 'charge') AND merchant_id = $1 AND imp_uid IN",
            merchant_id,
            imp_uids,
        )
        return await self._known_charges(merchant_id, rows)

    async def known_elsewhere(self, span: AccountSpan, order_ids: Sequence[str]) -> Sequence[str]:
        if not order_ids:
            return []
        marks = ", ".join(f"${n}" for n in range(4, 4 + len(order_ids)))
        rows = await self.engine.fetch(
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
            rows = await self._in(
                f"SELECT * FROM settlement_rows WHERE merchant_id = $1 AND {column} IN", merchant_id, values
            )
            found |= {(row["pg_provider"], row["pg_aid"]): kept_row_of(row) for row in rows}
        return sorted(found.values(), key=lambda kept: (kept.row.happened_at, kept.row.pg_aid))

    async def taken_unseen(
        self, span: AccountSpan, after: tuple[datetime, str], count_max: int
    ) -> Sequence[KnownCharge]:
        assert count_max <= ROWS_MAX, "a bounded number of rows"
        rows = await self.engine.fetch(
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

    async def _known_charges(self, merchant_id: str, rows: Sequence[Row]) -> list[KnownCharge]:
        payments = {p.imp_uid: p for p in await self.payments_by_ids(merchant_id, [r["imp_uid"] for r in rows], [])}
        return [
            KnownCharge(
                attempt_of(row),
                payments[row["imp_uid"]],
                Outcome(row["outcome"]) if row["outcome"] else None,
                moment(row["recorded_at"]),
            )
            for row in rows
        ]

    async def cancels_between(
        self, span: AccountSpan, after: tuple[datetime, str], count_max: int
    ) -> Sequence[KnownCancel]:
        assert count_max <= ROWS_MAX, "a bounded number of rows"
        rows = await self.engine.fetch(
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
        payments = {p.imp_uid: p for p in await self.payments_by_ids(span.merchant_id, imp_uids, [])}
        return [KnownCancel(cancellation_of(row), payments[row["imp_uid"]]) for row in rows]

    async def findings(self, merchant_id: str, wanted: FindingWish) -> Sequence[Finding]:
        assert wanted.limit <= ROWS_MAX, "a bounded number of findings"
        values: list[Any] = [merchant_id]
        where = "merchant_id = $1" + (" AND closed_at IS NULL" if wanted.open_only else "")
        for column, value in (("id", wanted.finding_id), ("day", wanted.day and wanted.day.isoformat())):
            if value is not None:
                values.append(value)
                where += f" AND {column} = ${len(values)}"
        rows = await self.engine.fetch(
            f"SELECT * FROM findings WHERE {where} ORDER BY found_at DESC, id DESC LIMIT {wanted.limit}", *values
        )
        return [finding_of(row) for row in rows]

    async def findings_of(self, merchant_id: str, pg_tids: Sequence[str]) -> Sequence[Finding]:
        rows = await self._in("SELECT * FROM findings WHERE merchant_id = $1 AND pg_tid IN", merchant_id, pg_tids)
        return [finding_of(row) for row in rows]

    async def _in(self, sql: str, merchant_id: str, values: Sequence[str]) -> Sequence[Row]:
        """Return the rows of a merchant whose last column of `sql` is one of `values`."""
        assert len(values) <= ROWS_MAX, "a bounded number of values"
        if not values:
            return []
        marks = ", ".join(f"${n}" for n in range(2, 2 + len(values)))
        return await self.engine.fetch(f"{sql} ({marks})", merchant_id, *values)

    async def open_work(self, kind: OpenWork, until: datetime) -> Waiting:
        rows = await self.engine.fetch(watching.OPEN[kind], watching.COUNT_MAX, until)
        return Waiting(rows[0]["count"], moment(rows[0]["oldest"]))

    async def violations(self, invariant: Invariant, at: datetime, count_max: int) -> Sequence[Violation]:
        rows = await self.engine.fetch(watching.BROKEN[invariant], at, count_max)
        return [Violation(invariant, row["merchant_id"], row["subject"]) for row in rows]

    async def standing(self) -> Standing:
        return await self.engine.standing()

    async def health(self) -> StoreHealth:
        standing = await self.engine.standing()
        if standing.problem is not None:
            return StoreHealth(ready=False, problem=standing.problem)
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                rows = await self.engine.fetch("SELECT version_num FROM alembic_version")
        except NotMigrated:
            return StoreHealth(ready=False, problem="the database was never migrated: maedal migrate")
        except TimeoutError:
            return StoreHealth(ready=False, problem=f"the database did not answer within {HEALTH_SECONDS:g} s")
        except StoreError as error:
            return StoreHealth(ready=False, problem=str(error))
        version = rows[0]["version_num"] if rows else None
        if version != self._schema_version:
            return StoreHealth(
                ready=False, problem=f"the schema is {version}, not {self._schema_version}: maedal migrate"
            )
        return StoreHealth(ready=True, warnings=warnings(standing))


def _prepared_of(row: Row) -> PreparedAmount:
    currency = Currency(row["currency"]) if row["currency"] else None
    return PreparedAmount(row["merchant_id"], row["merchant_uid"], row["amount"], currency)


def _where(first: Sequence[Any], text: str, one_of: Sequence[Any], *more: tuple[str, Any]) -> tuple[str, list[Any]]:
    """Return a condition and its values: `text` about `first`, ending in a column that is one of some values.

    Each of `more` is added when its value is given. The texts are constants of this module.
    """
    values = [*first, *one_of]
    marks = ", ".join(f"${n}" for n in range(len(first) + 1, len(values) + 1))
    where = f"{text} IN ({marks})"
    for condition, value in more:
        if value is not None:
            values.append(value)
            where += f" AND {condition} ${len(values)}"
    return where, values
