"""PostgreSQL: many processes, many hosts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import cache
from typing import Any

import asyncpg

from maedal.storage.engine.connecting import CONNECT_ERRORS, Connector, ServerConnection, is_cut_off, is_full
from maedal.storage.engine.group_commit import GroupCommitter
from maedal.storage.engine.identity import EXPRESSIONS, server_expression
from maedal.storage.engine.snapshot import Snapshot
from maedal.storage.engine.standing import Watcher
from maedal.storage.engine.steps import BY_KEY, INSERTS, UNITS, ChangeAll, Row, Rows, RowsOfAll, Run
from maedal.storage.engine.together import arrays, unnested
from maedal.storage.errors import (
    BrokenOff,
    CommitUnclear,
    Conflict,
    DatabaseAway,
    NoConnectionFree,
    NotMigrated,
    ReadOnly,
    StoreError,
    TookTooLong,
)
from maedal.storage.health import ServerIdentity, Standing
from maedal.storage.write import R, Write

LANES = 3
"""Write transactions at once in one process; each has its own connection."""
READERS_MAX = 8
ACQUIRE_SECONDS = 10.0
"""How long a read or write waits for a connection, and for connecting, before it is given up unasked."""
CLOSE_SECONDS_MAX = 5.0
"""How long the server may take to hear that we leave."""
COMMAND_TIMEOUT_SECONDS = 30
"""How long a statement may take. Never less than `Limits.leaves_within`.

A commit that waits for its standby is given up after it, by a cancel that lets the commit stand on the primary alone.
Whoever then proves it, and hears of its standby's return, is too late to send its call: were this shorter, a call could
leave after a commit that was ended by nothing but our own impatience.
"""
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

BEGIN = "BEGIN;"
# One plan for each statement of a charge, for batches of any size: for each item one row is found by its key. By their
# costs alone the server would plan small batches anew each time, and read small tables from end to end until it has
# counted that they are small no more.
BEGIN_BY_KEY = (
    "BEGIN; SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off;"
    " SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;"
)
PLANS_ANEW_AT = frozenset({8, 32, 128, 512, 2_048})
"""At which of its transactions a connection makes its plans anew.

While a table is empty every index of it looks alike, and a plan may take one that reads all rows of a merchant. Plans
are kept until somebody counts the table (ANALYZE), which autovacuum does after a minute or more; made anew, they see
how long the table is by now. After that they are as good as they get, and cost nothing any more.
"""

# Compiling a plan costs more than any list does.
FOR_PEOPLE = "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL jit = off; SET LOCAL statement_timeout = '10s'"


BROKEN = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # the server ends sessions: restart, shutdown, an administrator
    asyncpg.ProtocolViolationError,  # a pooler's word for most of what went wrong behind it
    asyncpg.ReadOnlySQLTransactionError,
)
"""After these a connection is not used again, whatever is left of it."""


@cache
def dialect(sql: str, server: str = EXPRESSIONS[0]) -> str:
    """Return `sql` as PostgreSQL wants it; `server` is the expression that tells which server it runs on."""
    plain = sql.replace("{for_share}", "FOR SHARE").replace("{skip_locked}", "FOR UPDATE SKIP LOCKED")
    plain = plain.replace("{for_share_of_key}", "FOR SHARE OF key")
    return plain.replace("{server}", server)


async def _leave_session(_: object) -> None:
    """Nothing here changes a session, so that a returned connection needs no query that would undo it.

    A transaction that was left open is rolled back by the pool itself.
    """


class PostgresEngine:
    """Reads through a pool; writes through the group committer's lanes."""

    name = "postgresql"

    def __init__(self, url: str, *, serving: bool = True) -> None:
        """`serving`: whether the server is watched for as long as the engine is open; see standing.py."""
        self._serving = serving
        self._connector = Connector(url, SESSION, command_timeout=COMMAND_TIMEOUT_SECONDS)
        self._watcher = Watcher(self._connector, self._expire)
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._lent: dict[ServerConnection, bool] = {}
        """Connections that are in use, and whether they are to be used again after that."""
        self._committer = GroupCommitter(self._commit, LANES)
        self._inserts_of_many: dict[str, str] = {}
        self._server = EXPRESSIONS[0]

    @property
    def on_connect(self) -> list[Callable[[ServerIdentity], None]]:
        return self._connector.on_connect

    async def open(self) -> None:
        with _as_store_errors():
            self._pool = await asyncpg.create_pool(
                connect=self._connector.connect,
                connection_class=ServerConnection,
                # None is kept ready: the driver would try for it by itself, and tell of each failure at length.
                min_size=0,
                max_size=LANES + READERS_MAX,
                reset=_leave_session,
            )
            async with self._connection() as connection:
                # What is wrong with the address or the server is told at the start, too.
                self._server = await server_expression(connection.fetchval)
        if self._serving:
            await self._watcher.standing()
            self._watcher.start()

    async def standing(self) -> Standing:
        return await self._watcher.standing()

    async def close(self) -> None:
        await self._committer.drain()
        await self._watcher.close()
        if self._pool is not None:
            # A server that is frozen never says goodbye; then the pool ends its connections without it.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS_MAX):
                    await self._pool.close()

    async def write(self, write: Write[R]) -> R:
        return await self._committer.write(write)

    async def fetch(self, sql: str, *values: Any) -> Sequence[Row]:
        with _as_store_errors():
            async with self._connection() as connection:
                rows: Sequence[Row] = await connection.fetch(dialect(sql, self._server), *values)
                return rows

    async def fetch_planned(self, sql: str, *values: Any) -> Sequence[Row]:
        """Return rows by a plan made for these very values: how rare a word is decides how it is looked for.

        What people ask ends after a bounded time, whatever they ask: then this raises TookTooLong.
        """
        with _as_store_errors():
            async with self._connection() as connection, connection.transaction(readonly=True):
                await connection.execute(FOR_PEOPLE)
                rows: Sequence[Row] = await connection.fetch(dialect(sql, self._server), *values)
                return rows

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        assert self._pool is not None, "the store is not open"
        connection = await self._acquire(self._pool)
        real = connection.itself
        self._lent[real] = True
        try:
            with _ended_in_use(real):
                yield connection
        except asyncio.CancelledError:
            # The driver would wait for the server to take its question back.
            _terminate(real)
            raise
        except Exception as error:
            self._part_with(real, error.__cause__ if isinstance(error, StoreError) else error)
            raise
        finally:
            if not self._lent.pop(real):
                _terminate(real)
            await self._pool.release(connection)

    def _part_with(self, connection: Any, error: BaseException | None) -> None:
        """Throw a connection away that is no good after this error, and with a demoted server all that lead to it."""
        if isinstance(error, BROKEN) and not isinstance(error, asyncpg.QueryCanceledError):
            _terminate(connection)
        if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            self._expire()

    def _expire(self) -> None:
        """Use no present connection again: idle ones end now, others when they are given back."""
        for connection in tuple(self._connector.made):
            if connection in self._lent:
                self._lent[connection] = False
            else:
                _terminate(connection)

    async def _acquire(self, pool: asyncpg.Pool[asyncpg.Record]) -> Any:
        address = self._connector.address
        # Long enough for every host of the address to have had its time.
        seconds = max(ACQUIRE_SECONDS, len(address.hosts) * address.connect_seconds + 1)
        try:
            return await pool.acquire(timeout=seconds)
        except TimeoutError:
            if len(self._lent) >= pool.get_max_size():
                raise NoConnectionFree(f"all {len(self._lent)} connections are in use for {seconds:g} s") from None
            raise DatabaseAway(f"no connection to the database was made within {seconds:g} s") from None
        except CONNECT_ERRORS as error:
            # Also what a pooler says at the first question, which has taken us in without a server behind it.
            raise DatabaseAway(f"no connection to the database was made ({type(error).__name__})") from error

    @contextlib.asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        """Give reads of one transaction: they see what was committed when the first of them began."""

        async def fetch(sql: str, *values: Any) -> Sequence[Row]:
            with _as_store_errors(), _ended_in_use(connection.itself):
                rows: Sequence[Row] = await connection.fetch(dialect(sql, self._server), *values)
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
        """Carry out writes in one transaction; it counts when the server acknowledged its commit without a warning.

        Everything else that can happen to a COMMIT leaves open whether it is kept, here or by a standby that takes
        over: CommitUnclear.
        """
        committing = False
        try:
            with _as_store_errors():
                async with self._connection() as connection:
                    await connection.execute(_begin(connection.itself, kind))
                    try:
                        if connection.server.pooled:
                            await connection.execute(self._connector.set_local)
                        results = await self._run(connection, kind, writes)
                    except BaseException:
                        with contextlib.suppress(Exception):
                            await connection.execute("ROLLBACK;")
                        raise
                    committing = True
                    with _warnings(connection) as heard:
                        await connection.execute("COMMIT;")
        except Conflict:
            raise
        except StoreError as error:
            if committing:
                raise CommitUnclear("the connection broke while committing") from error
            raise
        if heard:
            raise CommitUnclear(f"it was committed under a warning ({', '.join(heard)})")
        return results

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
                answer = await connection.executemany(dialect(step.sql, self._server), step.items)
            elif isinstance(step, ChangeAll):
                done: str = await connection.execute(dialect(unnested(step.of), self._server), *arrays(step.items))
                answer = int(done.rpartition(" ")[2])
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

    async def _rows(self, connection: Any, step: Rows | RowsOfAll) -> Any:
        if isinstance(step, RowsOfAll):
            return await connection.fetch(dialect(unnested(step.of), self._server), *arrays(step.items))
        grouped: list[list[Row]] = [[] for _ in step.items]
        numbered = [(*values, number) for number, values in enumerate(step.items)]
        for row in await connection.fetchmany(dialect(step.sql, self._server), numbered):
            grouped[row["item"]].append(row)
        return grouped


def _begin(connection: ServerConnection, kind: type) -> str:
    """Return what begins the next transaction of a connection."""
    begin = BEGIN_BY_KEY if kind in BY_KEY else BEGIN
    connection.transactions += 1
    return f"{begin} DISCARD PLANS;" if connection.transactions in PLANS_ANEW_AT else begin


@contextlib.contextmanager
def _ended_in_use(connection: ServerConnection) -> Iterator[None]:
    """Take for a failure of the store what the driver stumbles over when we have ended its connection.

    Those to a server that was left behind are ended in use. Between two steps of a question the driver does not look
    whether its connection is still there.
    """
    try:
        yield
    except AttributeError as error:
        if not connection.is_closed():
            raise
        raise StoreError("the connection was ended while it was in use") from error


def _terminate(connection: ServerConnection) -> None:
    """End a connection at once: a goodbye to a server that hangs would itself hang."""
    with contextlib.suppress(Exception):
        connection.terminate()


@contextlib.contextmanager
def _warnings(connection: Any) -> Iterator[list[str]]:
    """Collect the codes of the warnings that the server gives meanwhile.

    One whose wait for its standby was ended by an operator, a timeout or a shutdown reports success, and says with a
    warning that the standby may not have the commit. They come before the answer, and are heard before it.
    """
    heard: list[str] = []

    def listen(_: Any, message: Any) -> None:
        # By the severity that is never translated, or the class of the code; not by the text.
        if message.severity_en == "WARNING" or (message.sqlstate or "").startswith("01"):
            heard.append(message.sqlstate)

    connection.add_log_listener(listen)
    try:
        yield heard
    finally:
        connection.remove_log_listener(listen)


@contextlib.contextmanager
def _as_store_errors() -> Any:
    """Turn the driver's errors into ours; texts of the server stay out, for they can quote a row."""
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as error:
        raise Conflict(f"the rule {error.constraint_name} refused the write") from error
    except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as error:
        raise BrokenOff("it stood in the way of another transaction") from error
    except asyncpg.ReadOnlySQLTransactionError as error:
        raise ReadOnly("the database is read-only: this server is a standby, or was made read-only") from error
    except asyncpg.TooManyConnectionsError as error:
        raise NoConnectionFree("the server, or the pooler before it, has no connection free") from error
    except asyncpg.UndefinedTableError as error:
        raise NotMigrated("a table is missing: maedal migrate") from error
    except asyncpg.QueryCanceledError as error:
        raise TookTooLong("it took longer than it may") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError) as error:
        if is_full(error):
            raise NoConnectionFree("the server, or the pooler before it, has no connection free") from error
        if is_cut_off(error):
            raise DatabaseAway("the pooler before the database does not reach it") from error
        raise StoreError(f"the database did not answer as it should ({type(error).__name__})") from error
