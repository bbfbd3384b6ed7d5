"""What a unit of work may ask of an engine."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """Run `sql` for each of `items` and give back the rows of each.

    The engine appends the item's number as the last parameter; the statement must return it as the column `item`.
    `{for_share}` and `{skip_locked}` become what the engine has for row locks.
    """

    sql: str
    items: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Run:
    """Run `sql` for each of `items`; nothing comes back."""

    sql: str
    items: Sequence[Sequence[Any]]


Unit = Callable[[Sequence[Any]], Generator[Rows | Run, Any, Sequence[Any]]]
"""A batch of writes of one kind in; one result for each, in order, out. Raises Conflict to undo the whole batch."""

UNITS: dict[type, Unit] = {}


def unit(kind: type) -> Callable[[Unit], Unit]:
    """Name the unit that carries out writes of `kind`."""

    def named(function: Unit) -> Unit:
        UNITS[kind] = function
        return function

    return named


INSERTS: dict[str, tuple[str, tuple[str, ...]]] = {}
"""Table and columns of every INSERT, for engines that have a quicker way to insert many rows."""


def insert_once(table: str, columns: Sequence[str]) -> str:
    """Return the INSERT of one row of `table` that leaves one alone which is there."""
    marks = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT DO NOTHING"


def insert(table: str, columns: Sequence[str]) -> str:
    """Return the INSERT of one row of `table`."""
    marks = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
    sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
    INSERTS[sql] = (table, tuple(columns))
    return sql
