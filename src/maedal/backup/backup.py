"""A backup: a folder named by its moment, with the database's copy and `backup.json`, which says what it is.

The copy is what the database's own tools make and read: an SQLite file, or `pg_dump`'s custom format. It is complete
once the folder has its name; what was broken off is removed by the next backup.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from maedal.backup import postgres, sqlite
from maedal.storage.migrate import schema_of
from maedal.storage.open import is_sqlite

FACTS = "backup.json"
NAME = "%Y%m%dT%H%M%SZ"
_NAMED = re.compile(r"\d{8}T\d{6}Z")
_PARTIAL = ".partial."


class BackupError(Exception):
    """A backup cannot be made, read or put back; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What `backup.json` says."""

    made_at: str
    """The moment of the folder's name, in UTC."""
    maedal: str
    schema: str
    engine: str
    """`sqlite` or `postgresql`; a backup goes back into the kind of database that it came from."""
    file: str
    bytes: int
    sha256: str
    key_fingerprint: str
    """Which key file opens what is sealed in it; of no use for opening anything."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A complete backup."""

    folder: Path
    facts: Facts

    @property
    def file(self) -> Path:
        """The database's copy."""
        return self.folder / self.facts.file


def make(database_url: str, folder: Path, key_fingerprint: str, now: datetime) -> Backup:
    """Copy the database below `folder`, while it is used. Raises BackupError; then nothing of it is left."""
    schema = schema_of(database_url)
    if schema is None:
        raise BackupError("this database holds no maedal, so there is nothing to back up: maedal migrate")
    engine = sqlite if is_sqlite(database_url) else postgres
    place = folder / now.astimezone(UTC).strftime(NAME)
    with _alone(folder):
        if place.exists():
            raise BackupError(f"{place} is there already; wait a second")
        partial = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=folder))
        try:
            file = partial / engine.FILE
            # Made before anybody writes into it, so that nobody else may ever read it.
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            engine.copy(database_url, file)
            facts = Facts(
                made_at=f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
                maedal=version("maedal"),
                schema=schema,
                engine=engine.NAME,
                file=engine.FILE,
                bytes=file.stat().st_size,
                sha256=_digest(file),
                key_fingerprint=key_fingerprint,
            )
            _write(partial / FACTS, json.dumps(asdict(facts), indent=1) + "\n")
            _flush(file)
            _flush(partial)
            partial.rename(place)
            _flush(folder)
        except engine.Failed as error:
            raise BackupError(str(error)) from error
        except OSError as error:
            raise BackupError(f"cannot write below {folder} ({error.strerror})") from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return Backup(place, facts)


def read(folder: Path) -> Backup:
    """Return the backup of a folder, its copy found to be what was written. Raises BackupError."""
    try:
        facts = Facts(**json.loads((folder / FACTS).read_text()))
        backup = Backup(folder, facts)
        whole = Path(facts.file).name == facts.file and _digest(backup.file) == facts.sha256
    except (OSError, ValueError, TypeError) as error:
        raise BackupError(f"{folder} is no backup of maedal: it needs a readable {FACTS} and its copy") from error
    if not whole:
        raise BackupError(f"{backup.file} is not what was written: it was changed or damaged; take another backup")
    return backup


def remove_old(folder: Path, keep_days: int, now: datetime) -> list[Path]:
    """Remove backups older than `keep_days` and give their folders; the newest stays however old it is."""
    limit = (now.astimezone(UTC) - timedelta(days=keep_days)).strftime(NAME)
    complete = sorted(path for path in folder.iterdir() if _NAMED.fullmatch(path.name) and (path / FACTS).exists())
    old = [path for path in complete[:-1] if path.name < limit]
    for path in old:
        # Renamed first, so that one that is half gone is not taken for complete.
        gone = path.rename(folder / f"{_PARTIAL}{path.name}")
        shutil.rmtree(gone)
    return old


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one backup at a time be made below a folder, and throw away what was broken off."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / ".lock", os.O_WRONLY | os.O_CREAT, 0o600)
    except OSError as error:
        raise BackupError(f"cannot write below {folder} ({error.strerror})") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for partial in folder.glob(f"{_PARTIAL}*"):
            shutil.rmtree(partial, ignore_errors=True)
        yield
    except BlockingIOError as error:
        raise BackupError(f"another backup below {folder} is running") from error
    finally:
        os.close(descriptor)


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _write(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as content:
        content.write(text)
        content.flush()
        os.fsync(content.fileno())


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
