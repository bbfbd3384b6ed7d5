"""What a full database costs: the same work and the same pages over more and more payments.

Each size is a database of its own with a gateway of its own, filled by bench/history.py; all of them are measured in
turns. The ratio is that of CPU, within a round, to the smallest size of the same engine.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import asyncpg
import httpx
from rich.progress import Progress
from tests.console.people import Person
from tests.support.postgres import TemporaryPostgres
from tests.support.rows import reading

from bench.console import Findings as Pages
from bench.console import ask_page, pages_of
from bench.growth_work import WORK, Place, Spent, addresses, hundredth
from bench.history import History, copy_to_sqlite, seed
from bench.machine import machine, postgres
from bench.programs import free_port, running
from bench.seed import Shop, add_keys, open_shop, token_of
from maedal.app import open_gateway
from maedal.flows.count_figures import count_figures
from maedal.flows.count_months import count_months
from maedal.flows.manage_operators import create_operator
from maedal.operators.actor import Actor
from maedal.operators.role import Role
from maedal.settings import Settings
from maedal.storage.migrate import migrate
from maedal.vault import create_key_file

GROWTH_MAX = 1.15
"""How much more CPU the largest size may take than the smallest."""
MEDIAN_MS_MAX = 300.0
DAYS = 720
SMALL_SHOP = 2_000
"""Payments of a small shop, on average: there is one shop more for each so many."""
SHOPS_MAX = 100
POSTGRES_SETTINGS = {
    # What docs/scaling.md says to give PostgreSQL on a machine of its own; and no log of rows that are just made.
    "shared_buffers": "2GB",
    "max_wal_size": "8GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


@dataclass(frozen=True, slots=True)
class Size:
    """How much a run does: payments of each database, and what is asked of each in a round."""

    postgresql: tuple[int, ...] = (10_000, 1_000_000, 10_000_000)
    sqlite: tuple[int, ...] = (10_000, 1_000_000)
    rounds: int = 5
    warm_up: int = 100
    asked: int = 1_000
    pages: int = 9
    """How often each page is asked for, after a few that are not counted."""

    @property
    def keys(self) -> int:
        """Billing keys that are charged, for each database: `again` and a scheduled charge have each their own."""
        return self.rounds * (self.warm_up + 2 * self.asked)


QUICK = Size(rounds=1, warm_up=4, asked=20, pages=1)


@dataclass(slots=True)
class Findings:
    """What each database took: CPU of each kind of work a round, medians of the pages in ms, and its size."""

    machine: dict[str, str]
    spent: dict[str, dict[str, list[Spent]]] = field(default_factory=dict)
    pages: dict[str, dict[str, float]] = field(default_factory=dict)
    gib: dict[str, float] = field(default_factory=dict)
    seeding_seconds: dict[str, float] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def ratios(self, name: str, work: str, of: Callable[[Spent], float | None]) -> float | None:
        """Return how many times the CPU of the smallest size this one took: the median over the rounds."""
        smallest = next(other for other in self.spent if other.partition(" ")[0] == name.partition(" ")[0])
        pairs = [
            (of(one), of(first)) for one, first in zip(self.spent[name][work], self.spent[smallest][work], strict=True)
        ]
        found = [one / first for one, first in pairs if one is not None and first]
        return statistics.median(found) if found else None


def measure(size: Size, progress: Progress) -> Findings:
    """Seed, serve and measure every size. Everything that was started has ended when it returns."""
    with tempfile.TemporaryDirectory(prefix="maedal-growth-", dir=os.environ.get("MAEDAL_BENCH_DIR")) as name:
        folder = Path(name)
        findings = Findings(machine(folder))
        with contextlib.ExitStack() as open_things:
            places = open_things.enter_context(_places(size, folder, findings, progress))
            _rounds(size, places, findings, progress)
            for place in places:
                _pages(place, size.pages, findings, progress)
        _judge(findings)
        return findings


@contextlib.contextmanager
def _places(size: Size, folder: Path, findings: Findings, progress: Progress) -> Iterator[list[Place]]:
    pg_port = free_port()
    create_key_file(folder / "keys.json")
    with contextlib.ExitStack() as open_things:
        stub = [sys.executable, "-m", "bench.stub", str(pg_port)]
        open_things.enter_context(running(stub, pg_port, "/bench/seen", folder / "pg.log"))
        server = open_things.enter_context(TemporaryPostgres(durable=True, settings=POSTGRES_SETTINGS))
        places = []
        sources = sorted({*size.postgresql, *size.sqlite})
        for payments in sources:
            url = server.create_database(f"growth_{payments}")
            if not places:
                findings.machine["postgresql"] = f"{postgres(url)[0]}, " + ", ".join(
                    f"{name}={value}" for name, value in POSTGRES_SETTINGS.items()
                )
            settings = _settings(url, folder, pg_port)
            bar = progress.add_task(f"PostgreSQL {payments:,}", total=None)
            tell = lambda text, bar=bar, payments=payments: progress.update(  # noqa: E731
                bar, description=f"{payments:,}: {text}"
            )
            began = time.monotonic()
            shop = _seeded(settings, payments, size.keys, tell)
            findings.seeding_seconds[f"PostgreSQL {payments:,}"] = time.monotonic() - began
            findings.gib[f"PostgreSQL {payments:,}"] = asyncio.run(_database_bytes(url)) / 2**30
            if payments in size.sqlite:
                path = folder / f"growth_{payments}.db"
                migrate(f"sqlite:///{path}")
                asyncio.run(copy_to_sqlite(url, path, tell))
                findings.gib[f"SQLite {payments:,}"] = path.stat().st_size / 2**30
                copied = _settings(f"sqlite:///{path}", folder, pg_port)
                places.append(open_things.enter_context(_served("SQLite", payments, copied, shop, pg_port)))
            if payments in size.postgresql:
                places.append(open_things.enter_context(_served("PostgreSQL", payments, settings, shop, pg_port)))
            progress.update(bar, total=1, completed=1, description=f"{payments:,}: seeded")
        yield sorted(places, key=lambda place: (place.engine, place.payments))


def _settings(url: str, folder: Path, pg_port: int) -> Settings:
    return Settings(
        database_url=url,
        key_file=folder / "keys.json",
        public_url=f"http://127.0.0.1:{free_port()}",
        sandbox_url=f"http://127.0.0.1:{pg_port}",
    )


def _seeded(settings: Settings, payments: int, keys: int, tell: Callable[[str], None]) -> Shop:
    migrate(settings.database_url)

    async def work() -> Shop:
        async with open_gateway(settings, serving=False) as gateway:
            shop = await open_shop(gateway)
            shops = 1 + min(max(payments // SMALL_SHOP, 1), SHOPS_MAX)
            await seed(settings.database_url, History(payments, shops, DAYS, shop.code), tell)
            tell("billing keys")
            await add_keys(gateway, shop.channel, keys, lambda _: None)
            tell("figures")
            await count_figures(gateway.services)
            await count_months(gateway.services)
        connection = await asyncpg.connect(settings.database_url)
        await connection.execute("ANALYZE")
        await connection.execute("CHECKPOINT")
        await connection.close()
        return shop

    return asyncio.run(work())


async def _database_bytes(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        found: int = await connection.fetchval("SELECT pg_database_size(current_database())")
        return found
    finally:
        await connection.close()


@contextlib.contextmanager
def _served(engine: str, payments: int, settings: Settings, shop: Shop, pg_port: int) -> Iterator[Place]:
    port = int(settings.public_url.rpartition(":")[2])

    async def work() -> tuple[str, str]:
        async with open_gateway(settings, serving=False) as gateway:
            made = await create_operator(gateway.services, "owner", Role.OWNER, Actor("bench"), to_be_changed=False)
            return made.password, await token_of(gateway, shop)

    password, token = asyncio.run(work())
    named = ("database_url", "key_file", "public_url", "sandbox_url")
    with running(
        [Path(sys.executable).with_name("maedal"), "serve", "--port", str(port)],
        port,
        "/readyz",
        settings.key_file.with_name(f"{engine}_{payments}.log"),
        {f"MAEDAL_{name.upper()}": str(getattr(settings, name)) for name in named},
    ) as pid:
        database = postgres(settings.database_url)[1] if engine == "PostgreSQL" else None
        with reading(settings.database_url) as rows:
            yield Place(engine, payments, settings, shop, password, token, port, pid, database, pg_port, rows)


def _rounds(size: Size, places: list[Place], findings: Findings, progress: Progress) -> None:
    bars = {place.name: progress.add_task(place.name, total=size.rounds * len(WORK)) for place in places}
    findings.spent = {place.name: {work: [] for work in WORK} for place in places}
    for number in range(size.rounds):
        for work, carry_out in WORK.items():
            for place in places:
                spent, complaints = carry_out(place, number, size.warm_up, size.asked)
                findings.spent[place.name][work].append(spent)
                findings.complaints += [f"{place.name}, {work}: {complaint}" for complaint in complaints]
                progress.advance(bars[place.name])


def _pages(place: Place, requests: int, findings: Findings, progress: Progress) -> None:
    person = Person(cast("Any", SimpleNamespace(gateway=place.settings.public_url)))
    person.http.timeout = httpx.Timeout(600)
    try:
        if person.sign_in("owner", place.password).status_code != 200:
            findings.complaints.append(f"{place.name}: the owner cannot sign in")
            return
        person.http.headers["Authorization"] = f"Bearer {place.token}"
        asked = Pages({})
        wanted = pages_of(place.shop.code, *place.examples()) | addresses(place, person)
        bar = progress.add_task(f"pages of {place.name}", total=len(wanted))
        for name, address in wanted.items():
            found = hundredth(person, address) if name.endswith("hundredth page") else address
            ask_page(person, name, found, asked, requests=requests, warm_up=requests // 5)
            progress.advance(bar)
        findings.pages[place.name] = {page.name: page.median_ms for page in asked.pages}
        findings.complaints += [f"{place.name}: {complaint}" for complaint in asked.complaints]
    finally:
        person.http.close()


def _judge(findings: Findings) -> None:
    """Complain of what grew, and of what is slow."""
    for name, kinds in findings.spent.items():
        for work in kinds:
            ratio = findings.ratios(name, work, lambda spent: spent.total_ms)
            if ratio is not None and ratio > GROWTH_MAX:
                findings.complaints.append(f"{name}: {work} takes {ratio:.2f} times the CPU of the smallest size")
    for name, pages in findings.pages.items():
        findings.complaints += [
            f"{name}: {page} takes {median:.0f} ms" for page, median in pages.items() if median > MEDIAN_MS_MAX
        ]
