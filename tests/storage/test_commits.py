"""A commit counts when it was acknowledged without a warning; anything else is proved by another write, never by reading.

Each of these is a way in which a commit ends that waits for its standby. All of them leave the row on the primary, where
every reader sees it, and on no other server.
"""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from maedal.flows.services import Limits
from maedal.storage.channels.writes import PutChannel
from maedal.storage.durability.writes import Prove, ProvePayment
from maedal.storage.engine import postgres
from maedal.storage.errors import CommitUnclear, NoPrimary, ReadOnly, StoreError
from maedal.storage.merchants.writes import AddMerchant
from maedal.storage.open import create_store
from maedal.storage.windows.writes import OpenWindow
from tests.support.builders import MERCHANT, a_channel, a_merchant, an_api_key, an_issuing_window
from tests.support.standby import StandbyPair, ask

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("standby")]

NOBODY_WAITS = "SELECT count(*) = 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
KEPT = "SELECT count(*) = 1 FROM attempts WHERE id = $1"


@pytest.fixture
async def pair():
    pair = StandbyPair()
    await asyncio.to_thread(pair.__enter__)
    yield pair
    await asyncio.to_thread(pair.__exit__)


@pytest.fixture
async def store(pair, monkeypatch):
    monkeypatch.setattr(postgres, "COMMAND_TIMEOUT_SECONDS", 2)
    store = create_store(pair.url)
    await store.open()
    await store.write(AddMerchant(a_merchant(), an_api_key()))
    await store.write(PutChannel(a_channel()))
    await asyncio.to_thread(pair.demand_standby)
    yield store
    await store.close()


async def _hang(pair, store, write):
    """Write while the standby is away, until the commit waits for it."""
    await asyncio.to_thread(pair.standby.stop)
    writing = asyncio.create_task(store.write(write))
    await asyncio.to_thread(pair.wait_for_hanging)
    return writing


def _a_write():
    return OpenWindow(*an_issuing_window())


@pytest.mark.parametrize("end", ["cancel", "terminate", "crash"])
async def test_a_wait_for_the_standby_that_is_ended_is_no_commit(pair, store, end):
    """Before, what an operator's cancel had ended counted as committed, and a read of the row proved all of them."""
    write = _a_write()
    writing = await _hang(pair, store, write)
    if end in ("cancel", "terminate"):
        await asyncio.to_thread(pair.end_waits, end)
    if end == "crash":
        await asyncio.to_thread(pair.primary.restart)
    with pytest.raises(CommitUnclear):
        await writing
    # It is there for whoever reads, and nothing proves it ...
    assert await asyncio.to_thread(ask, pair.url_of(pair.primary), KEPT, write.attempt.id)
    for proof in (Prove(MERCHANT, write.attempt.id), ProvePayment(MERCHANT, write.payment.imp_uid)):
        with pytest.raises(CommitUnclear):
            await store.write(proof)
    # ... until the standby is back,
    await asyncio.to_thread(pair.standby.start)
    proved = await store.write(Prove(MERCHANT, write.attempt.id))
    assert proved.attempt == write.attempt
    assert proved.payment == write.payment
    assert await asyncio.to_thread(ask, pair.url_of(pair.standby), KEPT, write.attempt.id)


async def test_a_wait_for_the_standby_that_is_given_up_goes_on_at_the_server(pair, store):
    """Nobody sees the row meanwhile, and nobody else can write it: so it is neither proved nor begun a second time."""
    write = _a_write()
    writing = await _hang(pair, store, write)
    with pytest.raises(CommitUnclear):
        await writing
    assert await store.write(Prove(MERCHANT, write.attempt.id)) is None
    with pytest.raises(StoreError):
        await store.write(write)
    await asyncio.to_thread(pair.standby.start)
    await asyncio.to_thread(pair.wait_until, pair.primary, NOBODY_WAITS)
    assert (await _patiently(store, Prove(MERCHANT, write.attempt.id))).payment == write.payment


@pytest.mark.parametrize("end", ["cancel", "terminate", "timeout", "crash"])
async def test_a_standby_that_takes_over_knows_nothing_of_it(pair, store, end):
    write = _a_write()
    writing = await _hang(pair, store, write)
    if end in ("cancel", "terminate"):
        await asyncio.to_thread(pair.end_waits, end)
    if end == "crash":
        await asyncio.to_thread(pair.primary.restart)
    with pytest.raises(CommitUnclear):
        await writing
    await asyncio.to_thread(pair.fail_over)
    assert await _patiently(store, Prove(MERCHANT, write.attempt.id)) is None
    assert await store.write(write)
    assert await store.write(Prove(MERCHANT, write.attempt.id)) is not None


async def test_a_primary_of_yesterday_proves_nothing_and_its_connections_are_let_go(pair, store):
    write = _a_write()
    writing = await _hang(pair, store, write)
    await asyncio.to_thread(pair.fail_over)
    with pytest.raises(CommitUnclear):
        await writing
    await asyncio.to_thread(pair.return_read_only)
    assert await asyncio.to_thread(ask, pair.url, KEPT, write.attempt.id)
    for kind in (Prove(MERCHANT, write.attempt.id), _a_write(), write):
        # Over a connection that was open already, or over a new one, which it is not given.
        with pytest.raises((ReadOnly, NoPrimary)):
            await _patiently(store, kind, unless=(ReadOnly, NoPrimary))
    # The address leads to the new primary, and the next connection with it.
    pair.switch.lead_to(pair.standby.port)
    assert await _patiently(store, Prove(MERCHANT, write.attempt.id)) is None


async def test_a_notice_that_is_no_warning_changes_nothing(pair, store):
    connection = await asyncpg.connect(pair.url_of(pair.primary))
    await connection.execute(
        """
        CREATE FUNCTION say() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.name = 'warn' THEN RAISE WARNING 'hm' USING ERRCODE = '01000'; ELSE RAISE NOTICE 'oh'; END IF;
        RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER say AFTER UPDATE ON channels DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION say();
        """
    )
    await connection.close()
    await store.write(PutChannel(a_channel(name="said")))
    with pytest.raises(CommitUnclear):
        await store.write(PutChannel(a_channel(name="warn")))


async def test_proofs_are_given_in_the_order_in_which_they_were_asked_for(store):
    writes = [_a_write() for _ in range(9)]
    await asyncio.gather(*map(store.write, writes))
    asked = [Prove(MERCHANT, w.attempt.id) for w in reversed(writes)]
    asked.insert(4, Prove(MERCHANT, "nothing"))
    found = await asyncio.gather(*map(store.write, asked))
    assert [f and f.attempt.id for f in found] == [a.attempt_id if a.attempt_id != "nothing" else None for a in asked]


def test_a_commit_is_given_up_only_when_its_call_may_leave_no_more():
    """A wait for the standby ends with this timeout, and then the commit stands on the primary alone.

    Were it shorter than the time in which a call may leave, impatience would be a way for intents that no standby has.
    """
    assert Limits().leaves_within.total_seconds() <= postgres.COMMAND_TIMEOUT_SECONDS


async def _patiently(store, write, unless=()):
    """Write as soon as the pool has noticed that its connections are broken."""
    for _ in range(20):
        try:
            return await store.write(write)
        except StoreError as error:
            if isinstance(error, unless or ()):
                raise
            await asyncio.sleep(0.2)
    return await store.write(write)
