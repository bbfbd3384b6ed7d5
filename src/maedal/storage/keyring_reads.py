"""Reads of billing keys for people, over any engine: each one bounded, and a range of an index."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from maedal.billing_keys.billing_key import BillingKey, KeyEnd
from maedal.billing_keys.ending import PendingEnding
from maedal.payments.attempt import Outcome
from maedal.payments.payment import Payment
from maedal.storage.keyring import KeyStanding, KeyUseSeen, KeyWish
from maedal.storage.plan_reads import like
from maedal.storage.sql.billing_keys import CHARGE_OPEN
from maedal.storage.sql.rows import ending_of, key_of, moment, payment_of
from maedal.storage.sql.steps import Row

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
WORD_COLUMNS = ("k.customer_uid", "k.customer_name", "k.customer_email", "k.customer_tel")


class Fetches(Protocol):
    """What reads rows."""

    async def fetch(self, sql: str, *values: Any) -> Sequence[Row]: ...


class SqlKeyringReads:
    """The `KeyringReads` (see keyring.py) of a store."""

    engine: Fetches

    async def keyring(self, merchant_id: str, wanted: KeyWish, limit: int, offset: int = 0) -> Sequence[BillingKey]:
        assert limit <= KEYS_MAX, "a bounded number of rows"
        where, values = _where(merchant_id, wanted)
        n = len(values)
        rows = await self.engine.fetch(
            f"SELECT k.* FROM billing_keys k WHERE {where} ORDER BY k.inserted_at DESC, k.id DESC"
            f" LIMIT CAST(${n + 1} AS BIGINT) OFFSET CAST(${n + 2} AS BIGINT)",
            *values,
            limit,
            offset,
        )
        return [key_of(row) for row in rows]

    async def key_count(self, merchant_id: str, wanted: KeyWish, count_max: int) -> int:
        where, values = _where(merchant_id, wanted)
        rows = await self.engine.fetch(
            f"SELECT count(*) AS count FROM (SELECT 1 FROM billing_keys k WHERE {where}"
            f" LIMIT CAST(${len(values) + 1} AS BIGINT)) t",
            *values,
            count_max,
        )
        return int(rows[0]["count"])

    async def key_uses(self, merchant_id: str, keys: Sequence[BillingKey], since: datetime) -> dict[str, KeyUseSeen]:
        assert len(keys) <= KEYS_MAX, "a bounded number of keys"
        customers = sorted({key.customer_uid for key in keys})
        if not customers:
            return {}
        marks = ", ".join(f"${n}" for n in range(3, 3 + len(customers)))
        charged = await self.engine.fetch(
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
        planned = await self.engine.fetch(
            "SELECT customer_uid, min(schedule_at) AS next_at, count(*) AS waiting FROM schedules"
            f" WHERE merchant_id = $1 AND customer_uid IN ({marks}) AND status = 'scheduled' GROUP BY customer_uid",
            merchant_id,
            *customers,
        )
        uses = {row["billing_key_id"]: row for row in charged}
        waits = {row["customer_uid"]: row for row in planned}
        return {key.id: _use(key, uses.get(key.id), waits.get(key.customer_uid)) for key in keys}

    async def keys_of_customer(self, merchant_id: str, customer_uid: str, limit: int) -> Sequence[BillingKey]:
        rows = await self.engine.fetch(
            "SELECT * FROM billing_keys WHERE merchant_id = $1 AND customer_uid = $2"
            " ORDER BY inserted_at DESC, id DESC LIMIT $3",
            merchant_id,
            customer_uid,
            limit,
        )
        return [key_of(row) for row in rows]

    async def payments_of_key(self, merchant_id: str, key: BillingKey, limit: int) -> Sequence[Payment]:
        rows = await self.engine.fetch(
            "SELECT * FROM payments WHERE merchant_id = $1 AND customer_uid = $2 AND billing_key_id = $3"
            " ORDER BY started_at DESC LIMIT $4",
            merchant_id,
            key.customer_uid,
            key.id,
            limit,
        )
        return [payment_of(row) for row in rows]

    async def issue_of_key(self, merchant_id: str, key: BillingKey) -> Payment | None:
        rows = await self.engine.fetch(
            "SELECT * FROM payments WHERE merchant_id = $1 AND customer_uid = $2 AND billing_key_id = $3"
            " AND key_use = 'issue' ORDER BY started_at LIMIT 1",
            merchant_id,
            key.customer_uid,
            key.id,
        )
        return payment_of(rows[0]) if rows else None

    async def ending_of_key(self, merchant_id: str, billing_key_id: str) -> PendingEnding | None:
        rows = await self.engine.fetch(
            "SELECT e.merchant_id, e.attempt_id, e.billing_key_id, e.tries, e.due_at, k.customer_uid, k.ended_by,"
            f" {CHARGE_OPEN} AS charge_open, t.outcome, t.code, t.message FROM key_endings e"
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

    async def endings_of(self, merchant_id: str, billing_key_ids: Sequence[str]) -> set[str]:
        assert len(billing_key_ids) <= KEYS_MAX, "a bounded number of keys"
        if not billing_key_ids:
            return set()
        marks = ", ".join(f"${n}" for n in range(2, 2 + len(billing_key_ids)))
        rows = await self.engine.fetch(
            f"SELECT billing_key_id FROM key_endings WHERE merchant_id = $1 AND billing_key_id IN ({marks})"
            " AND ended_at IS NULL",
            merchant_id,
            *billing_key_ids,
        )
        return {row["billing_key_id"] for row in rows}


def _use(key: BillingKey, charged: Row | None, planned: Row | None) -> KeyUseSeen:
    living = planned if key.ended_at is None else None
    return KeyUseSeen(
        0 if charged is None else int(charged["charges"]),
        None if charged is None else moment(charged["last"]),
        None if living is None else moment(living["next_at"]),
        None if charged is None else moment(charged["issued"]),
        0 if living is None else int(living["waiting"]),
    )


def _where(merchant_id: str, wanted: KeyWish) -> tuple[str, list[Any]]:
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
        named = (f"lower({column}) LIKE lower(${len(values)}) ESCAPE '\\'" for column in WORD_COLUMNS)
        where += f" AND ({' OR '.join(named)})"
    return where, values
