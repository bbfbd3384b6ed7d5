"""PgBouncer between maedal and PostgreSQL, in session and in transaction mode: a real one in front of a real server."""

from __future__ import annotations

import asyncio
import time

import asyncpg
import pytest

from maedal.storage.channels.writes import PutChannel
from maedal.storage.errors import DatabaseAway, NoConnectionFree, StoreError
from maedal.storage.merchants.writes import AddMerchant
from maedal.storage.migrate import migrate
from maedal.storage.open import create_store
from tests.support.builders import a_channel, a_merchant, an_api_key
from tests.support.pgbouncer import PgBouncer
from tests.support.postgres import USER, TemporaryPostgres, _execute

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pgbouncer")]
IGNORES = (
    "ignore_startup_parameters = lock_timeout, idle_in_transaction_session_timeout, statement_timeout, jit,"
    " tcp_keepalives_idle, tcp_keepalives_interval, tcp_keepalives_count"
)


@pytest.fixture(scope="module")
def server():
    with TemporaryPostgres(durable=False) as server:
        # PgBouncer logs in by this password, whoever comes to it.
        _execute(server.url, f"ALTER ROLE {USER} PASSWORD '{USER}'")
        server.url = server.url.replace(server._password, USER)
        yield server


@pytest.fixture(params=["session", "transaction", "transaction, settings ignored"])
def bouncer(request, server):
    """Few connections of the server for many of ours, so that each goes through many hands."""
    mode, _, more = request.param.partition(",")
    with PgBouncer(server.port, mode=mode, pool_size=20 if mode == "session" else 3, more=IGNORES * bool(more)) as one:
        yield one


@pytest.fixture
async def store(server, bouncer):
    server.create_database("pooled")
    await asyncio.to_thread(migrate, bouncer.url("pooled"))
    store = create_store(bouncer.url("pooled"))
    await store.open()
    yield store
    await store.close()
    bouncer.close()
    server.drop_database("pooled")


async def held(server) -> list[str]:
    """Return the statements that are kept prepared on any connection that the pooler would give out next."""
    connection = await asyncpg.connect(server, statement_cache_size=0)
    try:
        return [row["statement"] for row in await connection.fetch("SELECT statement FROM pg_prepared_statements")]
    finally:
        await connection.close()


async def test_many_at_once_share_few_connections_and_leave_no_statement_behind(store, bouncer):
    codes = [f"imp{number:08}" for number in range(60)]
    await asyncio.gather(
        *(store.write(AddMerchant(a_merchant(code=code), an_api_key(merchant_id=code, api_key=code))) for code in codes)
    )
    for code in codes:
        await store.write(PutChannel(a_channel(id=f"ch_{code}", merchant_id=code)))
    found = await asyncio.gather(*(store.merchants.find(code) for code in codes * 3))
    assert [one.code for one in found] == codes * 3
    kept = [await held(bouncer.url("pooled")) for _ in range(6)]
    assert kept == [[]] * 6


async def test_the_limits_of_a_transaction_hold_behind_it(store):
    async with store.engine._connection() as connection, connection.transaction():
        assert connection.server.pooled
        await connection.execute(store.engine._connector.set_local)
        assert await connection.fetchval("SHOW lock_timeout") == "10s"
    assert (await store.standing()).pooled


async def test_an_export_sees_one_moment_through_it(store):
    await store.write(AddMerchant(a_merchant(), an_api_key()))
    async with store.engine.snapshot() as snapshot:
        before = await snapshot.fetch("SELECT count(*) FROM merchants")
        await store.write(
            AddMerchant(a_merchant(code="imp22222222"), an_api_key(merchant_id="imp22222222", api_key="2"))
        )
        assert (await snapshot.fetch("SELECT count(*) FROM merchants"))[0][0] == before[0][0]


async def test_a_pooler_whose_server_is_down_takes_us_in_and_is_known_for_what_it_is(server, bouncer):
    server.create_database("down")
    await asyncio.to_thread(migrate, bouncer.url("down"))
    server.stop("immediate")
    try:
        store = create_store(bouncer.url("down"))
        begun = time.monotonic()
        with pytest.raises(DatabaseAway) as raised:
            await store.open()
        assert "pooler" in str(raised.value)
        assert "migrate" not in str(raised.value)
        assert time.monotonic() - begun < 15
        await store.close()
    finally:
        server.start()


async def test_a_store_outlives_a_restart_of_the_server_behind_the_pooler(server, store):
    server.restart("immediate")
    limit, said = time.monotonic() + 60, []
    while time.monotonic() < limit:
        try:
            await store.write(AddMerchant(a_merchant(), an_api_key()))
        except StoreError as error:
            said.append(error)
            await asyncio.sleep(0.2)
        else:
            break
    assert await store.merchants.find(a_merchant().code) is not None


async def test_a_pooler_that_has_no_connection_for_us_is_full_and_not_broken(server):
    server.create_database("full")
    migrate_url = server.url.rpartition("/")[0] + "/full"
    await asyncio.to_thread(migrate, migrate_url)
    with PgBouncer(server.port, mode="transaction", pool_size=1, more="query_wait_timeout = 2") as bouncer:
        greedy = await asyncpg.connect(bouncer.url("full"), statement_cache_size=0)
        transaction = greedy.transaction()
        await transaction.start()
        store = create_store(bouncer.url("full") + "?connect_timeout=6")
        with pytest.raises(NoConnectionFree):
            await store.open()
        await transaction.rollback()
        await greedy.close()
        await store.close()
