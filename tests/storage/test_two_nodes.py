"""Two nodes on one PostgreSQL: whatever order their transactions come in, none waits for the other in a ring."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest

from maedal.payments.attempt import Attempt, Verb
from maedal.payments.cancellation import Cancellation, CancelSplit
from maedal.payments.moves import Event, Status
from maedal.storage.cancellations.units import UNMOVED
from maedal.storage.cancellations.writes import BeginCancel, RecordCancel
from maedal.storage.channels.writes import PutChannel
from maedal.storage.engine.distributed import sql_of
from maedal.storage.errors import BrokenOff, Conflict
from maedal.storage.merchants.writes import AddMerchant
from maedal.storage.open import create_store
from maedal.storage.payments.units.beginning import FACTS
from maedal.storage.payments.writes import Record
from tests.support.builders import MERCHANT, a_channel, a_merchant, an_api_key, approved

from .test_store import LATER, a_charge, issue_key

BLOCKED = "SELECT count(*) AS n FROM pg_locks WHERE NOT granted"
BLOCKED_SECONDS_MAX = 60


@pytest.fixture
def postgres_url(all_databases):
    return all_databases.url("postgresql")


@pytest.fixture
async def nodes(postgres_url):
    here, there = create_store(postgres_url), create_store(postgres_url)
    await here.open()
    await there.open()
    await here.write(AddMerchant(a_merchant(), an_api_key()))
    await here.write(PutChannel(a_channel()))
    yield here, there
    await here.close()
    await there.close()


@asynccontextmanager
async def late(store, write, look, monkeypatch):
    """Begin a write that stops after its `look` until the block ends; gives the task."""
    looked, go_on = asyncio.Event(), asyncio.Event()
    take = store.engine._step

    async def slowly(connection, step):
        answer = await take(connection, step)
        if sql_of(step) == look:
            looked.set()
            await go_on.wait()
        return answer

    monkeypatch.setattr(store.engine, "_step", slowly)
    task = asyncio.create_task(store.write(write))
    async with asyncio.timeout(60):
        await looked.wait()
    yield task
    go_on.set()


async def until_blocked(store):
    async with asyncio.timeout(BLOCKED_SECONDS_MAX):
        while (await store.engine.fetch(BLOCKED))[0]["n"] == 0:
            await asyncio.sleep(0.01)


async def test_a_charge_is_recorded_while_another_node_late_begins_one_of_the_same_key(nodes, monkeypatch):
    here, there = nodes
    await issue_key(here)
    async with late(there, a_charge("m_2"), FACTS.sql, monkeypatch) as second:
        begun = await here.write(a_charge("m_1"))
        record = Record(begun.payment, begun.attempt.id, Event.APPROVED, approved(at=LATER), LATER)
        recorded = asyncio.create_task(here.write(record))
        await until_blocked(here)
    assert (await recorded).status is Status.PAID
    with pytest.raises(Conflict):
        await second
    assert await here.payments.find(MERCHANT, "imps_m_2") is None


async def test_a_cancel_is_recorded_while_another_node_late_begins_one_of_the_same_payment(nodes, monkeypatch):
    here, there = nodes
    await issue_key(here)
    begun = await here.write(a_charge("m_1"))
    paid = await here.write(Record(begun.payment, begun.attempt.id, Event.APPROVED, approved(at=LATER), LATER))
    first, second = (begin_cancel(paid, f"cancel_{n}") for n in (1, 2))
    async with late(there, second, UNMOVED, monkeypatch) as refused:
        await here.write(first)
        recorded = asyncio.create_task(here.write(RecordCancel(paid, first.cancellation, approved(at=LATER), LATER)))
        await until_blocked(here)
    assert (await recorded).cancelled_amount == 1_000
    with pytest.raises(Conflict):
        await refused


async def test_a_record_that_postgresql_breaks_off_to_end_a_deadlock_is_written_all_the_same(
    nodes, postgres_url, monkeypatch
):
    here, _ = nodes
    await issue_key(here)
    broken_off = []

    async def counting(kind, writes):
        try:
            return await commit(kind, writes)
        except BrokenOff as error:
            broken_off.append(error)
            raise

    commit = here.engine._committer._commit
    monkeypatch.setattr(here.engine._committer, "_commit", counting)
    # PostgreSQL breaks off whoever's wait became a second old while each waited for the other. That is the record,
    # which waits first, unless this process was held up between the two waits: then it is tried with another charge.
    for n in range(20):
        # Soon after an approval no charge of the same key begins.
        at = LATER + timedelta(hours=n)
        begun = await here.write(a_charge(f"m_{n}", now=at))
        record = Record(begun.payment, begun.attempt.id, Event.APPROVED, approved(at=at), at)
        recorded, somebody_broken_off = await _record_in_a_deadlock(here, postgres_url, record)
        assert recorded.status is Status.PAID
        if not somebody_broken_off:
            break
    # More than once when the repeat takes the key before the other has woken up.
    assert broken_off


async def _record_in_a_deadlock(here, postgres_url, record):
    """Record while somebody takes the attempt first and its key afterwards; gives also whether they were broken off."""
    somebody = await asyncpg.connect(postgres_url)
    try:
        transaction = somebody.transaction()
        await transaction.start()
        await somebody.execute("SELECT 1 FROM attempts WHERE id = $1 FOR UPDATE", record.attempt_id)
        recorded = asyncio.create_task(here.write(record))
        await until_blocked(here)
        try:
            await somebody.execute("SELECT 1 FROM billing_keys FOR UPDATE")
        except asyncpg.exceptions.DeadlockDetectedError:
            await transaction.rollback()
            return await recorded, True
        await transaction.commit()
    finally:
        await somebody.close()
    return await recorded, False


def begin_cancel(paid, attempt_id):
    at = LATER + timedelta(minutes=1)
    return BeginCancel(
        paid,
        Attempt(attempt_id, MERCHANT, Verb.CANCEL, attempt_id, at, paid.imp_uid),
        Cancellation(MERCHANT, attempt_id, paid.imp_uid, CancelSplit(1_000, 0, 91), "half", False, at),
    )
