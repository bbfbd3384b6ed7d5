"""PostgreSQL: many processes, many hosts."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from functools import cache
from typing import Any

import asyncpg

from maedal.storage.group_commit import GroupCommitter
from maedal.storage.snapshot import Snapshot
from maedal.storage.sql import UNITS, Rows, Run
from maedal.storage.sql.steps import INSERTS, Row
from maedal.storage.store import BrokenOff, CommitUnclear, Conflict, StoreError, TookTooLong

LANES = 3
"""Write transactions at once in one process; each has its own connection."""
READERS_MAX = 8
COMMAND_TIMEOUT_SECONDS = 30
SESSION = {
    "application_name": "maedal",
    "lock_timeout": "10s",
    # The server gives up a session whose client has gone without a word (a host without power, a network cut in two).
    # Otherwise the rows of its open transaction would stay locked for as long as TCP believes in it, which is hours.
    "idle_in_transaction_session_timeout": "30s",
    "statement_timeout": "60s",
    # Compiling a statement takes longer than any statement here: what is asked is a short range of an index.
    "jit": "off",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}


# Compiling a plan costs more than any list does.
FOR_PEOPLE = "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL jit = off; SET LOCAL statement_timeout = '10s'"


@cache
def dialect(sql: str) -> str:
    """Return `sql` as PostgreSQL wants it."""
    return sql.replace("{for_share}", "FOR SHARE").replace("{skip_locked}", "FOR UPDATE SKIP LOCKED")


async def _leave_session(_: object) -> None:
    """Nothing here changes a session, so that a returned connection needs no query that would undo it.

    A transaction that was left open is rolled back by the pool itself.
    """


class PostgresEngine:
    """Reads through a pool; writes through the group committer's lanes."""

    name = "postgresql"

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._committer = GroupCommitter(self._commit, LANES)
        self._inserts_of_many: dict[str, str] = {}

    async def open(self) -> None:
        try:
            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=1,
                max_size=LANES + READERS_MAX,
                command_timeout=COMMAND_TIMEOUT_SECONDS,
                reset=_leave_session,
                server_settings=SESSION,
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            raise StoreError(
                f"cannot connect to PostgreSQL ({type(error).__name__}: {error}); check MAEDAL_DATABASE_URL"
            ) from error

    async def close(self) -> None:
        await self._committer.drain()
        if self._pool is not None:
            await self._pool.close()

    async def write(self, write: Any) -> Any:
        return await self._committer.write(write)

    async def fetch(self, sql: str, *values: Any) -> Sequence[Row]:
        with _as_store_errors():
            async with self._connection() as connection:
                rows: Sequence[Row] = await connection.fetch(dialect(sql), *values)
                return rows

    async def fetch_planned(self, sql: str, *values: Any) -> Sequence[Row]:
        """Return rows by a plan made for these very values: how rare a word is decides how it is looked for.

        What people ask ends after a bounded time, whatever they ask: then this raises TookTooLong.
        """
        with _as_store_errors():
            async with self._connection() as connection, connection.transaction(readonly=True):
                await connection.execute(FOR_PEOPLE)
                rows: Sequence[Row] = await connection.fetch(dialect(sql), *values)
                return rows

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        assert self._pool is not None, "the store is not open"
        async with self._pool.acquire() as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        """Give reads of one transaction: they see what was committed when the first of them began."""

        async def fetch(sql: str, *values: Any) -> Sequence[Row]:
            with _as_store_errors():
                rows: Sequence[Row] = await connection.fetch(dialect(sql), *values)
                return rows

        async with self._connection() as connection:
            with _as_store_errors():
                transaction = connection.transaction(isolation="repeatable_read", readonly=True)
                await transaction.start()
            try:
                yield Snapshot(self.name, fetch)
            finally:
                # Nothing was written; a connection that broke meanwhile has nothing to undo.
                with contextlib.suppress(Exception):
                    await transaction.rollback()

    async def _commit(self, kind: type, writes: Sequence[Any]) -> Sequence[Any]:
        committing = False
        try:
            with _as_store_errors():
                async with self._connection() as connection:
                    transaction = connection.transaction()
                    await transaction.start()
                    try:
                        results = await self._run(connection, kind, writes)
                    except BaseException:
                        with contextlib.suppress(Exception):
                            await transaction.rollback()
                        raise
                    committing = True
                    await transaction.commit()
                    return results
        except Conflict:
            raise
        except StoreError as error:
            if committing:
                raise CommitUnclear("the connection broke while committing") from error
            raise

    async def _run(self, connection: Any, kind: type, writes: Sequence[Any]) -> Sequence[Any]:
        steps = UNITS[kind](writes)
        answer: Any = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as end:
                results: Sequence[Any] = end.value
                return results
            if isinstance(step, Run) and step.sql in INSERTS and len(step.items) > 1:
                await self._insert_many(connection, step)
                answer = None
            elif isinstance(step, Run):
                answer = await connection.executemany(dialect(step.sql), step.items)
            else:
                answer = await self._rows(connection, step)

    async def _insert_many(self, connection: Any, step: Run) -> None:
        """Insert all rows with one statement; the columns travel as arrays."""
        sql = self._inserts_of_many.get(step.sql)
        if sql is None:
            # The server knows the types of its columns, so they are not repeated here.
            types = [parameter.name for parameter in (await connection.prepare(step.sql)).get_parameters()]
            table, columns = INSERTS[step.sql]
            arrays = ", ".join(f"${number}::{name}[]" for number, name in enumerate(types, 1))
            sql = f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM unnest({arrays})"
            self._inserts_of_many[step.sql] = sql
        await connection.execute(sql, *map(list, zip(*step.items, strict=True)))

    @staticmethod
    async def _rows(connection: Any, step: Rows) -> list[list[Row]]:
        grouped: list[list[Row]] = [[] for _ in step.items]
        numbered = [(*values, number) for number, values in enumerate(step.items)]
        for row in await connection.fetchmany(dialect(step.sql), numbered):
            grouped[row["item"]].append(row)
        return grouped


@contextlib.contextmanager
def _as_store_errors() -> Any:
    """Turn the driver's errors into ours; texts of the server stay out, for they can quote a row."""
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as error:
        raise Conflict(f"the rule {error.constraint_name} refused the write") from error
    except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as error:
        raise BrokenOff("it stood in the way of another transaction") from error
    except asyncpg.QueryCanceledError as error:
        raise TookTooLong("it took longer than it may") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError) as error:
        raise StoreError(f"the database did not answer as it should ({type(error).__name__})") from error
