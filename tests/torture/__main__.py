"""`make torture`: chaos on both databases for some minutes, with progress, and a table in the end."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from maedal.storage.migrate import migrate
from tests.support.postgres import TemporaryPostgres

from .chaos import COLUMNS, Chaos, row
from .checker import story
from .town import town

ENGINES = ("sqlite", "postgresql")
STORIES_MAX = 5


def main() -> int:
    """Run, print the table, and return 0 when nothing was found."""
    parser = argparse.ArgumentParser(prog="make torture", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long, both databases together; default 10")
    parser.add_argument("--seed", type=int, help="of an earlier run, to fire in the same way; default: drawn")
    parser.add_argument("--database", choices=ENGINES, help="only this one; default: both, half of the time each")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else secrets.randbelow(10**9)
    engines = (given.database,) if given.database else ENGINES
    console = Console(soft_wrap=True)
    console.print(f"torture: seed [bold]{seed}[/], {given.minutes:g} minutes on {' and '.join(engines)}")
    columns: list[list[str]] = []
    failed = False
    for engine in engines:
        chaos = run(engine, seed, given.minutes * 60 / len(engines), console)
        columns.append([engine, *row(chaos.score)])
        failed |= bool(chaos.score.found)
        for number, finding in chaos.score.found[:STORIES_MAX]:
            console.print(f"[bold red]{finding.kind}[/] round {number}: {finding.subject} {finding.text}", markup=True)
            if finding.subject and chaos.score.books is not None:
                console.print(story(chaos.score.books, finding.subject), markup=False, highlight=False)
    table = Table("", *(column[0] for column in columns), title=f"torture, seed {seed}")
    for number, name in enumerate(COLUMNS, start=1):
        table.add_row(name, *(column[number] for column in columns))
    console.print(table)
    if failed:
        console.print(f"[bold red]found something[/]; the same fire again: make torture ARGS='--seed {seed}'")
    return int(failed)


def run(engine: str, seed: int, seconds: float, console: Console) -> Chaos:
    """Torture one database for so long; stops early at the first finding."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maedal-torture-")))
        restart = None
        if engine == "sqlite":
            url, gateways = f"sqlite:///{folder / 'maedal.db'}", 1
        else:
            server = stack.enter_context(TemporaryPostgres())
            url, gateways = server.create_database("torture"), 2
            restart = server.restart
        migrate(url)
        chaos = Chaos(stack.enter_context(town(folder, url, gateways=gateways)), seed, restart)
        shown = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"), TimeRemainingColumn(),
            console=console,
        )  # fmt: skip
        with shown:
            task = shown.add_task(f"{engine:<10}", total=seconds, told="")
            end = time.monotonic() + seconds
            while time.monotonic() < end and not chaos.score.found:
                score = chaos.round()
                told = (
                    f"round {score.rounds}: {score.kills:,} kills, {score.faults:,} faults, {score.charges:,} charges"
                )
                shown.update(task, completed=min(seconds, score.seconds), told=told)
                if not console.is_terminal:
                    console.print(f"{engine} {told}, {len(score.found)} findings")
        if chaos.score.found:
            kept = Path(tempfile.mkdtemp(prefix="maedal-torture-kept-"))
            for log in folder.glob("*.log"):
                (kept / log.name).write_bytes(log.read_bytes())
            console.print(f"the processes' logs are kept in {kept}")
        return chaos


if __name__ == "__main__":
    sys.exit(main())
