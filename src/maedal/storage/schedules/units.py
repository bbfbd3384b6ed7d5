"""Scheduled charges: added, revoked, put off, executed by a payment that was made already."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.schedules.schedule import Schedule, ScheduleStatus
from maedal.storage.audit.rows import keep_audit_entries
from maedal.storage.engine.steps import Rows, Run, unit
from maedal.storage.errors import Conflict
from maedal.storage.schedules.execution import EXECUTE, NO_HOLD, NO_TRY
from maedal.storage.schedules.rows import SCHEDULE_COLUMNS, new_schedule_values, schedule_of
from maedal.storage.schedules.writes import (
    AddSchedules,
    EndTries,
    LinkSchedule,
    PostponeSchedule,
    RevokeSchedules,
    SetScheduleTime,
)

TAKEN = """
SELECT CAST($3 AS INTEGER) AS item FROM (SELECT 1 AS one) AS here
 WHERE EXISTS (SELECT 1 FROM schedules s
                WHERE s.merchant_id = $1 AND s.merchant_uid = $2 AND s.status = 'scheduled')
    OR EXISTS (SELECT 1 FROM payments p
                WHERE p.merchant_id = $1 AND p.merchant_uid = $2
                  AND p.status IN ('calling', 'unknown', 'paid', 'cancelled'))
"""
# A revoked or failed plan makes place for a new one; one that waits does not, and then no row comes back.
ADD = f"""
INSERT INTO schedules ({", ".join(SCHEDULE_COLUMNS)})
VALUES ({", ".join(f"${n}" for n in range(1, len(SCHEDULE_COLUMNS) + 1))})
ON CONFLICT (merchant_id, merchant_uid)
DO UPDATE SET {", ".join(f"{c} = excluded.{c}" for c in SCHEDULE_COLUMNS[2:])}
        WHERE schedules.status <> 'scheduled'
RETURNING CAST(${len(SCHEDULE_COLUMNS) + 1} AS INTEGER) AS item
"""
_REVOKED = f"status = 'revoked', revoked_at = $3, lease_id = NULL, leased_until = NULL, {NO_HOLD}"
REVOKE = f"""
UPDATE schedules SET {_REVOKED} WHERE merchant_id = $1 AND merchant_uid = $2 AND status = 'scheduled'
   AND (CAST($4 AS TEXT) IS NULL OR customer_uid = $4)
RETURNING CAST($5 AS INTEGER) AS item, *
"""
END_TRIES = f"""
UPDATE schedules SET {NO_TRY}, {NO_HOLD}
 WHERE merchant_id = $1 AND merchant_uid = $2 AND next_try_at IS NOT NULL
   AND (CAST($3 AS TEXT) IS NULL OR customer_uid = $3)
RETURNING CAST($4 AS INTEGER) AS item, *
"""
END_ALL_TRIES = f"""
UPDATE schedules SET {NO_TRY}, {NO_HOLD}
 WHERE merchant_id = $1 AND customer_uid = $2 AND next_try_at IS NOT NULL
RETURNING CAST($3 AS INTEGER) AS item, *
"""
END_TRIES_AS_READ = f"""
UPDATE schedules SET {NO_TRY}, {NO_HOLD}
 WHERE merchant_id = $1 AND merchant_uid = $2 AND imp_uid = $3 AND next_try_at IS NOT NULL
RETURNING CAST($4 AS INTEGER) AS item
"""
REVOKE_ALL = f"""
UPDATE schedules SET {_REVOKED} WHERE merchant_id = $1 AND customer_uid = $2 AND status = 'scheduled'
RETURNING CAST($4 AS INTEGER) AS item, *
"""
SET_TIME = f"""
UPDATE schedules
   SET status = 'scheduled', schedule_at = $5, imp_uid = NULL, executed_at = NULL, revoked_at = NULL, lease_id = NULL,
       leased_until = NULL, waits_until = NULL, waits_channel = NULL, tries = 0, {NO_TRY}
 WHERE merchant_id = $1 AND merchant_uid = $2 AND status = $3 AND coalesce(imp_uid, '') = $4
RETURNING CAST($6 AS INTEGER) AS item
"""


@unit(AddSchedules)
def add(writes: Sequence[AddSchedules]) -> Generator[Rows | Run, Any, Sequence[Sequence[str]]]:
    """Plan each write's charges if all of its merchant_uids are free."""
    results: list[Sequence[str]] = []
    for write in writes:
        ordered = sorted(write.schedules, key=lambda s: (s.merchant_id, s.order.merchant_uid))
        taken = yield Rows(TAKEN, [(s.merchant_id, s.order.merchant_uid) for s in ordered])
        in_the_way = [s.order.merchant_uid for s, rows in zip(ordered, taken, strict=True) if rows]
        if not in_the_way:
            added = yield Rows(ADD, [new_schedule_values(s) for s in ordered])
            if not all(added):
                raise Conflict("one of these was planned by somebody else")
            if write.audit_entry is not None:
                yield keep_audit_entries([write.audit_entry])
        results.append(in_the_way)
    return results


@unit(RevokeSchedules)
def revoke(writes: Sequence[RevokeSchedules]) -> Generator[Rows | Run, Any, Sequence[Sequence[Schedule]]]:
    """Revoke what waits, and end the tries of what failed; in the order asked for, or by time."""
    results = []
    for w in writes:
        if w.merchant_uids is None:
            rows = yield Rows(REVOKE_ALL, [(w.merchant_id, w.customer_uid, w.now)])
            tries = yield Rows(END_ALL_TRIES, [(w.merchant_id, w.customer_uid)])
            taken_back = map(schedule_of, (*rows[0], *tries[0]))
            found = sorted(taken_back, key=lambda s: (s.schedule_at, s.order.merchant_uid))
        else:
            ordered = sorted(set(w.merchant_uids))
            rows = yield Rows(REVOKE, [(w.merchant_id, uid, w.now, w.customer_uid) for uid in ordered])
            tries = yield Rows(END_TRIES, [(w.merchant_id, uid, w.customer_uid) for uid in ordered])
            revoked = {s.order.merchant_uid: s for group in (*rows, *tries) for s in map(schedule_of, group)}
            found = [revoked[uid] for uid in dict.fromkeys(w.merchant_uids) if uid in revoked]
        results.append(found)
    return results


@unit(EndTries)
def end_tries(writes: Sequence[EndTries]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """End the tries of each charge that still stands as it was read."""
    schedules = [w.schedule for w in writes]
    done = yield Rows(END_TRIES_AS_READ, [(s.merchant_id, s.order.merchant_uid, s.imp_uid) for s in schedules])
    return [bool(rows) for rows in done]


@unit(SetScheduleTime)
def set_time(writes: Sequence[SetScheduleTime]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Let each wait for its new time, unless it has moved."""
    done = yield Rows(
        SET_TIME,
        [
            (w.schedule.merchant_id, w.schedule.order.merchant_uid, w.schedule.status, w.schedule.imp_uid or "",
             w.schedule_at)
            for w in writes
        ],
    )  # fmt: skip
    return [bool(rows) for rows in done]


POSTPONE = """
UPDATE schedules SET leased_until = $4, waits_until = $4, waits_channel = $5
 WHERE merchant_id = $1 AND merchant_uid = $2 AND status = 'scheduled' AND lease_id = $3
RETURNING CAST($6 AS INTEGER) AS item
"""
POSTPONE_TRY = """
UPDATE schedules SET try_leased_until = $4, waits_until = $4, waits_channel = $5
 WHERE merchant_id = $1 AND merchant_uid = $2 AND next_try_at IS NOT NULL AND try_lease_id = $3
RETURNING CAST($6 AS INTEGER) AS item
"""


@unit(PostponeSchedule)
def postpone(writes: Sequence[PostponeSchedule]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Let each wait that is still claimed as it was."""
    results = []
    for w in sorted(writes, key=lambda w: (w.schedule.merchant_id, w.schedule.order.merchant_uid)):
        s = w.schedule
        sql = POSTPONE if s.status is ScheduleStatus.SCHEDULED else POSTPONE_TRY
        [rows] = yield Rows(sql, [(s.merchant_id, s.order.merchant_uid, s.lease_id, w.until, w.channel_id)])
        results.append((w, bool(rows)))
    done = {id(w): moved for w, moved in results}
    return [done[id(w)] for w in writes]


@unit(LinkSchedule)
def link(writes: Sequence[LinkSchedule]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Mark each that still stands as it was claimed as executed by the payment that took its money."""
    done = yield Rows(
        EXECUTE,
        [
            (w.schedule.merchant_id, w.schedule.order.merchant_uid, w.schedule.status, w.schedule.imp_uid or "",
             w.schedule.lease_id or "", w.payment.imp_uid, w.now)
            for w in sorted(writes, key=lambda w: (w.schedule.merchant_id, w.schedule.order.merchant_uid))
        ],
    )  # fmt: skip
    ordered = sorted(writes, key=lambda w: (w.schedule.merchant_id, w.schedule.order.merchant_uid))
    kept = {id(w): bool(rows) for w, rows in zip(ordered, done, strict=True)}
    return [kept[id(w)] for w in writes]
