"""A database that is in use comes up to the present schema with everything that is in it."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from maedal.log_chain.block import Log
from maedal.payments.moves import Event
from maedal.storage.channels.writes import PutChannel
from maedal.storage.merchants.writes import AddMerchant
from maedal.storage.migrate import head, migrate
from maedal.storage.open import create_store
from maedal.storage.payments.writes import Record
from maedal.storage.schema_version import SCHEMA_VERSION
from maedal.storage.webhooks.reads import DeliveryFilter
from maedal.storage.webhooks.writes import ClaimDeliveries, FinishDelivery
from maedal.webhooks.webhook import DeliveryState
from tests.storage.test_store import LATER, a_charge, a_delivery, a_resend, a_try, issue_key, put_deliveries
from tests.support.builders import MERCHANT, a_channel, a_merchant, an_api_key, approved
from tests.support.databases import ENGINES

TABLES = (
    "merchants", "api_keys", "channels", "billing_keys", "payments", "payment_events", "attempts", "webhook_deliveries",
    "webhook_tries",
)  # fmt: skip
COLUMNS = {
    "sqlite": "SELECT name FROM pragma_table_info($1)",
    "postgresql": "SELECT column_name AS name FROM information_schema.columns WHERE table_name = $1",
}


@pytest.fixture(params=ENGINES)
def two_empty(request, all_databases, tmp_path) -> tuple[str, str]:
    """Two databases without a schema."""
    urls = {
        "sqlite": lambda name: f"sqlite:///{tmp_path / name}.db",
        "postgresql": lambda name: all_databases.server.create_database(f"maedal_{name}"),
    }
    return urls[request.param]("old"), urls[request.param]("present")


MERCHANT_OF_0018 = (
    "INSERT INTO merchants (code, name, webhook_type, webhook_retry, field_set, webhook_failures, created_at)"
    f" VALUES ('{MERCHANT}', 'A shop', 'json', 'none', 'full', FALSE, '2026-11-01 00:00:00+00:00') RETURNING 1 AS one"
)
ENTRY = (
    "INSERT INTO audit_log (merchant_id, id, kind, subject, who, reason, fact_before, fact_after, happened_at) VALUES"
    f" ('{MERCHANT}', '{{}}', 'cancel', 'imp_1', 'minji', 'asked', '', '', '2026-11-02 00:00:00+00:00') RETURNING 1 AS one"
)


class Opened:
    """A store on a database whose schema changes meanwhile."""

    def __init__(self, url):
        self._url = url

    async def __aenter__(self):
        self._store = create_store(self._url)
        await self._store.open()
        return self._store

    async def __aexit__(self, *_):
        await self._store.close()


def test_the_expected_schema_is_the_newest():
    assert head() == SCHEMA_VERSION


def test_what_only_serves_imports_nothing_that_migrates():
    code = "import sys, maedal.app; print({'alembic', 'sqlalchemy'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


async def test_webhooks_and_their_tries_survive_the_change_of_their_rules(two_empty):
    empty, present = two_empty
    await _migrated(empty, "0002")
    await _migrated(present)
    async with Opened(present) as store:
        await store.write(AddMerchant(a_merchant(), an_api_key()))
        await store.write(PutChannel(a_channel()))
        await issue_key(store)
        first, _ = await put_deliveries(store, a_delivery(1), a_delivery(2, 2))
        await store.write(ClaimDeliveries("a", LATER, LATER, 10))
        await store.write(FinishDelivery(first, "a", a_try(LATER, status=500), LATER))
        before = await store.webhooks.deliveries(MERCHANT, DeliveryFilter(10))
        assert {reported.state for reported in before} == {DeliveryState.FAILED, DeliveryState.WAITING}
        async with Opened(empty) as old:
            await _copy(store, old, empty.partition(":")[0])
    await _migrated(empty)
    async with Opened(empty) as store:
        assert (await store.health()).ready
        assert await store.webhooks.deliveries(MERCHANT, DeliveryFilter(10)) == before
        # What refers to the webhooks still does.
        assert await store.write(a_resend(first, None, LATER))
        [again] = await store.write(ClaimDeliveries("b", LATER, LATER, 10))
        await store.write(FinishDelivery(again, "b", a_try(LATER, 2), LATER))
        [reported] = await store.webhooks.deliveries(MERCHANT, DeliveryFilter(10, delivery_id=first.id))
        assert [made.number for made in reported.tries] == [1, 2]
        # And one may be recorded without being sent.
        await issue_key(store, "c_2")
        begun = await store.write(a_charge("m_2", customer_uid="c_2"))
        recorded = replace(a_delivery(3), imp_uid=begun.payment.imp_uid, only_recorded=True)
        await store.write(
            Record(begun.payment, begun.attempt.id, Event.APPROVED, approved(), LATER, deliveries=(recorded,))
        )
        [reported] = await store.webhooks.deliveries(MERCHANT, DeliveryFilter(10, [DeliveryState.RECORDED]))
        assert reported.delivery == recorded


async def test_rows_of_logs_from_before_the_chain_are_left_to_a_walk_and_new_ones_wait(two_empty):
    url, _ = two_empty
    await _migrated(url, "0018")
    async with Opened(url) as store:
        await store.engine.fetch(MERCHANT_OF_0018)
        await store.engine.fetch(ENTRY.format("a_1"))
    await _migrated(url)
    async with Opened(url) as store:
        assert [(walk.log, walk.after) for walk in await store.log_chain.walks()] == [(Log.AUDIT_LOG, ("", "", 0))]
        assert await store.log_chain.waiting(10) == []
        await store.engine.fetch(ENTRY.format("a_2"))
        assert [row.key for row in await store.log_chain.waiting(10)] == [(MERCHANT, "a_2", 0)]
        old = await store.log_chain.rows_after(Log.AUDIT_LOG, ("", "", 0), 10, waiting=False)
        assert [key for key, _ in old] == [(MERCHANT, "a_1", 0)]


async def test_a_migration_that_breaks_off_leaves_the_database_as_it_was(tmp_path):
    path = tmp_path / "broken.db"
    await _migrated(f"sqlite:///{path}", "0001")
    with contextlib.closing(sqlite3.connect(path)) as behind:
        behind.execute("CREATE TABLE webhook_deliveries_next (in_the_way TEXT)")
        schema = behind.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
        with pytest.raises(OperationalError, match="already exists"):
            await _migrated(f"sqlite:///{path}")
        assert behind.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
        assert behind.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall() == schema


async def _migrated(url, version="head"):
    await asyncio.to_thread(migrate, url, version)


async def _copy(source, target, engine):
    """Copy what an older schema has columns for."""
    for table in TABLES:
        columns = [row["name"] for row in await target.engine.fetch(COLUMNS[engine], table)]
        places = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
        insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places}) RETURNING 1 AS one"
        for row in await source.engine.fetch(f"SELECT {', '.join(columns)} FROM {table}"):
            await target.engine.fetch(insert, *(row[column] for column in columns))
