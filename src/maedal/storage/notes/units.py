"""Notes and tags: a bounded number beside each payment and customer, each change with its entry in the audit log."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.merchants.audit_entry import AuditEntry
from maedal.payments.notes import NOTES_MAX, TAGS_MAX
from maedal.storage.audit.rows import keep_audit_entries
from maedal.storage.engine.steps import Row, Rows, Run, unit
from maedal.storage.notes.writes import AddNote, AddTag, RemoveNote, RemoveTag

# Two who write at the same moment may go over the bound by one: it bounds a page, and no money.
ADD_NOTE = f"""
INSERT INTO notes (merchant_id, id, kind, subject, author, text, written_at)
SELECT $1, $2, $3, $4, $5, $6, $7
 WHERE (SELECT count(*) FROM notes WHERE merchant_id = $1 AND kind = $3 AND subject = $4) < {NOTES_MAX}
ON CONFLICT (merchant_id, id) DO NOTHING
RETURNING CAST($8 AS INTEGER) AS item
"""
HAS_NOTE = "SELECT CAST($3 AS INTEGER) AS item FROM notes WHERE merchant_id = $1 AND id = $2"
REMOVE_NOTE = """
DELETE FROM notes WHERE merchant_id = $1 AND id = $2 RETURNING CAST($3 AS INTEGER) AS item
"""
ADD_TAG = f"""
INSERT INTO tags (merchant_id, kind, subject, tag, author, tagged_at)
SELECT $1, $2, $3, $4, $5, $6
 WHERE (SELECT count(*) FROM tags WHERE merchant_id = $1 AND kind = $2 AND subject = $3) < {TAGS_MAX}
ON CONFLICT (merchant_id, kind, subject, tag) DO NOTHING
RETURNING CAST($7 AS INTEGER) AS item
"""
HAS_TAG = """
SELECT CAST($5 AS INTEGER) AS item FROM tags WHERE merchant_id = $1 AND kind = $2 AND subject = $3 AND tag = $4
"""
REMOVE_TAG = """
DELETE FROM tags WHERE merchant_id = $1 AND kind = $2 AND subject = $3 AND tag = $4
RETURNING CAST($5 AS INTEGER) AS item
"""
Steps = Generator[Rows | Run, Any, Sequence[bool]]


@unit(AddNote)
def add_notes(writes: Sequence[AddNote]) -> Steps:
    """Keep notes where there is room."""
    notes = [w.note for w in writes]
    values = [(n.merchant_id, n.id, n.kind, n.subject, n.author, n.text, n.written_at) for n in notes]
    added = yield Rows(ADD_NOTE, values)
    there = yield Rows(HAS_NOTE, [(n.merchant_id, n.id) for n in notes])
    yield from _keep(writes, added)
    return [bool(rows) for rows in there]


@unit(RemoveNote)
def remove_notes(writes: Sequence[RemoveNote]) -> Steps:
    """Remove notes."""
    gone = yield Rows(REMOVE_NOTE, [(w.note.merchant_id, w.note.id) for w in writes])
    yield from _keep(writes, gone)
    return [bool(rows) for rows in gone]


@unit(AddTag)
def add_tags(writes: Sequence[AddTag]) -> Steps:
    """Put tags where there is room."""
    tags = [w.tag for w in writes]
    added = yield Rows(ADD_TAG, [(t.merchant_id, t.kind, t.subject, t.word, t.author, t.tagged_at) for t in tags])
    there = yield Rows(HAS_TAG, [(t.merchant_id, t.kind, t.subject, t.word) for t in tags])
    yield from _keep(writes, added)
    return [bool(rows) for rows in there]


@unit(RemoveTag)
def remove_tags(writes: Sequence[RemoveTag]) -> Steps:
    """Take tags away."""
    gone = yield Rows(REMOVE_TAG, [(w.tag.merchant_id, w.tag.kind, w.tag.subject, w.tag.word) for w in writes])
    yield from _keep(writes, gone)
    return [bool(rows) for rows in gone]


def _keep(
    writes: Sequence[AddNote | RemoveNote | AddTag | RemoveTag], changed: Sequence[Sequence[Row]]
) -> Generator[Run, Any, None]:
    """Keep the entries of what changed something."""
    entries: list[AuditEntry] = [w.audit_entry for w, rows in zip(writes, changed, strict=True) if rows]
    if entries:
        yield keep_audit_entries(entries)
