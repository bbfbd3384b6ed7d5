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


@dataclass(frozen=True, slots=True)
class Together:
    """A statement that is run once for many items: it sees them as `{items}`, a table with the name `item`.

    `{among_items}` instead says of a column that it is one of theirs, where they have but one.
    `columns` names its columns, each with its type for PostgreSQL; `item.number` counts the items from 1. A statement
    that changes rows must not meet two items about one row: which of them counts is nobody's choice.
    """

    sql: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowsOfAll:
    """Run a statement once for all of `items` and give back its rows, in no order."""

    of: Together
    items: Sequence[Sequence[Any]]

    @property
    def sql(self) -> str:
        return self.of.sql


@dataclass(frozen=True, slots=True)
class ChangeAll:
    """Run a statement, which begins with its verb, once for all of `items`; gives how many rows it changed."""

    of: Together
    items: Sequence[Sequence[Any]]


Step = Rows | Run | RowsOfAll | ChangeAll
Unit = Callable[[Sequence[Any]], Generator[Step, Any, Sequence[Any]]]
"""A batch of writes of one kind in; one result for each, in order, out. Raises Conflict to undo the whole batch."""

UNITS: dict[type, Unit] = {}
BY_KEY: set[type] = set()
"""Kinds whose statements find their rows by whole keys: one plan is right for each, however large a table is."""


def unit(kind: type, *, by_key: bool = False) -> Callable[[Unit], Unit]:
    """Name the unit that carries out writes of `kind`."""

    def named(function: Unit) -> Unit:
        UNITS[kind] = function
        if by_key:
            BY_KEY.add(kind)
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
