"""Adding to the chain: each block stands behind the newest one, and each row is covered once."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.log_chain.block import FIRST, Block, Log
from maedal.storage.engine.distributed import NOTES, Note
from maedal.storage.engine.steps import ChangeAll, Rows, Run, Step, Together, insert, unit
from maedal.storage.errors import Conflict
from maedal.storage.log_chain.rows import INSERT_BLOCK, block_values
from maedal.storage.log_chain.writes import AppendBlock, AppendWalked

PREVIOUS = "SELECT CAST($2 AS INTEGER) AS item, digest FROM log_blocks WHERE number = $1"
TAKE = Together("DELETE FROM log_rows_to_chain WHERE id {among_items}", ("id bigint",))
# Where the tables are on one server triggers do the same.
INSERT_WAITING = insert("log_rows_to_chain", ("log", "merchant_id", "row_id", "version"))
for _log, _key in {
    Log.PAYMENT_EVENTS: ("merchant_id", "imp_uid", "version"),
    Log.AUDIT_LOG: ("merchant_id", "id", "none"),
    Log.OPERATOR_LOG: ("nobody", "id", "none"),
}.items():
    NOTES[_log.value] = Note(INSERT_WAITING, ("log", *_key), {"log": _log.value, "nobody": "", "none": 0})
WALK_ON = """
UPDATE logs_to_walk SET merchant_id = $5, row_id = $6, version = $7
 WHERE log = $1 AND merchant_id = $2 AND row_id = $3 AND version = $4 RETURNING CAST($8 AS INTEGER) AS item
"""
WALK_ENDS = """
DELETE FROM logs_to_walk WHERE log = $1 AND merchant_id = $2 AND row_id = $3 AND version = $4
RETURNING CAST($5 AS INTEGER) AS item
"""


@unit(AppendBlock, by_key=True)
def append_blocks(writes: Sequence[AppendBlock]) -> Generator[Step, Any, Sequence[None]]:
    """Add blocks, and let go of the rows that waited for them."""
    for w in writes:
        yield from _append(w.block)
        taken = yield ChangeAll(TAKE, [(waiting_id,) for waiting_id in w.waiting_ids])
        if taken != len(w.waiting_ids):
            raise Conflict("somebody else covers these rows")
    return [None] * len(writes)


@unit(AppendWalked)
def append_walked(writes: Sequence[AppendWalked]) -> Generator[Step, Any, Sequence[None]]:
    """Add blocks of old rows, and keep how far the walk has come."""
    for w in writes:
        if w.block is not None:
            yield from _append(w.block)
        if w.last is None:
            moved = yield Rows(WALK_ENDS, [(w.log, *w.after)])
        else:
            moved = yield Rows(WALK_ON, [(w.log, *w.after, *w.last)])
        if not moved[0]:
            raise Conflict("somebody else walks through this log")
    return [None] * len(writes)


def _append(block: Block) -> Generator[Step, Any, None]:
    # A server that took over may lack the newest block that we know, and the chain would have a hole.
    [before] = yield Rows(PREVIOUS, [(block.number - 1,)])
    if (bytes(before[0]["digest"]) if before else FIRST) != block.previous or (not before and block.number != 1):
        raise Conflict(f"block {block.number} does not follow the newest one")
    yield Run(INSERT_BLOCK, [block_values(block)])
