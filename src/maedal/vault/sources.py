"""Where the key ring comes from: a file, a variable of the environment, or a command such as a KMS's."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from maedal.vault.ring import KeyFileError, parse
from maedal.vault.vault import Vault

COMMAND_SECONDS = 60
"""A KMS in another country, with its own tries again, answers in less."""
RING_BYTES_MAX = 1 << 20


class KeySource(Protocol):
    """Where a ring comes from."""

    @property
    def name(self) -> str:
        """How errors call it."""
        ...

    def load(self) -> Vault:
        """Return the vault of its ring. Raises KeyFileError with what to do when it cannot be used."""
        ...


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file that its owner alone may read."""

    path: Path

    @property
    def name(self) -> str:
        return f"the key file {self.path}"

    def load(self) -> Vault:
        return load_key_file(self.path)


@dataclass(frozen=True, slots=True)
class VariableSource:
    """The ring itself, in a setting."""

    text: str = field(repr=False)

    @property
    def name(self) -> str:
        return "the key ring in MAEDAL_KEY_RING"

    def load(self) -> Vault:
        return Vault(parse(self.text, self.name))


@dataclass(frozen=True, slots=True)
class CommandSource:
    """A command that prints the ring; started without a shell, with nothing on its standard input."""

    command: str = field(repr=False)

    @property
    def name(self) -> str:
        return "the key ring that MAEDAL_KEY_COMMAND prints"

    def load(self) -> Vault:
        try:
            words = shlex.split(self.command)
        except ValueError:
            raise KeyFileError("MAEDAL_KEY_COMMAND has a quotation mark without its end") from None
        if not words:
            raise KeyFileError("MAEDAL_KEY_COMMAND is empty")
        # Its words may hold a secret, and so may what it prints: neither is repeated, only the program's name.
        program = Path(words[0]).name
        try:
            done = subprocess.run(  # noqa: S603 - the operator's own command
                words, stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise KeyFileError(
                f"MAEDAL_KEY_COMMAND ({program}) did not end within {COMMAND_SECONDS} seconds; run it by hand"
            ) from None
        except OSError as error:
            raise KeyFileError(f"MAEDAL_KEY_COMMAND cannot be started ({program}: {error.strerror})") from None
        if done.returncode != 0:
            raise KeyFileError(
                f"MAEDAL_KEY_COMMAND ({program}) ended with status {done.returncode}; run it by hand, as the user that "
                "maedal runs as, to see why"
            )
        if not done.stdout.strip():
            raise KeyFileError(f"MAEDAL_KEY_COMMAND ({program}) printed nothing; it must print the key ring")
        if len(done.stdout) > RING_BYTES_MAX:
            raise KeyFileError(f"MAEDAL_KEY_COMMAND ({program}) printed too much to be a key ring")
        return Vault(parse(done.stdout.decode("utf-8", "replace"), self.name))


def source_of(*, file: Path | None, ring: str | None, command: str | None) -> KeySource:
    """Return the one source that the settings name."""
    if ring is not None:
        return VariableSource(ring)
    if command is not None:
        return CommandSource(command)
    assert file is not None, "the settings name one source"
    return FileSource(file)


def load_key_file(path: Path) -> Vault:
    """Return the vault of the key file at `path`. Raises KeyFileError with what to do when it cannot be used."""
    try:
        mode = path.stat().st_mode
        with path.open("rb") as file:
            content = file.read(RING_BYTES_MAX)
    except OSError as error:
        raise KeyFileError(
            f"cannot read the key file {path} ({error.strerror}); set MAEDAL_KEY_FILE to yours, or make one: "
            "maedal keys create"
        ) from error
    # systemd gives a credential to the unit's user by an access list, which shows as rights of the group.
    of_systemd = "CREDENTIALS_DIRECTORY" in os.environ and path.is_relative_to(os.environ["CREDENTIALS_DIRECTORY"])
    if mode & (stat.S_IRWXO if of_systemd else stat.S_IRWXO | stat.S_IRWXG):
        raise KeyFileError(f"the key file {path} can be read by others; run: chmod 600 {path}")
    return Vault(parse(content.decode("utf-8", "replace"), f"the key file {path}"))
