"""A fresh, migrated database for each test, of either kind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from maedal.storage.migrate import migrate
from tests.support.postgres import _execute, postgres_server

ENGINES = ("sqlite", "postgresql")
SERVING_ROLE = "maedal_serving"
SERVING_PASSWORD = "serving"
POSTGRES_TEMPLATE = "maedal_template"


class Databases:
    """Gives out URLs; each kind is migrated once and then copied."""

    def __init__(self, folder: Path, *, by_serving_role: bool = False) -> None:
        """`by_serving_role`: PostgreSQL is reached as a role that owns nothing, as in an installation with two roles."""
        self._folder = folder
        self._by_serving_role = by_serving_role
        self._count = 0
        self._template: Path | None = None
        self._server = None
        self._closing = None

    def url(self, engine: str) -> str:
        self._count += 1
        return self._sqlite() if engine == "sqlite" else self._postgres()

    def _sqlite(self) -> str:
        if self._template is None:
            self._template = self._folder / "template.db"
            migrate(f"sqlite:///{self._template}")
        path = self._folder / f"{self._count}.db"
        shutil.copy(self._template, path)
        return f"sqlite:///{path}"

    def _postgres(self) -> str:
        if self._server is None:
            self._closing = postgres_server()
            self._server = self._closing.__enter__()
            template = self._server.create_database(POSTGRES_TEMPLATE)
            if self._by_serving_role:
                add_serving_role(template)
            migrate(template, serving_role=SERVING_ROLE if self._by_serving_role else None)
        url = self._server.create_database(f"maedal_{self._count}", POSTGRES_TEMPLATE)
        return as_serving_role(url) if self._by_serving_role else url

    def drop(self, url: str) -> None:
        """Make place, once nobody needs what `url` gave; without this it goes with the rest in the end."""
        if not url.startswith("sqlite:"):
            self._server.drop_database(urlsplit(url).path.removeprefix("/"))

    @property
    def server(self):
        self._postgres()
        return self._server

    def close(self) -> None:
        if self._closing is not None:
            self._closing.__exit__(None, None, None)


def add_serving_role(url: str) -> None:
    """Make the role that serves, where it is not there yet, as whoever `url` signs in."""
    _execute(
        url,
        f"""
        DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{SERVING_ROLE}') THEN
            CREATE ROLE {SERVING_ROLE} LOGIN PASSWORD '{SERVING_PASSWORD}';
        END IF; END $$
        """,
    )


def as_serving_role(url: str) -> str:
    """Return the address with the role that serves."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{SERVING_ROLE}:{SERVING_PASSWORD}@{host}"))


@contextmanager
def databases(folder: Path, *, by_serving_role: bool = False) -> Iterator[Databases]:
    provider = Databases(folder, by_serving_role=by_serving_role)
    try:
        yield provider
    finally:
        provider.close()
