"""The store as a visit reads it from a replica."""

from __future__ import annotations

from maedal.storage.engine.read_replica import ReadReplica, ReadsOfReplica
from maedal.storage.health import ReplicaStanding
from maedal.storage.sql_store import SqlStore


class SqlReplica:
    """A `Replica` (see replica.py) of a store in SQL."""

    def __init__(self, url: str, store: SqlStore, lag_seconds_max: float) -> None:
        """Raises StoreError when the address is malformed."""
        self._store = store
        self._replica = ReadReplica(url, store.engine, lag_seconds_max)

    async def open(self) -> None:
        await self._replica.open()

    async def close(self) -> None:
        await self._replica.close()

    async def look(self) -> None:
        """Measure once how far it is behind, besides every second."""
        await self._replica.look()

    def standing(self) -> ReplicaStanding:
        return self._replica.standing()

    def reading(self) -> SqlReading:
        return SqlReading(self._replica, self._store)


class SqlReading:
    """A `Reading` of one visit."""

    def __init__(self, replica: ReadReplica, store: SqlStore) -> None:
        self._replica = replica
        self._engine = ReadsOfReplica(replica, store.engine)
        self.store = store.over(self._engine)

    @property
    def problem(self) -> str | None:
        return self._engine.problem

    async def catch_up(self) -> None:
        if self._engine.problem is None and not await self._replica.has_all_until_now():
            self._engine.problem = "it did not catch up in time"
