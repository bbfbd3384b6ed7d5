"""Numbers to a table: medians over the rounds, ratios within a round."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from bench.drain import Drained
from bench.load import Measured
from bench.results import Group, Value

AIM = 4.0
"""At most so many times the echo's CPU."""


@dataclass(frozen=True, slots=True)
class Line:
    """What was measured over all rounds of one scenario; medians, but for `memory_mib`, the most that was seen."""

    name: str
    cpu_ms: float
    ratio: float
    database_cpu_ms: float | None
    per_second: float
    p50_ms: float
    p99_ms: float
    memory_mib: float
    asked: int
    there: int


def line(name: str, rounds: Sequence[Measured], echoes: Sequence[Measured]) -> Line:
    """Return the line of a scenario; `echoes` holds the echo of each round, in the same order."""
    asked, there = sum(r.asked for r in rounds), sum(r.there for r in rounds)
    return Line(
        name=name,
        cpu_ms=statistics.median(map(cpu_ms, rounds)),
        ratio=statistics.median(cpu_ms(r) / cpu_ms(e) for r, e in zip(rounds, echoes, strict=True)),
        database_cpu_ms=(
            statistics.median(cpu_ms(r, "database") for r in rounds) if "database" in rounds[0].cpu else None
        ),
        per_second=statistics.median(len(r.latencies_ms) / r.seconds for r in rounds),
        p50_ms=statistics.median(percentile(r.latencies_ms, 50) for r in rounds),
        p99_ms=statistics.median(percentile(r.latencies_ms, 99) for r in rounds),
        memory_mib=max(r.memory_kib["server"] for r in rounds) / 1024,
        asked=asked,
        there=there,
    )


def cpu_ms(measured: Measured, process: str = "server") -> float:
    """Return the CPU time of a process for one request."""
    return measured.cpu[process] * 1000 / len(measured.latencies_ms)


def percentile(ordered: Sequence[float], percent: int) -> float:
    """Return the value below which `percent` of the ordered values lie."""
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def table(lines: Sequence[Line], title: str) -> Table:
    shown = Table(title=title, title_justify="left", header_style="bold")
    shown.add_column("what", no_wrap=True)
    for heading in ("CPU", "× echo", "database", "per second", "p50", "p99", "memory", "there again"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for item in lines:
        is_echo = item is lines[0]
        colour = "dim" if is_echo else "green" if item.ratio <= AIM else "yellow"
        complete = item.there == item.asked
        shown.add_row(
            item.name,
            f"{item.cpu_ms:.3f} ms",
            f"[{colour}]{item.ratio:.1f}[/]",
            "" if item.database_cpu_ms is None else f"{item.database_cpu_ms:.3f} ms",
            f"{item.per_second:,.0f}",
            f"{item.p50_ms:.1f} ms",
            f"{item.p99_ms:.1f} ms",
            f"{item.memory_mib:.0f} MiB",
            "" if is_echo else f"[{'green' if complete else 'bold red'}]{item.there} of {item.asked}[/]",
        )
    return shown


def groups(lines: Sequence[Line]) -> list[Group]:
    """Return what is plotted and kept: ratios to the echo, for times belong to the machine."""
    charged = lines[1:]
    return [
        Group("CPU of a charge, in times the echo's", [Value(one.name, one.ratio, "×") for one in charged], AIM),
        Group(
            "CPU of a charge in the database",
            [Value(f"{one.name}, database", one.database_cpu_ms) for one in charged if one.database_cpu_ms is not None],
        ),
    ]


def drain_groups(drains: Sequence[Drained]) -> list[Group]:
    """Return what is plotted and kept of drains."""
    names = [f"{one.engine}, PG {one.pg_ms} ms" for one in drains]
    return [
        Group(
            "scheduled charges a second",
            [
                Value(f"{name}, a second", one.per_second, "/s", more=True)
                for name, one in zip(names, drains, strict=True)
            ],
        ),
        Group(
            "CPU of a scheduled charge",
            [
                value
                for name, one in zip(names, drains, strict=True)
                for value in (
                    Value(f"{name}, gateway", one.cpu_ms),
                    *([] if one.database_cpu_ms is None else [Value(f"{name}, database", one.database_cpu_ms)]),
                )
            ],
        ),
    ]
