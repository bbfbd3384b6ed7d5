"""Figures: what each hour came to, counted once it is over, and the same of a span that is not."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from maedal.storage.engine.steps import Rows, Run, insert, unit
from maedal.storage.figures.counted import EVENTS, SUMS
from maedal.storage.figures.writes import CountHours

COUNT_ANEW = "UPDATE figures_counted SET until = $2 WHERE merchant_id = $1 AND until > $2"
SEOUL = timezone(timedelta(hours=9))
AN_HOUR = timedelta(hours=1)
OF_HOUR = {
    kind: f"SELECT CAST($4 AS INTEGER) AS item, test_mode, {SUMS} FROM ({events}) t GROUP BY test_mode, detail"
    for kind, events in EVENTS.items()
}
FORGET = "DELETE FROM figures WHERE merchant_id = $1 AND hour >= $2 AND hour < $3"
INSERT = insert("figures", ("merchant_id", "hour", "day", "test_mode", "kind", "detail", "count", "amount"))
BEGIN = """
INSERT INTO figures_counted (merchant_id, until) VALUES ($1, $2) ON CONFLICT DO NOTHING
RETURNING CAST($3 AS INTEGER) AS item
"""
ADVANCE = """
UPDATE figures_counted SET until = $2 WHERE merchant_id = $1 AND until = $3 RETURNING CAST($4 AS INTEGER) AS item
"""


@unit(CountHours)
def count_hours(writes: Sequence[CountHours]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Count each merchant's hours, unless somebody else was first."""
    done = []
    for w in writes:
        values = (w.merchant_id, w.counted)
        [moved] = yield Rows(BEGIN, [values]) if w.known is None else Rows(ADVANCE, [(*values, w.known)])
        done.append(bool(moved))
        if moved:
            yield from _count(w)
    return done


def _count(w: CountHours) -> Generator[Rows | Run, Any, None]:
    yield Run(FORGET, [(w.merchant_id, w.since, w.counted)])
    hours = _hours(w.since, w.counted)
    for kind, sql in OF_HOUR.items():
        found = yield Rows(sql, [(w.merchant_id, hour, hour + AN_HOUR) for hour in hours])
        figures = [
            (w.merchant_id, hour, hour.astimezone(SEOUL).date().isoformat(), bool(row["test_mode"]), kind,
             row["detail"], row["count"], row["amount"])
            for hour, rows in zip(hours, found, strict=True)
            for row in rows
        ]  # fmt: skip
        if figures:
            yield Run(INSERT, figures)


def _hours(since: datetime, before: datetime) -> list[datetime]:
    return [since + n * AN_HOUR for n in range(int((before - since) / AN_HOUR))]
