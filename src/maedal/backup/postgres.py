"""PostgreSQL: copied by `pg_dump` and put back by `pg_restore`, its own programs, which have to be installed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import IO
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

NAME, FILE = "postgresql", "database.pgdump"


class Failed(Exception):
    """The copy was not made, or cannot be put back; the text says why."""


def copy(database_url: str, file: Path) -> None:
    """Write the database as it is at one moment into an empty file, and look whether its contents can be listed."""
    with file.open("wb") as target:
        _run(database_url, ["pg_dump", "--format=custom", "--no-owner", "--no-privileges"], stdout=target)
    _run(None, ["pg_restore", "--list", str(file)])


def restore(file: Path, database_url: str) -> None:
    """Put a copy into an empty database: all of it, or nothing."""
    _run(
        database_url,
        ["pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", str(file)],
    )


def _run(database_url: str | None, command: list[str], stdout: int | IO[bytes] = subprocess.DEVNULL) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAEDAL_")}
    if database_url is not None:
        address, password = without_password(database_url)
        command = [*command, f"--dbname={address}"]
        # Whoever lists the processes of this machine sees their words, and nobody else's environment.
        environment |= {"PGPASSWORD": password} if password else {}
    try:
        ran = subprocess.run(  # noqa: S603  the address is an operator's own
            command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, env=environment, check=False
        )
    except FileNotFoundError as error:
        raise Failed(
            f"{command[0]} is not on PATH; install PostgreSQL's client programs of the server's version or newer "
            "(Debian: apt-get install postgresql-client)"
        ) from error
    if ran.returncode != 0:
        said = [line for line in ran.stderr.decode(errors="replace").splitlines() if line.strip()]
        raise Failed(f"{command[0]} failed: {said[0] if said else f'status {ran.returncode}'}")


def without_password(database_url: str) -> tuple[str, str | None]:
    """Return an address for the programs, which finds the server that takes writes, and the password apart."""
    parts = urlsplit(database_url)
    login, at, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    password = unquote(password) or query.pop("password", "")
    query.setdefault("target_session_attrs", "read-write")
    address = urlunsplit(("postgresql", f"{user}{at}{hosts}", parts.path, urlencode(query), ""))
    return address, password or None
