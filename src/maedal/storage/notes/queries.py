"""Notes and tags in SQL: each read bounded, and a range of an index."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from maedal.payments.notes import Note, NoteSubject, Remarks, Tag
from maedal.storage.engine.reading import ROWS_MAX, SqlReads, moment_not_null
from maedal.storage.notes.reads import TAGGED_MAX, Tagged
from maedal.storage.notes.rows import note_of, tag_of

# From one word to the next, so that a tag on thousands is one step.
IN_USE = """
WITH RECURSIVE bounded (tag) AS (
  SELECT min(tag) FROM tags WHERE merchant_id = $1 AND kind = $2
  UNION ALL
  SELECT (SELECT min(t.tag) FROM tags t WHERE t.merchant_id = $1 AND t.kind = $2 AND t.tag > bounded.tag)
    FROM bounded WHERE bounded.tag IS NOT NULL)
SELECT tag FROM bounded WHERE tag IS NOT NULL LIMIT $3
"""


class SqlNoteReads(SqlReads):
    """The `NoteReads` (see reads.py) of a store in SQL."""

    async def of(self, merchant_id: str, kind: NoteSubject, subjects: Sequence[str]) -> dict[str, Remarks]:
        assert len(subjects) <= ROWS_MAX, "a bounded number of subjects"
        if not subjects:
            return {}
        marks = ", ".join(f"${n}" for n in range(3, 3 + len(subjects)))
        where = f"merchant_id = $1 AND kind = $2 AND subject IN ({marks})"
        notes: dict[str, list[Note]] = {subject: [] for subject in subjects}
        tags: dict[str, list[Tag]] = {subject: [] for subject in subjects}
        sql = f"SELECT * FROM notes WHERE {where} ORDER BY written_at DESC, id DESC"
        for row in await self._engine.fetch(sql, merchant_id, kind, *subjects):
            notes[row["subject"]].append(note_of(row))
        for row in await self._engine.fetch(
            f"SELECT * FROM tags WHERE {where} ORDER BY tag", merchant_id, kind, *subjects
        ):
            tags[row["subject"]].append(tag_of(row))
        return {subject: Remarks(notes[subject], tags[subject]) for subject in subjects}

    async def tags(self, merchant_id: str, kind: NoteSubject, count_max: int) -> Sequence[str]:
        return [row["tag"] for row in await self._engine.fetch(IN_USE, merchant_id, kind, count_max)]

    async def tagged(
        self, merchant_id: str, kind: NoteSubject, tag: str, limit: int, after: tuple[datetime, str] | None = None
    ) -> Sequence[Tagged]:
        assert limit <= TAGGED_MAX, "a bounded number of rows"
        place = "" if after is None else " AND (tagged_at, subject) < ($4, $5)"
        rows = await self._engine.fetch(
            f"SELECT subject, tagged_at FROM tags WHERE merchant_id = $1 AND kind = $2 AND tag = $3{place}"
            f" ORDER BY tagged_at DESC, subject DESC LIMIT {limit}",
            merchant_id,
            kind,
            tag,
            *(after or ()),
        )
        return [Tagged(row["subject"], moment_not_null(row["tagged_at"])) for row in rows]
