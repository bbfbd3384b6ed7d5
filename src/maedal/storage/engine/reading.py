"""Reading rows: whom to ask, conditions with their values, and the moments in what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from maedal.storage.engine.steps import Row

ROWS_MAX = 1000


class Fetches(Protocol):
    """What reads rows."""

    name: str

    async def fetch(self, sql: str, *values: Any) -> Sequence[Row]: ...
    async def fetch_planned(self, sql: str, *values: Any) -> Sequence[Row]: ...


class SqlReads:
    """The reads of one subject over an engine, or over a snapshot of one."""

    def __init__(self, engine: Fetches) -> None:
        self._engine = engine


async def rows_in(engine: Fetches, sql: str, merchant_id: str, values: Sequence[str]) -> Sequence[Row]:
    """Return the rows of a merchant whose last column of `sql` is one of `values`."""
    assert len(values) <= ROWS_MAX, "a bounded number of values"
    if not values:
        return []
    marks = ", ".join(f"${n}" for n in range(2, 2 + len(values)))
    return await engine.fetch(f"{sql} ({marks})", merchant_id, *values)


async def rows_after(
    engine: Fetches, table: str, column: str, merchant_id: str, last: str, count_max: int
) -> Sequence[Row]:
    """Return a merchant's rows in the order of a column that is a key, from the one after `last` on."""
    assert count_max <= ROWS_MAX, "a bounded number of rows"
    return await engine.fetch(
        f"SELECT * FROM {table} WHERE merchant_id = $1 AND {column} > $2 ORDER BY {column} LIMIT $3",
        merchant_id,
        last,
        count_max,
    )


def condition(first: Sequence[Any], text: str, one_of: Sequence[Any], *more: tuple[str, Any]) -> tuple[str, list[Any]]:
    """Return a condition and its values: `text` about `first`, ending in a column that is one of some values.

    Each of `more` is added when its value is given. The texts are constants of whoever asks.
    """
    values = [*first, *one_of]
    marks = ", ".join(f"${n}" for n in range(len(first) + 1, len(values) + 1))
    where = f"{text} IN ({marks})"
    for part, value in more:
        if value is not None:
            values.append(value)
            where += f" AND {part} ${len(values)}"
    return where, values


def like(word: str) -> str:
    """Return the pattern of texts that hold `word` anywhere; its own signs stand for themselves."""
    return "%" + word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"


def moment(value: Any) -> datetime | None:
    """Return an aware moment; SQLite keeps it as text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def moment_not_null(value: Any) -> datetime:
    """Return the moment of a column that is never null."""
    at = moment(value)
    assert at is not None, "the column is NOT NULL"
    return at
