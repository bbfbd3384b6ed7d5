"""SQLite: one machine, one writing process, one writer thread. WAL, and every commit flushed to the disk."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import queue
import re
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from maedal.private_files import make_private_file
from maedal.storage.engine.identity import SQLITE
from maedal.storage.engine.snapshot import Snapshot
from maedal.storage.engine.steps import INSERTS, UNITS, ChangeAll, Row, RowsOfAll, Run, Step
from maedal.storage.engine.together import inserting, listed, pieces
from maedal.storage.errors import Conflict, NotMigrated, StoreError
from maedal.storage.health import ServerIdentity, Standing
from maedal.storage.write import R, Write

BATCH_MAX = 256
READERS = 2
STATEMENTS_KEPT = 500
"""How many compiled statements a connection keeps: those of a charge are there once for each size of `pieces`."""
_PLACE = re.compile(r"\$(\d+)")


@cache
def dialect(sql: str) -> str:
    """Return `sql` as SQLite wants it: it locks the whole file, so it has no row locks."""
    plain = sql.replace("{for_share}", "").replace("{skip_locked}", "").replace("{server}", SQLITE)
    plain = plain.replace("{for_share_of_key}", "")
    return _PLACE.sub(r"?\1", plain)


def to_sqlite(value: Any) -> Any:
    """Return a parameter as SQLite keeps it: moments as text that sorts by time."""
    if isinstance(value, datetime):
        utc = value if value.tzinfo is UTC else value.astimezone(UTC)
        return utc.isoformat(timespec="microseconds")
    # The driver looks for somebody who adapts whatever is no plain text, such as a member of an enumeration.
    return str.__str__(value) if isinstance(value, str) else value


PLAIN = frozenset({str, int, bool, float, bytes, type(None)})
"""Kept as they are; to see that takes less than to call somebody who does."""


def _kept(values: Sequence[Any]) -> list[Any]:
    return [value if value.__class__ in PLAIN else to_sqlite(value) for value in values]


class SqliteEngine:
    """Reads on a few threads; writes on one, many in a transaction."""

    name = "sqlite"

    def __init__(self, path: Path, *, serving: bool = True) -> None:
        self._path = path
        self.on_connect: list[Callable[[ServerIdentity], None]] = []
        """For the servers that other engines have; a file has one history and is nobody's standby."""
        self._serving = serving
        self._queue: queue.SimpleQueue[tuple[Any, asyncio.Future[Any]] | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="maedal-read")
        self._of_thread = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._writer: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock_file: int | None = None

    async def standing(self) -> Standing:
        return Standing()

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        # SQLite gives the files beside it, -wal and -shm, the mode of this one.
        make_private_file(self._path)
        # A command for people writes a row and is gone: SQLite's own lock is enough for it.
        self._lock_file = _only_writer(self._path) if self._serving else None
        connection = self._connect()
        self._writer = threading.Thread(target=self._write_all, args=(connection,), name="maedal-write", daemon=True)
        self._writer.start()

    async def close(self) -> None:
        if self._writer is not None:
            self._queue.put(None)
            await asyncio.to_thread(self._writer.join)
        self._readers.shutdown()
        for connection in self._connections:
            connection.close()
        if self._lock_file is not None:
            os.close(self._lock_file)

    async def write(self, write: Write[R]) -> R:
        assert self._loop is not None, "the store is not open"
        done: asyncio.Future[R] = self._loop.create_future()
        self._queue.put((write, done))
        return await done

    async def fetch(self, sql: str, *values: Any) -> Sequence[Row]:
        assert self._loop is not None, "the store is not open"
        return await self._loop.run_in_executor(self._readers, self._fetch, sql, values)

    @contextlib.asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        """Give reads of one transaction on a thread of its own; WAL shows them what was committed when it began."""
        assert self._loop is not None, "the store is not open"
        loop = self._loop
        with ThreadPoolExecutor(1, thread_name_prefix="maedal-snapshot") as thread:
            connection = await loop.run_in_executor(thread, self._connect)

            async def fetch(sql: str, *values: Any) -> Sequence[Row]:
                return await loop.run_in_executor(thread, _rows_of, connection, sql, values)

            try:
                await fetch("BEGIN")
                # The transaction sees what it sees from its first read on, not from BEGIN on.
                await fetch("SELECT 1 FROM import_files LIMIT 1")
                yield Snapshot(self.name, fetch)
            finally:
                self._connections.remove(connection)
                await loop.run_in_executor(thread, connection.close)

    async def fetch_planned(self, sql: str, *values: Any) -> Sequence[Row]:
        """Return rows; SQLite plans without looking at values."""
        return await self.fetch(sql, *values)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, timeout=10, cached_statements=STATEMENTS_KEPT
        )
        connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
            connection.execute(f"PRAGMA {pragma}").close()
        self._connections.append(connection)
        return connection

    def _fetch(self, sql: str, values: Sequence[Any]) -> Sequence[Row]:
        connection: sqlite3.Connection | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = self._of_thread.connection = self._connect()
        return _rows_of(connection, sql, values)

    # -- the writer thread

    def _write_all(self, connection: sqlite3.Connection) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            ended = False
            while len(batch) < BATCH_MAX and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    ended = True
                    break
                batch.append(following)
            self._answer(self._carry_out(connection, batch))
            if ended:
                return

    def _carry_out(
        self, connection: sqlite3.Connection, batch: list[tuple[Any, asyncio.Future[Any]]]
    ) -> list[tuple[asyncio.Future[Any], Any]]:
        """Commit the batch; when it fails, write by write, so that one bad row cannot fail its neighbours."""
        try:
            return self._commit(connection, batch)
        except Exception as error:
            if len(batch) > 1:
                return [answer for waiting in batch for answer in self._carry_out(connection, [waiting])]
            return [(batch[0][1], _store_error(error))]

    def _commit(
        self, connection: sqlite3.Connection, batch: list[tuple[Any, asyncio.Future[Any]]]
    ) -> list[tuple[asyncio.Future[Any], Any]]:
        by_kind: dict[type, list[tuple[Any, asyncio.Future[Any]]]] = {}
        for waiting in batch:
            by_kind.setdefault(type(waiting[0]), []).append(waiting)
        answers: list[tuple[asyncio.Future[Any], Any]] = []
        connection.execute("BEGIN IMMEDIATE")
        try:
            for kind, alike in by_kind.items():
                results = self._run(connection, kind, [write for write, _ in alike])
                answers += [(done, result) for (_, done), result in zip(alike, results, strict=True)]
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        return answers

    @staticmethod
    def _run(connection: sqlite3.Connection, kind: type, writes: Sequence[Any]) -> Sequence[Any]:
        steps = UNITS[kind](writes)
        answer: Any = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as end:
                results: Sequence[Any] = end.value
                return results
            answer = _carry_out(connection, step)

    def _answer(self, answers: list[tuple[asyncio.Future[Any], Any]]) -> None:
        assert self._loop is not None

        def deliver() -> None:
            for done, result in answers:
                if done.done():
                    continue
                if isinstance(result, Exception):
                    done.set_exception(result)
                else:
                    done.set_result(result)

        # The loop is gone when the process is being torn down; then nobody waits any more.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(deliver)


def _carry_out(connection: sqlite3.Connection, step: Step) -> Any:
    """Carry out one step. The interpreter is let go of at each statement, not at each row, wherever that can be."""
    if isinstance(step, RowsOfAll | ChangeAll):
        rows: list[Row] = []
        changed = 0
        for piece in pieces(len(step.items)):
            values = _kept([value for n in piece for value in (*step.items[n], n + 1)])
            cursor = connection.execute(dialect(listed(step.of, len(piece))), values)
            if isinstance(step, RowsOfAll):
                rows += cursor.fetchall()
            else:
                changed += cursor.rowcount
        return rows if isinstance(step, RowsOfAll) else changed
    if not isinstance(step, Run):
        sql = dialect(step.sql)
        return [
            connection.execute(sql, (*_kept(values), number)).fetchall() for number, values in enumerate(step.items)
        ]
    if step.sql in INSERTS:
        for piece in pieces(len(step.items)):
            values = _kept([value for n in piece for value in step.items[n]])
            connection.execute(inserting(step.sql, len(piece)), values)
    else:
        connection.executemany(dialect(step.sql), [_kept(values) for values in step.items])
    return None


def _rows_of(connection: sqlite3.Connection, sql: str, values: Sequence[Any]) -> Sequence[Row]:
    try:
        rows: Sequence[Row] = connection.execute(dialect(sql), _kept(values)).fetchall()
    except sqlite3.Error as error:
        kind = NotMigrated if "no such table" in str(error) else StoreError
        raise kind(f"the database did not answer as it should ({type(error).__name__}: {error})") from error
    return rows


def _store_error(error: Exception) -> Exception:
    if isinstance(error, sqlite3.IntegrityError):
        return Conflict(f"a rule of the database refused the write ({error})")
    if isinstance(error, sqlite3.Error):
        return StoreError(f"the database did not take the write ({type(error).__name__}: {error})")
    return error


def _only_writer(path: Path) -> int:
    """Hold the lock of the one process that may serve from this file. Raises StoreError when another holds it."""
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreError(
            f"another maedal process serves from {path}; stop it, or use PostgreSQL for several processes"
        ) from error
    return descriptor
