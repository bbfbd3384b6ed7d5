"""The files of `deploy/ha/`, filled for 127.0.0.1 and started: the cluster that an operator would have."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.cluster import LEADER_SECONDS_MAX, START_SECONDS_MAX, Cluster, ClusterFailed, _get
from tests.support.processes import COMMAND
from tests.support.world import free_port

ROOT = Path(__file__).parents[2]
HA = ROOT / "deploy" / "ha"
SETTINGS = HA / "machines.env"
PATRONI = ROOT / "requirements" / "patroni.txt"
PYTHONS = ("/usr/bin/python3", getattr(sys, "_base_executable", sys.executable))
INSTALL_SECONDS_MAX = 120
PASSWORDS = ("SUPERUSER", "REPLICATION", "REWIND", "GATEWAY", "PATRONI")


def settings_with(**changes: object) -> str:
    """Return machines.env with these values; a name that it does not have is an error."""
    lines, left = [], {name: str(value) for name, value in changes.items()}
    for line in SETTINGS.read_text().splitlines():
        name = line.partition("=")[0]
        lines.append(f"{name}={left.pop(name)}" if name in left else line)
    assert left == {}, left
    return "\n".join(lines)


def fill(settings: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run fill.py on these settings; what it writes is in `folder`/out."""
    file = folder / "machines.env"
    file.write_text(settings)
    command = [sys.executable, str(HA / "fill.py"), str(file), str(folder / "out")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


class Deployed(Cluster):
    """A `Cluster` made of the deploy folder's files: machine db1 is node 0.

    Patroni is a current one from PyPI. Where that cannot be had it is Debian's, and the one section that an older
    Patroni must not have is renamed: `etcd3` to `etcd`.
    """

    def __init__(self) -> None:
        super().__init__(synchronous=True, etcds=3)
        self.version = ""

    def file(self, machine: str, path: str) -> Path:
        return self.folder / "out" / machine / path

    def metrics(self, port: int) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def as_account(self, *command: object, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a program as whoever PostgreSQL runs as."""
        words = [str(word) for word in command]
        return subprocess.run(
            words,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            **self._as_account(),
        )

    def switchover(self) -> None:
        leader = self.wait_for_leader() + 1
        file = self.file(f"db{leader}", "etc/patroni/config.yml")
        word = "--master" if self.version.startswith("3.0") else "--leader"
        ran = self.as_account(
            self.patronictl, "-c", file, "switchover", word, f"db{leader}", "--force", seconds=LEADER_SECONDS_MAX
        )
        if ran.returncode != 0 or "Switchover failed" in ran.stdout:
            raise ClusterFailed(f"the switchover failed: {ran.stdout}")

    def heal(self, node: int) -> None:
        """Nothing is cut off here: Patroni speaks to etcd itself."""

    def _start(self) -> None:
        self._provide_patroni()
        self._fill()
        clients = [self.values[f"ETCD{number}_CLIENT"] for number in (1, 2, 3)]
        for number in (1, 2, 3):
            self._start_deployed_etcd(number)
        for port in clients:
            self._wait_until(lambda p=port: _get(p, "/health")[0] == 200, START_SECONDS_MAX, "etcd is not healthy")
        for node in self.nodes:
            self._start_patroni(node)
        config = self.file("gateway", "etc/haproxy/haproxy.cfg")
        self._run("haproxy", str(self._programs["haproxy"]), "-db", "-f", str(config))
        self._wait_until(self._is_whole, START_SECONDS_MAX, "the cluster did not become whole")
        self._wait_until(self._answers, START_SECONDS_MAX, "HAProxy leads nowhere")

    def _fill(self) -> None:
        names = [f"DB{n}_{what}" for n in (1, 2, 3) for what in ("POSTGRES", "PATRONI")]
        names += [f"ETCD{n}_{what}" for n in (1, 2, 3) for what in ("CLIENT", "PEER")]
        names += ["HAPROXY_POSTGRES", "PGBOUNCER_PORT", "GATEWAY_PORT", "WORKER_METRICS_PORT", "DRILL_PORT"]
        values: dict[str, Any] = {name: free_port() for name in names}
        self.metrics_port = free_port()
        values |= dict.fromkeys([f"{what}{n}" for what in ("DB", "ETCD") for n in (1, 2, 3)], "127.0.0.1")
        values |= {f"{name}_PASSWORD": "maedal" for name in PASSWORDS}
        account = self._account.pw_name if self._account else _own_name()
        values |= {
            "ROOT": f"{self.folder}/out/{{{{MACHINE}}}}",
            "NETWORK": "127.0.0.1/32",
            "POSTGRES_BIN": self._postgres_bin,
            "DATABASE_FOLDER": f"{self.folder}/data-{{{{MACHINE}}}}",
            "POSTGRES_HOME": self.folder,
            "SOCKET_FOLDER": self.folder,
            "SHARED_BUFFERS": "32MB",
            "WATCHDOG": "off",  # no device without root
            "ETCD_FOLDER": f"{self.folder}/{{{{MACHINE}}}}",
            "GATEWAY_USER": "",
            "HAPROXY_USER": account,
            "HAPROXY_METRICS": f"127.0.0.1:{self.metrics_port}",
            "PGBOUNCER_FOLDER": self.folder,
            "MAEDAL": COMMAND,
            "PUBLIC_URL": f"http://127.0.0.1:{values['GATEWAY_PORT']}",
            "KEY_FILE": self.folder / "keys.json",
            "WAL_ARCHIVE": self.folder / "wal",
            "BACKUPS": self.folder / "base",
            "DRILL_FOLDER": self.folder / "drill",
        }
        self.values = values
        ran = fill(settings_with(**values), self.folder)
        assert ran.returncode == 0, ran.stderr
        for name in ("wal", "drill"):
            (self.folder / name).mkdir()
        if self._account is not None:
            for path in self.folder.rglob("*"):
                if "patroni-program" not in path.parts:
                    os.chown(path, self._account.pw_uid, self._account.pw_gid, follow_symlinks=False)
        self._ports = [values[f"DB{n}_POSTGRES"] for n in (1, 2, 3)]
        self._rests = [values[f"DB{n}_PATRONI"] for n in (1, 2, 3)]
        self._front = values["HAPROXY_POSTGRES"]
        if self.version.startswith("3.0"):
            for n in (1, 2, 3):
                file = self.file(f"db{n}", "etc/patroni/config.yml")
                file.write_text(file.read_text().replace("\netcd3:\n", "\netcd:\n"))

    def _start_deployed_etcd(self, number: int) -> None:
        lines = self.file(f"etcd{number}", "etc/default/etcd").read_text().splitlines()
        named = [line for line in lines if line and not line.startswith("#")]
        named += ["ETCD_ENABLE_V2=true"] if self.version.startswith("3.0") else []
        self._run(f"etcd{number}", "env", *named, str(self._programs["etcd"]))

    def _start_patroni(self, node: int) -> None:
        config = self.file(f"db{node + 1}", "etc/patroni/config.yml")
        self._run(f"patroni{node}", str(self.patroni), str(config))

    def _data(self, node: int) -> Path:
        return self.folder / f"data-db{node + 1}"

    def _provide_patroni(self) -> None:
        """Install a current Patroni where PostgreSQL's user can run it, or take Debian's."""
        self.patroni, self.patronictl = self._programs["patroni"], self._programs["patronictl"]
        target = self.folder / "patroni-program"
        python = next((path for path in PYTHONS if self._can_run(path)), None)
        if python is not None and _install(python, target):
            self.patroni, self.patronictl = target / "bin" / "patroni", target / "bin" / "patronictl"
        self.version = self.as_account(self.patroni, "--version").stdout.split()[-1]

    def _can_run(self, python: str) -> bool:
        ran = self.as_account(python, "-c", "import sys, venv; sys.exit(sys.version_info < (3, 11))")
        return ran.returncode == 0


def _install(python: str, target: Path) -> bool:
    make = [python, "-m", "venv", "--without-pip", str(target)]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--python", str(target)]
    install = [*pip, "install", "-q", "--no-compile", "--require-hashes", "-r", str(PATRONI)]
    for command in (make, install):
        try:
            ran = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=INSTALL_SECONDS_MAX,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        if ran.returncode != 0:
            print(f"no current Patroni: {ran.stderr[-500:]}")
            return False
    return True


def _own_name() -> str:
    return subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
