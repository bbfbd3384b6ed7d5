"""The console's pages over a merchant of many payments: the median of some requests of a signed-in browser for each.

What an export of everything takes is measured too: rows, seconds, and how much the gateway's memory grows meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
from rich.progress import Progress
from rich.table import Table
from tests.console.people import Fields, Person
from tests.support.postgres import postgres_server

from bench.history import LARGE, History, seed
from bench.machine import machine, postgres
from bench.proc import memory_kib, peak_memory_kib, reset_peak_memory
from bench.programs import free_port, running
from maedal.app import open_gateway
from maedal.flows.count_figures import count_figures
from maedal.flows.count_months import count_months
from maedal.flows.manage_operators import create_operator
from maedal.operators.actor import Actor
from maedal.operators.role import Role
from maedal.settings import Settings
from maedal.storage.migrate import migrate
from maedal.vault import create_key_file

OF = f"/console/merchants/{LARGE}"
PAYMENT, KEY = "imp_000000000507", "key_00000507"
LISTS = f"{OF}/payments"
PAGES = {
    "home": "/console",
    "payments, a month": LISTS,
    "payments, all time": f"{LISTS}?span=all",
    "payments, all time, by when paid": f"{LISTS}?span=all&basis=paid",
    "payments, all time, by status time": f"{LISTS}?span=all&basis=status",
    "payments, failed": f"{LISTS}?span=all&status=failed",
    "payments, unknown outcomes": f"{LISTS}?span=all&status=unknown",
    "payments, partly cancelled": f"{LISTS}?span=all&status=partly",
    "payments, three filters": f"{LISTS}?span=6m&method=money&use=payment&mode=live&min=50000",
    "payments, filters that leave nothing": f"{LISTS}?span=all&method=money&origin=pc&min=99999999",
    "payments, the largest of a month": f"{LISTS}?sort=largest",
    "payments, a part of an id": f"{LISTS}?word=0712345",
    "payments, a name": f"{LISTS}?word=김민지",
    "payments, half a name": f"{LISTS}?word=민지",
    "payments, a common word": f"{LISTS}?word=구독",
    "payments, a word in one field": f"{LISTS}?word=010-1234&field=buyer_tel",
    "payments, a word of no payment": f"{LISTS}?word=없는말",
    "payments, a name by when paid": f"{LISTS}?word=박서연&basis=paid&span=6m",
    "a payment": f"{LISTS}/{PAYMENT}",
    "an export's page": f"{LISTS}/export?span=all",
    "search, an id": f"{OF}/find?q={PAYMENT}",
    "search, how a phone number begins": f"{OF}/find?q=010-1234",
    "search, a name": f"{OF}/find?q=김민지",
    "search, nothing": f"{OF}/find?q=없는말",
    "customers": f"{OF}/customers",
    "billing keys": f"{OF}/billing-keys",
    "billing keys, ended by the shop": f"{OF}/billing-keys?standing=deleted",
    "billing keys, a part of an id": f"{OF}/billing-keys?standing=all&word=0712",
    "a billing key": f"{OF}/billing-keys/{KEY}",
    "scheduled charges": f"{OF}/schedules",
    "scheduled charges, failed": f"{OF}/schedules?tab=failed",
    "scheduled charges, a part of an id": f"{OF}/schedules?word=0712",
    "calendar": f"{OF}/schedules/calendar",
    "what lies ahead": f"{OF}/upcoming",
    "what lies ahead, seven days": f"{OF}/upcoming?span=week",
    "desk": f"{OF}/desk",
    "desk, webhooks given up": f"{OF}/desk?tab=webhooks",
    "webhook log": f"{OF}/webhook-log",
    "webhook log, a year": f"{OF}/webhook-log?days=365",
    "webhook log, failed in a year": f"{OF}/webhook-log?days=365&state=failed",
    "webhook log, answers that nobody gave": f"{OF}/webhook-log?days=365&answer=3xx",
    "webhook log, of one receiver": f"{OF}/webhook-log?days=365&host=no.example",
    "webhook log, three filters": f"{OF}/webhook-log?days=365&told=cancelled&mode=test&answer=5xx",
    "webhook log, of one payment": f"{OF}/webhook-log?word={PAYMENT}",
    "webhook log, sending again": f"{OF}/webhook-log/resend?all=on&days=365&state=failed",
    "figures": f"{OF}/figures",
    "figures, three years": f"{OF}/figures?since=2023-12",
    "figures, by month": f"{OF}/figures/months?method=card",
    "figures, cohorts": f"{OF}/figures/cohorts",
    "audit log": f"{OF}/log",
    "audit log, of one person": f"{OF}/log?who=nobody",
    "audit log, of one kind": f"{OF}/log?kind=change_recovery",
}
"""What is asked for; a page more is a line more."""
SECONDS_MAX = 3_600
REQUESTS = 15
WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Page:
    """How long a page took: median and longest, in milliseconds."""

    name: str
    median_ms: float
    longest_ms: float
    kib: int


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export took. `grown` is how far the gateway's memory was above what it was before."""

    form: str
    rows: int
    seconds: float
    before_mib: float
    grown_mib: float


@dataclass(slots=True)
class Findings:
    """Everything that was measured, and what must not be."""

    machine: dict[str, str]
    pages: list[Page] = field(default_factory=list)
    exports: list[Exported] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def measure(payments: int, progress: Progress, *, only: str = "", exports: bool = True) -> Findings:
    """Seed a database, serve it, ask for every page. Everything that was started has ended when it returns."""
    with tempfile.TemporaryDirectory(prefix="maedal-bench-") as name:
        folder = Path(name)
        findings = Findings(machine(folder))
        with served(payments, folder, progress) as (person, pid, url):
            findings.machine["postgresql"] = postgres(url)[0]
            wanted = {name: address for name, address in PAGES.items() if only in name}
            bar = progress.add_task("pages", total=len(wanted))
            for page, address in wanted.items():
                ask_page(person, page, address, findings)
                progress.advance(bar)
            for form in ("csv", "xlsx") if exports else ():
                bar = progress.add_task(f"export as {form}", total=payments)
                findings.exports.append(
                    _export(person, form, pid, lambda count, bar=bar: progress.update(bar, completed=count))  # type: ignore[misc]
                )
                if form == "csv" and findings.exports[-1].rows != payments:
                    findings.complaints.append(f"{findings.exports[-1].rows} rows of {payments} were exported")
        return findings


@contextlib.contextmanager
def served(payments: int, folder: Path, progress: Progress) -> Iterator[tuple[Person, int, str]]:
    """Serve a seeded database until the block ends; gives a signed-in browser, the gateway's process id and the URL."""
    key_file, port = folder / "keys.json", free_port()
    create_key_file(key_file)
    with postgres_server(durable=True) as server:
        url = server.create_database("maedal_bench_console")
        settings = Settings(
            database_url=url,
            key_file=key_file,
            public_url=f"http://127.0.0.1:{port}",
            sandbox_url=f"http://127.0.0.1:{free_port()}",
        )
        migrate(url)
        bar = progress.add_task("seeding", total=None)
        asyncio.run(seed(url, History(payments), lambda text: progress.update(bar, description=text)))
        progress.update(bar, total=1, completed=1)
        password = asyncio.run(_owner(settings))
        with running(
            [Path(sys.executable).with_name("maedal"), "serve", "--port", str(port)],
            port,
            "/readyz",
            folder / "serve.log",
            {
                "MAEDAL_DATABASE_URL": url,
                "MAEDAL_KEY_FILE": str(key_file),
                "MAEDAL_PUBLIC_URL": settings.public_url,
                "MAEDAL_SANDBOX_URL": str(settings.sandbox_url),
            },
        ) as pid:
            person = Person(cast("Any", SimpleNamespace(gateway=settings.public_url)))
            person.http.timeout = httpx.Timeout(SECONDS_MAX)
            assert person.sign_in("owner", password).status_code == 200, "the owner can sign in"
            yield person, pid, url
            person.http.close()


async def _owner(settings: Settings) -> str:
    async with open_gateway(settings, serving=False) as gateway:
        # What the worker has done long before anybody has so many payments.
        await count_figures(gateway.services)
        await count_months(gateway.services)
        return (
            await create_operator(gateway.services, "owner", Role.OWNER, Actor("bench"), to_be_changed=False)
        ).password


def pages_of(code: str, payment: str, key: str) -> dict[str, str]:
    """Return the addresses of all pages of a merchant, with a payment and a billing key of its own."""
    return {
        name: address.replace(LARGE, code).replace(PAYMENT, payment).replace(KEY, key)
        for name, address in PAGES.items()
    }


def ask_page(
    person: Person, name: str, address: str, findings: Findings, *, requests: int = REQUESTS, warm_up: int = WARM_UP
) -> None:
    times, answer = [], None
    for number in range(warm_up + requests):
        began = time.perf_counter()
        answer = person.open(address)
        if number >= warm_up:
            times.append((time.perf_counter() - began) * 1_000)
        if answer.status_code != 200:
            findings.complaints.append(f"{name} answered {answer.status_code}")
            return
    assert answer is not None, "something was asked"
    findings.pages.append(Page(name, statistics.median(times), max(times), len(answer.content) // 1024))


def _export(person: Person, form: str, pid: int, tell: Callable[[int], None]) -> Exported:
    fields = Fields(f"{LISTS}/export")
    fields.feed(person.open(f"{LISTS}/export?span=all").text)
    before = memory_kib(pid)
    reset_peak_memory(pid)
    began, lines = time.monotonic(), 0
    data = fields.found | {"format": form}
    with person.http.stream("POST", f"{LISTS}/export", data=data, headers={"Origin": person.origin}) as answer:
        assert answer.status_code == 200, answer.status_code
        for chunk in answer.iter_raw():
            lines += chunk.count(b"\n") if form == "csv" else 0
            tell(lines)
    rows = person.open(f"{LISTS}/export/{fields.found['export_id']}").text
    rows = rows.partition(' max="')[2].partition('"')[0]
    return Exported(
        form, lines - 1 if form == "csv" else int(rows), time.monotonic() - began, before / 1024,
        (peak_memory_kib(pid) - before) / 1024,
    )  # fmt: skip


def tables(findings: Findings, payments: int) -> Iterator[Table]:
    """Give what was measured, for people."""
    table = Table(title=f"{payments:,} payments, {REQUESTS} requests of each page", title_justify="left")
    for name in ("page", "median", "longest", "size"):
        table.add_column(name, justify="left" if name == "page" else "right")
    for page in findings.pages:
        table.add_row(page.name, f"{page.median_ms:.0f} ms", f"{page.longest_ms:.0f} ms", f"{page.kib} KiB")
    yield table
    table = Table(title="everything exported", title_justify="left")
    for name in ("file", "rows", "seconds", "memory before", "at most more"):
        table.add_column(name, justify="left" if name == "file" else "right")
    for one in findings.exports:
        table.add_row(
            one.form, f"{one.rows:,}", f"{one.seconds:.0f}", f"{one.before_mib:.0f} MiB", f"{one.grown_mib:.0f} MiB"
        )
    yield table
