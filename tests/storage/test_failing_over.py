"""What a store does when its server is replaced, demoted, frozen or made read-only, and how soon it goes on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit

import pytest

from maedal.storage.channels.writes import PutChannel
from maedal.storage.engine.connecting import ServerConnection
from maedal.storage.engine.pooled import CLOSE_SECONDS_MAX
from maedal.storage.errors import NoConnectionFree, NoPrimary, StoreError
from maedal.storage.merchants.writes import AddMerchant
from maedal.storage.migrate import migrate
from maedal.storage.open import create_store
from maedal.storage.sql_store import SqlStore
from tests.support.builders import a_channel, a_merchant, an_api_key
from tests.support.postgres import TemporaryPostgres, _execute
from tests.support.standby import StandbyPair

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("failing_over")]
SECONDS_MAX = 30


@pytest.fixture
def pair() -> Iterator[StandbyPair]:
    with StandbyPair() as pair:
        yield pair


def both(pair: StandbyPair, *, first: str = "primary", **more: str) -> str:
    """Return an address with both servers as hosts."""
    servers = [pair.primary, pair.standby] if first == "primary" else [pair.standby, pair.primary]
    login = urlsplit(pair.url).netloc.rpartition("@")[0]
    hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers)
    query = "&".join(f"{name}={value}" for name, value in {"connect_timeout": "2", **more}.items())
    return f"postgresql://{login}@{hosts}{urlsplit(pair.url).path}?{query}"


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[SqlStore]:
    store = create_store(url)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@contextmanager
def frozen(server: TemporaryPostgres) -> Iterator[None]:
    """Stop every process of a server where it stands, as a machine that hangs does."""
    postmaster = server._server.pid
    children = subprocess.run(["pgrep", "-P", str(postmaster)], capture_output=True, text=True, check=False)
    pids = [postmaster, *map(int, children.stdout.split())]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass


async def write_until_kept(store: SqlStore, code: str) -> float:
    """Write again and again until it is kept; return after how many seconds it was."""
    begun = time.monotonic()
    while time.monotonic() - begun < SECONDS_MAX:
        try:
            await store.write(AddMerchant(a_merchant(code=code), an_api_key(merchant_id=code, api_key=code)))
        except StoreError:
            await asyncio.sleep(0.1)
        else:
            return time.monotonic() - begun
    raise AssertionError(f"nothing was kept for {SECONDS_MAX} s")


async def until(store: SqlStore, *, ready: bool, seconds: float, because: str = "") -> str:
    """Return what the health says once it is so."""
    limit = time.monotonic() + seconds
    while (reported := await store.health()).ready != ready or because not in (reported.problem or ""):
        assert time.monotonic() < limit, reported
        await asyncio.sleep(0.1)
    return reported.problem or ""


async def test_a_standby_that_is_named_first_is_passed_over(pair):
    async with opened(both(pair, first="standby")) as store:
        await store.write(AddMerchant(a_merchant(), an_api_key()))
        assert (await store.standing()).host == f"127.0.0.1:{pair.primary.port}"


async def test_with_standbys_alone_nothing_is_opened_and_each_is_named(pair):
    url = both(pair).replace(f"127.0.0.1:{pair.primary.port},", "")
    with pytest.raises(NoPrimary, match=f"127.0.0.1:{pair.standby.port} is a standby"):
        await create_store(url).open()
    with pytest.raises(NoPrimary, match="is a standby"):
        await asyncio.to_thread(migrate, url)


async def test_a_frozen_primary_is_left_for_the_one_that_was_promoted_and_never_gone_back_to(pair):
    pair.catch_up()
    async with opened(both(pair)) as store:
        assert await write_until_kept(store, "imp00000001") < SECONDS_MAX
        pair.catch_up()
        with frozen(pair.primary):
            # Somebody waits for the frozen one, in each lane.
            hanging = [asyncio.create_task(write_until_kept(store, f"imp1000000{n}")) for n in range(4)]
            await asyncio.sleep(1)
            pair.standby.promote()
            promoted_at = time.monotonic()
            await write_until_kept(store, "imp00000002")
            await asyncio.gather(*hanging)
            assert time.monotonic() - promoted_at < 15
            # The watcher may still be waiting for the frozen one, when writes already go to the other.
            await until(store, ready=True, seconds=15)
        # It thaws, still a primary as far as it knows.
        await asyncio.sleep(2)
        await write_until_kept(store, "imp00000003")
        assert (await store.standing()).host == f"127.0.0.1:{pair.standby.port}"
        url = both(pair).replace(f",127.0.0.1:{pair.standby.port}", "")
        async with opened(url) as old:
            assert await old.merchants.find("imp00000003") is None


async def test_a_primary_that_does_not_know_of_its_successor_is_left_within_seconds(pair):
    """As when its manager sleeps: it goes on taking writes, and they are lost."""
    pair.catch_up()
    async with opened(both(pair)) as store:
        pair.standby.promote()
        limit = time.monotonic() + 60
        while (await store.standing()).host != f"127.0.0.1:{pair.standby.port}":
            assert time.monotonic() < limit
            await asyncio.sleep(0.2)
        await write_until_kept(store, "imp00000001")
        async with opened(both(pair, first="standby")) as there:
            assert await there.merchants.find("imp00000001") is not None


async def test_a_server_that_comes_back_read_only_is_not_read_for_long_nor_told_to_be_ready(pair):
    async with opened(pair.url) as store:
        await write_until_kept(store, "imp00000001")
        pair.return_read_only()
        await until(store, ready=False, seconds=10, because="is a standby")
        with pytest.raises(StoreError):
            await store.merchants.find("imp00000001")
        pair.standby.promote()
        pair.switch.to(pair.standby.port)
        await until(store, ready=True, seconds=10)
        assert await write_until_kept(store, "imp00000002") < 10


async def test_a_primary_made_read_only_under_open_sessions_is_noticed_and_so_is_its_return(pair):
    async with opened(pair.url) as store:
        readers = await asyncio.gather(*(store.merchants.find("imp00000000") for _ in range(8)))
        assert readers == [None] * 8
        _execute(pair.primary.url, "ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
        assert "read-only" in await until(store, ready=False, seconds=6)
        with pytest.raises(StoreError):
            await store.write(PutChannel(a_channel()))
        _execute(pair.primary.url, "ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")
        await until(store, ready=True, seconds=10)
        await write_until_kept(store, "imp00000001")


async def test_a_missing_synchronous_standby_is_told_and_so_is_one_that_lags(pair):
    async with opened(pair.url) as store:
        pair.demand_standby()
        await until(store, ready=True, seconds=10)
        pair.standby.stop("immediate")
        assert "every write waits" in await until(store, ready=False, seconds=15)
        pair.demand_nothing()
        await until(store, ready=True, seconds=15)


async def test_when_every_connection_is_in_use_the_next_is_refused_in_time_and_as_that(pair, monkeypatch):
    async with opened(pair.url) as store, contextlib.AsyncExitStack() as in_use:
        engine = store.engine
        for _ in range(engine._pool.get_max_size()):
            await in_use.enter_async_context(engine._connection())
        monkeypatch.setattr("maedal.storage.engine.pooled.ACQUIRE_SECONDS", 1.0)
        begun = time.monotonic()
        with pytest.raises(NoConnectionFree):
            await store.merchants.find("imp00000000")
        # Long enough for the one host to be tried, and no longer.
        assert time.monotonic() - begun < engine._connector.address.connect_seconds + 4
        await in_use.aclose()
        assert await store.merchants.find("imp00000000") is None


async def test_a_store_is_closed_in_time_although_its_server_is_frozen(pair):
    store = create_store(pair.url)
    await store.open()
    assert await store.merchants.find("imp00000000") is None
    with frozen(pair.primary):
        begun = time.monotonic()
        await store.close()
        assert time.monotonic() - begun < 2 * CLOSE_SECONDS_MAX


async def test_a_connection_that_is_ended_between_two_steps_of_a_question_is_a_failure_of_the_store(pair, monkeypatch):
    async with opened(pair.url) as store:
        prepare = ServerConnection._get_statement

        async def prepare_and_end(self, query, *supplied, **more):
            prepared = await prepare(self, query, *supplied, **more)
            if "merchants" in query:
                self.terminate()
            return prepared

        with monkeypatch.context() as cut:
            cut.setattr(ServerConnection, "_get_statement", prepare_and_end)
            with pytest.raises(StoreError):
                await store.merchants.find("imp00000000")
            with pytest.raises(StoreError):
                await store.write(AddMerchant(a_merchant(), an_api_key()))
            async with store.snapshot() as seen:
                with pytest.raises(StoreError):
                    await seen.merchants.find("imp00000000")
        assert await write_until_kept(store, "imp00000001") < SECONDS_MAX
