"""Group commit: writes that wait at the same moment are committed together.

One durable commit costs a disk flush; many callers waiting each for their own would queue for it. A committer takes
what has gathered while the last transaction was being flushed and puts it into the next one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from maedal.storage.errors import BrokenOff, CommitUnclear
from maedal.storage.write import R, Write

BATCH_MAX = 128
REPEATS_MAX = 3
"""How often a write is repeated that the database broke off: whoever stood in its way has then gone on."""

Commit = Callable[[type, Sequence[Any]], Awaitable[Sequence[Any]]]
"""Carry out writes of one kind in one transaction and return their results in order; all or nothing."""


@dataclass(slots=True)
class Waiting:
    """A write and whoever waits for it."""

    write: Write[Any]
    done: asyncio.Future[Any]


class GroupCommitter:
    """Gathers writes and has them committed by a few lanes at once, each batch of one kind only.

    A batch that fails is repeated write by write, so that one bad row cannot fail its neighbours, and a write that the
    database broke off is repeated a few times. A commit whose own result is unclear is not repeated: everybody in it is
    told so.
    """

    def __init__(self, commit: Commit, lanes: int) -> None:
        self._commit = commit
        self._lanes_free = lanes
        self._waiting: dict[type, deque[Waiting]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def write(self, write: Write[R]) -> R:
        """Return the result of `write` once it is committed."""
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(type(write), deque()).append(Waiting(write, done))
        self._start_lane()
        return await done

    async def drain(self) -> None:
        """Return once everything that was waiting is committed."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _start_lane(self) -> None:
        if self._lanes_free:
            self._lanes_free -= 1
            task = asyncio.create_task(self._lane())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _lane(self) -> None:
        try:
            # One turn of the loop lets callers that became ready together share the first batch too.
            await asyncio.sleep(0)
            while batch := self._next_batch():
                await self._carry_out(batch)
        finally:
            self._lanes_free += 1
            if any(self._waiting.values()):
                self._start_lane()

    def _next_batch(self) -> list[Waiting]:
        """Return the writes of the kind that has waited longest."""
        kinds = [(queue, kind) for kind, queue in self._waiting.items() if queue]
        if not kinds:
            return []
        queue, kind = kinds[0]
        # The kind goes to the end of the dict, so that kinds take turns.
        self._waiting[kind] = self._waiting.pop(kind)
        return [queue.popleft() for _ in range(min(len(queue), BATCH_MAX))]

    async def _carry_out(self, batch: list[Waiting], repeats: int = REPEATS_MAX) -> None:
        kind = type(batch[0].write)
        try:
            # Inside, because from here on somebody waits for each of these and has to hear of anything that goes wrong.
            batch.sort(key=lambda w: w.write.lock_order)
            results = await self._commit(kind, [w.write for w in batch])
        except CommitUnclear as error:
            _fail(batch, error)
        except Exception as error:
            if len(batch) > 1:
                for waiting in batch:
                    await self._carry_out([waiting])
            elif isinstance(error, BrokenOff) and repeats:
                await self._carry_out(batch, repeats - 1)
            else:
                _fail(batch, error)
        else:
            for waiting, result in zip(batch, results, strict=True):
                if not waiting.done.done():
                    waiting.done.set_result(result)


def _fail(batch: Sequence[Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.done.done():
            waiting.done.set_exception(error)
