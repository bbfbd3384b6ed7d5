"""What a store says when it did not do what it was asked."""

from __future__ import annotations


class StoreError(Exception):
    """The database did not do what we asked; nothing of the write was kept."""


class Conflict(StoreError):
    """A rule of the database refused the write: somebody else was first, or an id that we drew is taken."""


class BrokenOff(StoreError):
    """The database gave up this transaction so that others could go on; it may be repeated."""


class TookTooLong(StoreError):
    """What somebody looks for was not found within the time that people are given."""


class CommitUnclear(StoreError):
    """Nobody acknowledged the commit: the write may be kept, or kept only until a standby takes over, or not at all.

    A commit counts when the database acknowledged it without a warning. Any other is proved only by a later commit
    of a write that touches its row (`Prove`); reading the row proves nothing, for it may be on this server alone.
    """


class NotAsked(StoreError):
    """Nothing was asked of the database, as no connection to it could be had; it may be tried again."""


class NoConnectionFree(NotAsked):
    """Every connection is in use: here, in a pooler, or at the server."""


class DatabaseAway(NotAsked):
    """No server that takes writes can be reached; the text says what each said."""


class NoPrimary(DatabaseAway):
    """Servers answer, and none of them takes writes."""


class NotMigrated(StoreError):
    """A table that should be there is not: this database was never migrated."""


class KeysMissing(StoreError):
    """This process lacks a key that the database is sealed with; nothing was asked of it."""


class ReadOnly(StoreError):
    """The server takes no writes (any more): it is a standby, or was made read-only; nothing of the write was kept."""
