"""Bringing a database to the schema this maedal expects, with Alembic."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.engine import create_engine
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from maedal.private_files import make_private_file
from maedal.storage.distribution import distribution
from maedal.storage.engine.connecting import Connector
from maedal.storage.errors import NotMigrated, StoreError
from maedal.storage.serving_role import Fetch, grants, serving_roles

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


def lacks(version: str | None, revision: str) -> bool:
    """Return whether a database of this version is from before a migration; one that holds nothing is not."""
    if version is None:
        return False
    scripts = ScriptDirectory.from_config(_config())
    return revision not in {script.revision for script in scripts.iterate_revisions(version, "base")}


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


def migrate(database_url: str, version: str = "head", *, serving_role: str | None = None) -> Sequence[str]:
    """Bring the database at `database_url` up to `version`, all or nothing. Repeating it changes nothing.

    On PostgreSQL `serving_role` is given what serving needs; so is every role that was given it before, as new tables
    came. Returns those roles. Raises StoreError when a role cannot be given it. Not to be called from a running event
    loop.
    """
    if database_url.startswith("sqlite:"):
        make_private_file(Path(database_url.removeprefix("sqlite:///")))
        engine = create_engine(database_url, poolclass=NullPool)
        with engine.begin() as connection:
            # A table that is built anew is away for a moment, and those that refer to it are not to mind.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            # Python's driver begins a transaction only before it writes rows, too late for what changes tables.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            _upgrade(connection, version)
        engine.dispose()
        if serving_role is not None:
            raise StoreError("an SQLite file has no roles; --serving-role is for PostgreSQL")
        return []
    return asyncio.run(_on_postgres(database_url, partial(_migrate_and_grant, version, serving_role)))


def grants_for(database_url: str, serving_role: str) -> Sequence[str]:
    """Return the statements that give `serving_role` what serving needs, and change nothing.

    Raises StoreError as `migrate` does, and NotMigrated when there are no tables. Not to be called from a running loop.
    """
    if database_url.startswith("sqlite:"):
        raise StoreError("an SQLite file has no roles; --serving-role is for PostgreSQL")

    async def look(connection: AsyncConnection) -> Sequence[str]:
        if not await _fetch(connection)("SELECT 1 AS one FROM pg_class WHERE oid = to_regclass('merchants')"):
            raise NotMigrated("there are no tables yet: maedal migrate first")
        return await grants(_fetch(connection), serving_role)

    return asyncio.run(_on_postgres(database_url, look))


def distribute(database_url: str, *, change: bool = True) -> Sequence[str]:
    """Spread the tables over the servers of a distributed PostgreSQL, all or nothing; return the statements.

    Repeating it changes nothing; tables that a migration has added are spread as well. Without `change` nothing is.
    Raises StoreError. Not to be called from a running loop.
    """
    if database_url.startswith("sqlite:"):
        raise StoreError("an SQLite file is on one machine; --distribute is for PostgreSQL with Citus")

    async def work(connection: AsyncConnection) -> Sequence[str]:
        statements = await distribution(_fetch(connection))
        for statement in statements if change else ():
            await connection.exec_driver_sql(statement)
        return statements

    return asyncio.run(_on_postgres(database_url, work))


async def _migrate_and_grant(version: str, serving_role: str | None, connection: AsyncConnection) -> Sequence[str]:
    # Two processes that start together must not both migrate; the second waits and then finds nothing to do.
    await connection.exec_driver_sql("SELECT pg_advisory_xact_lock(5021739)")
    await connection.run_sync(_upgrade, version)
    fetch = _fetch(connection)
    if version not in {"head", head()}:
        return []
    granted = []
    for role in sorted({*await serving_roles(fetch), *([serving_role] if serving_role is not None else [])}):
        try:
            statements = await grants(fetch, role)
        except StoreError:
            # One that was named before may be anything by now; `maedal doctor` tells.
            if role == serving_role:
                raise
            continue
        for statement in statements:
            await connection.exec_driver_sql(statement)
        granted.append(role)
    return granted


def _fetch(connection: AsyncConnection) -> Fetch:
    async def fetch(sql: str, *values: Any) -> Sequence[Mapping[str, Any]]:
        rows = await connection.exec_driver_sql(sql, values)
        return [dict(row) for row in rows.mappings()]

    return fetch


async def _on_postgres(database_url: str, work: Callable[[AsyncConnection], Awaitable[Sequence[str]]]) -> Sequence[str]:
    """Return what `work` gives, in one transaction."""
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
            return await work(connection)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, version: str) -> None:
    command.upgrade(_config(connection), version)
