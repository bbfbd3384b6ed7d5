"""`make torture`: chaos on both databases at once for some minutes, with progress, and a table in the end."""

from __future__ import annotations

import argparse
import json
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from maedal.code_digest import code_digest
from maedal.storage.migrate import migrate
from tests.support.postgres import TemporaryPostgres

from .chaos import COLUMNS, Chaos, Score, row
from .cluster_chaos import MODES, Failovers, result_of, rows_of_failovers, run_on_clusters
from .testbed import open_testbed
from .timeline import timeline_of

ROOT = Path(__file__).parents[2]
ENGINES = ("sqlite", "postgresql")
RESULT = ROOT / "build" / "torture.json"
KINDS = ("double", "lost", "stuck", "without proof")
TIMELINES_MAX = 5
GATEWAYS = 4
"""On PostgreSQL, beside a worker of their own; an SQLite file has one process."""


@dataclass(frozen=True)
class Run:
    """What was asked for."""

    seed: int
    minutes: float
    engines: Sequence[str]
    cluster: bool = False


def main() -> int:
    """Run, print the table, keep the result, and return 0 when nothing was found."""
    parser = argparse.ArgumentParser(prog="make torture", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long; default 10")
    parser.add_argument("--seed", type=int, help="of an earlier run, to disturb in the same way; default: drawn")
    parser.add_argument("--database", choices=ENGINES, help="only this one; default: both, beside each other")
    parser.add_argument(
        "--result", type=Path, help=f"keep the result here too, as JSON; it is always in build/{RESULT.name}"
    )
    parser.add_argument(
        "--cluster", action="store_true", help="on clusters that fail over, synchronous and asynchronous in turn"
    )
    parser.add_argument("--mode", choices=MODES, help="with --cluster: only this one")
    parameters = parser.parse_args()
    chosen = (parameters.mode, MODES) if parameters.cluster else (parameters.database, ENGINES)
    wanted = Run(
        parameters.seed if parameters.seed is not None else secrets.randbelow(10**9),
        parameters.minutes,
        (chosen[0],) if chosen[0] else chosen[1],
        parameters.cluster,
    )
    console = Console(soft_wrap=True)
    console.print(f"torture: seed [bold]{wanted.seed}[/], {wanted.minutes:g} minutes on {' and '.join(wanted.engines)}")
    begun = time.monotonic()
    failovers: dict[str, Failovers] = {}
    if wanted.cluster:
        scores, failovers = run_on_clusters(wanted.engines, wanted.seed, wanted.minutes * 60, console)
    else:
        scores = _run_all(wanted, console)
    for path in (RESULT, parameters.result):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(result(wanted, scores, time.monotonic() - begun, failovers), indent=2) + "\n")
    for score in scores.values():
        _print_timelines(score, console)
    table = Table("", *scores, title=f"torture, seed {wanted.seed}")
    for number, name in enumerate(COLUMNS):
        table.add_row(name, *(list(row(score))[number] for score in scores.values()))
    for name, values in rows_of_failovers(failovers):
        table.add_row(name, *values)
    console.print(table)
    if any(score.found for score in scores.values()):
        how = "--cluster " if wanted.cluster else ""
        console.print(
            f"[bold red]found something[/]; the same disturbances: make torture ARGS='{how}--seed {wanted.seed}'"
        )
        return 1
    return 0


def run(
    engine: str,
    seed: int,
    seconds: float,
    console: Console,
    enough: threading.Event | None = None,
    shown: Progress | None = None,
) -> Chaos:
    """Torture one database for so long; stops early at the first finding, here or where `enough` is shared."""
    enough = enough or threading.Event()
    with ExitStack() as stack:
        # However this one ends, nobody goes on alone: half a torture must not look like a whole one.
        stack.callback(enough.set)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maedal-torture-")))
        restart = None
        if engine == "sqlite":
            url, gateways = f"sqlite:///{folder / 'maedal.db'}", 1
        else:
            # Connections of killed processes linger at a busy server; those who look at the records must get in.
            server = stack.enter_context(TemporaryPostgres(settings={"max_connections": "500"}))
            url, gateways = server.create_database("torture"), GATEWAYS
            restart = server.restart
        migrate(url)
        chaos = Chaos(
            stack.enter_context(open_testbed(folder, url, gateways=gateways, files=True)), seed, restart, enough
        )
        shown = shown or Progress(console=console, disable=True)
        task = shown.add_task(f"{engine:<10}", total=seconds, progress="")
        end = time.monotonic() + seconds
        while time.monotonic() < end and not enough.is_set():
            score = chaos.round()
            progress = (
                f"round {score.rounds}: {score.kills:,} kills, {score.faults:,} faults, {score.charges:,} charges"
            )
            shown.update(task, completed=min(seconds, score.seconds), progress=progress)
            if not console.is_terminal:
                console.print(f"{engine} {progress}, {len(score.found)} findings")
            if score.found:
                enough.set()
        if chaos.score.found:
            kept = Path(tempfile.mkdtemp(prefix="maedal-torture-kept-"))
            for log in folder.glob("*.log"):
                (kept / log.name).write_bytes(log.read_bytes())
            console.print(f"the processes' logs are kept in {kept}")
        return chaos


def _run_all(wanted: Run, console: Console) -> dict[str, Score]:
    """Run on every database at once; Ctrl-C ends the rounds that are under way, and then counts what there was."""
    enough = threading.Event()
    shown = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[progress]}"), TimeRemainingColumn(),
        console=console,
    )  # fmt: skip
    with shown, ThreadPoolExecutor(len(wanted.engines)) as pool:
        running = {
            engine: pool.submit(run, engine, wanted.seed, wanted.minutes * 60, console, enough, shown)
            for engine in wanted.engines
        }
        try:
            return {engine: done.result().score for engine, done in running.items()}
        except KeyboardInterrupt:
            enough.set()
            return {engine: done.result().score for engine, done in running.items()}
        finally:
            enough.set()


def result(wanted: Run, scores: dict[str, Score], seconds: float, failovers: Mapping[str, Failovers]) -> dict[str, Any]:
    """Return what a run came to, for machines: see docs/reliability.md."""
    counted = {kind: sum(score.count(kind) for score in scores.values()) for kind in KINDS}
    return {
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": version("maedal"),
        "commit": _commit(),
        "code": code_digest(),
        "seed": wanted.seed,
        "minutes": round(seconds / 60, 1),
        "databases": list(scores),
        "rounds": sum(score.rounds for score in scores.values()),
        "kills": sum(score.kills for score in scores.values()),
        "faults": sum(score.faults for score in scores.values()),
        "charges": sum(score.charges for score in scores.values()),
        "findings": {
            **{kind.replace(" ", "_"): count for kind, count in counted.items()},
            "other": sum(score.other for score in scores.values()),
        },
        **({"cluster": {mode: result_of(of_mode) for mode, of_mode in failovers.items()}} if wanted.cluster else {}),
    }


def _commit() -> str | None:
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None  # not a clone, or no git here
    return head.stdout.strip()


def _print_timelines(score: Score, console: Console) -> None:
    for number, finding in score.found[:TIMELINES_MAX]:
        console.print(f"[bold red]{finding.kind}[/] round {number}: {finding.subject} {finding.text}", markup=True)
        if finding.subject and score.records is not None:
            console.print(timeline_of(score.records, finding.subject), markup=False, highlight=False)


if __name__ == "__main__":
    sys.exit(main())
