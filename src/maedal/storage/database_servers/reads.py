"""What we need of any store to know which database server we are on.

A PostgreSQL server that is promoted begins a new timeline. What the one before had committed in its last moments may
not have reached it, so that it matters when a server was first reached, and by whom is all the same: the database
itself remembers it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

YOUNG = timedelta(hours=36)
"""For so long at most a server that follows another is looked at with care: a PG's file of the day is there by then."""


@dataclass(frozen=True, slots=True)
class DatabaseServer:
    """A server that held this database, and since when."""

    id: str
    """System identifier and timeline."""
    first_seen_at: datetime
    follows: str | None = None
    """The server that held the database before; None for the one on which it was made."""
    knew_until: datetime | None = None
    """What the PG approved before this was nothing that the failover lost: the newest payment that came over was begun
    then, or later."""

    def is_young(self, now: datetime) -> bool:
        """Return whether something may be missing here that the server before had, and nobody has found it yet."""
        return self.follows is not None and now < self.first_seen_at + YOUNG


@dataclass(frozen=True, slots=True)
class UnseenApproval:
    """An approval of the PG that was missing here when it was met, and the key's last one that is known by now."""

    customer_uid: str
    approved_at: datetime
    found_at: datetime
    known_until: datetime | None


class DatabaseServerReads(Protocol):
    """What is read of database servers."""

    async def current(self) -> DatabaseServer | None:
        """Return the server that this very read reaches; None when nobody has noted it yet."""
        ...

    async def unseen_approvals(self, merchant_id: str, since: datetime, count_max: int) -> Sequence[UnseenApproval]:
        """Return what was found missing of a merchant's keys since then, the oldest approval first."""
        ...


class HasDatabaseServers(Protocol):
    @property
    def database_servers(self) -> DatabaseServerReads: ...
