"""Scheduled charges: added, revoked, claimed under leases, put off, executed by a payment that was made already."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.schedules.schedule import Schedule, ScheduleStatus
from maedal.storage.engine.distributed import INSTEAD
from maedal.storage.engine.reading import moment
from maedal.storage.engine.steps import Row, Rows, Run, unit
from maedal.storage.errors import Conflict
from maedal.storage.schedules.execution import EXECUTE, NO_HOLD, NO_TRY
from maedal.storage.schedules.rows import PACE, SCHEDULE_COLUMNS, new_schedule_values, schedule_of
from maedal.storage.schedules.writes import (
    AddSchedules,
    ClaimSchedules,
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
_DUE = """s.status = 'scheduled' AND s.held_at IS NULL AND s.schedule_at <= {now}
               AND (s.leased_until IS NULL OR s.leased_until < {now})"""
_DUE_TRY = """s.next_try_at IS NOT NULL AND s.held_at IS NULL AND s.next_try_at <= {now}
               AND (s.try_leased_until IS NULL OR s.try_leased_until < {now})"""


def _merchants_with(due: str, at: str) -> str:
    """Return the question which merchants have something to claim, the longest due first."""
    return f"""
SELECT CAST($2 AS INTEGER) AS item, m.merchant_id FROM (
    SELECT code AS merchant_id,
           (SELECT s.{at} FROM schedules s WHERE s.merchant_id = merchants.code AND {due.format(now="$1")}
             ORDER BY s.{at} LIMIT 1) AS due_at
      FROM merchants) AS m
 WHERE m.due_at IS NOT NULL ORDER BY m.due_at
"""


def _claim_of_merchant(leases: str, due: str, at: str) -> str:
    """Return the claim of up to so many of one merchant, the longest due first; no row of another is looked at."""
    # Materialized: PostgreSQL may run a subquery again for each row that it compares, and what it skips as locked by
    # ourselves makes place for more than the limit.
    return f"""
WITH bounded AS MATERIALIZED (
     SELECT s.merchant_uid FROM schedules s
      WHERE s.merchant_id = $5 AND {due.format(now="$3")}
      ORDER BY s.{at} LIMIT $4 {{skip_locked}})
UPDATE schedules SET {leases}
 WHERE merchant_id = $5 AND merchant_uid IN (SELECT merchant_uid FROM bounded)
RETURNING CAST($6 AS INTEGER) AS item, *
"""


WITH_DUE = _merchants_with(_DUE, "schedule_at")
CLAIM = _claim_of_merchant("lease_id = $1, leased_until = $2", _DUE, "schedule_at")
WITH_DUE_TRIES = _merchants_with(_DUE_TRY, "next_try_at")
# Where the tables are spread over several servers, no question goes from each merchant to a table that is spread.
for _question, _due, _at in ((WITH_DUE, _DUE, "schedule_at"), (WITH_DUE_TRIES, _DUE_TRY, "next_try_at")):
    INSTEAD[_question] = f"""
SELECT CAST($2 AS INTEGER) AS item, s.merchant_id FROM schedules s WHERE {_due.format(now="$1")}
 GROUP BY s.merchant_id ORDER BY min(s.{_at})
"""
CLAIM_TRIES = _claim_of_merchant("try_lease_id = $1, try_leased_until = $2", _DUE_TRY, "next_try_at")
# Whether charges that waited for a PG's opening have not been claimed since; as long as there are any, all workers
# share a pace. One that was claimed and waits for something else is none of them.
CATCHING_UP = """
SELECT CAST($3 AS INTEGER) AS item FROM (SELECT 1 AS one) AS here
 WHERE EXISTS (SELECT 1 FROM schedules
                WHERE status = 'scheduled' AND held_at IS NULL AND schedule_at < $1
                  AND (lease_id IS NULL OR (leased_until = waits_until AND leased_until < $2)))
    OR EXISTS (SELECT 1 FROM schedules
                WHERE next_try_at IS NOT NULL AND held_at IS NULL AND next_try_at < $1
                  AND (try_lease_id IS NULL OR (try_leased_until = waits_until AND try_leased_until < $2)))
"""
# Takes the row's lock, whether it is new or not, and changes nothing yet.
READ_PACE = """
INSERT INTO schedule_pace (name, free_at) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET free_at = schedule_pace.free_at
RETURNING CAST($3 AS INTEGER) AS item, free_at
"""
KEEP_PACE = "UPDATE schedule_pace SET free_at = $2 WHERE name = $1"
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


@unit(ClaimSchedules)
def claim(writes: Sequence[ClaimSchedules]) -> Generator[Rows | Run, Any, Sequence[Sequence[Schedule]]]:
    """Take due charges whose last taker, if any, has let its lease run out, of each merchant alike; then tries.

    Of each merchant the longest due come first. One with very many leaves the others their share of every claim.
    """
    results = []
    for w in writes:
        count_max, free_at = w.count_max, None
        if w.pace is not None:
            [waiting] = yield Rows(CATCHING_UP, [(w.pace.due_before, w.now)])
            if waiting:
                [[row]] = yield Rows(READ_PACE, [(PACE, w.pace.free_at(None, w.now))])
                free_at = w.pace.free_at(moment(row["free_at"]), w.now)
                count_max = min(count_max, w.pace.count(free_at, w.now))
        claimed: list[Schedule] = []
        if count_max:
            rows = yield from _claim_fairly(WITH_DUE, CLAIM, w, count_max)
            claimed = sorted(map(schedule_of, rows), key=lambda s: s.schedule_at)
        if len(claimed) < count_max:
            rows = yield from _claim_fairly(WITH_DUE_TRIES, CLAIM_TRIES, w, count_max - len(claimed))
            claimed += map(schedule_of, rows)
        if claimed and w.pace is not None and free_at is not None:
            yield Run(KEEP_PACE, [(PACE, w.pace.after(free_at, len(claimed)))])
        results.append(claimed)
    return results


def _claim_fairly(
    with_due: str, claim_of_merchant: str, w: ClaimSchedules, count_max: int
) -> Generator[Rows | Run, Any, list[Row]]:
    """Claim up to `count_max`: the same number of each merchant, and what some do not need from those with more."""
    [found] = yield Rows(with_due, [(w.now,)])
    merchants = [row["merchant_id"] for row in found]
    if len(merchants) > count_max:
        # Not each has a place in this claim; the next one begins where this one ends.
        first = w.turn * count_max % len(merchants)
        merchants = (merchants[first:] + merchants[:first])[:count_max]
    claimed: list[Row] = []
    while merchants and len(claimed) < count_max:
        share, over = divmod(count_max - len(claimed), len(merchants))
        # The longest due first, also for what cannot be shared.
        shares = [share + (n < over) for n in range(len(merchants))]
        wanted = [(merchant, count) for merchant, count in zip(merchants, shares, strict=True) if count]
        groups = yield Rows(
            claim_of_merchant, [(w.lease_id, w.leased_until, w.now, count, merchant) for merchant, count in wanted]
        )
        claimed += [row for rows in groups for row in rows]
        # Whoever filled its share may have more. Each turn takes places, or leaves nobody who might.
        merchants = [merchant for (merchant, count), rows in zip(wanted, groups, strict=True) if len(rows) == count]
    return claimed


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
