"""The outbox of webhooks, claimed under leases."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.storage.sql.rows import delivery_of
from maedal.storage.sql.steps import Rows, Run, unit
from maedal.storage.store import ClaimDeliveries, FinishDelivery
from maedal.webhooks.webhook import Delivery

CLAIM = """
UPDATE webhook_deliveries SET lease_id = $1, leased_until = $2
 WHERE (merchant_id, id) IN (
     SELECT merchant_id, id FROM webhook_deliveries
      WHERE state = 'waiting' AND due_at <= $3 AND (leased_until IS NULL OR leased_until < $3)
      ORDER BY due_at LIMIT $4 {skip_locked})
RETURNING CAST($5 AS INTEGER) AS item, *
"""
FINISH = """
UPDATE webhook_deliveries
   SET state = $4, tried_at = $5, answer_status = $6, answer = $7, lease_id = NULL, leased_until = NULL
 WHERE merchant_id = $1 AND id = $2 AND lease_id = $3 AND state = 'waiting'
RETURNING CAST($8 AS INTEGER) AS item
"""


@unit(ClaimDeliveries)
def claim(writes: Sequence[ClaimDeliveries]) -> Generator[Rows | Run, Any, Sequence[Sequence[Delivery]]]:
    """Take due webhooks whose last taker, if any, has let its lease run out."""
    results = []
    for w in writes:
        rows = yield Rows(CLAIM, [(w.lease_id, w.leased_until, w.now, w.count_max)])
        results.append([delivery_of(row) for row in rows[0]])
    return results


@unit(FinishDelivery)
def finish(writes: Sequence[FinishDelivery]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Keep each answer, unless the lease has passed to somebody else."""
    done = yield Rows(
        FINISH,
        [
            (
                w.delivery.merchant_id,
                w.delivery.id,
                w.lease_id,
                "delivered" if w.delivered else "failed",
                w.now,
                w.answer_status,
                w.answer,
            )
            for w in writes
        ],
    )
    return [bool(rows) for rows in done]
