"""Opening the store that a database URL names."""

from __future__ import annotations

from pathlib import Path

from maedal.storage.engine.postgres import PostgresEngine
from maedal.storage.engine.sqlite import SqliteEngine
from maedal.storage.errors import StoreError
from maedal.storage.schema_version import SCHEMA_VERSION
from maedal.storage.sql_replica import SqlReplica
from maedal.storage.sql_store import SqlStore


def is_sqlite(database_url: str) -> bool:
    """Return whether the URL names an SQLite file, which one process alone may serve from."""
    return database_url.startswith("sqlite:")


def sqlite_files(database_url: str) -> list[Path]:
    """Return the folder of the SQLite file that the URL names, the file, and those that are kept beside it."""
    if not is_sqlite(database_url):
        return []
    path = Path(database_url.removeprefix("sqlite:///"))
    return [path.parent, path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal", ".lock"))]


def create_store(database_url: str, *, serving: bool = True) -> SqlStore:
    """Return the store for `sqlite:///path` or `postgresql://…`, not yet open. Raises StoreError for any other."""
    if is_sqlite(database_url) and database_url.startswith("sqlite:///"):
        return SqlStore(SqliteEngine(Path(database_url.removeprefix("sqlite:///")), serving=serving), SCHEMA_VERSION)
    if database_url.startswith(("postgresql://", "postgres://")):
        return SqlStore(PostgresEngine(database_url, serving=serving), SCHEMA_VERSION)
    raise StoreError("MAEDAL_DATABASE_URL must be sqlite:///path or postgresql://user@host/name")


def create_replica(read_database_url: str, store: SqlStore, lag_seconds_max: float) -> SqlReplica:
    """Return the replica of `store` at an address, not yet open. Raises StoreError when that is malformed."""
    return SqlReplica(read_database_url, store, lag_seconds_max)
