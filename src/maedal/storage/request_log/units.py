"""Writing the log of calls, and letting go of what is old or too much."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.storage.engine.steps import Rows, Run, unit
from maedal.storage.request_log.rows import INSERT_ENTRY, entry_values
from maedal.storage.request_log.writes import ForgetRequests, KeepRequests, TrimRequests

# The newest entry that is too much is found in the key; nothing is, and goes, when there are not so many.
TRIM = """
DELETE FROM request_log
 WHERE merchant_id = $1 AND (happened_at, id) IN (
    SELECT happened_at, id FROM request_log
     WHERE merchant_id = $1 AND happened_at <= (
        SELECT happened_at FROM request_log WHERE merchant_id = $1
         ORDER BY happened_at DESC, id DESC LIMIT 1 OFFSET $2)
     ORDER BY happened_at, id LIMIT $3)
RETURNING CAST($4 AS INTEGER) AS item
"""
FORGET = """
DELETE FROM request_log
 WHERE (merchant_id, happened_at, id) IN (
    SELECT merchant_id, happened_at, id FROM request_log WHERE happened_at < $1 ORDER BY happened_at LIMIT $2
)
RETURNING CAST($3 AS INTEGER) AS item
"""


@unit(KeepRequests)
def keep_requests(writes: Sequence[KeepRequests]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep all of them."""
    yield Run(INSERT_ENTRY, [entry_values(entry) for w in writes for entry in w.entries])
    return [None] * len(writes)


@unit(TrimRequests)
def trim_requests(writes: Sequence[TrimRequests]) -> Generator[Rows | Run, Any, Sequence[int]]:
    """Forget the oldest of each merchant."""
    done = yield Rows(TRIM, [(w.merchant_id, w.kept, w.count_max) for w in writes])
    return [len(rows) for rows in done]


@unit(ForgetRequests)
def forget_requests(writes: Sequence[ForgetRequests]) -> Generator[Rows | Run, Any, Sequence[int]]:
    """Forget the oldest of all."""
    done = yield Rows(FORGET, [(w.before, w.count_max) for w in writes])
    return [len(rows) for rows in done]
