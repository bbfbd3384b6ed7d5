"""What --growth found, for people: CPU by size with its ratio to the smallest, pages by size, and how large all is."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator

from rich.table import Table

from bench.growth import GROWTH_MAX, MEDIAN_MS_MAX, Findings
from bench.growth_work import WORK, Spent
from bench.results import Group, Value

Part = Callable[[Spent], float | None]
PARTS: dict[str, Part] = {
    "gateway": lambda spent: spent.gateway_ms,
    "database": lambda spent: spent.database_ms,
    "both": lambda spent: spent.total_ms,
}


def median_of(findings: Findings, name: str, work: str, part: Part) -> float | None:
    """Return the median of a part over the rounds, in ms."""
    found = [value for spent in findings.spent[name][work] if (value := part(spent)) is not None]
    return statistics.median(found) if found else None


def tables(findings: Findings) -> Iterator[Table]:
    """Give what was measured."""
    table = Table(title="CPU of one request, and times the smallest size's", title_justify="left", header_style="bold")
    table.add_column("what", no_wrap=True)
    for part in PARTS:
        table.add_column(part, justify="right", no_wrap=True)
    for work in WORK:
        for name in findings.spent:
            table.add_row(f"{work}, {name}", *(_cell(findings, name, work, part) for part in PARTS.values()))
    yield table
    table = Table(title="pages and lists, median", title_justify="left", header_style="bold")
    table.add_column("page", no_wrap=True)
    for name in findings.pages:
        table.add_column(name, justify="right")
    for page in next(iter(findings.pages.values()), {}):
        found = [findings.pages[name].get(page) for name in findings.pages]
        table.add_row(page, *("" if median is None else _median(median) for median in found))
    yield table
    table = Table(title="databases", title_justify="left", header_style="bold")
    for heading in ("database", "on the disk", "seeded in"):
        table.add_column(heading, justify="left" if heading == "database" else "right")
    for name, gib in findings.gib.items():
        seconds = findings.seeding_seconds.get(name)
        table.add_row(name, f"{gib:.2f} GiB", "" if seconds is None else f"{seconds:.0f} s")
    yield table


def _cell(findings: Findings, name: str, work: str, part: Part) -> str:
    median, ratio = median_of(findings, name, work, part), findings.ratios(name, work, part)
    if median is None:
        return ""
    if ratio is None:
        return f"{median:.3f} ms"
    colour = "red" if part is PARTS["both"] and ratio > GROWTH_MAX else "dim"
    return f"{median:.3f} ms [{colour}]{ratio:.2f}[/]"


def _median(median: float) -> str:
    return f"[red]{median:.0f} ms[/]" if median > MEDIAN_MS_MAX else f"{median:.0f} ms"


def groups(findings: Findings) -> list[Group]:
    """Return what is plotted and kept."""
    return [
        *(
            Group(
                f"CPU: {work}",
                [
                    Value(f"{work}, {name}", median_of(findings, name, work, PARTS["both"]) or 0.0)
                    for name in findings.spent
                ],
            )
            for work in WORK
        ),
        *(
            Group(
                f"pages over {name} payments, median",
                [Value(f"{page}, {name}", median) for page, median in pages.items()],
                MEDIAN_MS_MAX,
            )
            for name, pages in findings.pages.items()
        ),
    ]
