"""Notes and tags: what the people of a shop write beside a payment or a customer, for each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from maedal.payments.errors import InvalidParameter

NOTE_CHARS_MAX = 1_000
NOTES_MAX = 50
"""Notes of one payment or customer."""
TAG_CHARS_MAX = 30
TAGS_MAX = 10
"""Tags of one payment or customer."""


class NoteSubject(StrEnum):
    """What a note or a tag is about."""

    PAYMENT = "payment"  # by its imp_uid
    CUSTOMER = "customer"  # by their customer_uid


@dataclass(frozen=True, slots=True)
class Note:
    """A text that somebody wrote, and when."""

    merchant_id: str
    id: str
    kind: NoteSubject
    subject: str
    author: str
    text: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Tag:
    """A short word by which payments or customers are found again, who gave it and when."""

    merchant_id: str
    kind: NoteSubject
    subject: str
    word: str
    author: str
    tagged_at: datetime


@dataclass(frozen=True, slots=True)
class Remarks:
    """What is written beside one payment or customer: notes, the newest first, and tags in the order of their words."""

    notes: Sequence[Note] = ()
    tags: Sequence[Tag] = ()


def note_text(typed: str) -> str:
    """Return the text of a note as it is kept. Raises InvalidParameter."""
    text = typed.replace("\r\n", "\n").strip()
    if not text or len(text) > NOTE_CHARS_MAX or not all(c.isprintable() or c == "\n" for c in text):
        raise InvalidParameter("text", f"a note is 1 to {NOTE_CHARS_MAX} printable characters")
    return text


def tag_word(typed: str) -> str:
    """Return a tag as it is kept: without the space around it, small letters where there are two sizes.

    Raises InvalidParameter.
    """
    word = " ".join(typed.removeprefix("#").split()).lower()
    if not word or len(word) > TAG_CHARS_MAX or not word.isprintable() or "," in word:
        raise InvalidParameter("tag", f"a tag is 1 to {TAG_CHARS_MAX} printable characters without a comma")
    return word
