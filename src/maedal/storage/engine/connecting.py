"""Connecting to PostgreSQL: to the one server, of all that the address names, that takes writes now.

Everything that speaks to PostgreSQL connects here: the engine's pool, its watcher, and the migrations. The driver would
try the hosts of an address by itself, but within one time limit for all of them, so that a silent first host uses it up
and no other is ever asked.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakSet

import asyncpg
import structlog

from maedal.storage.engine.database_url import DatabaseUrl, Host, parse
from maedal.storage.errors import DatabaseAway, NoConnectionFree, NoPrimary, NotAsked
from maedal.storage.health import ServerIdentity

_log = structlog.get_logger()

CONNECT_ERRORS = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    ValueError,
)
GLANCE_SECONDS = 1.0
"""How long another host may take, when it is only looked at whether it has become the primary."""
STARTUP_ONLY = ("application_name", "tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count")
"""Of a session's settings those that concern a connection, not what is done over it; a pooler has its own."""

STANDING = """
SELECT pg_is_in_recovery() AS in_recovery, current_setting('transaction_read_only') = 'on' AS read_only,
       current_setting('server_version_num')::int AS version, pg_backend_pid() AS pid
"""
SYSTEM = "SELECT system_identifier::text FROM pg_control_system()"
# The first eight digits of a WAL file's name are the timeline; a standby writes none.
TIMELINE = "SELECT CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_walfile_name(pg_current_wal_lsn()) END"
# Not every server says who it is: a managed or distributed one may keep these to itself, or not have them.
WITHHELD = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.UndefinedFunctionError,
    asyncpg.FeatureNotSupportedError,
    asyncpg.ObjectNotInPrerequisiteStateError,
)


@dataclass(frozen=True, slots=True)
class Server:
    """Whom a connection leads to, as it was when last asked."""

    host: Host
    identity: ServerIdentity
    version: int
    """As the server counts: 150020 is 15.20."""
    in_recovery: bool
    read_only: bool
    pooled: bool
    """Whether a pooler such as PgBouncer is between, which may give each transaction another connection."""

    @property
    def takes_writes(self) -> bool:
        return not self.in_recovery and not self.read_only


class ServerConnection(asyncpg.Connection):  # type: ignore[misc]
    """A connection that knows whom it leads to."""

    __slots__ = ("server", "transactions")
    server: Server
    transactions: int
    """How many transactions that write were begun on it."""

    @property
    def itself(self) -> ServerConnection:
        """The connection behind the stand-in that a pool gives out."""
        return self


class Connector:
    """Connects to one server, of those that an address names, and remembers which it was."""

    setting = "MAEDAL_DATABASE_URL"
    wanted = "server that takes writes"

    def __init__(self, url: str, session: Mapping[str, str], *, command_timeout: float | None = None) -> None:
        """Raises StoreError when the address is malformed. `session` are settings of each session."""
        self.address: DatabaseUrl = parse(url, self.setting)
        self._session = {name: value for name, value in session.items() if name not in self.address.options}
        if self.address.application_name is not None:
            self._session["application_name"] = self.address.application_name
        self._command_timeout = command_timeout
        self._hosts = list(self.address.hosts)
        self._pooled: dict[Host, bool] = {}
        self._newest: dict[str, int] = {}
        self._took_us_in: set[Host] = set()
        self.made: WeakSet[ServerConnection] = WeakSet()
        """Every connection that was made and is still there."""
        self.on_connect: list[Callable[[ServerIdentity], None]] = []
        """Called with whom a new connection leads to, before anything is asked over it."""

    @property
    def set_local(self) -> str:
        """What a transaction is told at its beginning where a pooler keeps a session's settings from the server."""
        settings = [(name, value) for name, value in self._session.items() if name not in STARTUP_ONLY]
        return "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in settings)

    async def connect(self, *_: object, **supplied: Any) -> ServerConnection:
        """Return a connection to a server that takes writes; the last good host is tried first.

        Takes what `asyncpg.create_pool` gives its `connect`. Raises DatabaseAway, or NoConnectionFree, with what each
        host said.
        """
        supplied = {name: value for name, value in supplied.items() if name in {"loop", "record_class"}}
        said: list[tuple[Host, Exception | str]] = []
        for host in tuple(self._hosts):
            try:
                async with asyncio.timeout(self.address.connect_seconds):
                    connection = await self._connect(host, supplied)
            except CONNECT_ERRORS as error:
                hangs = isinstance(error, TimeoutError) and host in self._took_us_in
                said.append((host, HANGS if hangs else error))
                continue
            refused = self._refused(connection.server)
            if refused is None:
                self.made.add(connection)
                self._arrived(connection.server)
                return connection
            connection.terminate()
            said.append((host, refused))
        raise self._away(said)

    def learn(self, server: Server) -> str | None:
        """Take in what a server says of itself later on; return why it is no longer one to speak to, if so."""
        refused = self._refused(server)
        if refused is None:
            self._arrived(server)
        return refused

    async def find_newer(self, server: Server) -> bool:
        """Return whether another host of the address takes writes on a newer timeline; if so, older ones are left."""
        others = [host for host in self.address.hosts if host != server.host]
        found = await asyncio.gather(*(self._newer(host, server) for host in others))
        return any(found)

    async def _newer(self, host: Host, server: Server) -> bool:
        try:
            async with asyncio.timeout(GLANCE_SECONDS):
                connection = await self._connect(host, {})
        except CONNECT_ERRORS:
            return False
        connection.terminate()
        its, ours = connection.server.identity, server.identity
        newer = (
            connection.server.takes_writes
            and None not in {its.system_id, its.timeline, ours.timeline}
            and its.system_id == ours.system_id
            and (its.timeline or 0) > (ours.timeline or 0)
        )
        if newer:
            self._arrived(connection.server)
        return newer

    async def _connect(self, host: Host, supplied: Mapping[str, Any]) -> ServerConnection:
        """Return a connection to this host, whatever it is; twice tried where a pooler turns out to be between."""
        self._took_us_in.discard(host)
        pooled = self._pooled.get(host, False)
        try:
            connection = await self._open(host, supplied, pooled=pooled)
        except asyncpg.ProtocolViolationError as error:
            # PgBouncer takes no settings with which a session begins but those that its own file allows.
            if pooled or "startup parameter" not in str(error):
                raise
            pooled = True
            connection = await self._open(host, supplied, pooled=True)
        self._took_us_in.add(host)
        try:
            server = await look(connection, host)
            if server.pooled != pooled:
                # One whose file allows them drops them without a word.
                connection.terminate()
                pooled = server.pooled
                connection = await self._open(host, supplied, pooled=pooled)
                server = await look(connection, host)
        except BaseException:
            connection.terminate()
            raise
        self._pooled[host] = pooled
        connection.server, connection.transactions = replace(server, pooled=pooled), 0
        return connection

    async def _open(self, host: Host, supplied: Mapping[str, Any], *, pooled: bool) -> ServerConnection:
        session = {"application_name": self._session.get("application_name", "maedal")} if pooled else self._session
        where = {"port": host.port} if host.name is None else {"host": host.name, "port": host.port}
        connection: ServerConnection = await asyncpg.connect(
            self.address.dsn,
            **where,
            **supplied,
            connection_class=ServerConnection,
            target_session_attrs="any",
            timeout=self.address.connect_seconds,
            command_timeout=self._command_timeout,
            server_settings=dict(session),
            # A prepared statement belongs to a connection of the server, which a pooler gives to somebody else next.
            **({"statement_cache_size": 0} if pooled else {}),
        )
        return connection

    def _refused(self, server: Server) -> str | None:
        """Return why this server is not one to speak to."""
        if not self.address.any_server and server.in_recovery:
            return "is a standby"
        if not self.address.any_server and server.read_only:
            return "is read-only"
        system, timeline = server.identity.system_id, server.identity.timeline
        if system is not None and timeline is not None and timeline < self._newest.get(system, 0):
            # A primary that was away while another was promoted, and does not know of it yet: what it takes is lost.
            return f"is on timeline {timeline}, left behind by {self._newest[system]}; if that is meant, restart maedal"
        return None

    def _arrived(self, server: Server) -> None:
        if self._hosts[0] != server.host:
            _log.info("database_host", host=str(server.host))
            self._hosts.sort(key=lambda host: host != server.host)
        system, timeline = server.identity.system_id, server.identity.timeline
        if system is not None and timeline is not None:
            if timeline > self._newest.get(system, timeline):
                self._leave_behind(system, timeline)
            self._newest[system] = max(timeline, self._newest.get(system, 0))
        for listen in self.on_connect:
            listen(server.identity)

    def _leave_behind(self, system: str, timeline: int) -> None:
        """End every connection to a server that this one has taken the place of, in use or not.

        What is asked over them is answered by nobody, or by one whose answers count no more; whoever waits for a
        frozen server is let go now, instead of when it thaws or their time is up.
        """
        for connection in tuple(self.made):
            known = connection.server.identity
            if known.system_id == system and known.timeline is not None and known.timeline < timeline:
                _log.warning("database_connection_left_behind", host=str(connection.server.host))
                connection.terminate()

    def _away(self, said: list[tuple[Host, Exception | str]]) -> NotAsked:
        """Return what is wrong, host by host; the driver's texts at this point hold no password and no row."""
        reasons = "; ".join(f"{host} {_said(why, self.address.connect_seconds)}" for host, why in said)
        kind: type[NotAsked] = DatabaseAway
        if any(isinstance(why, str) and why != HANGS for _, why in said):
            kind = NoPrimary
        if any(is_full(why) for _, why in said):
            kind = NoConnectionFree
        return kind(f"no PostgreSQL {self.wanted} can be reached: {reasons} ({self.setting})")


class StandbyConnector(Connector):
    """Connects to a server that follows another, of those that an address names."""

    setting = "MAEDAL_READ_DATABASE_URL"
    wanted = "standby"

    def _refused(self, server: Server) -> str | None:
        # One that was left behind by a promotion takes writes as well, and what it shows is another history.
        return None if server.in_recovery else "takes writes, and so is no standby"


async def look(connection: ServerConnection, host: Host) -> Server:
    """Return whom a connection leads to, by asking. Raises what the driver raises."""
    row = await _ask(connection, STANDING)
    system = await _unless_withheld(connection, SYSTEM)
    wal_file = await _unless_withheld(connection, TIMELINE)
    return Server(
        host,
        ServerIdentity(system, int(wal_file[:8], 16) if wal_file else None),
        row["version"],
        row["in_recovery"],
        row["read_only"],
        # A pooler gives a number of its own, by which a query is cancelled.
        connection.get_server_pid() != row["pid"],
    )


async def _ask(connection: ServerConnection, sql: str) -> Any:
    """Return one row. By a statement without a name, as nothing is known yet of who is between."""
    statement = await connection.prepare(sql, name="")
    return await statement.fetchrow()


async def _unless_withheld(connection: ServerConnection, sql: str) -> str | None:
    try:
        row = await _ask(connection, sql)
    except WITHHELD:
        return None
    value: str | None = row[0]
    return value


def is_full(error: Exception | str) -> bool:
    """Return whether this error says that there is no connection free, at the server or in a pooler before it."""
    if isinstance(error, asyncpg.TooManyConnectionsError):
        return True
    text = str(error)
    return isinstance(error, asyncpg.PostgresError) and any(
        words in text for words in ("no more connections allowed", "query_wait_timeout")
    )


def is_cut_off(error: Exception | str) -> bool:
    """Return whether this error is a pooler's word for the server behind it being out of reach.

    It takes clients in all the same, and says so when the first of them asks something.
    """
    text = str(error)
    return isinstance(error, asyncpg.PostgresError) and any(
        words in text
        for words in (
            "cannot connect to server",
            "server login has been failing",
            "server_login_retry",
            "the database system is shutting down",
            "the database system is starting up",
            "database does not allow connections",
            "is disabled",
            "pgbouncer database is paused",
        )
    )


HANGS = "took us in and answers nothing: a pooler that does not reach its server, or a server that hangs"


def _said(why: Exception | str, seconds: float) -> str:
    """Return what a host said, as the end of a sentence about it."""
    match why:
        case str():
            return why
        case TimeoutError():
            return f"did not answer within {seconds:g} s"
        case ConnectionRefusedError():
            return "refused the connection"
        case socket.gaierror():
            return "has a name that is not known here"
        case ssl.SSLError():
            return f"and this side do not agree on TLS ({why})"
        case asyncpg.PostgresError() if is_cut_off(why):
            return f"is a pooler that does not reach the database ({why})"
        case asyncpg.CannotConnectNowError():
            return f"takes nobody in just now ({why})"
        case asyncpg.TooManyConnectionsError():
            return "has no connection free"
        case asyncpg.InvalidPasswordError():
            return (
                f"refused the login ({why}); signs such as # @ / ? % in a password are percent-encoded in the address"
            )
        case asyncpg.InvalidAuthorizationSpecificationError():
            return f"refused the login ({why})"
        case _:
            return f"failed ({type(why).__name__}: {why})"
