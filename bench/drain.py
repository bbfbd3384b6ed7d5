"""How quickly scheduled charges that are due at one moment are made, and what one costs.

One gateway with its worker, and on PostgreSQL then two, begin to run when all of them are due. It is measured from the
first of the PG's charges, after a few that are left out, until the last one is recorded; each must have been made once.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec
from rich.progress import Progress
from rich.table import Table
from tests.support.postgres import postgres_server
from tests.support.rows import Rows, reading

from bench.machine import analyze, machine, postgres
from bench.proc import cpu_seconds
from bench.programs import ProgramFailed, ask, free_port, running
from bench.run import ENGINES
from bench.seed import add_scheduled, seed
from maedal.app import open_gateway
from maedal.settings import Settings
from maedal.vault import create_key_file

DELAYS_MS = (0, 200)
WORKERS = {"SQLite": (1,), "PostgreSQL": (1, 2)}
ADDED_AT_ONCE = 500
SECONDS_MAX = 900.0
POLL_SECONDS = 0.05
LEFT_OUT_MAX = 200
"""The first claims find cold caches, and connections that are not made yet."""
OPEN = "SELECT count(*) AS n FROM schedules s LEFT JOIN payments p USING (merchant_id, imp_uid) \
WHERE s.status <> 'executed' OR p.status <> 'paid'"


@dataclass(frozen=True, slots=True)
class Drained:
    """One drain. CPU is for one charge, in milliseconds, of all gateways together."""

    engine: str
    pg_ms: int
    workers: int
    count: int
    per_second: float
    cpu_ms: float
    database_cpu_ms: float | None


@dataclass(slots=True)
class Findings:
    """All drains of a run, and what must not be."""

    machine: dict[str, str]
    drains: list[Drained] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stage:
    """A database full of charges that are due, and what is to run on it."""

    folder: Path
    settings: Settings
    port: int
    pg_port: int
    database: int | None
    """The process id of its PostgreSQL, when that runs here."""


def measure(count: int, progress: Progress) -> Findings:
    """Drain `count` charges on each database at each time of the PG. Everything started has ended when it returns."""
    with tempfile.TemporaryDirectory(prefix="maedal-bench-") as name, postgres_server(durable=True) as server:
        findings = Findings(machine(Path(name)))
        runs = [(pg_ms, engine, workers) for pg_ms in DELAYS_MS for engine in ENGINES for workers in WORKERS[engine]]
        for pg_ms, engine, workers in runs:
            slug, label = f"{engine.lower()}_{pg_ms}_{workers}", name_of(engine, pg_ms, workers)
            folder = Path(name, slug)
            folder.mkdir()
            url = f"sqlite:///{folder / 'bench.db'}" if engine == "SQLite" else server.create_database(slug)
            advance = partial(progress.advance, progress.add_task(label, total=3 * count))
            stage = _seeded(folder, url, engine, count, advance)
            drained, complaints = _drain(stage, engine, pg_ms, count, advance, workers)
            findings.drains.append(drained)
            findings.complaints += [f"{label}: {complaint}" for complaint in complaints]
        return findings


def name_of(engine: str, pg_ms: int, workers: int) -> str:
    """Return what a drain is called."""
    return f"{engine}, PG {pg_ms} ms" + ("" if workers == 1 else f", {workers} workers")


def _seeded(folder: Path, url: str, engine: str, count: int, advance: Callable[[int], None]) -> Stage:
    port, pg_port = free_port(), free_port()
    settings = Settings(
        database_url=url,
        key_file=folder / "keys.json",
        public_url=f"http://127.0.0.1:{port}",
        sandbox_url=f"http://127.0.0.1:{pg_port}",
    )
    create_key_file(settings.key_file)
    seed(settings, count, advance)
    asyncio.run(_schedule(settings, count, advance))
    database = None
    if engine != "SQLite":
        database = postgres(url)[1]
        analyze(url)
    return Stage(folder, settings, port, pg_port, database)


async def _schedule(settings: Settings, count: int, advance: Callable[[int], None]) -> None:
    async with open_gateway(settings, serving=False) as gateway:
        [merchant] = await gateway.store.merchants.all()
        [channel] = await gateway.store.channels.of_merchant(merchant.code)
        now = datetime.now(UTC)
        for first in range(0, count, ADDED_AT_ONCE):
            numbers = range(first, min(first + ADDED_AT_ONCE, count))
            await add_scheduled(gateway, channel, numbers, "drain-", now)
            advance(len(numbers))


@contextmanager
def _pg(stage: Stage, pg_ms: int) -> Iterator[None]:
    command = [sys.executable, "-m", "bench.stub", str(stage.pg_port)]
    with running(command, stage.pg_port, "/bench/seen", stage.folder / "pg.log"):
        ask(stage.pg_port, f"/bench/start/{pg_ms}", post=True)
        yield


def _drain(
    stage: Stage, engine: str, pg_ms: int, count: int, advance: Callable[[int], None], workers: int = 1
) -> tuple[Drained, list[str]]:
    """Let so many gateways make what is due, and return what it took and what is wrong."""
    named = {
        "MAEDAL_DATABASE_URL": stage.settings.database_url,
        "MAEDAL_KEY_FILE": str(stage.settings.key_file),
        "MAEDAL_PUBLIC_URL": stage.settings.public_url,
        "MAEDAL_SANDBOX_URL": str(stage.settings.sandbox_url),
    }
    with _pg(stage, pg_ms), reading(stage.settings.database_url) as rows:
        with ExitStack() as gateways:
            pids = []
            for port in (stage.port, *(free_port() for _ in range(workers - 1))):
                command: list[str | Path] = [Path(sys.executable).with_name("maedal"), "serve", "--port", str(port)]
                log = stage.folder / f"gateway-{port}.log"
                pids.append(gateways.enter_context(running(command, port, "/healthz", log, named)))
            deadline = time.monotonic() + SECONDS_MAX
            first = _wait_for(stage, rows, min(LEFT_OUT_MAX, count // 10), count, deadline, lambda _: None)
            began, cpu, database_cpu = time.monotonic(), sum(map(cpu_seconds, pids)), _cpu_of(stage.database)
            _wait_for(stage, rows, count, count, deadline, advance)
            seconds, measured = time.monotonic() - began, max(1, count - first)
            drained = Drained(
                engine,
                pg_ms,
                workers,
                count,
                measured / seconds,
                (sum(map(cpu_seconds, pids)) - cpu) * 1000 / measured,
                None if stage.database is None else (_cpu_of(stage.database) - database_cpu) * 1000 / measured,
            )
        seen = _seen(stage)
        complaints = [] if set(seen.values()) == {count} else [f"{count} were due, but the PG saw {seen}"]
        return drained, complaints


def _wait_for(
    stage: Stage, rows: Rows, wanted: int, count: int, deadline: float, advance: Callable[[int], None]
) -> int:
    """Return how many charges the PG has seen, once these are so many; with all of them, once all are recorded."""
    told = 0
    while (made := _seen(stage)["charges"]) < wanted or (wanted == count and rows.fetch(OPEN)[0]["n"]):
        advance(made - told)
        told = made
        if time.monotonic() > deadline:
            raise ProgramFailed(f"{made} of {count} scheduled charges were made in {SECONDS_MAX:.0f} s")
        time.sleep(POLL_SECONDS)
    advance(made - told)
    return made


def _seen(stage: Stage) -> dict[str, int]:
    return msgspec.json.decode(ask(stage.pg_port, "/bench/seen"), type=dict[str, int])


def _cpu_of(pid: int | None) -> float:
    return 0.0 if pid is None else cpu_seconds(pid)


def table(findings: Findings) -> Table:
    shown = Table(title="scheduled charges, due at one moment", title_justify="left", header_style="bold")
    shown.add_column("what", no_wrap=True)
    for heading in ("charges", "per second", "CPU", "database"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for one in findings.drains:
        shown.add_row(
            name_of(one.engine, one.pg_ms, one.workers),
            f"{one.count:,}",
            f"{one.per_second:,.0f}",
            f"{one.cpu_ms:.3f} ms",
            "" if one.database_cpu_ms is None else f"{one.database_cpu_ms:.3f} ms",
        )
    return shown
