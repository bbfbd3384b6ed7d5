"""Reconciling: what the PG's files said, and the days that are done."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.storage.engine.steps import Rows, Run, insert_once, unit
from maedal.storage.reconciliation.rows import ROW_COLUMNS
from maedal.storage.reconciliation.writes import ClaimDay, FinishDay, KeepRows

KEEP_ROW = insert_once("settlement_rows", ROW_COLUMNS)
CLAIM_DAY = """
INSERT INTO settlement_days (merchant_id, channel_id, day, tries, due_at) VALUES ($1, $2, $3, 1, $5)
ON CONFLICT (merchant_id, channel_id, day) DO UPDATE
   SET tries = settlement_days.tries + 1, due_at = excluded.due_at
 WHERE settlement_days.done_at IS NULL AND settlement_days.due_at <= $4
RETURNING CAST($6 AS INTEGER) AS item
"""
FINISH_DAY = """
INSERT INTO settlement_days (merchant_id, channel_id, day, tries, due_at, done_at, complete, taken_there, taken_here,
       cancelled_there, cancelled_here)
VALUES ($1, $2, $3, 1, $4, $4, $5, $6, $7, $8, $9)
ON CONFLICT (merchant_id, channel_id, day) DO UPDATE
   SET done_at = excluded.done_at, complete = excluded.complete, taken_there = excluded.taken_there,
       taken_here = excluded.taken_here, cancelled_there = excluded.cancelled_there,
       cancelled_here = excluded.cancelled_here
"""


@unit(KeepRows)
def keep_rows(writes: Sequence[KeepRows]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep rows of files; what is known already stays as it is."""
    yield Run(
        KEEP_ROW,
        [
            (
                w.merchant_id, w.pg_provider, r.pg_aid, r.pg_merchant_id, w.day.isoformat(), r.action, r.order_id,
                r.pg_tid, r.amount, r.method, r.happened_at,
            )
            for w in writes
            for r in w.rows
        ],
    )  # fmt: skip
    return [None] * len(writes)


@unit(ClaimDay)
def claim_days(writes: Sequence[ClaimDay]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Take each day that is due and not done."""
    done = yield Rows(
        CLAIM_DAY, [(w.merchant_id, w.channel_id, w.day.isoformat(), w.now, w.next_due_at) for w in writes]
    )
    return [bool(rows) for rows in done]


@unit(FinishDay)
def finish_days(writes: Sequence[FinishDay]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Mark days as done."""
    yield Run(
        FINISH_DAY,
        [
            (
                w.merchant_id, w.channel_id, w.day.isoformat(), w.now, w.complete, w.sums.taken_there,
                w.sums.taken_here, w.sums.cancelled_there, w.sums.cancelled_here,
            )
            for w in writes
        ],
    )  # fmt: skip
    return [None] * len(writes)
