"""PgBouncer for tests, in front of a PostgreSQL server on 127.0.0.1 that trusts whoever comes.

with PgBouncer(port, mode="transaction") as bouncer:
    url = bouncer.url("ledger")
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from tests.support.postgres import USER, WATCHER, _account
from tests.support.world import free_port
from tools import provide

START_SECONDS_MAX = 60

FILE = """
[databases]
* = host=127.0.0.1 port={target}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = {mode}
max_client_conn = 500
default_pool_size = {pool_size}
; A server that was away is tried again after a second; by default it takes fifteen.
server_login_retry = 1
server_connect_timeout = 3
{more}
"""


class PgBouncer:
    """`more` are further lines of its file, such as `ignore_startup_parameters = …`."""

    def __init__(
        self, target: int, *, mode: Literal["session", "transaction"], pool_size: int = 40, more: str = ""
    ) -> None:
        self.target, self.mode, self.more, self.pool_size = target, mode, more, pool_size
        self.port = free_port()

    def __enter__(self) -> Self:
        account = _account()
        self.folder = Path(tempfile.mkdtemp(prefix="maedal-pgbouncer-"))
        self._watcher = subprocess.Popen(
            ["sh", "-c", WATCHER, "watcher", str(self.folder)], stdin=subprocess.PIPE, start_new_session=True
        )
        users, file = self.folder / "users", self.folder / "pgbouncer.ini"
        users.write_text("".join(f'"{name}" "{USER}"\n' for name in (USER, "postgres")))
        file.write_text(
            FILE.format(
                target=self.target,
                port=self.port,
                users=users,
                mode=self.mode,
                pool_size=self.pool_size,
                more=self.more,
            )
        )
        identity = {}
        if account is not None:
            identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
            for path in (self.folder, users, file):
                os.chown(path, account.pw_uid, account.pw_gid)
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [str(provide.pgbouncer()), str(file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=self.folder,
                env={"PATH": os.defpath, "LC_ALL": "C"},
                **identity,
            )
        self._watcher.stdin.write(f"{self._process.pid}\n".encode())
        self._watcher.stdin.flush()
        limit = time.monotonic() + START_SECONDS_MAX
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > limit:
                message = (self.folder / "log").read_text(errors="replace")[-2_000:]
                self.close()
                raise OSError(f"PgBouncer did not start\n{message}")
            time.sleep(0.02)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def url(self, database: str = "postgres", *, user: str = USER) -> str:
        return f"postgresql://{user}:{USER}@127.0.0.1:{self.port}/{database}"

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._watcher.communicate()  # closes its input and waits
        shutil.rmtree(self.folder, ignore_errors=True)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
