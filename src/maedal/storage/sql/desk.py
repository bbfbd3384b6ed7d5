"""What people see and do who look after what the gateway could not settle by itself."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

from maedal.storage.desk import COUNT_MAX, KeepAct, KeepLook, ResendMany
from maedal.storage.sql.acts import COLUMNS, act_values
from maedal.storage.sql.steps import Rows, Run, unit
from maedal.storage.sql.webhooks import RESEND

UNKNOWN = """
SELECT * FROM attempts
 WHERE merchant_id = $1 AND outcome = 'unknown' AND verb IN ('approve', 'charge', 'cancel')
 ORDER BY begun_at LIMIT $2
"""
WITHOUT_TID = """
SELECT * FROM payments WHERE merchant_id = $1 AND status = 'paid' AND pg_tid IS NULL ORDER BY paid_at LIMIT $2
"""
# Each is counted in an index of open items alone, up to a bound.
COUNTS = f"""
SELECT
 (SELECT count(*) FROM (SELECT 1 FROM attempts WHERE merchant_id = $1 AND outcome = 'unknown'
   AND verb IN ('approve', 'charge', 'cancel') LIMIT {COUNT_MAX + 1}) bounded) AS unknown,
 (SELECT count(*) FROM (SELECT 1 FROM payments WHERE merchant_id = $1 AND status = 'paid' AND pg_tid IS NULL
   LIMIT {COUNT_MAX + 1}) bounded) AS without_tid,
 (SELECT count(*) FROM (SELECT 1 FROM findings WHERE merchant_id = $1 AND closed_at IS NULL
   LIMIT {COUNT_MAX + 1}) bounded) AS findings,
 (SELECT count(*) FROM (SELECT 1 FROM key_endings WHERE merchant_id = $1 AND ended_at IS NULL
   LIMIT {COUNT_MAX + 1}) bounded) AS key_endings,
 (SELECT count(*) FROM (SELECT 1 FROM webhook_deliveries WHERE merchant_id = $1 AND state = 'failed'
   AND created_at >= $2 LIMIT {COUNT_MAX + 1}) bounded) AS webhooks
"""
KEEP_LOOK = """
UPDATE attempts
   SET looks = looks + 1, looked_at = $3, look_saw = $4,
       look_approved_at = coalesce($5, look_approved_at)
 WHERE merchant_id = $1 AND id = $2 AND outcome = 'unknown'
"""
KEEP_ACT = (
    f"INSERT INTO audit_log ({', '.join(COLUMNS)}) VALUES ({', '.join(f'${n + 1}' for n in range(len(COLUMNS)))})"
    f" ON CONFLICT DO NOTHING RETURNING CAST(${len(COLUMNS) + 1} AS INTEGER) AS item"
)


@unit(KeepLook)
def keep_looks(writes: Sequence[KeepLook]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep what each look saw."""
    yield Run(KEEP_LOOK, [(w.attempt.merchant_id, w.attempt.id, w.at, w.saw, w.approved_at) for w in writes])
    return [None] * len(writes)


@unit(KeepAct)
def keep_acts_once(writes: Sequence[KeepAct]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Keep each act that is not kept already."""
    kept = yield Rows(KEEP_ACT, [act_values(w.act) for w in writes])
    return [bool(rows) for rows in kept]


@unit(ResendMany)
def resend_many(writes: Sequence[ResendMany]) -> Generator[Rows | Run, Any, Sequence[int | None]]:
    """Make the webhooks of each wish due now, unless the wish came before."""
    kept = yield Rows(KEEP_ACT, [act_values(w.act) for w in writes])
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
