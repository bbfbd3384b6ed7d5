"""What is written of notes and tags."""

from __future__ import annotations

from dataclasses import dataclass

from maedal.merchants.audit_entry import AuditEntry
from maedal.payments.notes import Note, Tag
from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class AddNote(Write[bool]):
    """Keep a note; gives False when there are `NOTES_MAX` beside its subject. One that is kept already stays."""

    note: Note
    audit_entry: AuditEntry


@dataclass(frozen=True, slots=True)
class RemoveNote(Write[bool]):
    """Remove a note for good; gives False when there is none."""

    note: Note
    audit_entry: AuditEntry


@dataclass(frozen=True, slots=True)
class AddTag(Write[bool]):
    """Put a tag on its subject; gives False when that has `TAGS_MAX`. One that is there already stays."""

    tag: Tag
    audit_entry: AuditEntry


@dataclass(frozen=True, slots=True)
class RemoveTag(Write[bool]):
    """Take a tag away; gives False when it is not there."""

    tag: Tag
    audit_entry: AuditEntry
