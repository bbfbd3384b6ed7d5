"""Group commit: waiting writes share a transaction, and never each other's fate."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from maedal.storage.engine.group_commit import BATCH_MAX, REPEATS_MAX, GroupCommitter
from maedal.storage.errors import BrokenOff, CommitUnclear, Conflict
from maedal.storage.write import Write


@dataclass(frozen=True)
class Put(Write[int]):
    merchant_id: str
    value: int


@dataclass(frozen=True)
class Of(Write[int]):
    merchant_id: str
    value: int
    customer_uid: object


class Database:
    """Commits what it is given, slowly, and refuses batches that hold a bad value."""

    def __init__(self, *, unclear: bool = False, breaks_off: int = 0) -> None:
        self.batches: list[list[int]] = []
        self.unclear = unclear
        self.breaks_off = breaks_off

    async def commit(self, kind, writes):
        await asyncio.sleep(0.001)
        if self.unclear:
            raise CommitUnclear("cut in the middle")
        if self.breaks_off:
            self.breaks_off -= 1
            raise BrokenOff("in the way")
        if any(write.value < 0 for write in writes):
            raise Conflict("bad")
        self.batches.append([write.value for write in writes])
        return [write.value * 10 for write in writes]


async def test_writes_that_wait_together_are_committed_together():
    database = Database()
    committer = GroupCommitter(database.commit, lanes=1)
    results = await asyncio.gather(*(committer.write(Put("m", n)) for n in range(50)))
    assert results == [n * 10 for n in range(50)]
    assert len(database.batches) == 1


async def test_a_bad_write_fails_alone():
    database = Database()
    committer = GroupCommitter(database.commit, lanes=2)
    values = [*range(10), -1, *range(10, 20)]
    results = await asyncio.gather(*(committer.write(Put("m", n)) for n in values), return_exceptions=True)
    assert [r for r in results if not isinstance(r, Conflict)] == [n * 10 for n in range(20)]
    assert isinstance(results[10], Conflict)


async def test_an_unclear_commit_is_told_and_not_repeated():
    database = Database(unclear=True)
    committer = GroupCommitter(database.commit, lanes=1)
    results = await asyncio.gather(*(committer.write(Put("m", n)) for n in range(5)), return_exceptions=True)
    assert all(isinstance(r, CommitUnclear) for r in results)


async def test_what_the_database_broke_off_is_repeated():
    database = Database(breaks_off=1 + REPEATS_MAX)
    committer = GroupCommitter(database.commit, lanes=1)
    assert await asyncio.gather(*(committer.write(Put("m", n)) for n in range(5))) == [0, 10, 20, 30, 40]
    assert database.batches == [[0], [1], [2], [3], [4]]


async def test_what_the_database_breaks_off_for_ever_is_given_up():
    database = Database(breaks_off=REPEATS_MAX + 1)
    committer = GroupCommitter(database.commit, lanes=1)
    with pytest.raises(BrokenOff):
        await committer.write(Put("m", 1))
    assert await committer.write(Put("m", 2)) == 20


async def test_batches_are_bounded_and_ordered_by_what_they_lock():
    database = Database()
    committer = GroupCommitter(database.commit, lanes=1)
    writes = [Put(f"m{n % 7}", n) for n in range(BATCH_MAX * 2 + 5)]
    await asyncio.gather(*map(committer.write, writes))
    assert max(map(len, database.batches)) <= BATCH_MAX
    for batch in database.batches:
        assert [v % 7 for v in batch] == sorted(v % 7 for v in batch)


async def test_a_caller_that_gave_up_does_not_disturb_the_others():
    database = Database()
    committer = GroupCommitter(database.commit, lanes=1)
    tasks = [asyncio.create_task(committer.write(Put("m", n))) for n in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    assert await tasks[0] == 0
    assert await tasks[2] == 20
    with pytest.raises(asyncio.CancelledError):
        await tasks[1]
    await committer.drain()


async def test_writes_of_one_kind_that_name_a_customer_and_that_do_not_share_a_batch():
    database = Database()
    committer = GroupCommitter(database.commit, lanes=1)
    async with asyncio.timeout(60):
        assert await asyncio.gather(*(committer.write(Of("m", n, uid)) for n, uid in enumerate(["c", None, "b"]))) == [
            0,
            10,
            20,
        ]
    assert database.batches == [[1, 2, 0]]


async def test_writes_that_cannot_be_ordered_are_carried_out_one_by_one():
    database = Database()
    committer = GroupCommitter(database.commit, lanes=1)
    async with asyncio.timeout(60):
        assert await asyncio.gather(*(committer.write(Of("m", n, uid)) for n, uid in enumerate(["c", 5]))) == [0, 10]
    assert database.batches == [[0], [1]]
