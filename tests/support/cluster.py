"""Three PostgreSQL servers under Patroni, etcd and HAProxy: a real cluster on 127.0.0.1, in one folder.

with Cluster(synchronous=True) as cluster:
    cluster.create_database("ledger")
    url = cluster.url("ledger")           # through HAProxy, which leads to the primary
    urls = cluster.urls("ledger")         # all hosts, target_session_attrs=primary
    old = cluster.leader()
    cluster.kill(old)                     # the machine dies
    cluster.wait_for_leader(but=old)
    cluster.whole()                       # everything that was hurt is back and streams

Patroni uses etcd's v2 interface: in Patroni 3.0.2, Debian 12's, a leader that was away for longer than `ttl` takes the
lock back on the v3 interface (mended in 3.0.3), and then even a strictly synchronous cluster loses what it acknowledged.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncpg

from tests.support.memory import in_memory
from tests.support.postgres import USER, _account
from tests.support.relay import Relay
from tests.support.world import free_port
from tools import provide

TTL_SECONDS, LOOP_WAIT_SECONDS, RETRY_TIMEOUT_SECONDS = 7, 1, 3
"""loop_wait + 2 * retry_timeout <= ttl: a leader that cannot reach etcd stops before another one is chosen."""
START_SECONDS_MAX = 90
WHOLE_SECONDS_MAX = 90
LEADER_SECONDS_MAX = 60
ANSWER_SECONDS_MAX = 1.0

ENVIRONMENT = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"}
"""Patroni runs on Debian's Python: nothing of a virtual environment may reach it."""

# The end of its input is the end of the test process, however that came about: whatever runs in the folder is killed,
# Patroni first, which would start PostgreSQL again, and the folder removed. Everything of a cluster has its working
# directory in the folder, PostgreSQL's backends too.
WATCHER = """
cat >/dev/null
for round in 1 2 3 4 5 6 7 8 9 10; do
    found=
    for process in /proc/[0-9]*; do
        case $(readlink "$process/cwd" 2>/dev/null) in "$1"|"$1"/*) found=1; kill -KILL "${process#/proc/}" 2>/dev/null;; esac
    done
    [ -n "$found" ] || break
    sleep 0.2
done
rm -rf "$1"
"""


class ClusterFailed(Exception):
    """The cluster did not come to what was asked for; the text says where its logs are kept."""


class Cluster:
    """Three nodes, numbered from 0; what is done to one is undone by `whole`.

    `synchronous` is Patroni's strict mode: a primary without a synchronous standby acknowledges nothing. Otherwise
    replication is asynchronous.
    """

    def __init__(self, *, synchronous: bool, etcds: int = 1, settings: Mapping[str, str] | None = None) -> None:
        self._synchronous, self._etcds = synchronous, etcds
        self._settings = {
            "wal_log_hints": "on",
            "fsync": "off",  # processes die here, not machines
            "shared_buffers": "32MB",
            "max_connections": "300",
            "wal_keep_size": "64MB",
            "wal_receiver_status_interval": "1s",
            # As in deploy/ha: a standby that met the new primary too early asks again at once, and not after 5 s.
            "wal_retrieve_retry_interval": "500ms",
            "timezone": "UTC",
        } | dict(settings or {})
        self.nodes = range(3)
        self._account = _account()
        self._watcher: subprocess.Popen[bytes] | None = None
        self._relays: list[Relay] = []
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(keep_logs=error is not None)

    # -- life

    def start(self) -> None:
        """Build the cluster and return once it is whole."""
        self._programs = provide.cluster()
        self._postgres_bin = provide.postgres_bin()
        self.folder = Path(tempfile.mkdtemp(prefix="maedal-cluster-", dir=in_memory())).resolve()
        self.folder.chmod(0o755)
        if self._account is not None:
            os.chown(self.folder, self._account.pw_uid, self._account.pw_gid)
        self._watcher = subprocess.Popen(
            ["sh", "-c", WATCHER, "watcher", str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        try:
            self._start()
        except BaseException:
            self.close(keep_logs=True)
            raise

    def close(self, *, keep_logs: bool = False) -> None:
        """End everything, whatever state it is in."""
        for name in sorted(self._running, key=lambda name: not name.startswith("patroni")):
            self._running[name].kill()
        while pids := self._pids():
            for pid in pids:
                _signal(pid, signal.SIGKILL)
            time.sleep(0.05)
        for process in self._running.values():
            process.wait()
        for relay in self._relays:
            relay.close()
        if keep_logs:
            self.keep_logs()
        if self._watcher is not None:
            self._watcher.communicate()  # closes its input and waits
            self._watcher = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def keep_logs(self) -> Path:
        """Copy the logs of all processes to a folder that stays, and name it."""
        kept = Path(tempfile.mkdtemp(prefix="maedal-cluster-kept-"))
        for log in self.folder.glob("*.log"):
            shutil.copy2(log, kept / log.name)
        print(f"the logs of the cluster are kept in {kept}")
        return kept

    # -- who is who, and where

    def leader(self) -> int | None:
        """Return the node that leads, by what its Patroni says; None while there is none, or several."""
        leading = self._answering("/primary")
        return leading[0] if len(leading) == 1 else None

    def synchronous(self) -> int | None:
        """Return the node whose standby is the synchronous one."""
        found = self._answering("/synchronous")
        return found[0] if found else None

    def wait_for_leader(self, but: int | None = None, seconds: float = LEADER_SECONDS_MAX) -> int:
        """Return the node that leads once one does; `but` is one that does not count, because it is away."""
        found: list[int] = []

        def leads() -> bool:
            found[:] = [node for node in self._answering("/primary") if node != but]
            return len(found) == 1

        self._wait_until(leads, seconds, "no leader")
        return found[0]

    def url(self, database: str = "postgres", *, user: str = USER) -> str:
        """Return the address that leads to whoever is the primary, through HAProxy."""
        return f"postgresql://{user}:{USER}@127.0.0.1:{self._front}/{database}"

    def urls(self, database: str = "postgres", *, user: str = USER) -> str:
        """Return the address that names all nodes, of which the client takes the primary."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self._ports)
        return f"postgresql://{user}:{USER}@{hosts}/{database}?target_session_attrs=primary"

    def url_of(self, node: int, database: str = "postgres", *, user: str = USER) -> str:
        """Return the address of one node, whatever it is."""
        return f"postgresql://{user}:{USER}@127.0.0.1:{self._ports[node]}/{database}"

    @property
    def front_port(self) -> int:
        """HAProxy's port."""
        return self._front

    def create_database(self, name: str) -> str:
        """Create an empty database (dropping an older one of that name) and give its URL through HAProxy."""
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}" OWNER {USER}')
        return self.url(name)

    def promotion(self) -> tuple[int, int] | None:
        """Return (timeline, node) of whoever leads: a promotion is a higher timeline. None while nobody answers."""
        found: list[tuple[int, int]] = []
        for node, (status, text) in zip(self.nodes, self._asked("/primary"), strict=True):
            if status == 200:
                with suppress(ValueError, KeyError, TypeError):
                    found.append((int(json.loads(text)["timeline"]), node))
        return max(found, default=None)

    # -- what is done to it

    def switchover(self) -> None:
        """Let the leader hand over to a standby, in order."""
        leader = self.wait_for_leader()
        file = str(self.folder / f"n{leader}.json")
        ran = subprocess.run(
            [str(self._programs["patronictl"]), "-c", file, "switchover", "--master", f"n{leader}", "--force"],
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LEADER_SECONDS_MAX,
            **self._as_account(),
        )
        if ran.returncode != 0 or "Switchover failed" in ran.stdout:
            raise ClusterFailed(f"the switchover failed: {ran.stdout}")

    def crash(self, node: int) -> None:
        """Kill PostgreSQL; Patroni starts it again, as a standby first, and promotes it to a new timeline."""
        postmaster = self._postmaster(node)
        if postmaster is not None:
            _signal(postmaster, signal.SIGKILL)

    def kill(self, node: int) -> None:
        """Let the machine die: Patroni, PostgreSQL and its backends at once."""
        with self._lock:
            patroni = self._running.get(f"patroni{node}")
            if patroni is not None:
                patroni.kill()
            for _ in range(3):
                for pid in self._pids(node):
                    _signal(pid, signal.SIGKILL)
            if patroni is not None:
                patroni.wait()

    def revive(self, node: int) -> None:
        """Start the machine again after `kill`; Patroni brings PostgreSQL back by itself, with pg_rewind."""
        with self._lock:
            if self._running[f"patroni{node}"].poll() is not None:
                self._start_patroni(node)

    def freeze(self, node: int) -> None:
        """Let the machine vanish: nothing of it runs or answers, and its sockets stay open."""
        for _ in range(2):  # a fork between
            for pid in self._pids(node):
                _signal(pid, signal.SIGSTOP)

    def freeze_patroni(self, node: int) -> None:
        """Let Patroni alone stand still: when its lock has run out there are two primaries."""
        _signal(self._running[f"patroni{node}"].pid, signal.SIGSTOP)

    def thaw(self, node: int) -> None:
        """Let everything on the machine go on."""
        for pid in self._pids(node):
            _signal(pid, signal.SIGCONT)

    def cut(self, node: int) -> None:
        """Cut the machine off from etcd; whoever leads gives up, or is no leader any more."""
        self._relays[node].cut()

    def heal(self, node: int) -> None:
        self._relays[node].heal()

    def stop_streaming(self) -> None:
        """Let the standbys lag: what sends them the leader's log stands still. `whole` and the leader's end undo it."""
        leader = self.wait_for_leader()
        for row in self._rows(leader, "SELECT pid FROM pg_stat_replication"):
            _signal(row["pid"], signal.SIGSTOP)

    def cancel_waits(self, *, terminate: bool = False) -> int:
        """Cancel, or end, every session that waits for the synchronous standby; return how many there were."""
        act = "pg_terminate_backend" if terminate else "pg_cancel_backend"
        leader = self.wait_for_leader()
        return len(self._rows(leader, f"SELECT {act}(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"))

    def whole(self) -> None:
        """Undo everything that was done, and return once one leads, all stream and, if synchronous, one is in step."""
        for node in self.nodes:
            self.thaw(node)
            self.heal(node)
            self.revive(node)
        self._wait_until(self._is_whole, WHOLE_SECONDS_MAX, "the cluster did not become whole")

    # -- inside

    def _start(self) -> None:
        ports = [free_port() for _ in range(3 * len(self.nodes) + 2 * self._etcds + 1)]
        self._front = ports.pop()
        self._ports, self._rests = ports[:3], ports[3:6]
        clients = ports[9 : 9 + self._etcds]
        peers = ports[9 + self._etcds :]
        for number in range(self._etcds):
            self._start_etcd(number, clients, peers)
        for port in clients:
            self._wait_until(lambda p=port: _get(p, "/health")[0] == 200, START_SECONDS_MAX, "etcd is not healthy")
        for node in self.nodes:
            self._relays.append(Relay(clients, ports[6 + node]))
            self._write(f"n{node}.json", json.dumps(self._patroni(node)))
        self._write("haproxy.cfg", self._haproxy())
        self._start_patroni(0)
        self._wait_until(lambda: _get(self._rests[0], "/primary")[0] == 200, START_SECONDS_MAX, "no first leader")
        for node in self.nodes[1:]:
            self._start_patroni(node)
        self._run("haproxy", str(self._programs["haproxy"]), "-db", "-f", str(self.folder / "haproxy.cfg"))
        self._execute_on(0, f"CREATE ROLE {USER} LOGIN SUPERUSER PASSWORD '{USER}'")
        self._wait_until(self._is_whole, START_SECONDS_MAX, "the cluster did not become whole")
        self._wait_until(self._answers, START_SECONDS_MAX, "HAProxy leads nowhere")

    def _start_etcd(self, number: int, clients: Sequence[int], peers: Sequence[int]) -> None:
        client, peer = f"http://127.0.0.1:{clients[number]}", f"http://127.0.0.1:{peers[number]}"
        members = ",".join(f"e{n}=http://127.0.0.1:{port}" for n, port in enumerate(peers))
        self._run(
            f"etcd{number}",
            *(str(self._programs["etcd"]), "--name", f"e{number}", "--data-dir", str(self.folder / f"etcd{number}")),
            *("--listen-client-urls", client, "--advertise-client-urls", client),
            *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", members),
            *("--initial-cluster-state", "new", "--initial-cluster-token", secrets.token_hex(8)),
            *("--enable-v2", "--logger", "zap", "--log-level", "warn"),
        )

    def _start_patroni(self, node: int) -> None:
        self._run(f"patroni{node}", str(self._programs["patroni"]), str(self.folder / f"n{node}.json"))

    def _patroni(self, node: int) -> dict[str, Any]:
        address = f"127.0.0.1:{self._ports[node]}"
        names = {"superuser": "postgres", "replication": "replicator", "rewind": "rewinder"}
        return {
            "scope": "maedal",
            "namespace": "/service/",
            "name": f"n{node}",
            "restapi": dict.fromkeys(("listen", "connect_address"), f"127.0.0.1:{self._rests[node]}"),
            # Without use_proxies Patroni asks etcd for its members and goes around the relay.
            "etcd": {"hosts": [f"127.0.0.1:{self._relays[node].port}"], "use_proxies": True},
            "bootstrap": {
                "dcs": {
                    "ttl": TTL_SECONDS,
                    "loop_wait": LOOP_WAIT_SECONDS,
                    "retry_timeout": RETRY_TIMEOUT_SECONDS,
                    "maximum_lag_on_failover": 1 << 30,
                    "synchronous_mode": self._synchronous,
                    "synchronous_mode_strict": self._synchronous,
                    "postgresql": {"use_pg_rewind": True, "use_slots": True, "parameters": self._settings},
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "no-sync"],
            },
            "postgresql": {
                "listen": address,
                "connect_address": address,
                "data_dir": str(self._data(node)),
                "bin_dir": str(self._postgres_bin),
                "pgpass": str(self.folder / f"pgpass{node}"),
                "authentication": {role: {"username": name, "password": USER} for role, name in names.items()},
                "parameters": {"unix_socket_directories": ""},
                "pg_hba": ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"],
                # Otherwise a standby waits for a checkpoint.
                "basebackup": [{"checkpoint": "fast"}, "no-sync"],
            },
            "watchdog": {"mode": "off"},
        }

    def _haproxy(self) -> str:
        servers = "\n".join(
            f"  server n{node} 127.0.0.1:{self._ports[node]} check port {self._rests[node]}" for node in self.nodes
        )
        # Without shutdown-sessions a client on a frozen primary hangs.
        return f"""
defaults
  mode tcp
  timeout connect 2s
  timeout client 30m
  timeout server 30m
  timeout check 2s
listen primary
  bind 127.0.0.1:{self._front}
  option httpchk GET /primary
  http-check expect status 200
  default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
{servers}
"""

    def _data(self, node: int) -> Path:
        return self.folder / f"data{node}"

    def _postmaster(self, node: int) -> int | None:
        try:
            return int((self._data(node) / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None

    def _pids(self, node: int | None = None) -> list[int]:
        """Return what runs in the folder; of one node: its Patroni first, then PostgreSQL and what Patroni has called."""
        found: list[int] = []
        patroni = None if node is None else self._running.get(f"patroni{node}")
        if patroni is not None and patroni.poll() is None:
            found.append(patroni.pid)
        place = str(self.folder if node is None else self._data(node))
        for process in Path("/proc").iterdir():
            if not process.name.isdigit():
                continue
            with suppress(OSError, ValueError):
                where = str((process / "cwd").readlink())
                parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
                inside = where == place or where.startswith(f"{place}/")
                if (inside or (found and parent == found[0])) and int(process.name) not in found:
                    found.append(int(process.name))
        return found

    def _is_whole(self) -> bool:
        leader = self.leader()
        if leader is None or (self._synchronous and self.synchronous() is None):
            return False
        try:
            rows = self._rows(leader, "SELECT state FROM pg_stat_replication")
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            return False
        return len(rows) == len(self.nodes) - 1 and all(row["state"] == "streaming" for row in rows)

    def _answers(self) -> bool:
        try:
            return bool(_talk(self.url(user="postgres"), ["SELECT 1"]))
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            return False

    def _answering(self, path: str) -> list[int]:
        return [node for node, (status, _) in enumerate(self._asked(path)) if status == 200]

    def _asked(self, path: str) -> list[tuple[int | None, str]]:
        """Ask all Patronis at once: a silent one must not keep the others from answering."""
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            return list(pool.map(lambda node: _get(self._rests[node], path), self.nodes))

    def _rows(self, node: int, sql: str) -> list[Mapping[str, Any]]:
        return _talk(self.url_of(node, user="postgres"), [sql])

    def _execute(self, *statements: str) -> None:
        self._execute_on(self.wait_for_leader(), *statements)

    def _execute_on(self, node: int, *statements: str) -> None:
        _talk(self.url_of(node, user="postgres"), statements)

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def _run(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self._as_account(),
            )

    def _as_account(self) -> dict[str, Any]:
        common: dict[str, Any] = {"cwd": self.folder, "env": ENVIRONMENT | {"HOME": str(self.folder)}}
        if self._account is None:
            return common
        return common | {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}

    def _wait_until(self, so: Callable[[], bool], seconds: float, otherwise: str) -> None:
        deadline = time.monotonic() + seconds
        while not so():
            for name, process in self._running.items():
                if process.poll() not in (None, -signal.SIGKILL):
                    raise ClusterFailed(f"{name} has ended with {process.poll()}; logs: {self.keep_logs()}")
            if time.monotonic() > deadline:
                raise ClusterFailed(f"{otherwise} in {seconds:g} s; logs: {self.keep_logs()}")
            time.sleep(0.05)


def _get(port: int, path: str) -> tuple[int | None, str]:
    """Return the HTTP status and the body that 127.0.0.1 answers; None where nobody answers in time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS_MAX)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return None, ""
    finally:
        connection.close()


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _talk(url: str, statements: Sequence[str]) -> list[Mapping[str, Any]]:
    """Run statements one by one, also from inside a running event loop; return the rows of the last."""

    async def talk() -> list[Mapping[str, Any]]:
        connection = await asyncpg.connect(url, timeout=5, command_timeout=10)
        try:
            rows: list[Mapping[str, Any]] = []
            for statement in statements:
                rows = await connection.fetch(statement)
            return rows
        finally:
            connection.terminate()

    with ThreadPoolExecutor(max_workers=1) as executor:
        return executor.submit(asyncio.run, talk()).result()
