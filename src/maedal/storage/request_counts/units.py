"""Counting requests."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.storage.engine.steps import Rows, Run, unit
from maedal.storage.request_counts.writes import CountRequests, SweepRequestCounts

COUNT = """
INSERT INTO request_counts (subject, minute, count) VALUES ($1, $2, $3)
ON CONFLICT (subject, minute) DO UPDATE SET count = request_counts.count + excluded.count
RETURNING CAST($4 AS INTEGER) AS item, count
"""
SWEEP = """
DELETE FROM request_counts
 WHERE (subject, minute) IN (
    SELECT subject, minute FROM request_counts WHERE minute < $1 ORDER BY minute LIMIT $2
)
RETURNING CAST($3 AS INTEGER) AS item
"""


@unit(CountRequests)
def count_requests(writes: Sequence[CountRequests]) -> Generator[Rows | Run, Any, Sequence[int]]:
    """Add up, one after the other: two of a batch may be of one subject."""
    counts = []
    for w in writes:
        [[row]] = yield Rows(COUNT, [(w.subject, w.minute, w.count)])
        counts.append(int(row["count"]))
    return counts


@unit(SweepRequestCounts)
def sweep_request_counts(writes: Sequence[SweepRequestCounts]) -> Generator[Rows | Run, Any, Sequence[int]]:
    """Forget the oldest, so many at most."""
    done = yield Rows(SWEEP, [(w.before, w.count_max) for w in writes])
    return [len(rows) for rows in done]
