"""Times in which a PG is closed: announced by a person, or told by the PG itself."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.maintenance.pause import Pause
from maedal.storage.audit.rows import INSERT_OPERATOR_ENTRY, operator_entry_values
from maedal.storage.engine.steps import Rows, Run, unit
from maedal.storage.maintenance.rows import INSERT_PAUSE, PAUSE_COLUMNS, pause_of, pause_values
from maedal.storage.maintenance.writes import AddPause, EndPause, NotePause

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


@unit(AddPause)
def add_pauses(writes: Sequence[AddPause]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep windows, with who entered them."""
    yield Run(INSERT_PAUSE, [pause_values(w.pause) for w in writes])
    yield Run(INSERT_OPERATOR_ENTRY, [operator_entry_values(w.operator_entry) for w in writes])
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
            yield Run(INSERT_OPERATOR_ENTRY, [operator_entry_values(w.operator_entry)])
        results.append(pause_of(found[0]) if found else None)
    return results


@unit(NotePause)
def note_pauses(writes: Sequence[NotePause]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Keep what a PG said, once; one after the other, for the first makes the rest needless."""
    results = []
    for w in writes:
        [rows] = yield Rows(NOTE_PAUSE, [pause_values(w.pause)])
        results.append(bool(rows))
    return results
