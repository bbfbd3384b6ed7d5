"""SQLite: copied by its online backup, which sees one moment and keeps nobody waiting; put back as a file."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

NAME, FILE = "sqlite", "database.sqlite"
_ENDINGS = ("", "-wal", "-shm", "-journal")


class Failed(Exception):
    """The copy was not made, or cannot be put back; the text says why."""


def copy(database_url: str, file: Path) -> None:
    """Copy the database into an empty file, and look whether it is sound."""
    try:
        source = sqlite3.connect(f"{_path(database_url).resolve().as_uri()}?mode=ro", uri=True)
        with closing(source), closing(sqlite3.connect(file)) as target:
            # In one step: the log that a gateway writes meanwhile is of no concern to it.
            source.backup(target)
            # One file, whatever the original is in.
            target.execute("PRAGMA journal_mode=DELETE").close()
            _look(target)
    except sqlite3.Error as error:
        raise Failed(f"SQLite could not copy {_path(database_url)}: {error}") from error


def prepare(file: Path, database_url: str) -> str:
    """Copy a backup's file beside the place where it belongs, which must be free; give the address of the copy."""
    place = _path(database_url)
    taken = [place.with_name(place.name + ending) for ending in _ENDINGS]
    if any(path.exists() for path in taken):
        raise Failed(f"{place} is there already: end whatever uses it, and move it and its -wal file away first")
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = _beside(place)
    forget(database_url)
    try:
        with (
            os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target,
            file.open("rb") as source,
        ):
            shutil.copyfileobj(source, target, 1 << 20)
        with closing(sqlite3.connect(beside)) as copied:
            _look(copied)
    except (OSError, sqlite3.Error) as error:
        raise Failed(f"the backup could not be copied to {beside}: {error}") from error
    return f"sqlite:///{beside}"


def put_in_place(database_url: str) -> None:
    """Give the prepared copy the database's name, once everything else is done."""
    place = _path(database_url)
    beside = _beside(place)
    with closing(sqlite3.connect(beside)) as copied:
        # What was changed in it since stands in its log, which has another name.
        copied.execute("PRAGMA journal_mode=DELETE").close()
    descriptor = os.open(beside, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    # A link, and not a rename: it never takes the place of a database that came up meanwhile.
    os.link(beside, place)
    forget(database_url)


def forget(database_url: str) -> None:
    """Remove a prepared copy."""
    beside = _beside(_path(database_url))
    for ending in _ENDINGS:
        beside.with_name(beside.name + ending).unlink(missing_ok=True)


def _look(connection: sqlite3.Connection) -> None:
    with closing(connection.execute("PRAGMA integrity_check(1)")) as found:
        [(answer,)] = found.fetchall()
    if answer != "ok":
        raise Failed(f"SQLite finds it damaged: {answer}")


def _path(database_url: str) -> Path:
    return Path(database_url.removeprefix("sqlite:///"))


def _beside(place: Path) -> Path:
    return place.with_name(f"{place.name}.restoring")
