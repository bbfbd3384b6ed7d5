"""`deploy/ha/` does what its README says: its files, filled for this machine, are a cluster that charges and comes back."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from kakaopay_sandbox.app import create_app as create_sandbox
from kakaopay_sandbox.settings import Settings as SandboxSettings
from maedal.app import open_gateway
from maedal.settings import load
from maedal.vault import create_key_file
from tests.deploy.deployed import HA, PASSWORDS, SETTINGS, Deployed, fill, settings_with
from tests.support.commands import Command
from tests.support.processes import Process, _merchant, environment, get_token, started
from tests.support.world import World, _run_in_thread, free_port, served
from tools import provide

GOOD = {f"{name}_PASSWORD": "a-good_1" for name in PASSWORDS}
PLACEHOLDER = re.compile(r"\{\{([A-Z][A-Z0-9_]*)\}\}")
FLOW_SECONDS_MAX = 60


# What fill.py takes


def test_filling_writes_every_file_for_every_machine_and_no_placeholder_is_left(tmp_path: Path) -> None:
    ran = fill(settings_with(**GOOD), tmp_path)
    assert ran.returncode == 0, ran.stderr
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} >= {
        "db1",
        "db2",
        "db3",
        "etcd1",
        "etcd2",
        "etcd3",
        "gateway",
        "backup",
    }
    for path in out.rglob("*"):
        if path.is_file():
            assert not PLACEHOLDER.search(path.read_text()), path
            assert path.stat().st_mode & 0o777 in ({0o755} if os.access(path, os.X_OK) else {0o600}), path
    assert out.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "SUPERUSER_PASSWORD is still change-me"),
        (GOOD | {"REWIND_PASSWORD": "it's"}, "REWIND_PASSWORD may hold letters"),
        (GOOD | {"NETWORK": "{{NO_SUCH_NAME}}"}, "asks for NO_SUCH_NAME"),
        (GOOD | {"NETWORK": "{{NETWORK}}"}, "a value names itself"),
    ],
    ids=["untouched", "a quote in a password", "a missing name", "a circle"],
)
def test_what_cannot_be_filled_in_is_told_and_nothing_is_written(
    changes: dict[str, str], words: str, tmp_path: Path
) -> None:
    ran = fill(settings_with(**changes), tmp_path)
    assert ran.returncode == 1
    assert words in ran.stderr
    assert not (tmp_path / "out").exists()


def test_every_setting_is_used_and_every_name_in_a_file_is_a_setting() -> None:
    texts = [path.read_text() for path in HA.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    asked = {name for text in texts for name in PLACEHOLDER.findall(text)}
    named = {line.partition("=")[0] for line in SETTINGS.read_text().splitlines() if re.match(r"[A-Z]", line)}
    assert named - asked == set()
    assert {name for name in asked - named if not name.startswith("OWN")} <= {"NAME", "MACHINE"}


def test_the_alerts_on_the_cluster_are_sound() -> None:
    folder = HA / "prometheus"
    for words in (("check", "rules", "maedal-ha.rules.yml"), ("test", "rules", "maedal-ha.rules.test.yml")):
        ran = subprocess.run(
            [provide.promtool(), *words], cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
    alerts = [rule["alert"] for group in _rules() for rule in group["rules"]]
    tried: dict[str, set[bool]] = {}
    for group in yaml.safe_load((folder / "maedal-ha.rules.test.yml").read_text())["tests"]:
        for one in group["alert_rule_test"]:
            tried.setdefault(one["alertname"], set()).add(bool(one["exp_alerts"]))
    assert tried == {alert: {True, False} for alert in alerts}


def _rules() -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = yaml.safe_load((HA / "prometheus" / "maedal-ha.rules.yml").read_text())["groups"]
    return groups


# What the files start


@dataclass
class Installation:
    """The cluster of the files, one gateway of the files on it, and the simulator it charges at."""

    cluster: Deployed
    gateway: Process
    world: World
    more: dict[str, str] = field(default_factory=dict)
    """Settings beside the file's: the simulator."""

    @property
    def settings_file(self) -> Path:
        return self.cluster.file("gateway", "etc/maedal/maedal.toml")

    def charge_until_paid(self, merchant_uid: str, *, customer_uid: str = "ha") -> tuple[str, float]:
        """Charge as a patient shop does, the same order again; return its imp_uid and how long it took, in seconds."""
        began, message = time.monotonic(), []
        while time.monotonic() - began < FLOW_SECONDS_MAX:
            try:
                body = self.world.again(customer_uid, merchant_uid, settles=False)
            except (httpx.HTTPError, ValueError) as error:
                message.append(repr(error))
            else:
                message.append(body)
                if body["code"] == 0 and body["response"]["status"] == "paid":
                    return body["response"]["imp_uid"], time.monotonic() - began
                if "merchant_uid" in str(body["message"]) and len(message) > 1:
                    break  # it was charged, and only the answer was lost
            time.sleep(0.5)
        found = self.world.call("GET", f"/payments/find/{merchant_uid}").json()
        assert found["response"]["status"] == "paid", (found, message)
        return found["response"]["imp_uid"], time.monotonic() - began

    def charges_at_the_pg(self) -> int:
        return len(self.world.log(operation="subscription", outcome="approved"))


def unit(path: Path) -> dict[str, list[str]]:
    """Return the assignments of a unit file, of all sections."""
    found: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        name, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.fixture(scope="module")
def ha() -> Iterator[Installation]:
    with ExitStack() as stack:
        cluster = stack.enter_context(Deployed())
        psql = Path(cluster._postgres_bin) / "psql"
        address = f"host=127.0.0.1 port={cluster.front_port} user=postgres password=maedal dbname=postgres"
        made = cluster.as_account(
            psql, address, "-v", "ON_ERROR_STOP=1", "-f", cluster.file("db1", "etc/patroni/database.sql")
        )
        assert made.returncode == 0, made.stdout
        create_key_file(cluster.folder / "keys.json")

        sandbox_port = free_port()
        simulator = f"http://127.0.0.1:{sandbox_port}"
        more = {"sandbox_url": simulator, "allow_private_addresses": "true"}
        units = unit(cluster.file("gateway", "etc/systemd/system/maedal-serve.service"))
        (file,) = (value.removeprefix("MAEDAL_SETTINGS_FILE=") for value in units["Environment"])
        _, *words = shlex.split(units["ExecStart"][0])
        Command(settings_file=file, **more)("migrate")

        settings = load(environment(settings_file=file, **more))

        async def prepare() -> Any:
            async with open_gateway(settings, serving=False) as gateway:
                return await _merchant(gateway, None)

        merchants: list[Any] = []

        async def keep() -> None:
            merchants.append(await prepare())

        _run_in_thread(keep())
        sandbox = SandboxSettings(data_file=cluster.folder / "sandbox.db", public_url=simulator)
        stack.enter_context(served(create_sandbox(sandbox), sandbox_port))
        gateway = stack.enter_context(started(*words, settings_file=file, **more))
        gateway.wait_until_it_says("maedal ready")
        http = stack.enter_context(httpx.Client(timeout=90))
        world = World(str(settings.public_url), simulator, None, settings, http)
        world._token = get_token(world, merchants[0])
        opened = world.open_window("issue_ha", 0, customer_uid="ha", call={"user_code": merchants[0].merchant.code})
        assert world.finish(opened)["result"]["success"]
        yield Installation(cluster, gateway, world, more)


pytestmark = [pytest.mark.xdist_group("cluster"), pytest.mark.timeout(300)]


@pytest.mark.slow
def test_each_program_finds_its_file_sound(ha: Installation) -> None:
    cluster = ha.cluster
    haproxy = cluster._programs["haproxy"]
    checked = cluster.as_account(haproxy, "-c", "-f", cluster.file("gateway", "etc/haproxy/haproxy.cfg"))
    assert checked.returncode == 0, checked.stdout
    assert "WARNING" not in checked.stdout, checked.stdout
    # Patroni says what it does not like of a file that is in use: that its ports are taken and its folder is not empty.
    message = cluster.as_account(
        cluster.patroni, "--validate-config", cluster.file("db1", "etc/patroni/config.yml")
    ).stdout
    assert [
        line for line in message.splitlines() if not re.search(r"already in use|didn't pass validation", line)
    ] == [], message


@pytest.mark.slow
def test_systemd_finds_the_units_sound(ha: Installation) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("there is no systemd-analyze here")
    for machine in ("gateway", "backup"):
        units = sorted(ha.cluster.file(machine, "etc/systemd/system").glob("*.service"))
        assert len(units) == 2
        ran = subprocess.run(
            [analyze, "verify", *map(str, units)], capture_output=True, text=True, check=False, timeout=60
        )
        own = [line for line in (ran.stdout + ran.stderr).splitlines() if "maedal-" in line]
        assert own == []


@pytest.mark.slow
def test_a_gateway_on_the_cluster_is_ready_and_charges(ha: Installation) -> None:
    assert ha.world.http.get(f"{ha.world.gateway}/readyz").status_code == 200
    imp_uid, _ = ha.charge_until_paid("ha_first")
    assert ha.world.payment(imp_uid)["status"] == "paid"


@pytest.mark.slow
def test_the_worker_of_the_unit_starts_and_shows_its_figures(ha: Installation) -> None:
    units = unit(ha.cluster.file("gateway", "etc/systemd/system/maedal-worker.service"))
    _, *words = shlex.split(units["ExecStart"][0])
    with started(*words, settings_file=ha.settings_file, **ha.more):
        address, limit = f"http://127.0.0.1:{words[-1]}/metrics", time.monotonic() + 30
        while True:
            try:
                assert "maedal_" in ha.world.http.get(address).text
                break
            except httpx.ConnectError:
                assert time.monotonic() < limit
                time.sleep(0.2)


@pytest.mark.slow
def test_the_alerts_ask_for_figures_that_the_cluster_gives(ha: Installation) -> None:
    cluster = ha.cluster
    shown = cluster.metrics(cluster._rests[0]) + cluster.metrics(cluster.values["ETCD1_CLIENT"])
    asked = {
        name
        for group in _rules()
        for rule in group["rules"]
        for name in re.findall(r"(?:patroni|etcd)_\w+", rule["expr"])
    }
    assert [name for name in sorted(asked) if not re.search(rf"^{name}\b", shown, re.MULTILINE)] == []
    assert 'haproxy_server_status{proxy="primary"' in cluster.metrics(cluster.metrics_port)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["PgBouncer", "several hosts"])
def test_a_charge_goes_through_the_other_addresses_too(ha: Installation, way: str) -> None:
    cluster = ha.cluster
    if way == "PgBouncer":
        cluster._run("pgbouncer", str(provide.pgbouncer()), str(cluster.file("gateway", "etc/pgbouncer/pgbouncer.ini")))
        url = f"postgresql://maedal:maedal@127.0.0.1:{cluster.values['PGBOUNCER_PORT']}/maedal"
    else:
        (line,) = (line for line in SETTINGS.read_text().splitlines() if line.startswith("# DATABASE_URL="))
        values = cluster.values | {"GATEWAY_PASSWORD": "maedal"}
        url = PLACEHOLDER.sub(lambda found: str(values[found[1]]), line.partition("=")[2])
        assert url.count("127.0.0.1") == 3
    port = free_port()
    settings = ha.more | {"database_url": url}
    with started("serve", "--port", str(port), settings_file=ha.settings_file, **settings) as one:
        one.wait_until_it_says("maedal ready")
        world = World(f"http://127.0.0.1:{port}", ha.world.sandbox, None, ha.world.settings, ha.world.http)
        world._token = ha.world._token
        through = Installation(cluster, one, world, ha.more)
        through.charge_until_paid(f"ha_through_{way.replace(' ', '_')}")


@pytest.mark.slow
def test_a_switchover_needs_no_restart_and_charges_nothing_twice(ha: Installation) -> None:
    before = ha.cluster.leader()
    charges = ha.charges_at_the_pg()
    ha.cluster.switchover()
    ha.charge_until_paid("ha_switched")
    assert ha.cluster.wait_for_leader(but=before) != before
    assert ha.charges_at_the_pg() == charges + 1
    assert ha.gateway.popen.poll() is None
    ha.cluster.whole()


@pytest.mark.slow
def test_a_drill_restores_to_the_moment_that_it_is_told_and_finds_the_charge(ha: Installation) -> None:
    cluster, backup = ha.cluster, ha.cluster.file("backup", "usr/local/lib/maedal-ha")
    names = dict(line.split("=", 1) for line in _lines(cluster.file("backup", "etc/maedal/backup.env")))
    values = {name: value.strip('"') for name, value in names.items()}
    set_as = [f"{name}={value}" for name, value in values.items()]
    path = f"PATH={values['POSTGRES_BIN']}:/usr/bin:/bin"
    arguments = [values[name] for name in ("CONNECTION", "BACKUPS", "WAL_ARCHIVE", "KEEP_DAYS")]
    taken = cluster.as_account("env", path, *set_as, backup / "back-up", *arguments, seconds=120)
    assert taken.returncode == 0, taken.stdout

    inside, _ = ha.charge_until_paid("ha_after_the_backup")
    moment = datetime.now(UTC)
    time.sleep(1)  # times of the log are told in full, and a charge a moment later is clearly later
    ha.charge_until_paid("ha_after_the_moment")
    leader = cluster.wait_for_leader()
    (row,) = cluster._rows(leader, "SELECT pg_walfile_name(pg_switch_wal()) AS name")
    cluster._wait_until((cluster.folder / "wal" / f"{row['name']}.gz").exists, 60, "the log is not archived")

    drill = _drill(ha, values, "--until", moment.isoformat())
    assert drill.returncode == 0, drill.stdout
    assert inside in drill.stdout
    assert "ha_after_the_backup paid 3000" in drill.stdout
    assert "ha_after_the_moment" not in drill.stdout
    # The commands of maedal were tried above; they take longer than the rest.
    newest = _drill(ha, values | {"MAEDAL": "/bin/true"})
    assert newest.returncode == 0, newest.stdout
    assert "ha_after_the_moment paid 3000" in newest.stdout
    assert not (cluster.folder / "drill" / "copy").exists()

    nothing = _drill(ha, values, "--until", "2020-01-01 00:00:00+00")
    assert nothing.returncode == 1
    assert "no backup" in nothing.stdout


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


def _drill(ha: Installation, values: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    backup = ha.cluster.file("backup", "usr/local/lib/maedal-ha")
    file = ha.cluster.file("backup", "etc/maedal/drill.toml")
    return subprocess.run(
        [str(backup / "restore-drill"), *words],
        env=environment(settings_file=file) | values,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.mark.slow
def test_the_archive_takes_a_file_twice_and_refuses_another_of_its_name(tmp_path: Path) -> None:
    script, archive = HA / "database/usr/local/lib/maedal-ha/archive-wal", tmp_path / "wal"
    file = tmp_path / "000000010000000000000001"
    file.write_bytes(b"one" * 1000)

    def call() -> int:
        return subprocess.run([script, file, archive], check=False, timeout=60, stderr=subprocess.DEVNULL).returncode

    assert call() == 1, "a directory that is not mounted is no archive"
    archive.mkdir()
    assert [call(), call()] == [0, 0]
    file.write_bytes(b"two" * 1000)
    assert call() == 1
    assert [path.name for path in archive.iterdir()] == ["000000010000000000000001.gz"]
