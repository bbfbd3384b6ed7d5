"""A primary with a synchronous standby, and a switch in front of both, so that a failover can be played.

with StandbyPair() as pair:
    pair.url                   # a migrated database, through the switch, which points at the primary
    pair.demand_standby()      # from now on a commit waits for the standby
    pair.standby.stop()        # commits hang
    pair.fail_over()           # the standby is promoted, and the switch points at it
    pair.return_read_only()    # the old primary comes back, read-only, behind the switch
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from maedal.storage.migrate import migrate
from tests.support.memory import in_memory
from tests.support.postgres import USER, TemporaryPostgres, _execute, _with_database
from tests.support.tcp_relay import TcpRelay

NAME = "s1"
DATABASE = "ledger"
WAIT_SECONDS_MAX = 60


@functools.cache
def _template() -> tuple[Path, str]:
    """Return a folder with the data of a server that was shut down, a migrated database in it, and its password."""
    folder = Path(tempfile.mkdtemp(prefix="maedal-standby-", dir=in_memory()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with TemporaryPostgres(durable=False) as server:
        migrate(server.create_database(DATABASE))
        server.stop("fast")
        _copy(server._data, folder / "data")
        return folder / "data", server._password


def _copy(origin: Path, place: Path) -> None:
    """Copy a server's data with their owner: a thousand files, for which Python takes ten times as long."""
    subprocess.run(["cp", "-a", origin, place], check=True)


class Copy(TemporaryPostgres):
    """A server that begins as a copy of the template."""

    def __init__(self) -> None:
        super().__init__(durable=False, settings={"wal_receiver_status_interval": "1s"})
        self._origin, self._password = _template()

    def _initialise(self) -> None:
        _copy(self._origin, self._data)
        self._own(self._home)
        self._settle_in()

    def _settle_in(self) -> None:
        """Change the copied files before the start."""

    def _own(self, place: Path) -> None:
        if self._account is not None:
            os.chown(place, self._account.pw_uid, self._account.pw_gid)

    @property
    def running(self) -> bool:
        return self._server is not None

    def follow_nobody(self) -> None:
        """Start again as a standby that has no primary: it takes no writes, and shows all that it has."""
        self.stop("immediate")
        signal_file = self._data / "standby.signal"
        signal_file.touch()
        self._own(signal_file)
        self.start()


class Standby(Copy):
    """A server that follows a primary under the name `s1`."""

    def __init__(self, primary: TemporaryPostgres) -> None:
        super().__init__()
        self._primary = primary

    def _settle_in(self) -> None:
        signal_file = self._data / "standby.signal"
        signal_file.touch()
        self._own(signal_file)
        source = f"host=127.0.0.1 port={self._primary.port} user={USER} password={self._password}"
        with (self._data / "postgresql.auto.conf").open("a") as conf:
            conf.write(f"primary_conninfo = '{source} application_name={NAME}'\n")

    def promote(self) -> None:
        """Let it take over, and wait until it takes writes."""
        _execute(self.url, "SELECT pg_promote(true)")


class Switch(TcpRelay):
    """One address in front of two servers, as a moving address or a proxy is."""

    half_close = False

    def __init__(self, port: int) -> None:
        self._target: int | None = port
        super().__init__()

    def to(self, port: int | None) -> None:
        """Break off what is connected, and lead there what connects from now on; None: nowhere."""
        self._run(self._turn(port))

    def lead_to(self, port: int) -> None:
        """Lead there what connects from now on, and leave alone what is connected."""
        self._target = port

    async def _turn(self, port: int | None) -> None:
        self._target = port
        self._reset()

    def _targets(self) -> Sequence[int]:
        return () if self._target is None else (self._target,)


class StandbyPair:
    """A primary, its standby, and the switch through which a gateway reaches one of them."""

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self.primary = stack.enter_context(Copy())
            self.standby = stack.enter_context(Standby(self.primary))
            self.switch = stack.enter_context(Switch(self.primary.port))
            self._closing = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    @property
    def url(self) -> str:
        """The address of the migrated database, through the switch."""
        url = urlsplit(self.url_of(self.primary))
        place = f"{url.netloc.rpartition('@')[0]}@127.0.0.1:{self.switch.port}"
        return urlunsplit(url._replace(netloc=place))

    @staticmethod
    def url_of(server: TemporaryPostgres) -> str:
        """Return the address of the database on one of the two, past the switch."""
        return _with_database(server.url, DATABASE)

    def demand_standby(self) -> None:
        """Let every commit wait for the standby from now on, once that has everything."""
        self._set_standby_names(NAME)
        self.wait_until(self.primary, "SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'")

    def demand_nothing(self) -> None:
        """Let no commit wait: what replication without a guarantee is like."""
        self._set_standby_names("")

    def catch_up(self) -> None:
        """Return once the standby has everything that the primary has."""
        self.wait_until(
            self.primary, "SELECT count(*) = 1 FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()"
        )

    def fail_over(self, *, lead: bool = True) -> None:
        """The primary dies, the standby is promoted as it is, and the switch points at it; with `lead=False`, nowhere."""
        self.switch.to(None)
        self.primary.stop("immediate")
        if not self.standby.running:
            self.standby.start()
        self.standby.promote()
        if lead:
            self.switch.to(self.standby.port)

    def return_read_only(self) -> None:
        """The old primary comes back as a standby of nobody, with all that it had committed, behind the switch."""
        self.primary.follow_nobody()
        self.switch.to(self.primary.port)

    def wait_until(self, server: TemporaryPostgres, question: str) -> None:
        """Return once the question, a SELECT of one boolean, is answered with yes."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not ask(server.url, question):
            assert time.monotonic() < deadline, f"never true: {question}"
            time.sleep(0.05)

    def wait_for_hanging(self, count: int = 1) -> None:
        """Return once so many commits wait for the standby."""
        self.wait_until(self.primary, f"SELECT count(*) >= {count} FROM pg_stat_activity WHERE wait_event = 'SyncRep'")

    def end_waits(self, how: str) -> None:
        """Do what an operator does to the sessions that hang: `cancel` or `terminate`."""
        _execute(self.primary.url, f"SELECT pg_{how}_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")

    def _set_standby_names(self, names: str) -> None:
        _execute(
            self.primary.url,
            f"ALTER SYSTEM SET synchronous_standby_names = '{names}'",
            "SELECT pg_reload_conf()",
        )


def ask(url: str, question: str, *values: Any) -> Any:
    """Return the one value that a question gives; from any place, also from inside a running event loop."""
    answers: list[Any] = []

    async def talk() -> None:
        connection = await asyncpg.connect(url)
        try:
            answers.append(await connection.fetchval(question, *values))
        finally:
            await connection.close()

    thread = threading.Thread(target=lambda: asyncio.run(talk()))
    thread.start()
    thread.join()
    return answers[0]
