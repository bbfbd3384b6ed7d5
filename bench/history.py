"""A past for a database: months of payments, made inside PostgreSQL by statements over sets (history.sql).

Indexes are built when the rows are there, and what triggers would note row by row is left out or written at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from maedal.storage.engine.sqlite import to_sqlite
from maedal.storage.payment_lists.reads import SearchField
from maedal.storage.payment_lists.search_terms import TERM_CHARS_MAX
from maedal.storage.payment_lists.search_text import END, MARKS, VALUE_CHARS_MAX, borders, written

SECONDS_MAX = 4 * 3_600
LARGE = "imp10000000"
MONTHLY_PAYMENTS = 25
"""Of one customer, on average: with as many months of history, those of somebody who is charged monthly."""
FILLED = (
    "payments",
    "payment_events",
    "attempts",
    "cancellations",
    "schedules",
    "webhook_deliveries",
    "webhook_tries",
    "billing_keys",
    "audit_log",
    "payment_texts",
    "search_terms",
)
COPIED = ("merchants", "api_keys", "channels", "figures", "figures_counted", "month_figures", "months_counted", *FILLED)
"""What a copy has: all that history.sql made, and what flows added to it."""
SAMPLE = 20_000
"""So many payments have every name and reason that there is."""
ROWS_AT_ONCE = 5_000
INDEXES = """
SELECT i.indexname AS name, i.indexdef AS definition FROM pg_indexes i
 WHERE i.schemaname = current_schema AND i.tablename = ANY($1)
   AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)
 ORDER BY i.tablename, i.indexname
"""
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class History:
    """How much has happened: payments of so many shops over so many days. The first shop has six customers in ten."""

    payments: int
    shops: int = 1
    days: int = 360
    large: str = LARGE
    """The code of the first shop, which may be there already."""

    @property
    def customers(self) -> int:
        return max(self.payments // MONTHLY_PAYMENTS, 100)

    def statements(self, now: datetime) -> list[str]:
        """Return the statements of history.sql for this much."""
        shop_of = (
            f"CASE WHEN {self.shops} = 1 OR abs(hashint4({{of}} + 13)) % 10 < 6 THEN 0"
            f" ELSE 1 + abs(hashint4({{of}} + 17)) % greatest({self.shops} - 1, 1) END"
        )
        text = Path(__file__).with_name("history.sql").read_text()
        return text.format(
            count=self.payments,
            customers=self.customers,
            shops=self.shops,
            days=self.days,
            now=f"TIMESTAMPTZ '{now.isoformat()}'",
            shop_code=f"CASE WHEN s = 0 THEN '{self.large}' ELSE 'imp2' || lpad(s::text, 7, '0') END",
            shop_cid="('CA' || lpad(s::text, 7, '0'))",
            shop_of_n=shop_of.format(of="n"),
            shop_of_c=shop_of.format(of="c"),
        ).split(";\n\n")


async def seed(url: str, history: History, tell: Tell) -> None:
    """Fill a migrated PostgreSQL database, of which the role must be a superuser; its payments and keys go first."""
    async with _connected(url) as connection, _connected(url) as other:
        indexes = await connection.fetch(INDEXES, FILLED)
        for index in indexes:
            await connection.execute(f"DROP INDEX {index['name']}")
        async with connection.transaction():
            # Rows of a table that this transaction has emptied need no log where `wal_level` is `minimal`.
            await connection.execute("TRUNCATE payments, billing_keys CASCADE")
            for statement in history.statements(datetime.now(UTC)):
                tell(f"seeding {statement.partition('INSERT INTO ')[2].partition(' ')[0]}")
                await connection.execute(statement)
        # The texts and their index take as long as all the rest, and need no more of it than the payments.
        texts = [index["definition"] for index in indexes if " ON public.payment_texts " in index["definition"]]
        rest = [index["definition"] for index in indexes if index["definition"] not in texts]
        await asyncio.gather(_texts(other, texts), _indexes(connection, rest, tell))
        await _terms(connection)
        for number, table in enumerate(FILLED, 1):
            tell(f"counting rows {number} of {len(FILLED)}")
            await connection.execute(f"VACUUM ANALYZE {table}")
        await connection.execute("ANALYZE")
        tell("seeded")


@contextlib.asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url, command_timeout=SECONDS_MAX)
    try:
        # As a replica applies rows: no trigger runs and no reference is looked up.
        for name, value in (
            ("session_replication_role", "replica"),
            ("synchronous_commit", "off"),
            ("maintenance_work_mem", "1GB"),
        ):
            await connection.execute(f"SET {name} = '{value}'")
        yield connection
    finally:
        await connection.close()


async def _indexes(connection: Any, definitions: Sequence[str], tell: Tell) -> None:
    for number, definition in enumerate(definitions, 1):
        tell(f"index {number} of {len(definitions)}")
        await connection.execute(definition)


async def _texts(connection: Any, indexes: Sequence[str]) -> None:
    """Write what payments are found by as the worker writes it: see search_text.py."""
    sample = await connection.fetch("SELECT * FROM payments ORDER BY merchant_id, imp_uid LIMIT $1", SAMPLE)
    sample += await connection.fetch("SELECT * FROM payments ORDER BY merchant_id DESC, imp_uid DESC LIMIT $1", SAMPLE)
    values = {field: {row[field] for row in sample if row[field] is not None} for field in SearchField}
    foreign = [field for field, found in values.items() if not all(value.isascii() for value in found)]
    await connection.execute("CREATE TEMP TABLE written (plain TEXT PRIMARY KEY, text TEXT NOT NULL)")
    words = sorted(set().union(*(values[field] for field in foreign)))
    await connection.copy_records_to_table(
        "written", records=[(word, written(word[:VALUE_CHARS_MAX])) for word in words]
    )
    # A phone number that is divided has its bare digits behind it.
    digits = "regexp_replace(p.buyer_tel, '[ .-]', '', 'g')"
    written_tel = f"coalesce(p.buyer_tel || CASE WHEN p.buyer_tel <> {digits} THEN ' ' || {digits} ELSE '' END, '')"
    parts = [
        f"chr({ord(MARKS[field])}) || "
        # A word that the sample has not is no text at all, and the row is refused.
        + (
            f"CASE WHEN p.{field} IS NULL THEN '' ELSE w_{field}.text END"
            if field in foreign
            else written_tel
            if field is SearchField.BUYER_TEL
            else f"lower(coalesce(p.{field}, ''))"
        )
        for field in SearchField
    ]
    joins = "".join(f" LEFT JOIN written w_{field} ON w_{field}.plain = p.{field}" for field in foreign)
    await connection.execute(
        "INSERT INTO payment_texts (merchant_id, imp_uid, version, text)"
        f" SELECT p.merchant_id, p.imp_uid, p.version, {' || '.join(parts)} || chr({ord(END)}) FROM payments p{joins}"
    )
    for definition in indexes:
        await connection.execute(definition)


async def _terms(connection: Any) -> None:
    """Write by what the search finds as the worker writes it: see search_terms.py."""

    def field(name: SearchField) -> str:
        start, end = borders(name)
        return f"split_part(split_part(x.text, chr({ord(start)}), 2), chr({ord(end)}), 1)"

    tel = f"regexp_replace({field(SearchField.BUYER_TEL)}, '^.* ', '')"
    of_buyer = [field(SearchField.CUSTOMER_UID), field(SearchField.BUYER_NAME), field(SearchField.BUYER_EMAIL), tel]
    joined = "FROM payment_texts x JOIN payments p ON p.merchant_id = x.merchant_id AND p.imp_uid = x.imp_uid"
    await connection.execute(
        "INSERT INTO search_terms (merchant_id, term, kind, subject, imp_uid)"
        " SELECT merchant_id, term, kind, subject, max(imp_uid) FROM ("
        f"SELECT x.merchant_id, unnest(ARRAY[{', '.join(of_buyer)}]) AS term,"
        " CASE WHEN p.customer_uid IS NULL THEN 'payment' ELSE 'customer' END AS kind,"
        f" coalesce(p.customer_uid, x.imp_uid) AS subject, x.imp_uid {joined}"
        f" UNION ALL SELECT x.merchant_id, {field(SearchField.PG_TID)}, 'payment', x.imp_uid, x.imp_uid {joined}"
        f") terms WHERE term <> '' AND length(term) <= {TERM_CHARS_MAX} GROUP BY 1, 2, 3, 4"
    )


async def copy_to_sqlite(url: str, path: Path, tell: Tell) -> None:
    """Fill a migrated SQLite file with the rows of a PostgreSQL database."""
    reader = await asyncpg.connect(url, command_timeout=SECONDS_MAX)
    file = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "foreign_keys = OFF", "cache_size = -500000"):
            file.execute(f"PRAGMA {pragma}")
        again = file.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
        ).fetchall()
        for kind, name, _ in again:
            file.execute(f"DROP {kind} {name}")
        file.execute("BEGIN")
        for table in COPIED:
            await _copy(reader, file, table, tell)
        for number, (_, _, definition) in enumerate(again, 1):
            tell(f"index {number} of {len(again)}")
            file.execute(definition)
        file.execute("COMMIT")
        file.execute("PRAGMA journal_mode = WAL")
    finally:
        file.close()
        await reader.close()


async def _copy(reader: Any, file: sqlite3.Connection, table: str, tell: Tell) -> None:
    tell(f"copying {table}")
    columns = [row[1] for row in file.execute(f"PRAGMA table_info({table})")]
    insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    async with reader.transaction():
        batch: list[list[Any]] = []
        async for row in reader.cursor(f"SELECT {', '.join(columns)} FROM {table}", prefetch=ROWS_AT_ONCE):
            batch.append([to_sqlite(value) for value in row])
            if len(batch) == ROWS_AT_ONCE:
                file.executemany(insert, batch)
                batch = []
        file.executemany(insert, batch)
