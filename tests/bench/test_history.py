"""A seeded past is one that the gateway could have written: complete, found by its texts, the same on both engines."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest
from bench.history import FILLED, INDEXES, LARGE, History, copy_to_sqlite, seed

from maedal.storage.payment_lists.search_text import text_of

PAYMENTS = 1_000
ORPHANS = """
SELECT (SELECT count(*) FROM payments p LEFT JOIN channels c ON c.merchant_id = p.merchant_id AND c.id = p.channel_id WHERE c.id IS NULL)
     + (SELECT count(*) FROM payments p LEFT JOIN billing_keys k ON k.merchant_id = p.merchant_id AND k.id = p.billing_key_id
         WHERE p.billing_key_id IS NOT NULL AND k.id IS NULL)
     + (SELECT count(*) FROM payment_events e LEFT JOIN payments p USING (merchant_id, imp_uid) WHERE p.imp_uid IS NULL)
     + (SELECT count(*) FROM attempts a LEFT JOIN payments p USING (merchant_id, imp_uid) WHERE p.imp_uid IS NULL)
     + (SELECT count(*) FROM schedules s LEFT JOIN channels c ON c.merchant_id = s.merchant_id AND c.id = s.channel_id WHERE c.id IS NULL)
"""


@pytest.fixture
def urls(all_databases):
    return all_databases.url("postgresql"), all_databases.url("sqlite")


@pytest.mark.slow
async def test_a_past_is_whole_and_found_by_its_texts_on_both_engines(urls):
    url, copied = urls
    connection = await asyncpg.connect(url)
    try:
        indexes = await connection.fetch(INDEXES, FILLED)
        said: list[str] = []
        await seed(url, History(PAYMENTS, shops=4, days=90), said.append)
        assert said[-1] == "seeded"
        assert await connection.fetch(INDEXES, FILLED) == indexes, "every index is there again"
        rows = await connection.fetch("SELECT * FROM payments")
        texts = await connection.fetch("SELECT merchant_id, imp_uid, text FROM payment_texts")
        assert len(rows) == PAYMENTS
        assert {(t["merchant_id"], t["imp_uid"]): t["text"] for t in texts} == {
            (row["merchant_id"], row["imp_uid"]): text_of(row) for row in rows
        }
        by_shop = await connection.fetch("SELECT merchant_id, count(*) AS n FROM payments GROUP BY 1 ORDER BY 2 DESC")
        assert len(by_shop) == 4
        assert by_shop[0]["merchant_id"] == LARGE
        assert by_shop[0]["n"] > PAYMENTS // 2
        assert await connection.fetchval(ORPHANS) == 0
        counts = {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for table in FILLED}
    finally:
        await connection.close()
    file = Path(copied.removeprefix("sqlite:///"))
    await copy_to_sqlite(url, file, lambda _: None)
    with closing(sqlite3.connect(file)) as copy:
        assert copy.execute("PRAGMA foreign_key_check").fetchall() == []
        assert {table: copy.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in FILLED} == counts
