"""Hold the logs against the chain over them, and the chain against its anchors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from maedal.flows.anchor_logs import hold_against
from maedal.flows.services import ServicesWith, Vault
from maedal.log_chain.anchor import AnchorFileError, AnchorLine, standing_anchors
from maedal.log_chain.block import FIRST, PURPOSE, Block, Entry, Key, Log, covered_text, row_digest
from maedal.log_chain.problem import Problem, ProblemKind
from maedal.storage.log_chain.reads import HasLogChain, LogChainReads
from maedal.storage.snapshots import HasSnapshots

BLOCKS_AT_ONCE = 10
ROWS_AT_ONCE = 1000
PROBLEMS_MAX = 100
"""How many problems are told one by one; the rest is counted."""


class VerifyLogsStore(HasLogChain, HasSnapshots, Protocol): ...


@dataclass(slots=True)
class LogReport:
    """What holding the logs against their chain came to."""

    blocks: int = 0
    rows: int = 0
    waiting: int = 0
    """Rows that no block covers yet: those of the last seconds."""
    walking: bool = False
    """Whether rows from before the chain are still being covered; until then added ones are not looked for."""
    anchors: int = 0
    problem_count: int = 0
    problems: list[Problem] = field(default_factory=list)
    """The first ones, in the order of the chain."""

    @property
    def only_older(self) -> bool:
        """Whether nothing is wrong but that the anchors are newer: so an older copy looks that was put in place."""
        return self.problem_count > 0 and all(p.kind is ProblemKind.OLDER_THAN_ANCHOR for p in self.problems)

    def add(self, problems: Sequence[Problem]) -> None:
        self.problem_count += len(problems)
        self.problems += problems[: max(0, PROBLEMS_MAX - len(self.problems))]


async def verify_logs(
    services: ServicesWith[VerifyLogsStore], progress: Callable[[int, int], None] | None = None
) -> LogReport:
    """Return what is wrong with the logs, all of them looked at as they were at one moment.

    `progress` is called with how many blocks were looked at, and how many there are.
    """
    report = LogReport()
    async with services.store.snapshot() as store:
        reads = store.log_chain
        newest = await reads.newest()
        there = dict.fromkeys(Log, 0)
        number, previous = 0, FIRST
        while blocks := await reads.blocks(number, BLOCKS_AT_ONCE):
            looked = await look_at_blocks(reads, services.vault, blocks, number, previous)
            report.add(looked.problems)
            for log, count in looked.there.items():
                there[log] += count
            report.blocks, report.rows = report.blocks + len(blocks), report.rows + looked.rows
            number, previous = blocks[-1].number, blocks[-1].digest
            if progress is not None and newest is not None:
                progress(number, newest.number)
        walked = {walk.log for walk in await reads.walks()}
        report.walking = bool(walked)
        for log in Log:
            waiting = await reads.waiting_count(log)
            report.waiting += waiting
            if log not in walked and await reads.count(log) > there[log] + waiting:
                report.add(await _added(reads, log))
        try:
            anchors = standing_anchors(await services.anchors.lines())
        except AnchorFileError as error:
            report.add([Problem(ProblemKind.ANCHORS_UNREADABLE, 0, "", str(error))])
            anchors = []
        report.anchors = len(anchors)
        report.add(await _disagreeing(reads, anchors))
    return report


@dataclass(slots=True)
class Looked:
    """What looking at some blocks came to."""

    problems: list[Problem]
    rows: int
    there: dict[Log, int]
    """How many of the rows are there."""


async def look_at_blocks(
    reads: LogChainReads, vault: Vault, blocks: Sequence[Block], number: int, previous: bytes
) -> Looked:
    """Return what is wrong with blocks and the rows they cover; `number` and `previous` tell the one before them."""
    problems: dict[int, list[Problem]] = {}
    covered: list[tuple[int, Entry]] = []
    for block in blocks:
        problems[block.number] = []
        if block.number != number + 1:
            subject = f"blocks {number + 1} to {block.number - 1} are gone"
            problems[block.number].append(Problem(ProblemKind.BLOCK_REMOVED, number + 1, "", subject))
        elif block.previous != previous:
            problems[block.number].append(
                Problem(ProblemKind.BLOCK_CHANGED, block.number, "", "it names another block before it")
            )
        text = covered_text(block.number, block.previous, block.made_at, block.entries)
        try:
            entries = block.rows()
        except ValueError:
            entries = []
        if not vault.proves(PURPOSE, text, block.digest):
            problems[block.number].append(Problem(ProblemKind.BLOCK_CHANGED, block.number, "", "its own hash differs"))
        covered += [(block.number, entry) for entry in entries]
        number, previous = block.number, block.digest
    there = dict.fromkeys(Log, 0)
    found = {
        log: await reads.rows(log, [entry.key for _, entry in covered if entry.log is log])
        for log in {entry.log for _, entry in covered}
    }
    for of, entry in covered:
        row = found[entry.log].get(entry.key)
        there[entry.log] += row is not None
        if row is None:
            problems[of].append(Problem.of(ProblemKind.ROW_REMOVED, of, entry))
        elif row_digest(entry.log, row) != entry.digest:
            problems[of].append(Problem.of(ProblemKind.ROW_CHANGED, of, entry))
    return Looked([problem for of in problems.values() for problem in of], len(covered), there)


async def _added(reads: LogChainReads, log: Log) -> list[Problem]:
    """Return the rows of a log that no block covers, though none of them waits for one."""
    covered: set[Key] = set()
    number = 0
    while blocks := await reads.blocks(number, BLOCKS_AT_ONCE):
        for block in blocks:
            try:
                covered |= {entry.key for entry in block.rows() if entry.log is log}
            except ValueError:
                continue
        number = blocks[-1].number
    added: list[Problem] = []
    after: Key = ("", "", 0)
    while rows := await reads.rows_after(log, after, ROWS_AT_ONCE, waiting=False):
        added += [Problem.of(ProblemKind.ROW_ADDED, 0, Entry(log, key, None)) for key, _ in rows if key not in covered]
        after = rows[-1][0]
    return added


async def _disagreeing(reads: LogChainReads, anchors: Sequence[AnchorLine]) -> list[Problem]:
    found = [await hold_against(reads, anchor) for anchor in anchors]
    return [problem for problem in found if problem is not None]
