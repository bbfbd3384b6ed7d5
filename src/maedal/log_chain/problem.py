"""What can be wrong with the logs, as the chain over them shows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from maedal.log_chain.block import Entry


class ProblemKind(StrEnum):
    """What is wrong."""

    ROW_CHANGED = "row_changed"  # a row is not what it was when a block covered it
    ROW_REMOVED = "row_removed"  # a row that a block covers is gone
    ROW_ADDED = "row_added"  # a row is there that no block covers and that does not wait for one
    BLOCK_CHANGED = "block_changed"  # a block is not what was made, or not by who has the key file
    BLOCK_REMOVED = "block_removed"  # a block is gone, with others behind it
    ANCHOR_DIFFERS = "anchor_differs"  # the block of an anchor is another one
    OLDER_THAN_ANCHOR = "older_than_anchor"  # the newest block is older than an anchor
    ANCHORS_UNREADABLE = "anchors_unreadable"


@dataclass(frozen=True, slots=True)
class Problem:
    """One of them. `block` is 0 when no block covers the row; `merchant_id` is empty where there is none."""

    kind: ProblemKind
    block: int
    merchant_id: str
    subject: str

    @classmethod
    def of(cls, kind: ProblemKind, block: int, entry: Entry) -> Problem:
        """Return the problem of a row."""
        return cls(kind, block, entry.key[0], entry.subject)

    @property
    def fact(self) -> str:
        """What is wrong, and with what."""
        return f"{self.kind.replace('_', ' ')}: {self.subject}"

    def text(self) -> str:
        """Return it as a line for people."""
        where = f"block {self.block}: " if self.block else ""
        merchant = f" of {self.merchant_id}" if self.merchant_id else ""
        return f"{where}{self.fact}{merchant}"
