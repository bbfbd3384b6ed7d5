"""Seal everything anew with the primary key, and look whether everything opens, while charges run.

Batches are small, each row is replaced only as it was read, and rows that somebody else is changing are left for the
next pass; so nobody waits, and a run that is killed goes on where it was: each value says itself which key sealed it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.storage.invariants.reads import Invariant, Violation
from maedal.storage.sealing.reads import HasSealing, Row, SealedColumn, SealedValue
from maedal.storage.sealing.writes import Reseal
from maedal.storage.write import Writes


class ResealStore(HasSealing, Writes, Protocol): ...


BATCH = 200
"""Rows of one transaction: their locks are held for milliseconds."""
PASSES_MAX = 10
LOOKED_AT_ONCE = 1_000
"""How many values the watch opens at a turn: some milliseconds of work."""


@dataclass(slots=True)
class Resealed:
    """What a run has done. `refused` are values that do not open where they stand, which are left as they are."""

    done: int = 0
    left: int = 0
    """Values that others were changing each time they were tried."""
    refused: list[SealedValue] = field(default_factory=list)


Progress = Callable[[SealedColumn, int], None]
"""Is told how many more values of a column were sealed anew."""


async def reseal(
    services: ServicesWith[ResealStore], progress: Progress | None = None, *, share: float = 0.5
) -> Resealed:
    """Seal everything with the primary key that another one sealed; `share` is how much of the time it works."""
    result = Resealed()
    for column in SealedColumn:
        for _ in range(PASSES_MAX):
            refused, left = await _pass(services, column, result, progress, share)
            if not left:
                break
        result.refused += refused
        result.left += left
    return result


async def _pass(
    services: ServicesWith[ResealStore], column: SealedColumn, result: Resealed, progress: Progress | None, share: float
) -> tuple[list[SealedValue], int]:
    primary, last, refused, left = services.vault.primary, None, [], 0
    while page := await services.store.sealing.page(column, last, BATCH, not_of=primary):
        begun = monotonic()
        last = page[-1].row
        rows: list[Row] = []
        before: list[bytes | None] = []
        after: list[bytes] = []
        for value in page:
            secret = _opened(services, value)
            if secret is None:
                refused.append(value)
                continue
            rows.append(value.row)
            before.append(value.sealed)
            after.append(services.vault.seal(secret, *value.context))
        if rows:
            done = await services.store.write(Reseal(column, tuple(rows), tuple(before), tuple(after)))
            result.done += done
            left += len(rows) - done
            if progress is not None:
                progress(column, done)
        await asyncio.sleep((monotonic() - begun) * (1 - share) / share)
    return refused, left


def _opened(services: ServicesWithoutStore, value: SealedValue) -> str | None:
    """Return what is sealed; None when it does not open where it stands."""
    if value.sealed is None:
        return "" if services.vault.takes_unbound else None
    try:
        return services.vault.open(value.sealed, *value.context)
    except Exception:  # whatever the vault says of what it did not seal here
        return None


async def refused(services: ServicesWith[ResealStore], progress: Progress | None = None) -> AsyncIterator[SealedValue]:
    """Open everything that is sealed, and give what does not open where it stands."""
    for column in SealedColumn:
        last = None
        while page := await services.store.sealing.page(column, last, BATCH):
            last = page[-1].row
            for value in page:
                if _opened(services, value) is None:
                    yield value
            if progress is not None:
                progress(column, len(page))


class SealWatch:
    """Opens some of what is sealed at each turn, all of it in the course of time, and tells what does not open."""

    def __init__(self, services: ServicesWith[ResealStore]) -> None:
        self._services = services
        self._columns = list(SealedColumn)
        self._at = 0
        self._last: Row | None = None
        self._found: dict[tuple[SealedColumn, Row], SealedValue] = {}

    async def look(self) -> list[Violation]:
        """Return what is known not to open where it stands."""
        for column, row in list(self._found):
            value = await self._services.store.sealing.one(column, row)
            if value is None or _opened(self._services, value) is not None:
                del self._found[column, row]
        looked = steps = 0
        while looked < LOOKED_AT_ONCE and steps < len(self._columns):
            column = self._columns[self._at]
            page = await self._services.store.sealing.page(column, self._last, BATCH)
            for value in page:
                if _opened(self._services, value) is None:
                    self._found[column, value.row] = value
            looked += len(page)
            self._last = page[-1].row if len(page) == BATCH else None
            if self._last is None:
                self._at, steps = (self._at + 1) % len(self._columns), steps + 1
            await asyncio.sleep(0)
        return [
            Violation(Invariant.SEALED_IN_PLACE, value.merchant_id, f"{value.column} {value.subject}")
            for value in self._found.values()
        ]
