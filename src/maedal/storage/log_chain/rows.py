"""Blocks to rows and back, and how each log is read by the key that all of them share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maedal.log_chain.block import COLUMNS, Block, Key, Log
from maedal.storage.engine.reading import moment_not_null
from maedal.storage.engine.steps import Row, insert

BLOCK_COLUMNS = ("number", "previous", "made_at", "entries", "digest")
INSERT_BLOCK = insert("log_blocks", BLOCK_COLUMNS)

KEY_COLUMNS: Mapping[Log, tuple[str, ...]] = {
    Log.AUDIT_LOG: ("merchant_id", "id"),
    Log.OPERATOR_LOG: ("id",),
    Log.PAYMENT_EVENTS: ("merchant_id", "imp_uid", "version"),
}
KEY_PLACES: Mapping[Log, tuple[int, ...]] = {
    Log.AUDIT_LOG: (0, 1),
    Log.OPERATOR_LOG: (1,),
    Log.PAYMENT_EVENTS: (0, 1, 2),
}
"""Which parts of a key a log has columns for."""
KEY_TYPES = ("TEXT", "TEXT", "BIGINT")


def block_values(block: Block) -> tuple[Any, ...]:
    return (block.number, block.previous, block.made_at, block.entries, block.digest)


def block_of(row: Row) -> Block:
    return Block(
        row["number"], bytes(row["previous"]), moment_not_null(row["made_at"]), row["entries"], bytes(row["digest"])
    )


def key_of(log: Log, row: Mapping[str, Any]) -> Key:
    named = dict(zip(KEY_PLACES[log], (row[column] for column in KEY_COLUMNS[log]), strict=True))
    return (named.get(0, ""), named[1], named.get(2, 0))


def key_values(log: Log, key: Key) -> tuple[Any, ...]:
    return tuple(key[place] for place in KEY_PLACES[log])


def columns_of(log: Log, row: Row) -> dict[str, Any]:
    """Return what of a row is covered, its moment aware."""
    return {c: moment_not_null(row[c]) if c == "happened_at" else row[c] for c in COLUMNS[log]}
