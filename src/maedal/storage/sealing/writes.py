"""What is written about keys, and sealed values that take the place of others."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from maedal.storage.sealing.reads import KeyHolder, Row, SealedColumn
from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class NoteKeys(Write[bool]):
    """Keep which keys seal this database, unless it knows any; gives False then."""

    fingerprints: tuple[tuple[str, str], ...]
    """Id and fingerprint of each."""
    primary_id: str
    now: datetime


@dataclass(frozen=True, slots=True)
class AnnounceKey(Write[None]):
    """Let every process know of a key that is to be primary, so that it reads its ring anew if it lacks it."""

    key_id: str
    fingerprint: str
    now: datetime


@dataclass(frozen=True, slots=True)
class MakePrimary(Write[bool]):
    """Seal with another key from now on; gives False when the primary is no longer `before`."""

    before: str
    key_id: str
    fingerprint: str
    now: datetime


@dataclass(frozen=True, slots=True)
class RetireKey(Write[bool]):
    """Let nothing be sealed with a key any more; gives False for the primary, and for one that is retired already."""

    key_id: str
    now: datetime


@dataclass(frozen=True, slots=True)
class GiveKeysUp(Write[None]):
    """Begin anew with another ring: what the keys before have sealed is lost, and they are not asked for any more."""

    key_id: str
    fingerprint: str
    now: datetime


@dataclass(frozen=True, slots=True)
class SeeHolder(Write[None]):
    """Keep which keys a process has; those not seen since `forget_before` are forgotten."""

    holder: KeyHolder
    forget_before: datetime


@dataclass(frozen=True, slots=True)
class LoseHolder(Write[None]):
    """Forget a process that ends."""

    holder_id: str


@dataclass(frozen=True, slots=True)
class Reseal(Write[int]):
    """Put sealed values in the place of those that are still as `before`; gives how many.

    Rows that somebody else is changing at the moment are left out, so that nobody waits for anybody.
    """

    column: SealedColumn
    rows: tuple[Row, ...]
    before: tuple[bytes | None, ...] = field(repr=False)
    after: tuple[bytes, ...] = field(repr=False)
