"""Times in which a PG is closed as rows."""

from __future__ import annotations

from typing import Any

from maedal.maintenance.pause import Pause, Source
from maedal.storage.engine.reading import moment
from maedal.storage.engine.steps import Row, insert

PAUSE_COLUMNS = ("id", "pg_provider", "source", "begins_at", "ends_at", "note", "who")
INSERT_PAUSE = insert("pg_pauses", PAUSE_COLUMNS)


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


def pause_values(p: Pause) -> tuple[Any, ...]:
    return (p.id, p.pg_provider, p.source, p.begins_at, p.ends_at, p.note, p.who)
