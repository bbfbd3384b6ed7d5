"""Tables that are spread over several servers by their merchant: the order, the keys, and what each statement names."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from typer.testing import CliRunner

from maedal.cli.main import app as command_line
from maedal.storage.distribution import DISTRIBUTED, LOCAL, REFERENCE
from maedal.storage.engine import distributed
from maedal.storage.engine.connecting import ServerConnection
from maedal.storage.engine.steps import UNITS, ChangeAll, RowsOfAll, Together
from maedal.storage.errors import StoreError
from maedal.storage.migrate import distribute
from maedal.storage.open import create_store
from maedal.storage.payment_lists.writes import IndexTexts
from maedal.storage.webhooks.writes import ClaimDeliveries
from maedal.vault import create_key_file
from tests.storage.test_plans import use_every_statement
from tests.support import rows
from tests.support.fake_citus import become_citus
from tests.support.postgres import _execute

FOREIGN_KEYS = """
SELECT conrelid::regclass::text AS name, conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
 WHERE contype = 'f' ORDER BY 1, 2
"""
PLACED = "SELECT logicalrelid::text AS name, kind, beside FROM pg_dist_partition ORDER BY number"


@pytest.fixture
def plain_url(all_databases):
    return all_databases.url("postgresql")


@pytest.fixture
def spread_url(plain_url):
    become_citus(plain_url)
    distribute(plain_url)
    return plain_url


def values(url, sql):
    return [tuple(row.values()) for row in rows.fetch(url, sql)]


def test_every_table_has_a_place_and_every_foreign_key_comes_back_as_it_was(plain_url):
    become_citus(plain_url)
    before = values(plain_url, FOREIGN_KEYS)
    assert len(before) > 30
    statements = distribute(plain_url)
    assert values(plain_url, FOREIGN_KEYS) == before
    placed = values(plain_url, PLACED)
    tables = {name for (name,) in values(
        plain_url, "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    )} - {"pg_dist_partition"}  # fmt: skip
    # A table that is new and has no place is named here: it belongs in storage/distribution.py.
    assert tables == {*DISTRIBUTED, *REFERENCE, *LOCAL}
    assert [name for name, kind, _ in placed if kind == "reference"] == list(REFERENCE)
    assert [name for name, kind, _ in placed if kind == "merchant_id"] == list(DISTRIBUTED)
    assert {beside for name, _, beside in placed if name in DISTRIBUTED[1:]} == {"channels"}
    order = [min(n for n, one in enumerate(statements) if part in one) for part in (
        "DROP CONSTRAINT", "DROP TRIGGER", "create_reference_table", "create_distributed_table", "FOREIGN KEY"
    )]  # fmt: skip
    assert order == sorted(order)
    assert distribute(plain_url) == [], "what is spread stays as it is"


def test_a_table_that_came_later_is_spread_beside_the_others(spread_url):
    rows.fetch(spread_url, "DELETE FROM pg_dist_partition WHERE logicalrelid = 'windows'::regclass RETURNING 1 AS one")
    kept = values(spread_url, FOREIGN_KEYS)
    later = distribute(spread_url)
    assert [one for one in later if "create_" in one] == [
        "SELECT create_distributed_table('windows', 'merchant_id', colocate_with => 'channels')"
    ]
    assert values(spread_url, FOREIGN_KEYS) == kept


def test_a_server_that_cannot_and_processes_that_run_are_told_of(plain_url):
    with pytest.raises(StoreError, match="CREATE EXTENSION citus"):
        distribute(plain_url)
    with pytest.raises(StoreError, match="SQLite file is on one machine"):
        distribute("sqlite:///a.db")
    become_citus(plain_url)
    with rows.reading(plain_url) as somebody:
        somebody.fetch("SET application_name = 'maedal'")
        with pytest.raises(StoreError, match="end every serve and worker first"):
            distribute(plain_url)
    assert values(plain_url, PLACED) == []


def test_the_command_spreads_after_it_has_migrated_and_can_be_asked_what_it_would_do(plain_url, tmp_path):
    become_citus(plain_url)
    create_key_file(tmp_path / "keys.json")
    environment = {
        "MAEDAL_DATABASE_URL": plain_url,
        "MAEDAL_KEY_FILE": str(tmp_path / "keys.json"),
        "MAEDAL_PUBLIC_URL": "http://a",
    }

    def run(*words):
        done = CliRunner().invoke(command_line, ["migrate", *words], env=environment)
        assert done.exit_code == 0, done.output
        return done.output

    assert "SELECT create_reference_table('merchants');" in run("--print-distribution")
    assert values(plain_url, PLACED) == []
    assert f"{len(DISTRIBUTED) + len(REFERENCE)} tables were spread" in run("--distribute")
    assert "every table is spread already" in run("--distribute")


@pytest.fixture
def heard(monkeypatch):
    """Every statement that goes to PostgreSQL."""
    statements: set[str] = set()
    for name in ("fetch", "fetchrow", "fetchval", "fetchmany", "execute", "executemany", "prepare"):
        asked = getattr(ServerConnection, name)

        def listening(self, sql, *more, asked=asked, **named):
            statements.add(sql)
            return asked(self, sql, *more, **named)

        monkeypatch.setattr(ServerConnection, name, listening)
    return statements


# Work of the whole house that changes rows, without a lock of its own.
SWEEPS = (
    "DELETE FROM idempotent_requests",
    "DELETE FROM log_rows_to_chain",
    "DELETE FROM request_log",
    "UPDATE messages SET state = 'unknown'",
    "DELETE FROM windows",
)


async def test_each_statement_about_a_merchant_names_it_for_every_table_and_nothing_else_locks(spread_url, heard):
    store = create_store(spread_url)
    await store.open()
    heard.clear()
    await use_every_statement(store)
    await store.close()
    asked = {" ".join(one.split()): one for one in heard if one.split()[0] in {"SELECT", "UPDATE", "DELETE", "WITH"}}
    assert len(asked) > 200
    wide = {}
    connection = await asyncpg.connect(spread_url)
    try:
        await connection.execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off")
        for text, statement in asked.items():
            if tables := await over_all_merchants(connection, statement):
                wide[text] = tables
    finally:
        await connection.close()
    assert {text: tables for text, tables in wide.items() if re.search(r"FOR (UPDATE|SHARE)", text)} == {}
    assert {text: tables for text, tables in wide.items() if re.search(r"\bmerchant_id = \$\d", text)} == {}
    changing = {text for text in wide if re.search(r"\b(UPDATE|DELETE FROM|INSERT INTO) ", text)}
    assert {text for text in changing if not text.startswith(SWEEPS)} == set()


async def over_all_merchants(connection, statement):
    """Return the tables that are spread, and of which a statement looks at rows of more than one merchant."""
    count = max(map(int, re.findall(r"\$(\d+)", statement)), default=0)
    await connection.execute(f"PREPARE asked AS {statement}")
    nothing = f"({', '.join(['NULL'] * count)})" if count else ""
    [[plan]] = await connection.fetch(f"EXPLAIN (FORMAT JSON) EXECUTE asked{nothing}")
    await connection.execute("DEALLOCATE asked")
    found = set()

    def walk(node):
        conditions = " ".join(str(text) for name, text in node.items() if name.endswith(("Cond", "Filter")))
        scans = node["Node Type"] not in {"ModifyTable", "LockRows"} and node.get("Relation Name") in DISTRIBUTED
        if scans and not re.search(r"merchant_id = (\$\d+|\'[^\']*\'::text)", conditions):
            found.add(node["Relation Name"])
        for child in node.get("Plans", ()):
            walk(child)

    walk(json.loads(plan)[0]["Plan"])
    return found


def test_what_triggers_note_on_one_server_is_noted_when_the_tables_are_spread(spread_url):
    async def use():
        store = create_store(spread_url)
        await store.open()
        await use_every_statement(store)
        await store.close()

    asyncio.run(use())
    noted = set(values(spread_url, "SELECT log, merchant_id, row_id, version FROM log_rows_to_chain"))
    assert len(noted) == values(spread_url, "SELECT count(*) FROM log_rows_to_chain")[0][0]
    written = {
        *values(spread_url, "SELECT 'payment_events' AS log, merchant_id, imp_uid, version FROM payment_events"),
        *values(spread_url, "SELECT 'audit_log' AS log, merchant_id, id, 0 AS version FROM audit_log"),
        *values(spread_url, "SELECT 'user_log' AS log, '' AS merchant_id, id, 0 AS version FROM user_log"),
    }
    assert noted == written
    with_text = "SELECT merchant_id, imp_uid FROM payment_texts UNION SELECT merchant_id, imp_uid FROM payments_to_text"
    assert set(values(spread_url, with_text)) == set(values(spread_url, "SELECT merchant_id, imp_uid FROM payments"))


def test_every_statement_for_many_becomes_one_for_each_merchant():
    statement = Together("SELECT item.number FROM {items} JOIN payments p ON p.merchant_id = item.merchant_id"
                         " AND p.imp_uid = item.imp_uid", ("merchant_id text", "imp_uid text"))  # fmt: skip
    items = [("a", "1"), ("b", "2"), ("a", "3")]
    first, second = distributed.of_merchants(RowsOfAll(statement, items))
    assert (first.values, second.values) == (("a", ["1", "3"], [1, 3]), ("b", ["2"], [2]))
    assert first.sql == (
        "SELECT item.number FROM unnest($2::text[], $3::bigint[]) AS item (imp_uid, number)"
        " JOIN payments p ON p.merchant_id = $1::text AND p.imp_uid = item.imp_uid"
    )
    assert distributed.of_merchants(ChangeAll(statement, items))[0] == first
    assert set(distributed.UNITS) <= set(UNITS)


MANY = """
SET session_replication_role = replica;
INSERT INTO webhook_deliveries (merchant_id, id, imp_uid, sequence, url, by_hand, receiver, media_type, body, state,
    tries, created_at, due_at)
SELECT m, m || n, m || n, 1, 'http://' || m, FALSE, m || n % 2, 'application/json', '{}', 'waiting', 0, at, at
  FROM (VALUES ('few', 1, '2026-09-01'::timestamptz), ('many', 20, '2026-09-02'), ('more', 20, '2026-09-03')) v(m, up_to, at),
       generate_series(1, up_to) n;
INSERT INTO payments_to_text (merchant_id, imp_uid) SELECT merchant_id, imp_uid FROM webhook_deliveries;
"""


def test_claims_by_merchant_take_what_is_due_of_each_and_leave_out_who_is_busy(spread_url):
    _execute(spread_url, MANY)
    now = datetime(2026, 10, 1, tzinfo=UTC)

    async def claim():
        store = create_store(spread_url)
        await store.open()
        try:
            claims = [ClaimDeliveries(name, now, now + timedelta(hours=1), 9, (("many", "many0"),)) for name in "ab"]
            claimed = [Counter(one.merchant_id for one in await store.write(each)) for each in claims]
            busy = await store.write(ClaimDeliveries("c", now, now + timedelta(hours=1), 99, (("more", "more1"),)))
            return claimed, busy, [await store.write(IndexTexts(25)) for _ in range(3)]
        finally:
            await store.close()

    (first, second), rest, texts = asyncio.run(claim())
    assert first == {"few": 1, "many": 4, "more": 4}
    assert second == {"many": 5, "more": 4}
    assert Counter(int(one.id[4:]) % 2 for one in rest if one.merchant_id == "many") == {0: 10, 1: 1}
    assert {int(one.id[4:]) % 2 for one in rest if one.merchant_id == "more"} == {0}
    assert texts == [25, 16, 0]
