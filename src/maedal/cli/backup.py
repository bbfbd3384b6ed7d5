"""`maedal backup` and `maedal restore`: the database as a folder, and back. The key file is kept apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from maedal.cli.running import err, expected, give_up, out, show, with_gateway
from maedal.cli.settings import read
from maedal.settings import Settings

if TYPE_CHECKING:
    from maedal.app import Gateway
    from maedal.backup.backup import Backup
    from maedal.flows.after_restore import Restored

KEEP_DAYS_MAX = 36_500


def _expected() -> tuple[type[Exception], ...]:
    from maedal.backup import postgres, sqlite
    from maedal.backup.backup import BackupError

    return (OSError, BackupError, sqlite.Failed, postgres.Failed, *expected())


def back_up(
    folder: Annotated[Path, typer.Argument(help="Where backups are kept, each in a folder of its own.")],
    keep_days: Annotated[
        int | None,
        typer.Option(min=1, max=KEEP_DAYS_MAX, help="Then remove backups older than this; the newest stays."),
    ] = None,
) -> None:
    """Copy the database while it is used, into a folder of its own. The key file is not in it."""
    from maedal.backup.backup import make, remove_old
    from maedal.cli.keys import source_named_by
    from maedal.clock import SystemClock

    settings = read()
    now = SystemClock().now()
    try:
        made = make(settings.database_url, folder, source_named_by(settings).load().fingerprint, now)
        old = remove_old(folder, keep_days, now) if keep_days is not None else []
    except _expected() as error:
        give_up(error)
    _tell(made)
    for gone in old:
        out.print(f"removed {escape(str(gone))}")
    if settings.key_file is not None and settings.key_file.resolve().is_relative_to(folder.resolve()):
        err.print("[yellow]maedal: the key file lies in this folder too; who steals it can open the backups[/]")


def restore(backup: Annotated[Path, typer.Argument(help="The backup's folder, named by its moment.")]) -> None:
    """Put a backup into the empty database that the settings name, and let nothing be charged again by it."""
    from maedal.backup.backup import read as read_backup
    from maedal.cli.keys import source_named_by
    from maedal.storage.migrate import knows
    from maedal.storage.open import is_sqlite

    settings = read()
    try:
        found = read_backup(backup)
        fingerprint = source_named_by(settings).load().fingerprint
    except _expected() as error:
        give_up(error)
    if not knows(found.facts.schema):
        give_up(
            f"maedal {found.facts.maedal} made this backup, and a newer schema than this maedal knows: install that one"
        )
    if (found.facts.engine == "sqlite") != is_sqlite(settings.database_url):
        give_up(f"this is a backup of {found.facts.engine}; MAEDAL_DATABASE_URL names another kind of database")
    if fingerprint != found.facts.key_fingerprint:
        err.print(
            f"[yellow]maedal: this key file is {fingerprint}, and {found.facts.key_fingerprint} was in use; "
            "it is tried all the same[/]"
        )
    restored = _sqlite(settings, found) if is_sqlite(settings.database_url) else _postgres(settings, found)
    _tell(found)
    out.print(f"restored: {restored.merchants} merchants, and {restored.opened} secrets that the key file opens")
    out.print(
        "It is older than the world. Until KakaoPay's file of this day is in, each key is asked about before it is\n"
        "charged.\n"
        "1. see to it that nothing still runs on the old database, and start the gateway on this one\n"
        "2. maedal reconcile --date, for each day since the backup\n"
        "3. maedal unknown list and maedal findings list, until both are empty"
    )


def _sqlite(settings: Settings, backup: Backup) -> Restored:
    from dataclasses import replace

    from maedal.backup import sqlite

    try:
        beside = sqlite.prepare(backup.file, settings.database_url)
        try:
            restored = _bring_up(replace(settings, database_url=beside), "nothing was put in place")
            sqlite.put_in_place(settings.database_url)
        finally:
            sqlite.forget(settings.database_url)
    except _expected() as error:
        give_up(error)
    return restored


def _postgres(settings: Settings, backup: Backup) -> Restored:
    from maedal.backup import postgres
    from maedal.storage.migrate import schema_of

    try:
        if schema_of(settings.database_url) is not None:
            give_up("this database holds a maedal already; a backup goes into an empty one: dropdb, createdb")
        postgres.restore(backup.file, settings.database_url)
    except _expected() as error:
        give_up(error)
    return _bring_up(settings, "start nothing on this database: drop it, and restore anew")


def _bring_up(settings: Settings, otherwise: str) -> Restored:
    """Bring what was copied to this version's schema, and let it know that it is a copy."""
    from maedal.flows.after_restore import OtherKeys, take_over
    from maedal.storage.migrate import migrate

    async def work(gateway: Gateway) -> Restored:
        return await take_over(gateway.services)

    try:
        migrate(settings.database_url)
        return with_gateway(settings, work)
    except OtherKeys as error:
        give_up(f"the key file does not open what {error} has sealed; {otherwise} with the right key file")
    except Exception as error:
        if isinstance(error, typer.Exit):
            raise
        give_up(f"the copy could not be brought to this version ({error}); {otherwise}")


def _tell(backup: Backup) -> None:
    show(
        str(backup.folder),
        made=backup.facts.made_at,
        by=f"maedal {backup.facts.maedal}, schema {backup.facts.schema}, {backup.facts.engine}",
        bytes=str(backup.facts.bytes),
        key_file=backup.facts.key_fingerprint,
    )
