"""A fresh, migrated database for each test, of either kind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from maedal.storage.migrate import migrate
from tests.support.postgres import postgres_server

ENGINES = ("sqlite", "postgresql")
POSTGRES_TEMPLATE = "maedal_template"


class Databases:
    """Gives out URLs; each kind is migrated once and then copied."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
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
            migrate(self._server.create_database(POSTGRES_TEMPLATE))
        return self._server.create_database(f"maedal_{self._count}", POSTGRES_TEMPLATE)

    @property
    def server(self):
        self._postgres()
        return self._server

    def close(self) -> None:
        if self._closing is not None:
            self._closing.__exit__(None, None, None)


@contextmanager
def databases(folder: Path) -> Iterator[Databases]:
    provider = Databases(folder)
    try:
        yield provider
    finally:
        provider.close()
