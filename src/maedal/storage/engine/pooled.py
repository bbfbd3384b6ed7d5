"""Connections to PostgreSQL that are lent and taken back, and what the driver's errors are called here."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg

from maedal.storage.engine.connecting import CONNECT_ERRORS, Connector, ServerConnection, is_cut_off, is_full
from maedal.storage.errors import (
    BrokenOff,
    Conflict,
    DatabaseAway,
    NoConnectionFree,
    NotMigrated,
    ReadOnly,
    StoreError,
    TookTooLong,
)

ACQUIRE_SECONDS = 10.0
"""How long a read or write waits for a connection, and for connecting, before it is given up unasked."""
CLOSE_SECONDS_MAX = 5.0
"""How long the server may take to hear that we leave."""

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


async def _leave_session(_: object) -> None:
    """Nothing here changes a session, so that a returned connection needs no query that would undo it.

    A transaction that was left open is rolled back by the pool itself.
    """


class PooledConnections:
    """Connections of one process to one server; those that lead nowhere good are not used again."""

    def __init__(self, connector: Connector, count_max: int) -> None:
        self._connector = connector
        self._count_max = count_max
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._lent: dict[ServerConnection, bool] = {}
        """Connections that are in use, and whether they are to be used again after that."""

    async def _open_pool(self) -> None:
        self._pool = await asyncpg.create_pool(
            connect=self._connector.connect,
            connection_class=ServerConnection,
            # None is kept ready: the driver would try for it by itself, and tell of each failure at length.
            min_size=0,
            max_size=self._count_max,
            reset=_leave_session,
        )

    async def _close_pool(self) -> None:
        if self._pool is not None:
            # A server that is frozen never says goodbye; then the pool ends its connections without it.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS_MAX):
                    await self._pool.close()

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        assert self._pool is not None, "the store is not open"
        connection = await self._acquire(self._pool)
        real = connection.itself
        self._lent[real] = True
        try:
            with ended_in_use(real):
                yield connection
        except asyncio.CancelledError:
            # The driver would wait for the server to take its question back.
            terminate(real)
            raise
        except Exception as error:
            self._part_with(real, error.__cause__ if isinstance(error, StoreError) else error)
            raise
        finally:
            if not self._lent.pop(real):
                terminate(real)
            await self._pool.release(connection)

    def _part_with(self, connection: Any, error: BaseException | None) -> None:
        """Throw a connection away that is no good after this error, and with a demoted server all that lead to it."""
        if isinstance(error, BROKEN) and not isinstance(error, asyncpg.QueryCanceledError):
            terminate(connection)
        if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            self._expire()

    def _expire(self) -> None:
        """Use no present connection again: idle ones end now, others when they are given back."""
        for connection in tuple(self._connector.made):
            if connection in self._lent:
                self._lent[connection] = False
            else:
                terminate(connection)

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


@contextlib.contextmanager
def ended_in_use(connection: ServerConnection) -> Iterator[None]:
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


def terminate(connection: ServerConnection) -> None:
    """End a connection at once: a goodbye to a server that hangs would itself hang."""
    with contextlib.suppress(Exception):
        connection.terminate()


@contextlib.contextmanager
def as_store_errors() -> Any:
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
