"""Figures: what each hour came to, counted once it is over, and the same of a span that is not."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from maedal.storage.engine.reading import moment_not_null
from maedal.storage.engine.steps import Rows, Run, insert, unit
from maedal.storage.figures.counted import EVENTS, FIRSTS, SUMS
from maedal.storage.figures.writes import CountHours, KeepMonth

COUNT_ANEW = "UPDATE figures_counted SET until = $2 WHERE merchant_id = $1 AND until > $2"
COUNT_MONTHS_ANEW = "UPDATE months_counted SET counted_at = $3 WHERE merchant_id = $1 AND month >= $2"
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""As of when a month is counted that is to be counted anew."""
SEOUL = timezone(timedelta(hours=9))
AN_HOUR = timedelta(hours=1)
OF_HOUR = {
    kind: f"SELECT CAST($4 AS INTEGER) AS item, test_mode, {SUMS} FROM ({events}) t GROUP BY test_mode, detail"
    for kind, events in EVENTS.items()
}
# The first moment of a span in which anything happened that is counted.
FIRST = f"SELECT CAST($4 AS INTEGER) AS item, min(at) AS at FROM ({' UNION ALL '.join(FIRSTS)}) t"
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
    since = w.since
    while since < w.counted:
        # Most hours of most merchants are empty, and a new one, or a clock that was moved on, has very many of them.
        [[first]] = yield Rows(FIRST, [(w.merchant_id, since, w.counted)])
        if first["at"] is None:
            return
        hour = since + AN_HOUR * int((moment_not_null(first["at"]) - since) / AN_HOUR)
        since = hour + AN_HOUR
        found = yield from _of_hour(w.merchant_id, hour)
        if found:
            yield Run(INSERT, found)


def _of_hour(merchant_id: str, hour: datetime) -> Generator[Rows | Run, Any, list[tuple[Any, ...]]]:
    day = hour.astimezone(SEOUL).date().isoformat()
    figures = []
    for kind, sql in OF_HOUR.items():
        [rows] = yield Rows(sql, [(merchant_id, hour, hour + AN_HOUR)])
        figures += [
            (merchant_id, hour, day, bool(row["test_mode"]), kind, row["detail"], row["count"], row["amount"])
            for row in rows
        ]
    return figures


FORGET_MONTH = "DELETE FROM month_figures WHERE merchant_id = $1 AND month = $2"
INSERT_MONTH = insert("month_figures", ("merchant_id", "month", "test_mode", "kind", "detail", "count", "amount"))
BEGIN_MONTH = """
INSERT INTO months_counted (merchant_id, month, counted_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
RETURNING CAST($4 AS INTEGER) AS item
"""
ADVANCE_MONTH = """
UPDATE months_counted SET counted_at = $3 WHERE merchant_id = $1 AND month = $2 AND counted_at = $4
RETURNING CAST($5 AS INTEGER) AS item
"""


def month_anew(merchant_id: str, at: datetime) -> tuple[Any, ...]:
    """Return the values of COUNT_MONTHS_ANEW: the month of a moment and those after it, whose cohorts may change."""
    return merchant_id, f"{at.astimezone(SEOUL):%Y-%m}", LONG_AGO


@unit(KeepMonth)
def keep_months(writes: Sequence[KeepMonth]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Keep what each month came to, unless it was counted, or is to be counted anew, since."""
    done = []
    for w in writes:
        values = (w.merchant_id, w.month, w.counted_at)
        [moved] = yield Rows(BEGIN_MONTH, [values]) if w.known is None else Rows(ADVANCE_MONTH, [(*values, w.known)])
        done.append(bool(moved))
        if moved:
            yield Run(FORGET_MONTH, [(w.merchant_id, w.month)])
            if w.figures:
                of = (w.merchant_id, w.month)
                yield Run(INSERT_MONTH, [(*of, f.test_mode, f.kind, f.detail, f.count, f.amount) for f in w.figures])
    return done
