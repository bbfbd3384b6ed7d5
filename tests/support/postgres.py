"""A PostgreSQL server for tests: one of our own, or the ready one that the environment names.

with TemporaryPostgres(durable=False) as server:
    url = server.create_database("ledger")     # postgresql://maedal:…@127.0.0.1:23456/ledger
    server.restart(mode="immediate")           # as after a crash; the same address

with postgres_server() as server: …            # MAEDAL_TEST_DATABASE_URL if set, else a TemporaryPostgres
"""

import asyncio
import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from tests.support.memory import in_memory
from tools import provide

USER = "maedal"
FIRST_WITH_STRATEGIES = 15
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60
PORT_TRIES_MAX = 10

# Below the range that Linux and macOS give to outgoing connections, so that a restart finds its port free.
PORTS = range(20_000, 32_000)

StopMode = Literal["smart", "fast", "immediate"]
STOP_SIGNALS: dict[StopMode, signal.Signals] = {
    "smart": signal.SIGTERM,
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
}

# Reads the server's pid, or 0 once it is stopped. The end of its input is the end of the test process, however that
# came about: whatever still runs then is stopped, and the folder removed.
WATCHER = """
pid=0
while read -r line; do pid=$line; done
if [ "$pid" != 0 ]; then
    kill -QUIT "$pid"
    for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2>/dev/null || break; sleep 0.5; done
fi
rm -rf "$1"
"""


class PostgresFailed(Exception):
    """The server did not start or stop; the text holds the end of its log."""


class PostgresServer:
    """A server in which tests make databases of their own."""

    url: str
    copy_strategy = ""

    def create_database(self, name: str, template: str | None = None) -> str:
        """Create a database (dropping an older one of that name) and give its URL; empty, or a copy of `template`."""
        # Copied as files: half of what it takes to write each page of the copy to the log.
        copied = "" if template is None else f' TEMPLATE "{template}"{self.copy_strategy}'
        _execute(self.url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"{copied}')
        return _with_database(self.url, name)

    def drop_database(self, name: str) -> None:
        _execute(self.url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


class TemporaryPostgres(PostgresServer):
    """A server of our own on 127.0.0.1, with its data in a temporary folder, gone at the end of the `with`.

    `durable=False` leaves out fsync: faster, and still nothing acknowledged is lost when only the server dies.
    Root may not run PostgreSQL; for root it runs as `postgres` or, where there is no such user, as `nobody`.
    """

    def __init__(self, *, durable: bool = True, settings: Mapping[str, str] | None = None) -> None:
        self._settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "timezone": "UTC",
            "log_min_messages": "warning",
        }
        self._durable = durable
        if not durable:
            self._settings |= {"fsync": "off", "full_page_writes": "off"}
        self._settings |= settings or {}
        self._password = secrets.token_hex(16)
        self._server: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self._bin = provide.postgres_bin()
        self._account = _account()
        self._home = Path(tempfile.mkdtemp(prefix="maedal-postgres-", dir=None if self._durable else in_memory()))
        self._data = self._home / "data"
        self._log = self._home / "log"
        try:
            self._watch()
            self._initialise()
            self._start_on_a_free_port()
        except BaseException:
            self._leave()
            raise
        self.url = f"postgresql://{USER}:{self._password}@127.0.0.1:{self.port}/postgres"
        if int((self._data / "PG_VERSION").read_text()) >= FIRST_WITH_STRATEGIES:
            self.copy_strategy = " STRATEGY FILE_COPY"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def start(self) -> None:
        """Start again after `stop`, at the same address."""
        self._start()

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop and wait; `immediate` is how a crash looks to the next start."""
        if self._server is None:
            return
        if self._server.poll() is None:
            self._server.send_signal(STOP_SIGNALS[mode])
        try:
            self._server.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
            raise PostgresFailed(f"PostgreSQL did not stop in {STOP_SECONDS_MAX} s\n{self._log_end()}") from None
        finally:
            self._server = None
            self._tell_watcher(0)

    def restart(self, mode: StopMode = "immediate") -> None:
        self.stop(mode)
        self._start()

    def _watch(self) -> None:
        self._watcher = subprocess.Popen(
            ["sh", "-c", WATCHER, "watcher", str(self._home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _tell_watcher(self, pid: int) -> None:
        if self._watcher is not None and self._watcher.stdin is not None:
            self._watcher.stdin.write(f"{pid}\n".encode())
            self._watcher.stdin.flush()

    def _initialise(self) -> None:
        password = self._home / "password"
        password.write_text(self._password)
        for path in (self._home, password):
            if self._account is not None:
                os.chown(path, self._account.pw_uid, self._account.pw_gid)
        options = ["--encoding=UTF8", "--no-locale", "--no-sync", f"--username={USER}", "--auth=scram-sha-256"]
        ran = subprocess.run(
            [self._bin / "initdb", f"--pgdata={self._data}", f"--pwfile={password}", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            **self._as_account(),
        )
        if ran.returncode != 0:
            raise PostgresFailed(f"initdb ended with {ran.returncode}\n{ran.stdout}")

    def _start_on_a_free_port(self) -> None:
        for tries_left in reversed(range(PORT_TRIES_MAX)):
            self.port = _free_port()
            try:
                self._start()
            except PostgresFailed:
                # Someone else may have taken the port between our look and the start.
                if not tries_left or "could not bind" not in self._log_end():
                    raise
                self._log.unlink()
            else:
                return

    def _start(self) -> None:
        settings = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                [self._bin / "postgres", "-D", self._data, "-p", str(self.port), *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self._as_account(),
            )
        self._tell_watcher(self._server.pid)
        limit = time.monotonic() + START_SECONDS_MAX
        while not self._is_ready(self._server.pid):
            if self._server.poll() is not None or time.monotonic() > limit:
                log_end = self._log_end()
                self.stop("immediate")
                raise PostgresFailed(f"PostgreSQL did not start\n{log_end}")
            time.sleep(0.02)

    def _is_ready(self, pid: int) -> bool:
        """Whether the server says so, in the eighth line of its pid file."""
        try:
            lines = (self._data / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return False
        return lines[0] == str(pid) and len(lines) > 7 and lines[7].strip() == "ready"

    def _leave(self) -> None:
        try:
            # Nobody reads the data again, so nothing is written for that.
            self.stop("immediate")
        finally:
            if self._watcher is not None:
                self._watcher.communicate()  # closes its input and waits
                self._watcher = None
            shutil.rmtree(self._home, ignore_errors=True)

    def _log_end(self) -> str:
        return self._log.read_text(errors="replace")[-2_000:] if self._log.exists() else ""

    def _as_account(self) -> dict[str, Any]:
        environment = {"PATH": os.defpath, "LC_ALL": "C", "HOME": str(self._home)}
        common: dict[str, Any] = {"cwd": self._home, "env": environment}
        if self._account is None:
            return common
        return common | {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}


class ReadyPostgres(PostgresServer):
    """The server that the environment names; databases made here are dropped at the end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._made: list[str] = []

    def create_database(self, name: str, template: str | None = None) -> str:
        url = super().create_database(name, template)
        self._made.append(name)
        return url

    def close(self) -> None:
        for name in self._made:
            self.drop_database(name)


OF_SHORT_LIVES = {"wal_level": "minimal", "max_wal_senders": "0", "autovacuum": "off"}
"""Databases that live for one test, by the thousand: nobody follows them, and to look after each costs more than it saves."""


@contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[PostgresServer]:
    """The ready server that the environment names, else a temporary one."""
    url = provide.database_url()
    if url is None:
        with TemporaryPostgres(durable=durable, settings={} if durable else OF_SHORT_LIVES) as server:
            yield server
        return
    ready = ReadyPostgres(url)
    try:
        yield ready
    finally:
        ready.close()


def _account() -> pwd.struct_passwd | None:
    """Whom the server runs as; None is ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _free_port() -> int:
    for port in random.sample(PORTS, 100):
        with socket.socket() as candidate:
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise PostgresFailed(f"no free port among 100 tried in {PORTS.start}-{PORTS.stop}")


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _execute(url: str, *statements: str) -> None:
    """Run statements from any place, also from inside a running event loop, which is why there is a thread."""

    async def talk() -> None:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    with ThreadPoolExecutor(max_workers=1) as executor:
        executor.submit(lambda: asyncio.run(talk())).result()
