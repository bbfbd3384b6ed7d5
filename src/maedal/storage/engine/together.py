"""How each database is given many items in one statement, and how their rows reach it: see `Together` in steps.py."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from maedal.storage.engine.steps import INSERTS, Together

SQLITE_ROWS = 64
"""At most so many rows are in one statement of SQLite, and always a power of two: few texts, each compiled once."""


def _names(statement: Together) -> list[str]:
    return [column.split()[0] for column in statement.columns]


@cache
def unnested(statement: Together) -> str:
    """Return the statement for PostgreSQL: each column is one array."""
    arrays = ", ".join(f"${n}::{column.split()[1]}[]" for n, column in enumerate(statement.columns, 1))
    names = ", ".join((*_names(statement), "number"))
    if "{among_items}" in statement.sql:
        return statement.sql.replace("{among_items}", f"= ANY ({arrays})")
    return statement.sql.replace("{items}", f"unnest({arrays}) WITH ORDINALITY AS item ({names})")


def arrays(items: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """Return the values of `unnested`."""
    return list(zip(*items, strict=True))


@cache
def listed(statement: Together, count: int) -> str:
    """Return the statement for `count` items in SQLite: each value is a parameter."""
    width = len(statement.columns) + 1
    columns = ", ".join(f"column{n} AS {name}" for n, name in enumerate((*_names(statement), "number"), 1))
    values = f"(VALUES {_marks(width, count)})"
    if "{among_items}" in statement.sql:
        return statement.sql.replace("{among_items}", f"IN (SELECT column1 FROM {values})")
    return statement.sql.replace("{items}", f"(SELECT {columns} FROM {values}) AS item")


@cache
def inserting(sql: str, count: int) -> str:
    """Return an INSERT for `count` rows in SQLite."""
    table, columns = INSERTS[sql]
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {_marks(len(columns), count)}"


def pieces(count: int) -> list[range]:
    """Cut `count` places into pieces of sizes that SQLite's statements have, the largest first."""
    cut, first = [], 0
    while first < count:
        size = min(1 << (count - first).bit_length() - 1, SQLITE_ROWS)
        cut.append(range(first, first + size))
        first += size
    return cut


def _marks(width: int, count: int) -> str:
    return ", ".join([f"({', '.join('?' * width)})"] * count)
