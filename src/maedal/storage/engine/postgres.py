"""PostgreSQL: many processes, many hosts."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import cache
from typing import Any

from maedal.storage.engine import distributed
from maedal.storage.engine.connecting import Connector, ServerConnection
from maedal.storage.engine.group_commit import GroupCommitter
from maedal.storage.engine.identity import EXPRESSIONS, server_expression
from maedal.storage.engine.pooled import PooledConnections, as_store_errors, ended_in_use
from maedal.storage.engine.snapshot import Snapshot
from maedal.storage.engine.standing import Watcher
from maedal.storage.engine.steps import BY_KEY, INSERTS, UNITS, ChangeAll, Row, Rows, Run, Step
from maedal.storage.engine.together import arrays, unnested
from maedal.storage.errors import CommitUnclear, Conflict, StoreError
from maedal.storage.health import ServerIdentity, Standing
from maedal.storage.write import R, Write

LANES = 3
"""Write transactions at once in one process; each has its own connection."""
READERS_MAX = 8
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


# An index that a database has from the moment on in which its tables were spread (storage/distribution.py).
DISTRIBUTED = "SELECT to_regclass('payments_to_text_in_order') IS NOT NULL"


@cache
def dialect(sql: str, server: str = EXPRESSIONS[0]) -> str:
    """Return `sql` as PostgreSQL wants it; `server` is the expression that tells which server it runs on."""
    plain = sql.replace("{for_share}", "FOR SHARE").replace("{skip_locked}", "FOR UPDATE SKIP LOCKED")
    plain = plain.replace("{for_share_of_key}", "FOR SHARE OF key")
    return plain.replace("{server}", server)


class PostgresEngine(PooledConnections):
    """Reads through a pool; writes through the group committer's lanes."""

    name = "postgresql"

    def __init__(self, url: str, *, serving: bool = True) -> None:
        """`serving`: whether the server is watched for as long as the engine is open; see standing.py."""
        self._serving = serving
        connector = Connector(url, SESSION, command_timeout=COMMAND_TIMEOUT_SECONDS)
        super().__init__(connector, LANES + READERS_MAX)
        self._watcher = Watcher(connector, self._expire)
        self._committer = GroupCommitter(self._commit, LANES)
        self._inserts_of_many: dict[str, str] = {}
        self._server = EXPRESSIONS[0]
        self._distributed = False
        """Whether the tables are spread over several servers (distributed.py)."""

    @property
    def on_connect(self) -> list[Callable[[ServerIdentity], None]]:
        return self._connector.on_connect

    async def open(self) -> None:
        with as_store_errors():
            await self._open_pool()
            async with self._connection() as connection:
                # What is wrong with the address or the server is told at the start, too.
                self._server = await server_expression(connection.fetchval)
                self._distributed = await connection.fetchval(DISTRIBUTED)
                if self._distributed:
                    # It may be evaluated on any of the servers, each of which would name itself.
                    self._server = EXPRESSIONS[-1]
        if self._serving:
            await self._watcher.standing()
            self._watcher.start()

    async def standing(self) -> Standing:
        return await self._watcher.standing()

    async def close(self) -> None:
        await self._committer.drain()
        await self._watcher.close()
        await self._close_pool()

    async def write(self, write: Write[R]) -> R:
        return await self._committer.write(write)

    async def fetch(self, sql: str, *values: Any) -> Sequence[Row]:
        with as_store_errors():
            async with self._connection() as connection:
                rows: Sequence[Row] = await connection.fetch(self._text(sql), *values)
                return rows

    async def fetch_planned(self, sql: str, *values: Any) -> Sequence[Row]:
        """Return rows by a plan made for these very values: how rare a word is decides how it is looked for.

        What people ask ends after a bounded time, whatever they ask: then this raises TookTooLong.
        """
        with as_store_errors():
            async with self._connection() as connection, connection.transaction(readonly=True):
                await connection.execute(FOR_PEOPLE)
                rows: Sequence[Row] = await connection.fetch(self._text(sql), *values)
                return rows

    @contextlib.asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        """Give reads of one transaction: they see what was committed when the first of them began."""

        async def fetch(sql: str, *values: Any) -> Sequence[Row]:
            with as_store_errors(), ended_in_use(connection.itself):
                rows: Sequence[Row] = await connection.fetch(self._text(sql), *values)
                return rows

        async with self._connection() as connection:
            with as_store_errors():
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
            with as_store_errors():
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
        unit = (distributed.UNITS.get(kind) if self._distributed else None) or UNITS[kind]
        steps = unit(writes)
        answer: Any = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as end:
                results: Sequence[Any] = end.value
                return results
            answer = await self._step(connection, step)
            if self._distributed:
                for note in distributed.notes_of(step, answer):
                    await self._step(connection, note)
                for sql in distributed.selected_notes(step):
                    await connection.executemany(sql, step.items)

    async def _step(self, connection: Any, step: Step) -> Any:
        if isinstance(step, Run) and step.sql in INSERTS and len(step.items) > 1:
            return await self._insert_many(connection, step)
        if isinstance(step, Run):
            return await connection.executemany(self._text(step.sql), step.items)
        if isinstance(step, Rows):
            return await self._rows(connection, step)
        if self._distributed and distributed.names_merchants(step.of):
            parts = [(self._text(one.sql), one.values) for one in distributed.of_merchants(step)]
        else:
            parts = [(self._text(unnested(step.of)), tuple(arrays(step.items)))]
        if isinstance(step, ChangeAll):
            done = [await connection.execute(sql, *values) for sql, values in parts]
            return sum(int(one.rpartition(" ")[2]) for one in done)
        found = [await connection.fetch(sql, *values) for sql, values in parts]
        return found[0] if len(found) == 1 else distributed.put_together(found)

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

    async def _rows(self, connection: Any, step: Rows) -> list[list[Row]]:
        grouped: list[list[Row]] = [[] for _ in step.items]
        numbered = [(*values, number) for number, values in enumerate(step.items)]
        for row in await connection.fetchmany(self._text(step.sql), numbered):
            grouped[row["item"]].append(row)
        return grouped

    def _text(self, sql: str) -> str:
        return dialect(distributed.INSTEAD.get(sql, sql) if self._distributed else sql, self._server)


def _begin(connection: ServerConnection, kind: type) -> str:
    """Return what begins the next transaction of a connection."""
    begin = BEGIN_BY_KEY if kind in BY_KEY else BEGIN
    connection.transactions += 1
    return f"{begin} DISCARD PLANS;" if connection.transactions in PLANS_ANEW_AT else begin


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
