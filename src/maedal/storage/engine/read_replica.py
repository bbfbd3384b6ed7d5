"""A standby from which people's lists are read: how far it is behind is measured, and never more than a bound.

Once a second the primary is asked how far its log has come. A standby that has replayed up to there shows everything
that was committed when the question was asked, whatever the clocks of the two say, and also while nothing is written.
Each read looks first, in its own transaction, whether the standby it has reached is far enough; so it does not matter
how many standbys an address leads to.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import structlog

from maedal.storage.engine.connecting import StandbyConnector
from maedal.storage.engine.engine import Engine
from maedal.storage.engine.pooled import PooledConnections, as_store_errors, terminate
from maedal.storage.engine.postgres import COMMAND_TIMEOUT_SECONDS, FOR_PEOPLE, SESSION, dialect
from maedal.storage.engine.steps import Row
from maedal.storage.errors import DatabaseAway, NoConnectionFree, StoreError, TookTooLong
from maedal.storage.health import ReplicaStanding, Standing
from maedal.storage.write import R, Write

_log = structlog.get_logger()

LOOK_SECONDS = 1.0
"""How long the watch rests."""
ANSWER_SECONDS_MAX = 2.0
"""How long the standby may take to take us in and say how far it is; a page then goes to the primary instead."""
READERS_MAX = 8
MARKS_MAX = 3600
"""How many of the primary's answers are remembered: a lag is told exactly up to an hour."""

MARK = """
SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint AS flushed, s.id, s.first_seen_at
  FROM database_servers s WHERE s.id = (SELECT {server})
"""
# The row is written once on each server that took over. One that follows a server left behind has not got it, nor has
# another database.
REACHED = """
SELECT pg_is_in_recovery() AS follows, pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint AS replayed,
       EXISTS (SELECT 1 FROM database_servers WHERE id = $1 AND first_seen_at = $2) AS same_history
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the log of the primary was at least at a moment of this process's steady clock."""

    at: float
    flushed: int
    server_id: str
    first_seen_at: Any


class ReadReplica(PooledConnections):
    """Reads through a pool of its own, of what is at most `lag_seconds_max` old; whatever fails raises StoreError."""

    def __init__(self, url: str, primary: Engine, lag_seconds_max: float) -> None:
        """Raises StoreError when the address is malformed."""
        connector = StandbyConnector(url, SESSION, command_timeout=COMMAND_TIMEOUT_SECONDS)
        # Whoever looks how far it is has a connection also while people read over all others.
        super().__init__(connector, READERS_MAX + 2)
        self._readers = asyncio.Semaphore(READERS_MAX)
        self._primary = primary
        self._lag_seconds_max = lag_seconds_max
        self._marks: deque[Mark] = deque(maxlen=MARKS_MAX)
        self._replayed: int | None = None
        self._problem: str | None = "it has not been looked at yet"
        self._was_used = True
        self._task: asyncio.Task[None] | None = None
        self._now = time.monotonic

    async def open(self) -> None:
        """Take one look, and go on looking until it is closed. A standby that is away is no error."""
        await self._open_pool()
        await self.look()
        self._task = asyncio.create_task(self._watch())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._end_connections()
        await self._close_pool()

    def standing(self) -> ReplicaStanding:
        """Return how far behind it is now at most, and why it is not read from, if so."""
        lag = self._lag()
        if self._problem is not None:
            return ReplicaStanding(self._lag_seconds_max, lag, self._problem)
        if lag is None or lag > self._lag_seconds_max:
            shown = "by an unknown time" if lag is None else f"by {lag:.0f} s"
            return ReplicaStanding(self._lag_seconds_max, lag, f"it is behind {shown}")
        return ReplicaStanding(self._lag_seconds_max, lag)

    async def read(self, sql: str, values: Sequence[Any], *, planned: bool) -> Sequence[Row]:
        """Return rows as they were committed at most `lag_seconds_max` ago."""
        bound = self._bound()
        if self._readers.locked():
            raise NoConnectionFree(f"all {READERS_MAX} connections to the standby are in use")
        async with self._readers:
            return await self._read(bound, sql, values, planned=planned)

    async def has_all_until_now(self) -> bool:
        """Wait until it shows everything that is committed by now; return whether it came to that within the bound."""
        deadline = self._now() + self._lag_seconds_max
        try:
            mark = await self._mark()
            while self._problem is None and self._now() < deadline:
                if await self._reached(mark):
                    return True
                await asyncio.sleep(0.1)
        except StoreError:
            pass
        return False

    async def look(self) -> None:
        """Measure once how far it is behind."""
        try:
            mark = await self._mark()
            if self._marks and self._marks[-1].server_id != mark.server_id:
                self._marks.clear()
                self._replayed = None
            self._marks.append(mark)
        except StoreError as error:
            _log.debug("read_replica_not_measured", problem=str(error))
        try:
            if self._marks:
                await self._reached(self._marks[-1])
                self._problem = None
            else:
                self._problem = "the primary does not say how far its log is"
        except StoreError as error:
            self._problem = str(error)
            self._end_connections()
        used = self.standing().problem is None
        if used is not self._was_used:
            self._was_used = used
            _log.warning("read_replica", used=used, problem=self.standing().problem)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except Exception:
                # A bug here must not end the watch; without it the lag grows, and the primary is read.
                _log.exception("read_replica_not_watched")

    async def _mark(self) -> Mark:
        before = self._now()
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                rows = await self._primary.fetch(MARK)
        except TimeoutError as error:
            raise DatabaseAway("the primary does not answer") from error
        if not rows:
            # Another server took over: what was measured of the one before says nothing of it.
            self._marks.clear()
            raise StoreError("no gateway has noted this primary yet")
        return Mark(before, rows[0]["flushed"], rows[0]["id"], rows[0]["first_seen_at"])

    async def _reached(self, mark: Mark) -> bool:
        """Return whether the standby has replayed up to a mark."""
        address = self._connector.address
        # Each host of the address has its time; people need not wait for that.
        async with self._asked(mark, len(address.hosts) * address.connect_seconds) as (_, replayed):
            self._replayed = replayed
            return replayed >= mark.flushed

    async def _read(self, mark: Mark, sql: str, values: Sequence[Any], *, planned: bool) -> Sequence[Row]:
        try:
            async with self._asked(mark) as (connection, replayed):
                if replayed < mark.flushed:
                    raise StoreError(f"the standby is more than {self._lag_seconds_max:g} s behind")
                if planned:
                    await connection.execute(FOR_PEOPLE)
                rows: Sequence[Row] = await connection.fetch(dialect(sql), *values)
                return rows
        except TookTooLong:
            raise  # the primary would take as long
        except DatabaseAway as error:
            # Whoever comes next need not wait for it; the watch will see when it is back.
            self._problem = str(error)
            raise

    @contextlib.asynccontextmanager
    async def _asked(self, mark: Mark, connect_seconds: float = 0.0) -> AsyncIterator[tuple[Any, int]]:
        """Give a connection in a transaction, and how far the server is on which it runs."""
        with as_store_errors():
            async with contextlib.AsyncExitStack() as stack:
                try:
                    async with asyncio.timeout(ANSWER_SECONDS_MAX + connect_seconds):
                        connection = await stack.enter_async_context(self._connection())
                except TimeoutError as error:
                    raise DatabaseAway("the standby does not take us in") from error
                try:
                    yield connection, await self._begin(connection, mark)
                    await connection.execute("COMMIT")
                except BaseException:
                    # To undo what was begun would be one more question to a server that may not answer.
                    terminate(connection.itself)
                    raise

    async def _begin(self, connection: Any, mark: Mark) -> int:
        """Begin to read, and return how far the server is. Raises StoreError when it is none to read from."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                await connection.execute("BEGIN READ ONLY")
                row = await connection.fetchrow(REACHED, mark.server_id, mark.first_seen_at)
        except TimeoutError as error:
            raise DatabaseAway(f"the standby did not answer within {ANSWER_SECONDS_MAX:g} s") from error
        if not row["follows"]:
            self._expire()
            raise StoreError("the server takes writes, and so is no standby")
        if not row["same_history"] or row["replayed"] is None:
            self._expire()
            raise StoreError("the server does not follow the primary, or is far behind it")
        replayed: int = row["replayed"]
        return replayed

    def _bound(self) -> Mark:
        """Return the oldest mark that a read must have passed. Raises StoreError when nothing may be read."""
        problem = self.standing().problem
        if problem is not None:
            raise StoreError(problem)
        oldest = self._now() - self._lag_seconds_max
        bound = next((mark for mark in self._marks if mark.at >= oldest), None)
        if bound is None:
            raise StoreError("the primary has not said of late how far its log is")
        return bound

    def _lag(self) -> float | None:
        """Return how old what it shows is at most, in seconds; None when nothing is known of it."""
        if self._replayed is None:
            return None
        reached = next((mark for mark in reversed(self._marks) if mark.flushed <= self._replayed), None)
        return None if reached is None else self._now() - reached.at

    def _end_connections(self) -> None:
        """End every connection, in use or not: who waits for a standby that is gone is served by the primary."""
        for connection in tuple(self._connector.made):
            terminate(connection)


class ReadsOfReplica:
    """An engine for one visit: reads from the replica until one of them fails, and from then on from the primary."""

    name = "postgresql"

    def __init__(self, replica: ReadReplica, primary: Engine) -> None:
        self._replica = replica
        self._primary = primary
        self.problem: str | None = replica.standing().problem
        """Why the primary is read; None as long as it is not."""
        self.on_connect = primary.on_connect

    async def open(self) -> None: ...
    async def close(self) -> None: ...

    async def standing(self) -> Standing:
        return await self._primary.standing()

    async def write(self, write: Write[R]) -> R:
        return await self._primary.write(write)

    def snapshot(self) -> AbstractAsyncContextManager[Engine]:
        return self._primary.snapshot()

    async def fetch(self, sql: str, *values: Any) -> Sequence[Row]:
        rows = await self._from_replica(sql, values, planned=False)
        return rows if rows is not None else await self._primary.fetch(sql, *values)

    async def fetch_planned(self, sql: str, *values: Any) -> Sequence[Row]:
        rows = await self._from_replica(sql, values, planned=True)
        return rows if rows is not None else await self._primary.fetch_planned(sql, *values)

    async def _from_replica(self, sql: str, values: Sequence[Any], *, planned: bool) -> Sequence[Row] | None:
        if self.problem is not None:
            return None
        try:
            return await self._replica.read(sql, values, planned=planned)
        except TookTooLong:
            raise
        except StoreError as error:
            self.problem = str(error)
            return None
