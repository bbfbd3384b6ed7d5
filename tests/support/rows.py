"""The gateway's tables, read behind its back."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import asyncpg

from maedal.storage.open import create_store
from maedal.storage.sql_store import SqlStore

# What only a worker writes, such as the tries of a webhook, is left out: it comes in its own time.
TABLES = (
    "payments",
    "attempts",
    "windows",
    "payment_events",
    "webhook_deliveries",
    "billing_keys",
    "prepared_amounts",
    "cancellations",
)
_COUNTS = "SELECT " + ", ".join(f"(SELECT count(*) FROM {table}) AS {table}" for table in TABLES)


class Rows:
    """Reads one database as often as it is asked."""

    def __init__(self, store: SqlStore, loop: asyncio.AbstractEventLoop) -> None:
        self._store = store
        self._loop = loop

    def fetch(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        return [dict(row) for row in self._loop.run_until_complete(self._store.engine.fetch(sql, *values))]

    def counts(self) -> dict[str, int]:
        """Return how many rows each table holds that a request could write to."""
        return self.fetch(_COUNTS)[0]


@contextmanager
def reading(database_url: str) -> Iterator[Rows]:
    """Open a database for many looks."""
    loop = asyncio.new_event_loop()
    store = create_store(database_url, serving=False)
    try:
        loop.run_until_complete(store.open())
        yield Rows(store, loop)
    finally:
        loop.run_until_complete(store.close())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def fetch(database_url: str, sql: str) -> list[dict[str, Any]]:
    """Return the rows of one query."""
    with reading(database_url) as rows:
        return rows.fetch(sql)


def counts(database_url: str) -> dict[str, int]:
    """Return how many rows each table holds that a request could write to."""
    with reading(database_url) as rows:
        return rows.counts()


def let_keys_settle(database_url: str) -> None:
    """Let every billing key be one whose last approval was long ago, so that no charge waits for that to settle."""
    sql = "UPDATE billing_keys SET last_approval_seen_at = NULL"
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"), timeout=30)) as connection, connection:
            connection.execute(sql)
        return

    async def execute() -> None:
        connection = await asyncpg.connect(database_url)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    # The test may be in a loop of its own.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, execute()).result()
