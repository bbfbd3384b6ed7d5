"""Times in which a PG is closed, and planned charges that wait for their end."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.maintenance.pause import Pause, Source
from maedal.schedules.schedule import ScheduleStatus
from maedal.storage.maintenance import AddPause, EndPause, NotePause, PostponeSchedule
from maedal.storage.sql.rows import moment
from maedal.storage.sql.steps import Row, Rows, Run, insert, unit
from maedal.storage.sql.users import INSERT_DEED, deed_values

PAUSE_COLUMNS = ("id", "pg_provider", "source", "begins_at", "ends_at", "note", "who")
INSERT_PAUSE = insert("pg_pauses", PAUSE_COLUMNS)
PAUSES = "SELECT * FROM pg_pauses WHERE ends_at > $1 ORDER BY ends_at LIMIT $2"
# What has begun ends; what has not is as if it had never been entered, and the log keeps that it was.
PAUSE = "SELECT CAST($3 AS INTEGER) AS item, p.* FROM pg_pauses p WHERE id = $1 AND ends_at > $2"
SHORTEN = "UPDATE pg_pauses SET ends_at = $2 WHERE id = $1 AND begins_at < $2"
TAKE_BACK = "DELETE FROM pg_pauses WHERE id = $1 AND begins_at >= $2"
# Several calls hear it in one moment; one window says it.
NOTE_PAUSE = f"""
INSERT INTO pg_pauses ({", ".join(PAUSE_COLUMNS)})
SELECT $1, $2, $3, $4, $5, $6, $7
 WHERE NOT EXISTS (SELECT 1 FROM pg_pauses WHERE pg_provider = $2 AND source = $3 AND ends_at > $4 AND begins_at <= $4)
RETURNING CAST($8 AS INTEGER) AS item
"""
PACE_USED = "SELECT free_at FROM schedule_pace WHERE name = $1"
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


def pause_of(row: Row) -> Pause:
    begins_at, ends_at = moment(row["begins_at"]), moment(row["ends_at"])
    assert begins_at is not None, "the columns are never null"
    assert ends_at is not None, "the columns are never null"
    return Pause(
        id=row["id"],
        pg_provider=row["pg_provider"],
        source=Source(row["source"]),
        begins_at=begins_at,
        ends_at=ends_at,
        note=row["note"],
        who=row["who"],
    )


def _values(p: Pause) -> tuple[Any, ...]:
    return (p.id, p.pg_provider, p.source, p.begins_at, p.ends_at, p.note, p.who)


@unit(AddPause)
def add_pauses(writes: Sequence[AddPause]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep windows, with who entered them."""
    yield Run(INSERT_PAUSE, [_values(w.pause) for w in writes])
    yield Run(INSERT_DEED, [deed_values(w.deed) for w in writes])
    return [None] * len(writes)


@unit(EndPause)
def end_pauses(writes: Sequence[EndPause]) -> Generator[Rows | Run, Any, Sequence[Pause | None]]:
    """End each window that is not over, with who did."""
    results: list[Pause | None] = []
    for w in writes:
        [found] = yield Rows(PAUSE, [(w.pause_id, w.now)])
        if found:
            yield Run(SHORTEN, [(w.pause_id, w.now)])
            yield Run(TAKE_BACK, [(w.pause_id, w.now)])
            yield Run(INSERT_DEED, [deed_values(w.deed)])
        results.append(pause_of(found[0]) if found else None)
    return results


@unit(NotePause)
def note_pauses(writes: Sequence[NotePause]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Keep what a PG said, once; one after the other, for the first makes the rest needless."""
    results = []
    for w in writes:
        [rows] = yield Rows(NOTE_PAUSE, [_values(w.pause)])
        results.append(bool(rows))
    return results


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
