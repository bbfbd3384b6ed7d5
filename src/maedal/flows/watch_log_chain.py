"""Look at the chain over the logs all the time, a little at each turn: its end, then round after round all of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from maedal.flows.anchor_logs import problem_of_last_anchor
from maedal.flows.services import ServicesWith
from maedal.flows.verify_logs import look_at_blocks
from maedal.log_chain.block import FIRST
from maedal.log_chain.problem import Problem
from maedal.storage.invariants.reads import Invariant, Violation
from maedal.storage.log_chain.reads import HasLogChain

BLOCKS_A_TURN = 25
"""How many blocks of the past are looked at each time, besides as many at the end."""
WAITS_AT_MOST = timedelta(minutes=5)
"""How long the chain may stand still while rows wait for it; a worker makes a block within seconds."""


class WatchLogChainStore(HasLogChain, Protocol): ...


class LogChainWatch:
    """Remembers how far the round has come, and which problems it met."""

    def __init__(self, services: ServicesWith[WatchLogChainStore]) -> None:
        self._services = services
        self._place = 0
        self._met: dict[int, Sequence[Problem]] = {}
        self._standstill: tuple[tuple[int, int], datetime] | None = None

    async def changed(self) -> Sequence[Violation]:
        """Return what is wrong with the rows and blocks that were looked at, as they were when looked at last."""
        reads = self._services.store.log_chain
        newest = await reads.newest()
        if newest is not None:
            await self._look(max(0, newest.number - BLOCKS_A_TURN))
            if self._place >= newest.number:
                self._place = 0
            self._place = await self._look(self._place)
        problem = await problem_of_last_anchor(self._services)
        problems = [p for of in self._met.values() for p in of] + ([problem] if problem is not None else [])
        return [Violation(Invariant.LOGS_UNCHANGED, p.merchant_id, p.fact) for p in problems]

    async def waiting(self) -> Sequence[Violation]:
        """Return the row that has waited longest, if the chain has stood still for too long."""
        reads, now = self._services.store.log_chain, self._services.people_clock.now()
        newest, rows = await reads.newest(), await reads.waiting(1)
        walks = await reads.walks()
        if not rows and not walks:
            self._standstill = None
            return []
        place = (newest.number if newest else 0, rows[0].id if rows else 0)
        if self._standstill is None or self._standstill[0] != place:
            self._standstill = (place, now)
        if now - self._standstill[1] < WAITS_AT_MOST:
            return []
        subject = f"{rows[0].log} {rows[0].key[1]}" if rows else f"{walks[0].log}"
        return [Violation(Invariant.LOGS_CHAINED, rows[0].key[0] if rows else "", subject)]

    async def _look(self, after: int) -> int:
        """Look at the blocks after this one; return which was the last."""
        reads = self._services.store.log_chain
        before = await reads.block(after)
        blocks = await reads.blocks(after, BLOCKS_A_TURN)
        if not blocks:
            return after
        # One that is gone is told once, by the block behind it.
        known = (
            (after, before.digest if before else FIRST)
            if before or after == 0
            else (blocks[0].number - 1, blocks[0].previous)
        )
        looked = await look_at_blocks(reads, self._services.vault, blocks, *known)
        for block in blocks:
            self._met.pop(block.number, None)
        met: dict[int, list[Problem]] = {}
        for problem in looked.problems:
            met.setdefault(problem.block, []).append(problem)
        self._met.update(met)
        return blocks[-1].number
