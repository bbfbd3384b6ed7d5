"""What is still open, and what must never be: what the gateway asks itself, each bounded and by index alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from maedal.storage.engine.reading import SqlReads, moment
from maedal.storage.invariants.reads import Invariant, OpenWork, Violation, WaitingWork

COUNT_MAX = 10_000
"""Work that waits is counted up to here; more is told as this many."""

_COUNTED = "SELECT count(*) AS count, min(since) AS oldest FROM ({open} LIMIT $1) t"

# Each is given the bound, and the moment until which something has been open, or due.
OPEN: dict[OpenWork, str] = {
    kind: _COUNTED.format(open=sql)
    for kind, sql in {
        OpenWork.UNKNOWN: """SELECT begun_at AS since FROM attempts
 WHERE outcome = 'unknown' AND verb IN ('approve', 'charge', 'cancel') AND begun_at <= $2 ORDER BY begun_at""",
        OpenWork.UNANSWERED: """SELECT begun_at AS since FROM attempts
 WHERE outcome IS NULL AND begun_at <= $2 ORDER BY begun_at""",
        OpenWork.UNDOING: """SELECT undo_at AS since FROM payments
 WHERE undo_at IS NOT NULL AND undo_at <= $2 ORDER BY undo_at""",
        # What was told to wait is due from then on.
        OpenWork.SCHEDULES: """SELECT CASE WHEN waits_until > schedule_at THEN waits_until ELSE schedule_at END AS since
  FROM schedules
 WHERE status = 'scheduled' AND held_at IS NULL AND schedule_at <= $2 AND (waits_until IS NULL OR waits_until <= $2)
 ORDER BY schedule_at""",
        OpenWork.TRIES: """SELECT CASE WHEN waits_until > next_try_at THEN waits_until ELSE next_try_at END AS since
  FROM schedules
 WHERE next_try_at IS NOT NULL AND held_at IS NULL AND next_try_at <= $2 AND (waits_until IS NULL OR waits_until <= $2)
 ORDER BY next_try_at""",
        OpenWork.PLANS: """SELECT look_at AS since FROM plans
 WHERE look_at IS NOT NULL AND look_at <= $2 ORDER BY look_at""",
        OpenWork.WEBHOOKS: """SELECT due_at AS since FROM webhook_deliveries
 WHERE state = 'waiting' AND due_at <= $2 ORDER BY due_at""",
        OpenWork.FINDINGS: """SELECT found_at AS since FROM findings
 WHERE closed_at IS NULL AND found_at <= $2 ORDER BY found_at""",
        OpenWork.KEY_ENDINGS: """SELECT due_at AS since FROM key_endings
 WHERE ended_at IS NULL AND due_at <= $2 ORDER BY due_at""",
    }.items()
}

# CROSS keeps SQLite from reading all payments before all merchants.
_CHANGED = """
SELECT p.merchant_id, p.imp_uid AS subject FROM merchants m CROSS JOIN payments p
 WHERE p.merchant_id = m.code AND p.status IN ({statuses}) AND p.status_at >= $1 AND {broken} LIMIT $2
"""
_TOOK = """EXISTS (
    SELECT 1 FROM attempts a WHERE a.merchant_id = p.merchant_id AND a.imp_uid = p.imp_uid
       AND a.verb IN ('approve', 'charge') AND {how})"""
_CANCELLED_SUM = """(
    SELECT coalesce(sum(c.amount), 0) FROM cancellations c
     WHERE c.merchant_id = p.merchant_id AND c.imp_uid = p.imp_uid AND c.done_at IS NOT NULL)"""

# Each is given a moment and how many to tell at most, and gives the merchant and the name of what breaks it. The moment
# is that since which changes are looked at, or before which what is open has been open for too long (`OLD`).
BROKEN: dict[Invariant, str] = {
    Invariant.PAID_HAS_PROOF: _CHANGED.format(
        statuses="'paid', 'cancelled'",
        broken="NOT " + _TOOK.format(how="a.outcome = 'approved' AND a.proof <> 'lost'"),
    ),
    Invariant.FAILED_HAS_PROOF: _CHANGED.format(
        statuses="'failed'",
        broken=_TOOK.format(how="(a.outcome IS NULL OR a.outcome IN ('approved', 'unknown'))"),
    ),
    Invariant.STATUS_HAS_EVENT: _CHANGED.format(
        statuses="'paid', 'failed', 'cancelled'",
        broken="""NOT EXISTS (
    SELECT 1 FROM payment_events e WHERE e.merchant_id = p.merchant_id AND e.imp_uid = p.imp_uid
       AND e.version = p.version AND e.status = p.status)""",
    ),
    Invariant.CANCELLED_IS_THE_SUM: _CHANGED.format(
        statuses="'cancelled'", broken=f"p.cancelled_amount <> {_CANCELLED_SUM}"
    ),
    Invariant.UNKNOWN_ENDS: """
SELECT merchant_id, coalesce(imp_uid, id) AS subject FROM attempts
 WHERE outcome = 'unknown' AND verb IN ('approve', 'charge', 'cancel') AND begun_at < $1 ORDER BY begun_at LIMIT $2
""",
    Invariant.ATTEMPT_HAS_OWNER: """
SELECT merchant_id, coalesce(imp_uid, id) AS subject FROM attempts
 WHERE outcome IS NULL AND verb <> 'deactivate' AND begun_at < $1 ORDER BY begun_at LIMIT $2
""",
    Invariant.SCHEDULE_HAS_OWNER: """
SELECT merchant_id, subject FROM (
    SELECT merchant_id, merchant_uid AS subject FROM schedules
     WHERE status = 'scheduled' AND held_at IS NULL AND schedule_at < $1
       AND (leased_until IS NULL OR leased_until < $1)
    UNION ALL
    SELECT merchant_id, merchant_uid AS subject FROM schedules
     WHERE next_try_at IS NOT NULL AND held_at IS NULL AND next_try_at < $1
       AND (try_leased_until IS NULL OR try_leased_until < $1)) t
 LIMIT $2
""",
    Invariant.FILE_AGREES: """
SELECT d.merchant_id, d.channel_id || ' ' || d.day AS subject FROM (
    SELECT DISTINCT merchant_id, channel_id, day FROM findings WHERE closed_at IS NULL AND found_at <= $1) t
  CROSS JOIN settlement_days d
 WHERE d.merchant_id = t.merchant_id AND d.channel_id = t.channel_id AND d.day = t.day
   AND (d.taken_there <> d.taken_here OR d.cancelled_there <> d.cancelled_here)
 LIMIT $2
""",
}


class SqlInvariantReads(SqlReads):
    """The `InvariantReads` (see reads.py) of a store in SQL."""

    async def open_work(self, kind: OpenWork, until: datetime) -> WaitingWork:
        rows = await self._engine.fetch(OPEN[kind], COUNT_MAX, until)
        return WaitingWork(rows[0]["count"], moment(rows[0]["oldest"]))

    async def violations(self, invariant: Invariant, at: datetime, count_max: int) -> Sequence[Violation]:
        if invariant not in BROKEN:
            # No statement tells: only who has the keys can look.
            return []
        rows = await self._engine.fetch(BROKEN[invariant], at, count_max)
        return [Violation(invariant, row["merchant_id"], row["subject"]) for row in rows]
