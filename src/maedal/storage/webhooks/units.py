"""The outbox of webhooks, claimed under leases, and the log of every request."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

from maedal.storage.audit.rows import audit_entry_values
from maedal.storage.audit.units import KEEP_AUDIT_ENTRY
from maedal.storage.engine.distributed import unit_when_distributed
from maedal.storage.engine.steps import Rows, Run, unit
from maedal.storage.webhooks.rows import INSERT_TRY, delivery_of, try_values
from maedal.storage.webhooks.writes import ClaimDeliveries, FinishDelivery, ResendMany
from maedal.webhooks.webhook import Delivery, DeliveryState

# {busy} excludes those who have enough to do, {item} is the last parameter's place.
# Materialized: PostgreSQL may run a subquery again for each row that it compares, and then takes more than the limit.
CLAIM = """
WITH bounded AS MATERIALIZED (
     SELECT d.merchant_id, d.id FROM webhook_deliveries d
      WHERE d.state = 'waiting' AND d.due_at <= $3 AND (d.leased_until IS NULL OR d.leased_until < $3) {busy}
        AND NOT EXISTS (
            SELECT 1 FROM webhook_deliveries e
             WHERE e.merchant_id = d.merchant_id AND e.imp_uid = d.imp_uid AND e.sequence < d.sequence
               AND e.state = 'waiting' AND e.url = d.url)
      ORDER BY d.due_at LIMIT $4 {skip_locked})
UPDATE webhook_deliveries SET lease_id = $1, leased_until = $2
 WHERE (merchant_id, id) IN (SELECT merchant_id, id FROM bounded)
RETURNING CAST({item} AS INTEGER) AS item, *
"""
WITH_DUE = """
SELECT CAST($2 AS INTEGER) AS item, merchant_id FROM webhook_deliveries
 WHERE state = 'waiting' AND due_at <= $1 AND (leased_until IS NULL OR leased_until < $1)
 GROUP BY merchant_id ORDER BY min(due_at)
"""
CLAIM_OF_MERCHANT = """
WITH bounded AS MATERIALIZED (
     SELECT d.id FROM webhook_deliveries d
      WHERE d.merchant_id = $5 AND d.state = 'waiting' AND d.due_at <= $3
        AND (d.leased_until IS NULL OR d.leased_until < $3) {busy}
        AND NOT EXISTS (
            SELECT 1 FROM webhook_deliveries e
             WHERE e.merchant_id = $5 AND e.imp_uid = d.imp_uid AND e.sequence < d.sequence
               AND e.state = 'waiting' AND e.url = d.url)
      ORDER BY d.due_at LIMIT $4 {skip_locked})
UPDATE webhook_deliveries SET lease_id = $1, leased_until = $2
 WHERE merchant_id = $5 AND id IN (SELECT id FROM bounded)
RETURNING CAST({item} AS INTEGER) AS item, *
"""
FINISH = """
UPDATE webhook_deliveries SET state = $4, tries = $5, due_at = $6, lease_id = NULL, leased_until = NULL
 WHERE merchant_id = $1 AND id = $2 AND lease_id = $3 AND state = 'waiting'
RETURNING CAST($7 AS INTEGER) AS item
"""
# So that what cannot be sent yet is not looked at every second.
LATER_ONES_WAIT = """
UPDATE webhook_deliveries SET due_at = $5
 WHERE merchant_id = $1 AND imp_uid = $2 AND sequence > $3 AND state = 'waiting' AND url = $4 AND tries = 0
"""
RESEND = """
UPDATE webhook_deliveries
   SET by_hand = (by_hand OR state <> 'waiting'), state = 'waiting', due_at = $3, resend_url = $4, receiver = $5
 WHERE merchant_id = $1 AND id = $2 AND lease_id IS NULL
RETURNING CAST($6 AS INTEGER) AS item
"""


@unit(ClaimDeliveries)
def claim(writes: Sequence[ClaimDeliveries]) -> Generator[Rows | Run, Any, Sequence[Sequence[Delivery]]]:
    """Take due webhooks whose last taker, if any, has let its lease run out."""
    results = []
    for w in writes:
        pairs = range(len(w.busy))
        busy = " ".join(f"AND NOT (d.merchant_id = ${5 + 2 * n} AND d.receiver = ${6 + 2 * n})" for n in pairs)
        sql = CLAIM.replace("{busy}", busy).replace("{item}", f"${5 + 2 * len(w.busy)}")
        values = [value for pair in w.busy for value in pair]
        rows = yield Rows(sql, [(w.lease_id, w.leased_until, w.now, w.count_max, *values)])
        results.append([delivery_of(row) for row in rows[0]])
    return results


@unit_when_distributed(ClaimDeliveries)
def claim_by_merchant(writes: Sequence[ClaimDeliveries]) -> Generator[Rows | Run, Any, Sequence[Sequence[Delivery]]]:
    """Do the same, of each merchant in turn: what locks may name one only. All have the same share."""
    results = []
    for w in writes:
        [found] = yield Rows(WITH_DUE, [(w.now,)])
        claimed: list[Delivery] = []
        for n, row in enumerate(found):
            merchant_id = row["merchant_id"]
            receivers = [receiver for merchant, receiver in w.busy if merchant == merchant_id]
            busy = " ".join(f"AND d.receiver <> ${6 + number}" for number in range(len(receivers)))
            sql = CLAIM_OF_MERCHANT.replace("{busy}", busy).replace("{item}", f"${6 + len(receivers)}")
            # What one does not need goes to those after it.
            share = -(-(w.count_max - len(claimed)) // (len(found) - n))
            [rows] = yield Rows(sql, [(w.lease_id, w.leased_until, w.now, share, merchant_id, *receivers)])
            claimed += map(delivery_of, rows)
            if len(claimed) >= w.count_max:
                break
        results.append(claimed)
    return results


@unit(FinishDelivery)
def finish(writes: Sequence[FinishDelivery]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Keep each try, unless the lease has passed to somebody else."""
    done = yield Rows(
        FINISH,
        [
            (w.delivery.merchant_id, w.delivery.id, w.lease_id, _state(w), w.made.number, w.next_at or w.now)
            for w in writes
        ],
    )
    kept = [w for w, rows in zip(writes, done, strict=True) if rows]
    if kept:
        yield Run(INSERT_TRY, [try_values(w.delivery, w.made) for w in kept])
        yield Run(
            LATER_ONES_WAIT,
            [
                (w.delivery.merchant_id, w.delivery.imp_uid, w.delivery.sequence, w.delivery.url, w.next_at or w.now)
                for w in kept
            ],
        )
    return [bool(rows) for rows in done]


def _state(write: FinishDelivery) -> DeliveryState:
    if write.next_at is not None:
        return DeliveryState.WAITING
    return DeliveryState.DELIVERED if write.made.delivered else DeliveryState.FAILED


@unit(ResendMany)
def resend_many(writes: Sequence[ResendMany]) -> Generator[Rows | Run, Any, Sequence[int | None]]:
    """Make the webhooks of each wish due now, unless the wish came before."""
    kept = yield Rows(KEEP_AUDIT_ENTRY, [audit_entry_values(w.audit_entry) for w in writes])
    results: list[int | None] = []
    for write, rows in zip(writes, kept, strict=True):
        if not rows:
            results.append(None)
            continue
        changed = [replace(d, resend_url=url) for d, url in zip(write.deliveries, write.urls, strict=True)]
        done = []
        if changed:
            done = yield Rows(RESEND, [(d.merchant_id, d.id, write.now, d.resend_url, d.receiver) for d in changed])
        results.append(sum(bool(rows) for rows in done))
    return results
