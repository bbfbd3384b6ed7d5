"""The chain over the logs in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maedal.log_chain.block import COLUMNS, Block, Key, Log
from maedal.storage.engine.reading import ROWS_MAX, SqlReads
from maedal.storage.log_chain.reads import Login, LogRow, WaitingRow, Walk
from maedal.storage.log_chain.rows import KEY_COLUMNS, KEY_PLACES, KEY_TYPES, block_of, columns_of, key_of, key_values

NEWEST = "SELECT * FROM log_blocks ORDER BY number DESC LIMIT 1"
BLOCK = "SELECT * FROM log_blocks WHERE number = $1"
BLOCKS = "SELECT * FROM log_blocks WHERE number > $1 ORDER BY number LIMIT $2"
WAITING = "SELECT * FROM log_rows_to_chain ORDER BY id LIMIT $1"
WAITING_COUNT = "SELECT count(*) AS count FROM log_rows_to_chain WHERE log = $1"
WALKS = "SELECT * FROM logs_to_walk ORDER BY log"
KEYS_AT_ONCE = (1, 8, 40, 200)
"""How many keys one statement takes: few texts, each of which the server prepares once."""

LOGIN = """
SELECT current_user::text AS role, c.relname::text AS name, pg_has_role(c.relowner, 'MEMBER') AS owns,
       has_table_privilege(c.oid, 'UPDATE') AS "UPDATE", has_table_privilege(c.oid, 'DELETE') AS "DELETE",
       has_table_privilege(c.oid, 'TRUNCATE') AS "TRUNCATE", has_table_privilege(c.oid, 'TRIGGER') AS "TRIGGER"
  FROM pg_class c WHERE c.oid = ANY (ARRAY[{tables}]::regclass[]) ORDER BY c.relname
"""
BEYOND_ADDING = ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER")


def _found(log: Log, count: int) -> str:
    """Return the SQL that finds `count` rows by their keys."""
    columns, types = KEY_COLUMNS[log], [KEY_TYPES[place] for place in KEY_PLACES[log]]
    width = len(columns)
    keys = ", ".join(
        "(" + ", ".join(f"CAST(${row * width + n + 1} AS {kind})" for n, kind in enumerate(types)) + ")"
        for row in range(count)
    )
    named = ", ".join(f"k{n}" for n in range(width))
    same = " AND ".join(f"t.{column} = wanted.k{n}" for n, column in enumerate(columns))
    covered = ", ".join(f"t.{column}" for column in COLUMNS[log])
    return f"WITH wanted({named}) AS (VALUES {keys}) SELECT {covered} FROM wanted JOIN {log} t ON {same}"


def _after(log: Log, *, waiting: bool) -> str:
    """Return the SQL of the rows after a key, all of them or those that do not wait for a block."""
    columns = ", ".join(KEY_COLUMNS[log])
    names = ("merchant_id", "row_id", "version")
    marks = ", ".join(f"${n + 1}" for n in range(len(KEY_COLUMNS[log])))
    waits = ", ".join(names[place] for place in KEY_PLACES[log])
    others = "" if waiting else f" AND ({columns}) NOT IN (SELECT {waits} FROM log_rows_to_chain WHERE log = '{log}')"
    return (
        f"SELECT {', '.join(COLUMNS[log])} FROM {log} WHERE ({columns}) > ({marks}){others}"
        f" ORDER BY {columns} LIMIT ${len(KEY_COLUMNS[log]) + 1}"
    )


FOUND = {(log, count): _found(log, count) for log in Log for count in KEYS_AT_ONCE}
AFTER = {(log, waiting): _after(log, waiting=waiting) for log in Log for waiting in (True, False)}


class SqlLogChainReads(SqlReads):
    """The `LogChainReads` (see reads.py) of a store in SQL."""

    async def newest(self) -> Block | None:
        rows = await self._engine.fetch(NEWEST)
        return block_of(rows[0]) if rows else None

    async def block(self, number: int) -> Block | None:
        rows = await self._engine.fetch(BLOCK, number)
        return block_of(rows[0]) if rows else None

    async def blocks(self, after: int, count_max: int) -> Sequence[Block]:
        return [block_of(row) for row in await self._engine.fetch(BLOCKS, after, count_max)]

    async def waiting(self, count_max: int) -> Sequence[WaitingRow]:
        return [
            WaitingRow(row["id"], Log(row["log"]), (row["merchant_id"], row["row_id"], row["version"]))
            for row in await self._engine.fetch(WAITING, count_max)
        ]

    async def waiting_count(self, log: Log) -> int:
        return int((await self._engine.fetch(WAITING_COUNT, log))[0]["count"])

    async def walks(self) -> Sequence[Walk]:
        return [
            Walk(Log(row["log"]), (row["merchant_id"], row["row_id"], row["version"]))
            for row in await self._engine.fetch(WALKS)
        ]

    async def rows(self, log: Log, keys: Sequence[Key]) -> Mapping[Key, Mapping[str, Any]]:
        found: dict[Key, Mapping[str, Any]] = {}
        for first in range(0, len(keys), KEYS_AT_ONCE[-1]):
            wanted = keys[first : first + KEYS_AT_ONCE[-1]]
            count = next(count for count in KEYS_AT_ONCE if count >= len(wanted))
            # What is asked for twice is found twice, and counts once.
            padded = [*wanted, *[wanted[-1]] * (count - len(wanted))]
            values = [value for key in padded for value in key_values(log, key)]
            for row in await self._engine.fetch(FOUND[log, count], *values):
                covered = columns_of(log, row)
                found[key_of(log, covered)] = covered
        return found

    async def rows_after(self, log: Log, after: Key, count_max: int, *, waiting: bool) -> Sequence[LogRow]:
        assert count_max <= ROWS_MAX, "a bounded number of rows"
        rows = await self._engine.fetch(AFTER[log, waiting], *key_values(log, after), count_max)
        covered = [columns_of(log, row) for row in rows]
        return [(key_of(log, row), row) for row in covered]

    async def count(self, log: Log) -> int:
        return int((await self._engine.fetch(f"SELECT count(*) AS count FROM {log}"))[0]["count"])

    async def login(self) -> Login | None:
        if self._engine.name == "sqlite":
            return None
        tables = ", ".join(f"to_regclass('{name}')" for name in (*Log, "log_blocks"))
        rows = await self._engine.fetch(LOGIN.format(tables=tables))
        return Login(
            rows[0]["role"],
            any(row["owns"] for row in rows),
            [f"{what} on {row['name']}" for row in rows for what in BEYOND_ADDING if row[what]],
        )
