"""`deploy/container/`: the image is built as its file says and run as the Compose file says, on a small Debian.

What stands for the official Python image is Debian's own Python of this machine's release, as nothing downloads images
here; Podman starts what `docker compose` would start.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tools.manual import LANGUAGES, page_of

from maedal.app import open_gateway
from maedal.settings import load
from tests.support import containers
from tests.support.containers import Podman
from tests.support.postgres import TemporaryPostgres, _execute
from tests.support.processes import _merchant, environment, get_token
from tests.support.standby import ask
from tests.support.world import World, _run_in_thread, free_port
from tools import provide

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "container"
CONTAINERFILE = (FOLDER / "Containerfile").read_text()
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
OURS = ("migrate", "serve", "worker")
BASE, IMAGE = "localhost/maedal-base", "localhost/maedal"
CONTROL_KEY = "controlled-by-the-tests"
HEALTHY_SECONDS_MAX = 120
# What pip is told while the image is built, with a word that must be found nowhere in it.
SECRET = "only-while-pip-runs"
PIP_CONF = f"[global]\n# {SECRET}\nno-index = true\nfind-links = /wheels\n"

by_root = [
    pytest.mark.slow,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(os.geteuid() != 0, reason="building an image from a Debian of one's own takes root"),
]


# What the files say


def test_the_compose_file_is_of_the_standards_form():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*command, str(FOLDER / "compose.yaml")], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_service_of_ours_is_kept_small():
    for name in OURS:
        service = SERVICES[name]
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "inside" in service["networks"], name
        assert int(service["stop_grace_period"].removesuffix("s")) >= 2 * 25, name
    assert SERVICES["serve"]["ports"] == ["127.0.0.1:8080:8080"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert SERVICES["database"]["networks"] == ["inside"]


def test_nothing_begins_before_the_schema_is_there():
    assert SERVICES["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    for name in ("serve", "worker"):
        assert SERVICES[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


def test_what_is_secret_is_a_file_that_is_not_kept_in_git():
    assert (FOLDER / ".gitignore").read_text() == "secrets/\n"
    assert {secret["file"] for secret in COMPOSE["secrets"].values()} == {
        f"./secrets/{name}" for name in COMPOSE["secrets"]
    }
    assert not [name for service in SERVICES.values() for name in service["environment"] if name.endswith("_PASSWORD")]


def test_what_the_image_is_built_from_is_named_and_nothing_else_is_sent():
    taken = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"}
    copied = {
        word for line in re.findall(r"^COPY (?!--from)(.*)$", CONTAINERFILE, re.MULTILINE) for word in line.split()[:-1]
    }
    assert all(any(word == path or word.startswith(f"{path}/") for path in taken) for word in copied)
    assert all((ROOT / path).exists() for path in taken)


def test_the_base_is_the_oldest_python_that_we_support_and_has_a_tag():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (base,) = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", CONTAINERFILE, re.MULTILINE)
    assert base == f"python:{project['requires-python'].removeprefix('>=')}-slim-bookworm"
    assert set(re.findall(r"^FROM (\S+)", CONTAINERFILE, re.MULTILINE)) == {"${PYTHON_IMAGE}"}


@pytest.mark.parametrize("address", ["http://127.0.0.1:{port}/healthz", "http://127.0.0.1:{port}/"])
def test_nobody_there_is_not_healthy(address):
    done = asked(address.format(port=free_port()))
    assert done.returncode == 1
    assert "does not answer" in done.stdout
    assert done.stderr == ""


def asked(address: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(FOLDER / "answers.py"), address]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


# The image


@pytest.fixture(scope="module")
def engine() -> Iterator[Podman]:
    """Podman, with the image built as the Containerfile says: without a network, packages from a folder."""
    with containers.podman() as podman:
        podman("import", provide.debian(), BASE)
        wheels, pip_conf = podman.folder / "wheels", podman.folder / "pip.conf"
        pip_conf.write_text(PIP_CONF)
        pinned = [word for name in ("build", "runtime") for word in ("-r", str(ROOT / "requirements" / f"{name}.txt"))]
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run(
            [*pip, "--require-hashes", "-d", str(wheels), *pinned], check=True, timeout=600, capture_output=True
        )
        podman(
            "build",
            "--quiet",
            "--isolation=oci",
            *containers.LIMITS,
            "--network=none",
            "--pull=never",
            "--format=docker",
            f"--build-arg=PYTHON_IMAGE={BASE}",
            f"--secret=id=pip.conf,src={pip_conf}",
            f"--volume={wheels}:/wheels:ro",
            f"--file={FOLDER / 'Containerfile'}",
            f"--tag={IMAGE}",
            ROOT,
        )
        yield podman


class TestImage:
    pytestmark = by_root

    def test_it_runs_as_a_user_of_its_own_and_knows_how_it_ends(self, engine):
        config = engine.inspect(IMAGE)["Config"]
        assert config["User"] == "10001:10001"
        assert config["StopSignal"] == "SIGTERM"
        assert config["Entrypoint"] == ["maedal"]
        assert engine.run(IMAGE, options=["--entrypoint=id"]).startswith("uid=10001(maedal) gid=10001(maedal)")

    def test_every_program_is_there(self, engine):
        version = engine.run(IMAGE, "--version", options=["--read-only", "--cap-drop=all", "--network=none"])
        assert re.fullmatch(r"maedal \d+\.\d+\.\d+\n", version)
        assert "simulator" in engine.run(IMAGE, "--help", options=["--entrypoint=kakaopay-sandbox"])

    def test_its_user_can_write_nowhere_but_in_its_folder_and_what_is_for_all(self, engine):
        looked = "find / -xdev -writable ! -type l 2>/dev/null; true"
        found = engine.run(IMAGE, "-c", looked, options=["--entrypoint=sh"]).split()
        ours = {path for path in found if not path.startswith(("/dev/", "/proc/", "/sys/"))}
        assert ours <= {"/data", "/tmp", "/var/tmp", "/run/lock", "/dev", "/run"}
        assert "/data" in ours

    def test_it_has_no_secret_no_repository_and_no_installer(self, engine):
        archive = engine.folder / "image.tar"
        engine("save", "--format=docker-dir", "--output", archive, IMAGE)
        assert lines_in(archive, "Self-hosted recurring-payment") > 0, "this would find nothing whatever there is"
        assert lines_in(archive, SECRET) == 0
        # The folder of the wheels, where this test mounts it, is there too and is not looked at.
        looked = "find /opt /source /data /wheel /build 2>/dev/null; true"
        found = engine.run(IMAGE, "-c", looked, options=["--entrypoint=sh"]).split()
        names = {Path(path).name for path in found}
        assert not names & {"pip", "pip3", ".git", ".maedal", "keys.json", "hatchling", "pip.conf"}
        assert {path for path in found if not path.startswith("/opt/maedal")} == {"/opt", "/data"}

    def test_it_compiles_nothing_when_it_starts(self, engine):
        looked = "import sys; [print(m.__file__) for m in list(sys.modules.values()) if getattr(m, '__cached__', None) and not __import__('os').path.exists(m.__cached__)]"
        code = f"import maedal.app, maedal.cli.main, asyncpg, uvicorn; {looked}"
        options = ["--read-only", "--entrypoint=python"]
        missing = engine.run(IMAGE, "-c", code, options=options).split()
        assert [path for path in missing if path.startswith("/opt/maedal")] == []

    def test_with_sqlite_its_folder_is_all_that_it_needs(self, engine):
        engine("volume", "create", "sqlite")
        values = {"DATABASE_URL": "sqlite:////data/maedal.db", "KEY_FILE": "/data/keys.json"}
        values["PUBLIC_URL"] = "https://pay.shop.example"
        options = ["--read-only", "--cap-drop=all", "--volume=sqlite:/data"]
        options += [f"--env=MAEDAL_{name}={value}" for name, value in values.items()]
        engine.run(IMAGE, "keys", "create", options=options)
        engine.run(IMAGE, "migrate", options=options)
        engine.start("sqlite", IMAGE, options=options)
        engine.wait_until_healthy("sqlite", HEALTHY_SECONDS_MAX)
        assert "identification code" in engine("exec", "sqlite", "maedal", "merchant", "create", "--name", "A shop")
        engine("stop", "--time", 60, "sqlite")
        assert engine.inspect("sqlite")["State"]["ExitCode"] == 0


def lines_in(saved: Path, word: str) -> int:
    """Count the lines with a word in a saved image: its own descriptions, and every file of every layer."""
    looked = 'for part in "$0"/*; do cat "$part"; tar --extract --to-stdout --file "$part" 2>/dev/null; done'
    command = ["sh", "-c", f'({looked}) | grep --text --count --fixed-strings "$1"', str(saved), word]
    return int(subprocess.run(command, capture_output=True, text=True, timeout=300, check=False).stdout)


# The Compose file


@dataclass
class Containers:
    """The services of compose.yaml, beside a PostgreSQL and a simulator."""

    engine: Podman
    world: World


APPLIED = {"image", "build", "environment", "secrets", "read_only", "tmpfs", "cap_drop", "security_opt", "command"}
APPLIED |= {"healthcheck"}
BY_THE_COMPOSER = {"restart", "depends_on", "networks", "ports", "stop_grace_period"}
"""What only `docker compose` does; `stop_grace_period` is `podman stop`'s, the port is one that is free here."""


def options_of(name: str, secrets: Path) -> list[str]:
    """Return what `podman run` is told for a service of compose.yaml."""
    service = SERVICES[name]
    assert set(service) <= APPLIED | BY_THE_COMPOSER, "a new line of compose.yaml is to be tried here"
    options = [f"--env={key}={value}" for key, value in service["environment"].items()]
    options += [f"--volume={secrets / secret}:/run/secrets/{secret}:ro" for secret in service["secrets"]]
    options += [f"--tmpfs={mount}" for mount in service["tmpfs"]]
    options += [f"--cap-drop={capability}" for capability in service["cap_drop"]]
    options += [f"--security-opt={option.replace(':true', '')}" for option in service["security_opt"]]
    options += ["--read-only", "--read-only-tmpfs=false"] if service["read_only"] else []
    check = service.get("healthcheck", {})
    options += ["--no-healthcheck"] if check.get("disable") else []
    if "test" in check:
        assert check["test"][0] == "CMD"
        # Podman's versions differ in how they take a list; a line for the shell is the same to all.
        options.append(f"--health-cmd={shlex.join(check['test'][1:])}")
        options.append("--health-interval=disable")
    return options


def prepared(page: str, folder: Path) -> Path:
    """Do what the manual says before the first start, in a copy of the folder; give the folder of the secrets."""
    steps = next(
        block for block in re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL) if "umask" in block
    )
    place = folder / "deploy" / "container"
    shutil.copytree(FOLDER, place, ignore=shutil.ignore_patterns("secrets"))
    subprocess.run(["sh", "-e", "-c", steps], cwd=folder, check=True)
    return place / "secrets"


@pytest.fixture(scope="module")
def started(engine) -> Iterator[Containers]:
    with ExitStack() as stack:
        sockets = engine.folder / "sockets"
        sockets.mkdir()
        # PostgreSQL's user makes the socket, the container's reaches it.
        sockets.chmod(0o777)
        engine.folder.chmod(0o755)
        server = stack.enter_context(
            TemporaryPostgres(durable=False, settings={"unix_socket_directories": str(sockets)})
        )
        url = server.create_database("maedal")
        secrets = prepared(page_of("containers", "en").read_text(), engine.folder)
        gateway, simulator = free_port(), free_port()
        passwords = {
            "maedal": url.partition("://maedal:")[2].partition("@")[0],
            "maedal_serving": (secrets / "serving-password").read_text(),
        }
        _execute(url, f"CREATE ROLE maedal_serving LOGIN PASSWORD '{passwords['maedal_serving']}'")
        changed = {"public_url": f"http://127.0.0.1:{gateway}", "sandbox_url": "http://127.0.0.1:8081"}
        for role, name in (("maedal_serving", "settings.toml"), ("maedal", "owner.toml")):
            settings = secrets / name
            text = settings.read_text()
            assert f'"postgresql://{role}:' in text
            place = f"{role}:{passwords[role]}@/maedal?host=/sockets&port={server.port}"
            values = changed | {"database_url": f"postgresql://{place}"}
            kept = [line for line in text.splitlines() if line.partition(" ")[0] not in values]
            settings.write_text("\n".join([*kept, *(f'{key} = "{value}"' for key, value in values.items())]) + "\n")
        make_keys = [f"--volume={secrets}:/run/secrets", "--env=MAEDAL_SETTINGS_FILE=/run/secrets/settings.toml"]
        engine.run(IMAGE, "keys", "create", options=make_keys)
        reached = f"--volume={sockets}:/sockets"
        engine.run(IMAGE, *SERVICES["migrate"]["command"], options=[*options_of("migrate", secrets), reached])

        key_file = secrets / "keys.json"
        settings_here = load(
            environment(
                database_url=url,
                key_file=key_file,
                public_url=changed["public_url"],
                sandbox_url=changed["sandbox_url"],
            )
        )
        made: list[Any] = []

        async def prepare() -> None:
            async with open_gateway(settings_here, serving=False) as opened:
                made.append(await _merchant(opened, None))

        _run_in_thread(prepare())
        ports = [f"--publish=127.0.0.1:{gateway}:8080", f"--publish=127.0.0.1:{simulator}:8081"]
        engine.start(
            "serve", IMAGE, *SERVICES["serve"]["command"], options=[*options_of("serve", secrets), reached, *ports]
        )
        beside = "--network=container:serve"
        engine.start(
            "worker", IMAGE, *SERVICES["worker"]["command"], options=[*options_of("worker", secrets), reached, beside]
        )
        words = ["--host", "0.0.0.0", "--public-url", f"http://127.0.0.1:{simulator}"]
        # Asked from outside its container, the simulator is controlled with a key.
        control = f"--env=KAKAOPAY_SANDBOX_CONTROL_KEY={CONTROL_KEY}"
        options = ["--entrypoint=kakaopay-sandbox", "--no-healthcheck", beside, control]
        engine.start("simulator", IMAGE, *words, options=options)
        engine.wait_until_healthy("serve", HEALTHY_SECONDS_MAX)
        http = stack.enter_context(httpx.Client(timeout=60, auth=_with_control_key))
        world = World(changed["public_url"], f"http://127.0.0.1:{simulator}", None, settings_here, http)
        world._token = get_token(world, made[0])
        world.extra["code"] = made[0].merchant.code
        yield Containers(engine, world)


def _with_control_key(request: httpx.Request) -> httpx.Request:
    if request.url.path.startswith("/_sim/"):
        request.headers["Authorization"] = f"Bearer {CONTROL_KEY}"
    return request


class TestCompose:
    pytestmark = by_root

    def test_each_service_is_healthy(self, started):
        started.engine.wait_until_healthy("worker", HEALTHY_SECONDS_MAX)
        assert started.world.http.get(f"{started.world.gateway}/readyz").json() == {"status": "ok"}

    def test_what_serves_signs_in_as_a_role_that_owns_no_table(self, started):
        assert started.world.http.get(f"{started.world.gateway}/readyz").status_code == 200
        url = started.world.settings.database_url
        # The containers come through the socket.
        through_socket = "backend_type = 'client backend' AND client_addr IS NULL"
        assert ask(url, f"SELECT string_agg(DISTINCT usename, ' ') FROM pg_stat_activity WHERE {through_socket}") == (
            "maedal_serving"
        )
        assert ask(url, "SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = 'maedal_serving'") == 0

    def test_a_process_that_does_not_answer_is_not_healthy(self, started):
        started.engine("pause", "simulator")
        try:
            ask = ["exec", "serve", "python", "-I", "/opt/maedal/answers.py"]
            assert "does not answer" in started.engine(*ask, "http://127.0.0.1:8081/", status=1)
            assert "answers 404" in started.engine(*ask, "http://127.0.0.1:8080/nothing", status=1)
        finally:
            started.engine("unpause", "simulator")

    def test_it_charges_and_what_it_began_is_finished_when_it_is_told_to_end(self, started):
        world = started.world
        opened = world.open_window("issue", customer_uid="gildong", call={"user_code": world.extra["code"]})
        assert world.finish(opened)["result"]["success"]
        assert world.again("gildong", "first")["response"]["status"] == "paid"
        world.fault("subscription", "delay", delay_seconds=4, delay_at="after")
        answers: list[Any] = []
        asking = threading.Thread(target=lambda: answers.append(world.again("gildong", "second")))
        asking.start()
        # The simulator has taken the call, and answers it later.
        deadline = time.monotonic() + 60
        while sum(call["operation"] == "subscription" for call in world.log()) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert answers == []
        started.engine("stop", "--time", SERVICES["serve"]["stop_grace_period"].removesuffix("s"), "serve")
        asking.join(60)
        assert answers[0]["response"]["status"] == "paid"
        assert started.engine.inspect("serve")["State"]["ExitCode"] == 0
        started.engine("stop", "--time", SERVICES["worker"]["stop_grace_period"].removesuffix("s"), "worker")
        assert started.engine.inspect("worker")["State"]["ExitCode"] == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_manuals_commands_are_the_same_in_both_languages(language):
    def blocks(one: str) -> list[str]:
        found = re.findall(r"^```sh\n(.*?)^```$", page_of("containers", one).read_text(), re.MULTILINE | re.DOTALL)
        return [re.sub(r"(?m)\s*#.*$|\"[^\"]*shop[^\"]*\"|\"내 상점\"", "", block) for block in found]

    assert blocks(language) == blocks("en")
