"""Bringing a database to the schema this maedal expects, with Alembic."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.engine import create_engine
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from maedal.storage.engine.connecting import Connector

MIGRATIONS = Path(__file__).parent / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def head() -> str:
    """Return the newest schema version that this maedal knows."""
    version = ScriptDirectory.from_config(_config()).get_current_head()
    assert version is not None, "there is at least one migration"
    return version


def knows(version: str) -> bool:
    """Return whether this maedal can bring a database of a version to its own."""
    return version in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def schema_of(database_url: str) -> str | None:
    """Return the schema version of a database; None when it holds no maedal. Not to be called from an event loop."""
    if not database_url.startswith("sqlite:"):
        return asyncio.run(_schema_of_postgres(database_url))
    path = Path(database_url.removeprefix("sqlite:///"))
    if not path.exists():
        return None
    engine = create_engine(database_url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


async def _schema_of_postgres(database_url: str) -> str | None:
    connection = await Connector(database_url, {"application_name": "maedal"}).connect()
    try:
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return None
        version: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
        return version
    finally:
        await connection.close()


def migrate(database_url: str, version: str = "head") -> None:
    """Bring the database at `database_url` up to `version`, all or nothing. Repeating it changes nothing.

    Not to be called from a running event loop.
    """
    if database_url.startswith("sqlite:"):
        Path(database_url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(database_url, poolclass=NullPool)
        with engine.begin() as connection:
            # A table that is built anew is away for a moment, and those that refer to it are not to mind.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            # Python's driver begins a transaction only before it writes rows, too late for what changes tables.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            _upgrade(connection, version)
        engine.dispose()
        return
    asyncio.run(_migrate_postgres(database_url, version))


async def _migrate_postgres(database_url: str, version: str) -> None:
    # The server's own limits on statements and locks hold: what builds an index may take as long as it takes.
    connector = Connector(database_url, {"application_name": "maedal migrate"})

    def connect() -> Any:
        # Statements without a name, as one with a name stays behind in the server of a pooler.
        return engine.sync_engine.dialect.dbapi.connect(  # type: ignore[union-attr]
            async_creator_fn=connector.connect, prepared_statement_cache_size=0, prepared_statement_name_func=str
        )

    engine = create_async_engine("postgresql+asyncpg://", creator=connect, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            # Two processes that start together must not both migrate; the second waits and then finds nothing to do.
            await connection.exec_driver_sql("SELECT pg_advisory_xact_lock(5021739)")
            await connection.run_sync(_upgrade, version)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, version: str) -> None:
    command.upgrade(_config(connection), version)
