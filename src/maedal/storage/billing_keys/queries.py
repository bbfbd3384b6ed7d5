"""Billing keys in SQL: each read bounded, and a range of an index."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from maedal.billing_keys.billing_key import BillingKey, KeyEnd
from maedal.billing_keys.ending import KeyEnding, PendingEnding
from maedal.payments.attempt import Outcome
from maedal.storage.billing_keys.reads import KeyFilter, KeyStanding, KeyUsage
from maedal.storage.billing_keys.rows import ending_of, key_of
from maedal.storage.billing_keys.units import CHARGE_OPEN
from maedal.storage.engine.log_pages import ITEMS_MAX
from maedal.storage.engine.reading import ROWS_MAX, SqlReads, like, moment, rows_after
from maedal.storage.engine.steps import Row

KEYS_MAX = 200
_PENDING = (
    "EXISTS (SELECT 1 FROM key_endings e WHERE e.merchant_id = k.merchant_id AND e.billing_key_id = k.id"
    " AND e.ended_at IS NULL)"
)
STANDS = {
    KeyStanding.LIVING: "k.ended_at IS NULL AND k.gone_at IS NULL",
    KeyStanding.GONE: "k.gone_at IS NOT NULL",
    KeyStanding.REPLACED: "k.ended_by = 'replaced'",
    KeyStanding.DELETED: "k.ended_by = 'deleted'",
    KeyStanding.ENDING: f"k.ended_at IS NOT NULL AND {_PENDING}",
    KeyStanding.ALL: "1 = 1",
}
DIGITS = "replace(replace(replace(customer_tel, '-', ''), ' ', ''), '.', '')"
"""A phone number as an index has it."""
WORD_COLUMNS = ("k.customer_uid", "k.customer_name", "k.customer_email", "k.customer_tel")
# Of the merchant that is the first value of the question.
OPEN_OF_MERCHANT = CHARGE_OPEN.replace("e.merchant_id", "$1")
PENDING_ENDINGS_OF = f"""
SELECT e.merchant_id, e.attempt_id, e.billing_key_id, e.tries, e.due_at, k.customer_uid, k.ended_by,
       {OPEN_OF_MERCHANT} AS charge_open, t.outcome, t.code, t.message
  FROM key_endings e
  JOIN billing_keys k ON k.merchant_id = e.merchant_id AND k.id = e.billing_key_id
  JOIN attempts t ON t.merchant_id = e.merchant_id AND t.id = e.attempt_id
 WHERE e.merchant_id = $1 AND e.ended_at IS NULL{{of_mode}} ORDER BY e.due_at LIMIT $2
"""


class SqlBillingKeyReads(SqlReads):
    """The `BillingKeyReads` (see reads.py) of a store in SQL."""

    async def find(self, merchant_id: str, customer_uid: str) -> BillingKey | None:
        rows = await self._engine.fetch(
            "SELECT * FROM billing_keys WHERE merchant_id = $1 AND customer_uid = $2 AND ended_at IS NULL",
            merchant_id,
            customer_uid,
        )
        return key_of(rows[0]) if rows else None

    async def find_by_id(self, merchant_id: str, billing_key_id: str) -> BillingKey | None:
        rows = await self._engine.fetch(
            "SELECT * FROM billing_keys WHERE merchant_id = $1 AND id = $2", merchant_id, billing_key_id
        )
        return key_of(rows[0]) if rows else None

    async def living(self, merchant_id: str, customer_uids: Sequence[str]) -> Sequence[BillingKey]:
        marks = ", ".join(f"${n}" for n in range(2, 2 + len(customer_uids)))
        rows = await self._engine.fetch(
            f"SELECT * FROM billing_keys WHERE merchant_id = $1 AND customer_uid IN ({marks}) AND ended_at IS NULL",
            merchant_id,
            *customer_uids,
        )
        return [key_of(row) for row in rows]

    async def of_customer(self, merchant_id: str, customer_uid: str, limit: int) -> Sequence[BillingKey]:
        rows = await self._engine.fetch(
            "SELECT * FROM billing_keys WHERE merchant_id = $1 AND customer_uid = $2"
            " ORDER BY inserted_at DESC, id DESC LIMIT $3",
            merchant_id,
            customer_uid,
            limit,
        )
        return [key_of(row) for row in rows]

    async def found_by(self, merchant_id: str, word: str, limit: int) -> Sequence[BillingKey]:
        assert limit <= KEYS_MAX, "a bounded number of keys"
        found: dict[str, BillingKey] = {}
        for condition, value in (
            ("id = $2", word),
            ("customer_uid = $2", word),
            ("customer_name IS NOT NULL AND customer_name = $2", word),
            ("customer_email IS NOT NULL AND lower(customer_email) = $2", word.lower()),
            (f"customer_tel IS NOT NULL AND {DIGITS} = $2", re.sub(r"[ .-]", "", word)),
        ):
            # One index after the other: a condition on all of them would be answered from none.
            rows = await self._engine.fetch(
                f"SELECT * FROM billing_keys WHERE merchant_id = $1 AND {condition} LIMIT {limit}", merchant_id, value
            )
            found |= {row["id"]: key_of(row) for row in rows}
        return sorted(found.values(), key=lambda key: (key.inserted_at, key.id), reverse=True)[:limit]

    async def gone_with_plans(self, merchant_id: str, test_mode: bool | None, count_max: int) -> int:
        mode = () if test_mode is None else (test_mode,)
        of_mode = "" if test_mode is None else " AND k.test_mode = $3"
        rows = await self._engine.fetch(
            "SELECT count(*) AS count FROM (SELECT 1 FROM billing_keys k WHERE k.merchant_id = $1"
            f" AND k.gone_at IS NOT NULL AND k.ended_at IS NULL{of_mode}"
            " AND EXISTS (SELECT 1 FROM schedules s WHERE s.merchant_id = $1 AND s.customer_uid = k.customer_uid"
            " AND s.status = 'scheduled') LIMIT $2) bounded",
            merchant_id,
            count_max,
            *mode,
        )
        return int(rows[0]["count"])

    async def search(
        self,
        merchant_id: str,
        wanted: KeyFilter,
        limit: int,
        offset: int = 0,
        after: tuple[datetime, str] | None = None,
    ) -> Sequence[BillingKey]:
        assert limit <= KEYS_MAX, "a bounded number of rows"
        where, values = _where(merchant_id, wanted)
        if after is not None:
            values += after
            where += f" AND (k.inserted_at, k.id) < (${len(values) - 1}, ${len(values)})"
        n = len(values)
        rows = await self._engine.fetch(
            f"SELECT k.* FROM billing_keys k WHERE {where} ORDER BY k.inserted_at DESC, k.id DESC"
            f" LIMIT CAST(${n + 1} AS BIGINT) OFFSET CAST(${n + 2} AS BIGINT)",
            *values,
            limit,
            offset,
        )
        return [key_of(row) for row in rows]

    async def count(self, merchant_id: str, wanted: KeyFilter, count_max: int) -> int:
        where, values = _where(merchant_id, wanted)
        rows = await self._engine.fetch(
            f"SELECT count(*) AS count FROM (SELECT 1 FROM billing_keys k WHERE {where}"
            f" LIMIT CAST(${len(values) + 1} AS BIGINT)) t",
            *values,
            count_max,
        )
        return int(rows[0]["count"])

    async def usage(self, merchant_id: str, keys: Sequence[BillingKey], since: datetime) -> dict[str, KeyUsage]:
        assert len(keys) <= KEYS_MAX, "a bounded number of keys"
        customers = sorted({key.customer_uid for key in keys})
        if not customers:
            return {}
        marks = ", ".join(f"${n}" for n in range(3, 3 + len(customers)))
        charged = await self._engine.fetch(
            "SELECT billing_key_id, sum(CASE WHEN key_use <> 'issue' AND paid_at >= $2 THEN 1 ELSE 0 END) AS charges,"
            " max(CASE WHEN key_use <> 'issue' THEN paid_at END) AS last,"
            " min(CASE WHEN key_use = 'issue' THEN paid_at END) AS issued"
            f" FROM payments WHERE merchant_id = $1 AND customer_uid IN ({marks})"
            " AND billing_key_id IS NOT NULL AND paid_at IS NOT NULL GROUP BY billing_key_id",
            merchant_id,
            since,
            *customers,
        )
        marks = ", ".join(f"${n}" for n in range(2, 2 + len(customers)))
        planned = await self._engine.fetch(
            "SELECT customer_uid, min(schedule_at) AS next_at, count(*) AS waiting FROM schedules"
            f" WHERE merchant_id = $1 AND customer_uid IN ({marks}) AND status = 'scheduled' GROUP BY customer_uid",
            merchant_id,
            *customers,
        )
        uses = {row["billing_key_id"]: row for row in charged}
        waits = {row["customer_uid"]: row for row in planned}
        return {key.id: _use(key, uses.get(key.id), waits.get(key.customer_uid)) for key in keys}

    async def after(self, merchant_id: str, billing_key_id: str, count_max: int) -> Sequence[BillingKey]:
        rows = await rows_after(self._engine, "billing_keys", "id", merchant_id, billing_key_id, count_max)
        return [key_of(row) for row in rows]

    async def due_endings(self, now: datetime, count_max: int) -> Sequence[KeyEnding]:
        rows = await self._engine.fetch(
            f"SELECT * FROM key_endings e WHERE ended_at IS NULL AND due_at <= $1 AND NOT {CHARGE_OPEN}"
            " ORDER BY due_at LIMIT $2",
            now,
            count_max,
        )
        return [ending_of(row) for row in rows]

    async def pending_endings(self, count_max: int) -> Sequence[PendingEnding]:
        rows = await self._engine.fetch(
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

    async def pending_endings_of(
        self, merchant_id: str, count_max: int, test_mode: bool | None = None
    ) -> Sequence[PendingEnding]:
        sql = PENDING_ENDINGS_OF.format(of_mode="" if test_mode is None else " AND k.test_mode = $3")
        mode = () if test_mode is None else (test_mode,)
        rows = await self._engine.fetch(sql, merchant_id, min(count_max, ITEMS_MAX), *mode)
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

    async def pending_ending(self, merchant_id: str, billing_key_id: str) -> PendingEnding | None:
        rows = await self._engine.fetch(
            "SELECT e.merchant_id, e.attempt_id, e.billing_key_id, e.tries, e.due_at, k.customer_uid, k.ended_by,"
            f" {OPEN_OF_MERCHANT} AS charge_open, t.outcome, t.code, t.message FROM key_endings e"
            " JOIN billing_keys k ON k.merchant_id = e.merchant_id AND k.id = e.billing_key_id"
            " JOIN attempts t ON t.merchant_id = e.merchant_id AND t.id = e.attempt_id"
            " WHERE e.merchant_id = $1 AND e.billing_key_id = $2 AND e.ended_at IS NULL",
            merchant_id,
            billing_key_id,
        )
        if not rows:
            return None
        row = rows[0]
        return PendingEnding(
            ending_of(row),
            row["customer_uid"],
            KeyEnd(row["ended_by"]),
            bool(row["charge_open"]),
            Outcome(row["outcome"]) if row["outcome"] else None,
            row["code"],
            row["message"],
        )

    async def with_pending_ending(self, merchant_id: str, billing_key_ids: Sequence[str]) -> set[str]:
        assert len(billing_key_ids) <= ROWS_MAX, "a bounded number of keys"
        if not billing_key_ids:
            return set()
        marks = ", ".join(f"${n}" for n in range(2, 2 + len(billing_key_ids)))
        rows = await self._engine.fetch(
            f"SELECT billing_key_id FROM key_endings WHERE merchant_id = $1 AND billing_key_id IN ({marks})"
            " AND ended_at IS NULL",
            merchant_id,
            *billing_key_ids,
        )
        return {row["billing_key_id"] for row in rows}

    async def has_open_charge(self, merchant_id: str, billing_key_id: str) -> bool:
        rows = await self._engine.fetch(
            "SELECT 1 FROM attempts WHERE merchant_id = $1 AND billing_key_id = $2 AND verb = 'charge'"
            " AND (outcome IS NULL OR outcome = 'unknown')",
            merchant_id,
            billing_key_id,
        )
        return bool(rows)

    async def ended_key_charged_since(self, merchant_id: str, customer_uid: str) -> datetime | None:
        # Few charges of a merchant are under way at once; a customer may have had many keys.
        rows = await self._engine.fetch(
            "SELECT a.begun_at FROM attempts a CROSS JOIN billing_keys k WHERE a.merchant_id = $1 AND a.verb = 'charge'"
            " AND a.outcome IS NULL AND k.merchant_id = a.merchant_id AND k.id = a.billing_key_id"
            " AND k.customer_uid = $2 AND k.ended_at IS NOT NULL ORDER BY a.begun_at DESC LIMIT 1",
            merchant_id,
            customer_uid,
        )
        return moment(rows[0]["begun_at"]) if rows else None


def _use(key: BillingKey, charged: Row | None, planned: Row | None) -> KeyUsage:
    living = planned if key.ended_at is None else None
    return KeyUsage(
        0 if charged is None else int(charged["charges"]),
        None if charged is None else moment(charged["last"]),
        None if living is None else moment(living["next_at"]),
        None if charged is None else moment(charged["issued"]),
        0 if living is None else int(living["waiting"]),
    )


def _where(merchant_id: str, wanted: KeyFilter) -> tuple[str, list[Any]]:
    values: list[Any] = [merchant_id]
    where = f"k.merchant_id = $1 AND {STANDS[wanted.standing]}"
    for column, value in (
        ("k.channel_id", wanted.channel_id),
        ("k.method", wanted.method),
        ("k.test_mode", wanted.test_mode),
    ):
        if value is not None:
            values.append(value)
            where += f" AND {column} = ${len(values)}"
    if wanted.word:
        values.append(like(wanted.word))
        named = [f"lower({column}) LIKE lower(${len(values)}) ESCAPE '\\'" for column in WORD_COLUMNS]
        digits = re.sub(r"[ .-]", "", wanted.word)
        if digits.isdecimal() and digits.isascii():  # a phone number, however it is divided
            values.append(like(digits))
            named.append(f"replace(replace(replace(k.customer_tel, '-', ''), ' ', ''), '.', '') LIKE ${len(values)}")
        where += f" AND ({' OR '.join(named)})"
    return where, values
