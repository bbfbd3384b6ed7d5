"""Files that hold what only their owner may read: made so whatever the umask, and looked at whether they still are."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FILE_MODE = 0o600
FOLDER_MODE = 0o700
OTHERS = 0o077
"""The bits of a mode that are anybody's but the owner's."""


@dataclass(frozen=True, slots=True)
class Exposed:
    """A file or folder that is there and open to others than its owner."""

    path: Path
    mode: int
    """Its permissions, such as 0o644."""
    safe_mode: int

    @property
    def mend(self) -> str:
        """The command that closes it."""
        return f"chmod {self.safe_mode:o} {shlex.quote(str(self.path))}"


def make_private_folder(path: Path) -> None:
    """Make the folder, for its owner alone, where there is none; one that is there stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(FOLDER_MODE)
    except FileExistsError:
        return
    # The umask may have taken bits from the owner, too.
    path.chmod(FOLDER_MODE)


def make_private_file(path: Path) -> None:
    """Make an empty file, for its owner alone, and its folder, where there is none; one that is there stays."""
    make_private_folder(path.parent)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    except FileExistsError:
        return
    try:
        os.fchmod(descriptor, FILE_MODE)
    finally:
        os.close(descriptor)


def exposed(paths: Iterable[Path], bits: int = OTHERS) -> list[Exposed]:
    """Return those of `paths` that are there and have one of `bits` set; what cannot be looked at is left out."""
    found = []
    for path in dict.fromkeys(paths):
        try:
            status = path.stat()
        except OSError:
            continue
        mode = stat.S_IMODE(status.st_mode)
        if mode & bits:
            safe = FOLDER_MODE if stat.S_ISDIR(status.st_mode) else FILE_MODE
            found.append(Exposed(path, mode, safe if bits == OTHERS else mode & ~bits))
    return found
