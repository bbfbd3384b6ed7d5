"""Pages of a log, newest first: what no index answers is looked for up to a bound, where the next page goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maedal.storage.engine.reading import Fetches, moment
from maedal.storage.engine.steps import Row

Place = tuple[datetime, str]
"""Where a list by time goes on: after the row of this moment and id."""
LOOKED_THROUGH_MAX = 20_000
"""So many rows are looked through for a filter that no index answers; the next page goes on where that ended."""
ITEMS_MAX = 1000


class Values:
    """The values of a statement, and the mark of each."""

    def __init__(self, *values: Any) -> None:
        self.all = list(values)

    def mark(self, value: Any) -> str:
        self.all.append(value)
        return f"${len(self.all)}"

    def marks(self, values: Sequence[Any]) -> str:
        return ", ".join(self.mark(value) for value in values)


@dataclass(frozen=True, slots=True)
class Range:
    """What is looked through, newest first, up to a bound: a statement with its values, and the column of its time."""

    sql: str
    time: str
    values: tuple[Any, ...]
    most: int


def newest_rows(table: str, window: str, time: str, count_max: int) -> str:
    return f"SELECT * FROM {table} WHERE {window} ORDER BY {time} DESC, id DESC LIMIT {count_max}"


def within(values: Values, column: str, since: datetime | None, until: datetime | None, after: Place | None) -> str:
    text = "merchant_id = $1"
    if since is not None:
        text += f" AND {column} >= {values.mark(since)}"
    if until is not None:
        text += f" AND {column} <= {values.mark(until)}"
    if after is not None:
        text += f" AND ({column}, id) < ({values.mark(after[0])}, {values.mark(after[1])})"
    return text


def place_of(row: Row, time: str) -> Place:
    at = moment(row[time])
    assert at is not None, "the column is never null"
    return at, row["id"]


async def page_of(
    engine: Fetches, select: str, span: Range, filters: Sequence[str], limit: int, values: Values
) -> tuple[Sequence[Row], Place | None]:
    """Return rows of what is looked through that pass the filters, and where the next page goes on, if it does."""
    where = f" WHERE {' AND '.join(filters)}" if filters else ""
    rows = await engine.fetch(
        f"{select} FROM ({span.sql}) found{where} ORDER BY found.{span.time} DESC, found.id DESC LIMIT {limit + 1}",
        *values.all,
    )
    if len(rows) > limit:
        return rows[:limit], place_of(rows[limit - 1], span.time)
    if not filters:
        return rows, None
    # Fewer than wanted passed; perhaps the bound, and not the end, was met.
    last = await engine.fetch(
        f"SELECT {span.time}, id FROM ({span.sql}) found ORDER BY {span.time} DESC, id DESC"
        f" LIMIT 1 OFFSET {span.most - 1}",
        *span.values,
    )
    return rows, place_of(last[0], span.time) if last else None
