"""What a charge costs the database: so many statements, rows and commits, and not one more.

Counted when everything is warm, with one charge at a time: statements that several share are one for all of them.
A number that changes here is a choice, and says so in its commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest

from maedal.flows.charge import charge
from maedal.payments.moves import Status
from maedal.storage.engine.connecting import Connector
from maedal.storage.engine.sqlite import SqliteEngine
from tests.flows.test_schedules import plan, run_due, stored
from tests.support.builders import MERCHANT, an_order

STATISTICS_SECONDS = 1.1
"""PostgreSQL's sessions tell what they have done at their next statement a second after they told it last."""
CHANGED = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables"
AGAIN = {"postgresql": 12, "sqlite": 20}
"""SQLite tells of what its triggers do as well."""
SCHEDULED = {"postgresql": 18, "sqlite": 26}


@dataclass(frozen=True)
class Cost:
    """What was asked of the database meanwhile, and how many rows it inserted, updated and deleted."""

    statements: list[str]
    rows: int

    @property
    def commits(self) -> int:
        return sum(sql.startswith("COMMIT") for sql in self.statements)

    def text(self) -> str:
        return "\n".join([f"{self.rows} rows", *(" ".join(sql.split())[:120] for sql in self.statements)])


@dataclass
class Counter:
    """What was asked of the database since it began to count."""

    url: str
    statements: list[str] = field(default_factory=list)
    connections: list[Any] = field(default_factory=list)

    @property
    def engine(self) -> str:
        return self.url.partition(":")[0]

    async def rows(self) -> int:
        """Return how many rows were ever changed."""
        if self.engine == "sqlite":
            return sum(connection.total_changes for connection in self.connections)
        await asyncio.sleep(STATISTICS_SECONDS)
        for connection in self.connections:
            await connection.fetchval("SELECT 1")
        reading = await asyncpg.connect(self.url)
        try:
            return int(await reading.fetchval(CHANGED))
        finally:
            await reading.close()

    async def of(self, work: Callable[[], Awaitable[None]]) -> Cost:
        """Return the cost of `work`."""
        before = await self.rows()
        await asyncio.sleep(0)  # the driver tells of what it has asked when it is its turn
        self.statements.clear()
        await work()
        await asyncio.sleep(0)
        statements = list(self.statements)
        return Cost(statements, await self.rows() - before)


@pytest.fixture
def counter(database_url, monkeypatch):
    """Counts on every connection that is made after this."""
    counter = Counter(database_url)
    connect_sqlite, connect_postgres = SqliteEngine._connect, Connector.connect

    def to_sqlite(engine):
        connection = connect_sqlite(engine)
        connection.set_trace_callback(counter.statements.append)
        counter.connections.append(connection)
        return connection

    async def to_postgres(connector, *args, **more):
        connection = await connect_postgres(connector, *args, **more)
        connection.add_query_logger(lambda asked: counter.statements.append(asked.query))
        counter.connections.append(connection)
        return connection

    monkeypatch.setattr(SqliteEngine, "_connect", to_sqlite)
    monkeypatch.setattr(Connector, "connect", to_postgres)
    return counter


@pytest.fixture
def counted(counter, flows):
    """The flows, on connections that are counted; made in this order."""
    return flows


async def test_a_charge_through_the_api_costs_what_it_did(counter, counted):
    for customer in ("c_before", "c_1"):
        await counted.issue_key(customer)

    async def again(merchant_uid, customer):
        payment = await charge(counted.services, MERCHANT, an_order(merchant_uid, customer_uid=customer))
        assert payment.status is Status.PAID

    await again("m_before", "c_before")
    found = await counter.of(lambda: again("m_1", "c_1"))
    assert (len(found.statements), found.commits, found.rows) == (AGAIN[counter.engine], 2, 11), found.text()


async def test_a_scheduled_charge_costs_a_claim_more(counter, counted):
    for n, customer in enumerate(("c_before", "c_1")):
        await counted.issue_key(customer)
        await plan(counted, f"m_{n}", customer_uid=customer)
    counted.clock.add(61)

    async def one():
        assert await run_due(counted, 1) == 1

    await one()
    found = await counter.of(one)
    assert (await stored(counted, "m_1")).payment.status is Status.PAID
    assert (len(found.statements), found.commits, found.rows) == (SCHEDULED[counter.engine], 3, 13), found.text()
