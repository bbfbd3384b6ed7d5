"""The simulator's SQLite file: one connection, one writer, every operation one transaction."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

SCHEMA = resources.files("kakaopay_sandbox").joinpath("schema.sql").read_text(encoding="utf-8")


class Book:
    """Rows in a file, or in memory when there is none.

    All callers live on one event loop and never await inside a transaction, so each is atomic.
    """

    def __init__(self, file: Path | None) -> None:
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(
            file or ":memory:", isolation_level=None, check_same_thread=False, cached_statements=256
        )
        self._db.row_factory = sqlite3.Row
        # WAL with NORMAL survives the death of the process, which is what a simulator's restart needs.
        self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def run(self, sql: str, **values: object) -> int:
        """Execute one statement; the number of rows it changed."""
        return self._db.execute(sql, values).rowcount

    def insert(self, table: str, **values: object) -> None:
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        self._db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)

    def one(self, sql: str, **values: object) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._db.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, **values: object) -> list[sqlite3.Row]:
        return self._db.execute(sql, values).fetchall()

    def remember(self, name: str, value: str) -> None:
        self._db.execute(
            "INSERT INTO meta (name, value) VALUES (:name, :value) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            {"name": name, "value": value},
        )

    def recall(self, name: str, default: str) -> str:
        row = self.one("SELECT value FROM meta WHERE name = :name", name=name)
        return default if row is None else str(row["value"])
