"""What is read of notes and tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from maedal.payments.notes import NoteSubject, Remarks

TAGGED_MAX = 5_000
"""Of how many payments or customers under one tag, those tagged last, a list is made."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """A payment or customer under a tag."""

    subject: str
    tagged_at: datetime


class NoteReads(Protocol):
    """What is read of notes and tags."""

    async def of(self, merchant_id: str, kind: NoteSubject, subjects: Sequence[str]) -> dict[str, Remarks]:
        """Return what is written beside each of these, by its id; of one beside which nothing is, empty remarks."""
        ...

    async def tags(self, merchant_id: str, kind: NoteSubject, count_max: int) -> Sequence[str]:
        """Return the tags that are in use, in the order of their words."""
        ...

    async def tagged(
        self, merchant_id: str, kind: NoteSubject, tag: str, limit: int, after: tuple[datetime, str] | None = None
    ) -> Sequence[Tagged]:
        """Return what is under a tag, tagged last first, from the one after a place on."""
        ...


class HasNotes(Protocol):
    @property
    def notes(self) -> NoteReads: ...
