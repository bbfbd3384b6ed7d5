"""What is written to know which database server we are on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from maedal.storage.database_servers.reads import DatabaseServer
from maedal.storage.write import Write

KNEW_AT_LEAST = timedelta(hours=24)
"""How old at least the approvals must be that a server is taken to know all of, when it is first reached.

Payments may have been begun on it before anybody noted it, and they say nothing of what was lost before.
"""


@dataclass(frozen=True, slots=True)
class NotedServer:
    """A server, and whether this write was the one that noted it."""

    server: DatabaseServer
    is_new: bool


@dataclass(frozen=True, slots=True)
class NoteServer(Write[NotedServer]):
    """Note the server that this very write reaches, unless it is known; gives NotedServer."""

    now: datetime


@dataclass(frozen=True, slots=True)
class NoteUnseen(Write[None]):
    """Keep that the PG has approved something with a key that is missing here; it is told to people alone."""

    merchant_id: str
    billing_key_id: str
    approved_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class NoteRestored(Write[None]):
    """Let what is at hand be taken for another server than the one on which the database was made or last noted.

    A database that came from a backup lacks what was charged since, as a standby does that was promoted too early.
    """

    now: datetime
