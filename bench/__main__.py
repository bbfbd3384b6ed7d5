"""`python -m bench`, which is `make bench`: measure, show the table, and fail when a payment is not there."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from bench import console, drain, growth, growth_report, report, run
from bench.programs import ProgramFailed
from bench.results import KEPT_IN, Group, Kept, Value, numbers, show

Keep = Callable[[str, dict[str, str], Sequence[Group]], None]
SIZE_MIN = 1_000
WIDTH = 120
"""What the table needs; without a terminal nobody says how wide it is."""

out = Console(highlight=False)
if not out.is_terminal:
    out.width = WIDTH

Found = TypeVar("Found")


def main(
    quick: Annotated[bool, typer.Option("--quick", help="Few requests, one round: shows that it works.")] = False,
    callers: Annotated[int | None, typer.Option(min=1, max=1024, help="Open connections. Default: 64.")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, max=50, help="Rounds of every scenario. Default: 5.")] = None,
    charges: Annotated[int | None, typer.Option(min=1, max=100_000, help="Charges in a round. Default: 2000.")] = None,
    json: Annotated[Path | None, typer.Option(help="Also write every number to this file.")] = None,
    pages: Annotated[bool, typer.Option("--console", help="Measure the console's pages instead.")] = False,
    payments: Annotated[int | None, typer.Option(min=1_000, help="Payments for --console. Default: 1000000.")] = None,
    drained: Annotated[
        bool, typer.Option("--drain", help="Measure scheduled charges that are due at one moment instead.")
    ] = False,
    grown: Annotated[
        bool, typer.Option("--growth", help="Measure the same work over more and more payments instead.")
    ] = False,
    sizes: Annotated[
        str, typer.Option(help="With --growth: payments of each PostgreSQL database, by commas.")
    ] = "10000,1000000,10000000",
    sqlite: Annotated[
        str, typer.Option(help="With --growth: payments of each SQLite database, by commas; empty: none.")
    ] = "10000,1000000",
    results: Annotated[Path, typer.Option(help="Where the last result of each kind is kept.")] = KEPT_IN,
    only: Annotated[str, typer.Option(help="With --console: only pages whose name has this, and no exports.")] = "",
) -> None:
    """Measure `again` end to end against a bare echo of the same payment object, on SQLite and PostgreSQL.

    With --console, measure the console's pages instead, over as many payments as --payments says, on PostgreSQL; with
    --drain, how quickly a worker makes as many scheduled charges as --charges says; with --growth, what work and pages
    cost with as many payments as --sizes and --sqlite say, --rounds times --charges of each work.

    A plot and a table against the last result of the same kind come last.
    """
    if sys.platform != "linux":
        out.print("[bold red]bench:[/] CPU time and memory are read from /proc, so this needs Linux")
        raise typer.Exit(1)
    # What is told to end unwinds, so that everything it started ends with it and no database is left on the disk.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    keep = partial(_keep, "-quick" if quick else "", results)
    if pages:
        _console(20_000 if quick and payments is None else payments or 1_000_000, only, json, keep)
        return
    if drained:
        _drain(1_000 if quick and charges is None else charges or 4_000, json, keep)
        return
    if grown:
        _growth(_growth_size(sizes, sqlite, rounds, charges, quick=quick), json, keep)
        return
    supplied = {"callers": callers, "rounds": rounds, "charges": charges}
    size = replace(
        run.QUICK if quick else run.Size(), **{name: value for name, value in supplied.items() if value is not None}
    )
    started = time.monotonic()
    findings = _measured(lambda progress: run.measure(size, progress))
    echoes = findings.rounds[run.ECHO]
    lines = [report.line(name, rounds, echoes) for name, rounds in findings.rounds.items()]
    _machine(findings.machine)
    title = f"{size.callers} callers, {size.rounds} × {size.charges:,} charges, {time.monotonic() - started:.0f} s"
    out.print(report.table(lines, title))
    content = {
        "machine": findings.machine,
        "size": asdict(size),
        "lines": [asdict(line) for line in lines],
        "rounds": findings.rounds,
        "complaints": findings.complaints,
    }
    _write(json, content)
    keep("charges", findings.machine, report.groups(lines))
    _end(findings.complaints)


def _keep(suffix: str, folder: Path, kind: str, machine: dict[str, str], groups: Sequence[Group]) -> None:
    now = Kept(machine, datetime.now(UTC).isoformat(timespec="seconds"), dict(numbers(groups)))
    show(out, kind + suffix, groups, now, folder)


def _growth_size(sizes: str, sqlite: str, rounds: int | None, charges: int | None, *, quick: bool) -> growth.Size:
    try:
        of = [tuple(sorted(int(size) for size in text.split(",") if size.strip())) for text in (sizes, sqlite)]
    except ValueError:
        raise typer.BadParameter("sizes are whole numbers with commas between them") from None
    if not of[0] + of[1] or min(of[0] + of[1]) < SIZE_MIN:
        raise typer.BadParameter(f"a size is {SIZE_MIN} payments at least")
    usual = growth.QUICK if quick else growth.Size()
    return replace(usual, postgresql=of[0], sqlite=of[1], rounds=rounds or usual.rounds, asked=charges or usual.asked)


def _growth(size: growth.Size, json: Path | None, keep: Keep) -> None:
    findings = _measured(lambda progress: growth.measure(size, progress))
    _machine(findings.machine)
    for table in growth_report.tables(findings):
        out.print(table)
    _write(json, asdict(findings) | {"size": asdict(size)})
    keep("growth", findings.machine, growth_report.groups(findings))
    _end(findings.complaints)


def _drain(count: int, json: Path | None, keep: Keep) -> None:
    findings = _measured(lambda progress: drain.measure(count, progress))
    _machine(findings.machine)
    out.print(drain.table(findings))
    _write(json, asdict(findings))
    keep("drain", findings.machine, report.drain_groups(findings.drains))
    _end(findings.complaints)


def _measured(measure: Callable[[Progress], Found]) -> Found:
    """Return what was found, with progress shown meanwhile; end with 1 when a program of it does not run."""
    try:
        with run.progress_bars() as progress:
            return measure(progress)
    except ProgramFailed as error:
        out.print(f"[bold red]bench:[/] {error}", markup=True)
        raise typer.Exit(1) from error


def _write(json: Path | None, content: object) -> None:
    if json is not None:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(content)))


def _machine(found: dict[str, str]) -> None:
    for name, value in found.items():
        out.print(f"[dim]{name:>12}[/]  {value}")


def _end(complaints: list[str]) -> None:
    """Show the first complaints and end with 1, if there are any."""
    for complaint in complaints[:20]:
        out.print(f"[bold red]bench:[/] {complaint}", markup=True)
    if complaints:
        raise typer.Exit(1)


def _console(payments: int, only: str, json: Path | None, keep: Keep) -> None:
    findings = _measured(lambda progress: console.measure(payments, progress, only=only, exports=not only))
    _machine(findings.machine)
    for table in console.tables(findings, payments):
        out.print(table)
    _write(json, {"payments": payments, **asdict(findings)})
    shown = [Value(page.name, page.median_ms) for page in findings.pages]
    keep(f"console-{payments}", findings.machine, [Group("pages, median", shown, growth.MEDIAN_MS_MAX)])
    _end(findings.complaints)


if __name__ == "__main__":
    typer.run(main)
