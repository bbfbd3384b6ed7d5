"""What is read of a file that is read in; an export reads the subjects themselves, in a snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ImportClash:
    """Two entries of a list that cannot both be, or one that refers to nothing; `index` is the later entry's."""

    section: str
    index: int
    field: str
    text: str


class TransferReads(Protocol):
    """What is read of a file that is read in."""

    async def staged(self, digest: str) -> int:
        """Return how many entries of a file an import has kept aside."""
        ...

    async def clash(self, digest: str) -> ImportClash | None:
        """Return the first thing that keeps the entries kept aside of a file from becoming real together."""
        ...


class HasTransfer(Protocol):
    @property
    def transfer(self) -> TransferReads: ...
