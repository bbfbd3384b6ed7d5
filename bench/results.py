"""What a run found, kept in build/bench for the next one: a plot, and a table against the last result of its kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from rich.bar import Bar
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from bench.programs import ROOT

KEPT_IN = ROOT / "build" / "bench"
BAR_WIDTH = 40
SLOWER, FASTER = 1.1, 0.9
"""Two runs on a busy machine differ by up to a tenth; only beyond that is a ratio coloured."""


@dataclass(frozen=True, slots=True)
class Value:
    """One number of a run, in `unit`; less is better unless `more` says otherwise."""

    name: str
    value: float
    unit: str = "ms"
    more: bool = False


class Kept(msgspec.Struct):
    """The file of a result: on what and when it was measured, and its numbers by name."""

    machine: dict[str, str]
    measured_at: str
    values: dict[str, float]


@dataclass(frozen=True, slots=True)
class Group:
    """Numbers of one unit that stand in one plot. `limit` is where they should end, if anywhere."""

    title: str
    values: Sequence[Value]
    limit: float | None = None


def show(out: Console, kind: str, groups: Sequence[Group], now: Kept, folder: Path = KEPT_IN) -> None:
    """Print the plots and the table against the last result of this kind, then keep this one in its place."""
    file = folder / f"{kind}.json"
    last = _kept(file)
    for group in groups:
        out.print(plot(group))
    if last is None:
        out.print(f"[dim]no result of {kind} was kept in {folder} before: the next run is compared with this one[/]")
    else:
        same = last.machine.get("cpu") == now.machine.get("cpu")
        elsewhere = "" if same else f", on another machine: {last.machine.get('cpu')}"
        out.print(f"[bold]against the result of {last.measured_at}[/]{elsewhere}")
        out.print(against(groups, last))
    folder.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(now)))


def _kept(file: Path) -> Kept | None:
    """Return the last result; one that cannot be read any more is none."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Kept)
    except (OSError, msgspec.MsgspecError):
        return None


def plot(group: Group) -> RenderableType:
    """Return a bar for each number, all on one scale."""
    table = Table(title=group.title, title_justify="left", show_header=False, box=None, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(width=BAR_WIDTH)
    longest = max((value.value for value in group.values), default=0.0) or 1.0
    for value in group.values:
        over = group.limit is not None and value.value > group.limit
        bar = Bar(longest, 0, value.value, width=BAR_WIDTH, color="red" if over else "cyan")
        table.add_row(value.name, shown(value.value, value.unit), bar)
    return table


def against(groups: Sequence[Group], last: Kept) -> Table:
    """Return the table of both results, by ratio; what only one of them has is left out."""
    table = Table(header_style="bold")
    for name in ("what", "last", "now", "ratio"):
        table.add_column(name, justify="left" if name == "what" else "right", no_wrap=True)
    for value in _values(groups):
        before = last.values.get(value.name)
        if before:
            ratio = value.value / before
            table.add_row(
                value.name, shown(before, value.unit), shown(value.value, value.unit), _coloured(ratio, more=value.more)
            )
    return table


def _values(groups: Sequence[Group]) -> Iterator[Value]:
    for group in groups:
        yield from group.values


def numbers(groups: Sequence[Group]) -> Mapping[str, float]:
    """Return the numbers by name, as they are kept."""
    return {value.name: value.value for value in _values(groups)}


def shown(value: float, unit: str) -> str:
    """Return a number with its unit, as exactly as its size wants it."""
    return f"{value:.3f} {unit}" if value < 10 else f"{value:,.0f} {unit}"


def _coloured(ratio: float, *, more: bool) -> Text:
    worse, better = (ratio < FASTER, ratio > SLOWER) if more else (ratio > SLOWER, ratio < FASTER)
    return Text(f"{ratio:.2f}", style="red" if worse else "green" if better else "")
