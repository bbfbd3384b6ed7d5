"""Claims of due charges: of each merchant alike, the longest due first, no quicker than their pace if they have one."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maedal.schedules.schedule import Schedule
from maedal.storage.engine.distributed import INSTEAD
from maedal.storage.engine.reading import moment
from maedal.storage.engine.steps import Row, Rows, Run, unit
from maedal.storage.schedules.rows import PACE, schedule_of
from maedal.storage.schedules.writes import ClaimSchedules

_DUE = """s.status = 'scheduled' AND s.held_at IS NULL AND s.schedule_at <= {now}
               AND (s.leased_until IS NULL OR s.leased_until < {now})"""
_DUE_TRY = """s.next_try_at IS NOT NULL AND s.held_at IS NULL AND s.next_try_at <= {now}
               AND (s.try_leased_until IS NULL OR s.try_leased_until < {now})"""
# What was put off until then has a lease that nobody works on.
_PUT_OFF = "AND s.waits_until <= {night} AND s.leased_until = s.waits_until"
_NOT_PUT_OFF = (
    "AND (s.waits_until IS NULL OR s.waits_until > {night} OR coalesce(s.leased_until <> s.waits_until, TRUE))"
)


def _merchants_with(due: str, at: str) -> str:
    """Return the question which merchants have something to claim, the longest due first."""
    due, item = due.format(now="$1", night="$2"), 3 if "{night}" in due else 2
    question = f"""
SELECT CAST(${item} AS INTEGER) AS item, m.merchant_id FROM (
    SELECT code AS merchant_id,
           (SELECT s.{at} FROM schedules s WHERE s.merchant_id = merchants.code AND {due}
             ORDER BY s.{at} LIMIT 1) AS due_at
      FROM merchants) AS m
 WHERE m.due_at IS NOT NULL ORDER BY m.due_at
"""
    # Where the tables are spread over several servers, no question goes from each merchant to a table that is spread.
    INSTEAD[question] = f"""
SELECT CAST(${item} AS INTEGER) AS item, s.merchant_id FROM schedules s WHERE {due}
 GROUP BY s.merchant_id ORDER BY min(s.{at})
"""
    return question


def _claim_of_merchant(leases: str, due: str, at: str) -> str:
    """Return the claim of up to so many of one merchant, the longest due first; no row of another is looked at."""
    # Materialized: PostgreSQL may run a subquery again for each row that it compares, and what it skips as locked by
    # ourselves makes place for more than the limit.
    due, item = due.format(now="$3", night="$6"), 7 if "{night}" in due else 6
    return f"""
WITH bounded AS MATERIALIZED (
     SELECT s.merchant_uid FROM schedules s
      WHERE s.merchant_id = $5 AND {due}
      ORDER BY s.{at} LIMIT $4 {{skip_locked}})
UPDATE schedules SET {leases}
 WHERE merchant_id = $5 AND merchant_uid IN (SELECT merchant_uid FROM bounded)
RETURNING CAST(${item} AS INTEGER) AS item, *
"""


@dataclass(frozen=True, slots=True)
class Claimable:
    """What one part of a claim takes: which merchants have some, and some of one merchant; charges, and then tries."""

    with_due: str
    claim: str
    with_due_tries: str
    claim_tries: str


def _claimable(which: str = "") -> Claimable:
    due, due_try = f"{_DUE} {which}", f"{_DUE_TRY} {which.replace('s.leased_until', 's.try_leased_until')}"
    return Claimable(
        _merchants_with(due, "schedule_at"),
        _claim_of_merchant("lease_id = $1, leased_until = $2", due, "schedule_at"),
        _merchants_with(due_try, "next_try_at"),
        _claim_of_merchant("try_lease_id = $1, try_leased_until = $2", due_try, "next_try_at"),
    )


EVERYTHING = _claimable()
PUT_OFF = _claimable(_PUT_OFF)
NOT_PUT_OFF = _claimable(_NOT_PUT_OFF)
# Whether charges that waited for an opening have not been claimed since; as long as there are any, all workers share a
# pace. One that was claimed and waits for something else is none of them. While a PG was closed for everything nothing
# was claimed, so all that was due has waited for it; a night was found out by each charge, which was put off.
CATCHING_UP = """
SELECT CAST($4 AS INTEGER) AS item,
       EXISTS (SELECT 1 FROM schedules
                WHERE status = 'scheduled' AND held_at IS NULL AND schedule_at < $1
                  AND (lease_id IS NULL OR (leased_until = waits_until AND leased_until < $2)))
       OR EXISTS (SELECT 1 FROM schedules
                   WHERE next_try_at IS NOT NULL AND held_at IS NULL AND next_try_at < $1
                     AND (try_lease_id IS NULL OR (try_leased_until = waits_until AND try_leased_until < $2)))
       AS since_opening,
       EXISTS (SELECT 1 FROM schedules
                WHERE waits_until <= $3 AND held_at IS NULL
                  AND ((status = 'scheduled' AND leased_until = waits_until AND leased_until < $2)
                       OR (next_try_at IS NOT NULL AND try_leased_until = waits_until AND try_leased_until < $2)))
       AS since_night
"""
# Takes the row's lock, whether it is new or not, and changes nothing yet.
READ_PACE = """
INSERT INTO schedule_pace (name, free_at) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET free_at = schedule_pace.free_at
RETURNING CAST($3 AS INTEGER) AS item, free_at
"""
KEEP_PACE = "UPDATE schedule_pace SET free_at = $2 WHERE name = $1"


@unit(ClaimSchedules)
def claim(writes: Sequence[ClaimSchedules]) -> Generator[Rows | Run, Any, Sequence[Sequence[Schedule]]]:
    """Take due charges whose last taker, if any, has let its lease run out, of each merchant alike; then tries.

    Of each merchant the longest due come first. One with very many leaves the others their share of every claim.
    """
    results = []
    for w in writes:
        if w.pace is not None:
            pace = w.pace
            [[waiting]] = yield Rows(CATCHING_UP, [(pace.opened_at, w.now, pace.night_ended_at)])
            if waiting["since_opening"] or waiting["since_night"]:
                [[row]] = yield Rows(READ_PACE, [(PACE, pace.free_at(None, w.now))])
                free_at = pace.free_at(moment(row["free_at"]), w.now)
                count_max = min(w.count_max, pace.count(free_at, w.now))
                # After a night those that did not wait for its end go on as if there had been none.
                night = None if waiting["since_opening"] else pace.night_ended_at
                claimed = yield from _claim(EVERYTHING if night is None else PUT_OFF, w, count_max, night)
                if claimed:
                    yield Run(KEEP_PACE, [(PACE, pace.after(free_at, len(claimed)))])
                if night is not None:
                    claimed += yield from _claim(NOT_PUT_OFF, w, w.count_max - len(claimed), night)
                results.append(claimed)
                continue
        results.append((yield from _claim(EVERYTHING, w, w.count_max, None)))
    return results


def _claim(
    claimable: Claimable, w: ClaimSchedules, count_max: int, night: datetime | None
) -> Generator[Rows | Run, Any, list[Schedule]]:
    """Claim up to `count_max` due charges, and tries if there are fewer."""
    if not count_max:
        return []
    rows = yield from _claim_fairly(claimable.with_due, claimable.claim, w, count_max, night)
    claimed = sorted(map(schedule_of, rows), key=lambda s: s.schedule_at)
    if len(claimed) < count_max:
        left = count_max - len(claimed)
        rows = yield from _claim_fairly(claimable.with_due_tries, claimable.claim_tries, w, left, night)
        claimed += map(schedule_of, rows)
    return claimed


def _claim_fairly(
    with_due: str, claim_of_merchant: str, w: ClaimSchedules, count_max: int, night: datetime | None
) -> Generator[Rows | Run, Any, list[Row]]:
    """Claim up to `count_max`: the same number of each merchant, and what some do not need from those with more."""
    of_night = () if night is None else (night,)
    [found] = yield Rows(with_due, [(w.now, *of_night)])
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
            claim_of_merchant,
            [(w.lease_id, w.leased_until, w.now, count, merchant, *of_night) for merchant, count in wanted],
        )
        claimed += [row for rows in groups for row in rows]
        # Whoever filled its share may have more. Each turn takes places, or leaves nobody who might.
        merchants = [merchant for (merchant, count), rows in zip(wanted, groups, strict=True) if len(rows) == count]
    return claimed
