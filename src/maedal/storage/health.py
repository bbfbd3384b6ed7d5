"""Whether a store can be used, and how its database server stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """Which history a database server writes. Two that differ in it are not the same books.

    `system_id` is given once, when a cluster of PostgreSQL is made, and its standbys have the same; `timeline` counts
    up at each promotion. None: the server does not say.
    """

    system_id: str | None
    timeline: int | None


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """Whether the store can be used, and what to do when not."""

    ready: bool
    problem: str | None = None
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """How the database server stands, as it was last seen; a file on this machine has no host and nobody follows it."""

    problem: str | None = None
    """Why nothing can be written at present, and so nothing charged."""
    host: str | None = None
    version: int | None = None
    """As PostgreSQL counts: 150020 is 15.20."""
    pooled: bool = False
    """Whether a pooler such as PgBouncer is between."""
    read_only: bool = False
    followers: int | None = 0
    """Standbys that stream from it; None where we may not see them."""
    synchronous_wanted: int = 0
    """For how many standbys each commit waits."""
    synchronous: int | None = 0
    lag_seconds: float | None = 0.0
    """By how much the standby that is farthest behind lags."""

    @property
    def synchronous_missing(self) -> int:
        """How many standbys are missing for which every write waits; 0 where we may not see them."""
        return 0 if self.synchronous is None else max(0, self.synchronous_wanted - self.synchronous)


@dataclass(frozen=True, slots=True)
class ReplicaStanding:
    """How the standby stands from which people's lists are read."""

    lag_seconds_max: float
    lag_seconds: float | None
    """How old what it shows is at most; None when that is not known."""
    problem: str | None = None
    """Why the primary is read in its place."""


def replica_text(standing: ReplicaStanding) -> str:
    """Return in one line how it stands."""
    if standing.problem is not None:
        return f"not used: {standing.problem}; lists are read from the primary"
    return f"at most {standing.lag_seconds or 0:.1f} s behind, of {standing.lag_seconds_max:g} s allowed"


class HasHealth(Protocol):
    """What of a store says how it is."""

    async def health(self) -> StoreHealth:
        """Return whether charges can be made; answers within a few seconds, also when a host is silent."""
        ...

    async def standing(self) -> Standing:
        """Return how the database server stands."""
        ...
