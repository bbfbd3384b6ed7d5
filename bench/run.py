"""One run: an echo and two gateways side by side, measured in turns against a PG of 0 and 20 ms."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from tests.support.postgres import postgres_server

from bench.load import Measured, Task
from bench.machine import analyze, machine, postgres
from bench.programs import answer_of, ask, free_port, running
from bench.seed import seed
from maedal.settings import Settings
from maedal.vault import create_key_file

PG_DELAYS_MS = (0, 20)
ECHO = "echo"
ENGINES = ("SQLite", "PostgreSQL")


@dataclass(frozen=True, slots=True)
class Size:
    """How much a run does. A round asks `warm_up` requests, measures `charges` (or `echoes`), and fetches all again."""

    callers: int = 64
    rounds: int = 5
    warm_up: int = 200
    charges: int = 2_000
    echoes: int = 10_000
    seconds_max: float = 60.0

    @property
    def keys(self) -> int:
        """Billing keys of one database: one a charge, for a key is charged at most once a second."""
        return (1 + self.rounds * len(PG_DELAYS_MS)) * (self.warm_up + self.charges)


QUICK = Size(callers=16, rounds=1, warm_up=32, charges=96, echoes=192, seconds_max=30.0)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server under test. `database` is the process id of its PostgreSQL, when that runs here."""

    port: int
    pid: int
    token: str = ""
    database: int | None = None


@dataclass(slots=True)
class Findings:
    """All rounds of all scenarios, and what must not be."""

    machine: dict[str, str]
    rounds: dict[str, list[Measured]] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs during a run."""

    echo: Server
    gateways: dict[str, Server]
    database_url: str
    pg_port: int
    pg_pid: int


def scenario(engine: str, delay_ms: int) -> str:
    return f"{engine}, PG {delay_ms} ms"


def measure(size: Size, progress: Progress) -> Findings:
    """Carry out a run. Everything it starts has ended when it returns."""
    with tempfile.TemporaryDirectory(prefix="maedal-bench-") as name:
        folder = Path(name)
        findings = Findings(machine(folder))
        with _stage(size, folder, findings, progress) as stage:
            _rounds(size, stage, findings, progress)
        return findings


def progress_bars() -> Progress:
    return Progress(
        SpinnerColumn(), TextColumn("{task.description:28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    )


@contextlib.contextmanager
def _stage(size: Size, folder: Path, findings: Findings, progress: Progress) -> Iterator[Stage]:
    python = sys.executable
    key_file = folder / "keys.json"
    create_key_file(key_file)
    with contextlib.ExitStack() as open_things:
        echo_port, pg_port = free_port(), free_port()
        pg_pid = open_things.enter_context(
            running([python, "-m", "bench.stub", str(pg_port)], pg_port, "/bench/seen", folder / "pg.log")
        )
        echo_pid = open_things.enter_context(
            running([python, "-m", "bench.echo", str(echo_port)], echo_port, "/readyz", folder / "echo.log")
        )
        server = open_things.enter_context(postgres_server(durable=True))
        urls = {"SQLite": f"sqlite:///{folder / 'bench.db'}", "PostgreSQL": server.create_database("maedal_bench")}
        findings.machine["postgresql"], database = postgres(urls["PostgreSQL"])
        gateways = {}
        for engine in ENGINES:
            bar = progress.add_task(f"{engine}: billing keys", total=size.keys)
            port = free_port()
            settings = Settings(
                database_url=urls[engine],
                key_file=key_file,
                public_url=f"http://127.0.0.1:{port}",
                sandbox_url=f"http://127.0.0.1:{pg_port}",
            )
            token = seed(settings, size.keys, lambda count, bar=bar: progress.advance(bar, count))  # type: ignore[misc]
            pid = open_things.enter_context(
                running(
                    [Path(python).with_name("maedal"), "serve", "--port", str(port)],
                    port,
                    "/readyz",
                    folder / f"{engine}.log",
                    {
                        "MAEDAL_DATABASE_URL": settings.database_url,
                        "MAEDAL_KEY_FILE": str(key_file),
                        "MAEDAL_PUBLIC_URL": settings.public_url,
                        "MAEDAL_SANDBOX_URL": str(settings.sandbox_url),
                    },
                )
            )
            gateways[engine] = Server(port, pid, token, database if engine == "PostgreSQL" else None)
        yield Stage(Server(echo_port, echo_pid), gateways, urls["PostgreSQL"], pg_port, pg_pid)


def _rounds(size: Size, stage: Stage, findings: Findings, progress: Progress) -> None:
    """Measure in turns, so that a machine that slows down slows down everything alike."""
    names = [ECHO, *(scenario(engine, delay) for delay in PG_DELAYS_MS for engine in ENGINES)]
    findings.rounds = {name: [] for name in names}
    bars = {name: progress.add_task(name, total=size.rounds) for name in names}
    first = _settle(size, stage, findings.complaints)
    for _ in range(size.rounds):
        findings.rounds[ECHO].append(_echo(size, stage))
        progress.advance(bars[ECHO])
        for delay in PG_DELAYS_MS:
            for engine in ENGINES:
                name = scenario(engine, delay)
                findings.rounds[name].append(_charges(size, stage, engine, delay, first, findings.complaints))
                progress.advance(bars[name])
            first += size.warm_up + size.charges


def _settle(size: Size, stage: Stage, complaints: list[str]) -> int:
    """Charge once everywhere, then let PostgreSQL count its rows; return the number of the next unused key.

    A PostgreSQL that has never counted plans as if its tables were empty, and every charge reads all earlier ones. Its
    autovacuum counts within a minute of the first charges; a run is too short to wait for that.
    """
    for engine in ENGINES:
        _charges(size, stage, engine, 0, 0, complaints)
    analyze(stage.database_url)
    return size.warm_up + size.charges


def _echo(size: Size, stage: Stage) -> Measured:
    echo = stage.echo
    return _load(
        Task(
            echo.port, echo.token, size.callers, 0, size.warm_up, size.echoes, fetch_again=False,
            seconds_max=size.seconds_max, watched={"server": echo.pid},
        )
    )  # fmt: skip


def _charges(size: Size, stage: Stage, engine: str, delay_ms: int, first: int, complaints: list[str]) -> Measured:
    gateway = stage.gateways[engine]
    watched = {"server": gateway.pid, "pg": stage.pg_pid}
    if gateway.database is not None:
        watched["database"] = gateway.database
    ask(stage.pg_port, f"/bench/start/{delay_ms}", post=True)
    measured = _load(
        Task(
            gateway.port, gateway.token, size.callers, first, size.warm_up, size.charges, fetch_again=True,
            seconds_max=size.seconds_max, watched=watched,
        )
    )  # fmt: skip
    name = scenario(engine, delay_ms)
    complaints += [f"{name}: {complaint}" for complaint in measured.complaints]
    seen = msgspec.json.decode(ask(stage.pg_port, "/bench/seen"), type=dict[str, int])
    if set(seen.values()) != {measured.asked}:
        complaints.append(f"{name}: {measured.asked} payments, but the PG saw {seen}")
    if measured.there != measured.asked:
        complaints.append(f"{name}: {measured.there} of {measured.asked} payments are there again")
    return measured


def _load(task: Task) -> Measured:
    answer = answer_of("bench.load", msgspec.json.encode(task), 3 * task.seconds_max + 30)
    return msgspec.json.decode(answer, type=Measured)
