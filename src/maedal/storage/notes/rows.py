"""Notes and tags as rows."""

from __future__ import annotations

from maedal.payments.notes import Note, NoteSubject, Tag
from maedal.storage.engine.reading import moment_not_null
from maedal.storage.engine.steps import Row


def note_of(row: Row) -> Note:
    return Note(
        row["merchant_id"],
        row["id"],
        NoteSubject(row["kind"]),
        row["subject"],
        row["author"],
        row["text"],
        moment_not_null(row["written_at"]),
    )


def tag_of(row: Row) -> Tag:
    return Tag(
        row["merchant_id"],
        NoteSubject(row["kind"]),
        row["subject"],
        row["tag"],
        row["author"],
        moment_not_null(row["tagged_at"]),
    )
