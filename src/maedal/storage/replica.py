"""Reading what people look through from a standby, in the place of the primary."""

from __future__ import annotations

from typing import Protocol

from maedal.storage.health import ReplicaStanding
from maedal.storage.store import Store


class Reading(Protocol):
    """What one visit reads from: the replica, or the primary once the replica cannot be read."""

    @property
    def store(self) -> Store:
        """The whole store; its writes, and whatever fails on the replica, go to the primary."""
        ...

    @property
    def problem(self) -> str | None:
        """Why the primary was read in the place of the replica; None when it was not."""
        ...

    async def catch_up(self) -> None:
        """Wait until the replica shows all that is committed by now; if it does not in time, read the primary."""
        ...


class Replica(Protocol):
    """A standby from which lists, searches, figures and exports are read."""

    def standing(self) -> ReplicaStanding:
        """Return how far behind it is, as it was last seen."""
        ...

    def reading(self) -> Reading:
        """Return what a visit that begins now reads from."""
        ...
