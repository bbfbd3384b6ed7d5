"""What is written to the chain over the logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maedal.log_chain.block import Block, Key, Log
from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class AppendBlock(Write[None]):
    """Add a block behind the newest one.

    Raises Conflict when that is another one by now, or when somebody else covers one of its rows.
    """

    block: Block
    waiting_ids: Sequence[int]
    """Of the rows that it covers, those that waited for it."""


@dataclass(frozen=True, slots=True)
class AppendWalked(Write[None]):
    """Add a block of rows that were there before the chain; as AppendBlock. `last` None: no more of this log."""

    block: Block | None
    log: Log
    after: Key
    """Where this walk went on from; another process that walks the same log is in conflict with it."""
    last: Key | None
