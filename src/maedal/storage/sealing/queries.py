"""Keys and sealed values in SQL: pages by the key of their table, and counts that read whole columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from maedal.storage.engine.reading import SqlReads, moment, moment_not_null
from maedal.storage.engine.steps import Row as TableRow
from maedal.storage.sealing.columns import DIGEST_BYTES, PLACES, Place, table_of
from maedal.storage.sealing.reads import KeyHolder, KnownKey, Row, SealedColumn, SealedValue, ShortLived

PAGE_MAX = 1000
PREFIX_BYTES = 5
"""A sealed value says in its first five bytes which key sealed it: a 1, and the key's id."""
AFTER_ITS_END = timedelta(days=1)
"""So long after a window has ended may its page still ask how it ended."""
SHORT_LIVED = {
    ShortLived.SESSIONS: "SELECT count(*) AS count FROM sessions WHERE expires_at > $1 AND created_at < $2",
    ShortLived.ACCESS_TOKENS: """
SELECT count(*) AS count FROM api_keys
 WHERE (token_expires_at > $1 AND token_issued_at < $2) OR (old_token_expires_at > $1 AND old_token_issued_at < $2)
""",
    ShortLived.WINDOWS: "SELECT count(*) AS count FROM windows WHERE expires_at > $1 AND opened_at < $2",
}


class SqlSealingReads(SqlReads):
    """The `SealingReads` (see reads.py) of a store in SQL."""

    async def keys(self) -> Sequence[KnownKey]:
        rows = await self._engine.fetch("SELECT * FROM vault_keys ORDER BY added_at, id LIMIT 1000")
        return [
            KnownKey(
                row["id"],
                row["fingerprint"],
                moment_not_null(row["added_at"]),
                moment(row["primary_since"]),
                bool(row["is_primary"]),
                moment(row["retired_at"]),
            )
            for row in rows
        ]

    async def holders(self, since: datetime) -> Sequence[KeyHolder]:
        rows = await self._engine.fetch("SELECT * FROM vault_nodes WHERE seen_at >= $1 ORDER BY id LIMIT 1000", since)
        return [
            KeyHolder(row["id"], frozenset(row["key_ids"].split()), row["primary_id"], moment_not_null(row["seen_at"]))
            for row in rows
        ]

    async def page(
        self, column: SealedColumn, after: Row | None, count_max: int, *, not_of: str | None = None
    ) -> Sequence[SealedValue]:
        assert count_max <= PAGE_MAX, "a bounded number of rows"
        place, (table, name) = PLACES[column], table_of(column)
        values: list[Any] = [] if after is None else list(after)
        conditions = [_there(place, name)]
        order = ", ".join(place.by)
        if after is not None:
            marks = ", ".join(f"${n}" for n in range(1, len(values) + 1))
            conditions.append(f"({order}) > ({marks})")
        if not_of is not None:
            values.append(b"\x01" + bytes.fromhex(not_of))
            other = f"substr({name}, 1, {PREFIX_BYTES}) <> ${len(values)}"
            conditions.append(f"({name} IS NULL OR {other})" if place.with_none else other)
        values.append(count_max)
        rows = await self._engine.fetch(
            f"SELECT * FROM {table} WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT ${len(values)}", *values
        )
        return [_value_of(column, place, name, row) for row in rows]

    async def one(self, column: SealedColumn, row: Row) -> SealedValue | None:
        place, (table, name) = PLACES[column], table_of(column)
        found = " AND ".join(f"{key} = ${n}" for n, key in enumerate(place.by, 1))
        rows = await self._engine.fetch(f"SELECT * FROM {table} WHERE {found} AND {_there(place, name)}", *row)
        return _value_of(column, place, name, rows[0]) if rows else None

    async def counts(self, column: SealedColumn, now: datetime) -> Mapping[str, int]:
        place, (table, name) = PLACES[column], table_of(column)
        there = "1 = 1" if place.with_none else f"{name} IS NOT NULL"
        good = f" AND {place.good}" if place.good else ""
        prefix = f"CASE WHEN length({name}) <= {DIGEST_BYTES} THEN NULL ELSE substr({name}, 1, {PREFIX_BYTES}) END"
        rows = await self._engine.fetch(
            f"SELECT {prefix} AS prefix, count(*) AS count FROM {table} WHERE {there}{good} GROUP BY 1",
            *((now,) if "$1" in good else ()),
        )
        return {"" if row["prefix"] is None else bytes(row["prefix"])[1:].hex(): row["count"] for row in rows}

    async def short_lived(self, now: datetime, made_before: datetime) -> Mapping[ShortLived, int]:
        found = {}
        for kind, sql in SHORT_LIVED.items():
            ends = now - AFTER_ITS_END if kind is ShortLived.WINDOWS else now
            rows = await self._engine.fetch(sql, ends, made_before)
            found[kind] = int(rows[0]["count"])
        return found


def _there(place: Place, name: str) -> str:
    if place.with_none:
        return "1 = 1"
    return f"length({name}) > {DIGEST_BYTES if place.hashes else 0}"


def _value_of(column: SealedColumn, place: Place, name: str, row: TableRow) -> SealedValue:
    sealed = row[name]
    return SealedValue(
        column,
        tuple(bytes(row[key]) if isinstance(row[key], memoryview) else row[key] for key in place.by),
        "" if place.merchant is None else row[place.merchant],
        row[place.subject],
        None if sealed is None else bytes(sealed),
        place.context(row),
    )
