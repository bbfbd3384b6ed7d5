"""Cover the rows of the logs by the chain, behind the writes: no charge waits for it, and no row is locked for it.

A row waits from the moment it is committed until the next block, a few seconds while a worker runs. Any number of
workers may: of those that make the next block at the same moment one succeeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.log_chain.block import FIRST, PURPOSE, Block, Entry, Key, Log, covered_text, entries_text, row_digest
from maedal.storage.errors import Conflict
from maedal.storage.log_chain.reads import HasLogChain, Walk
from maedal.storage.log_chain.writes import AppendBlock, AppendWalked
from maedal.storage.write import Writes

BLOCK_ROWS_MAX = 200
BLOCKS_A_TURN_MAX = 25
"""How many blocks one turn of the worker makes; after an import there is more, and the next turn goes on."""


class ChainLogsStore(HasLogChain, Writes, Protocol): ...


async def chain_logs(services: ServicesWith[ChainLogsStore], blocks_max: int = BLOCKS_A_TURN_MAX) -> int:
    """Cover rows that no block covers yet, a bounded number; return how many."""
    covered = 0
    for _ in range(blocks_max):
        try:
            count, more = await _chain(services)
        except Conflict:
            # Another worker has made the next block; what is left is there at the next turn.
            break
        covered += count
        if not more:
            break
    return covered


async def _chain(services: ServicesWith[ChainLogsStore]) -> tuple[int, bool]:
    """Make one block, if there is anything to cover; return of how many rows, and whether there may be more."""
    # Read before the rows: whoever makes a block meanwhile makes this one a Conflict, whichever rows it took.
    newest = await services.store.log_chain.newest()
    walks = await services.store.log_chain.walks()
    if walks:
        return await _walk(services, newest, walks[0])
    waiting = await services.store.log_chain.waiting(BLOCK_ROWS_MAX)
    if not waiting:
        return 0, False
    digests: dict[tuple[Log, Key], str] = {}
    for log in {row.log for row in waiting}:
        found = await services.store.log_chain.rows(log, [row.key for row in waiting if row.log is log])
        digests |= {(log, key): row_digest(log, row) for key, row in found.items()}
    entries = [Entry(row.log, row.key, digests.get((row.log, row.key))) for row in waiting]
    await services.store.write(AppendBlock(_block(services, newest, entries), [row.id for row in waiting]))
    return len(entries), len(entries) == BLOCK_ROWS_MAX


async def _walk(services: ServicesWith[ChainLogsStore], newest: Block | None, walk: Walk) -> tuple[int, bool]:
    """Cover rows from before the chain; those that came since wait until this is done."""
    rows = await services.store.log_chain.rows_after(walk.log, walk.after, BLOCK_ROWS_MAX, waiting=False)
    entries = [Entry(walk.log, key, row_digest(walk.log, row)) for key, row in rows]
    block = _block(services, newest, entries) if entries else None
    last = entries[-1].key if len(entries) == BLOCK_ROWS_MAX else None
    await services.store.write(AppendWalked(block, walk.log, walk.after, last))
    return len(entries), True


def _block(services: ServicesWithoutStore, newest: Block | None, entries: Sequence[Entry]) -> Block:
    number, previous = (newest.number + 1, newest.digest) if newest else (1, FIRST)
    made_at, text = services.people_clock.now(), entries_text(entries)
    digest = services.vault.digest(PURPOSE, covered_text(number, previous, made_at, text))
    return Block(number, previous, made_at, text, digest)
