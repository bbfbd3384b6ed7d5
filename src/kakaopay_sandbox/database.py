"""The simulator's SQLite file: one connection, one writer, every operation one transaction."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

SCHEMA = resources.files("kakaopay_sandbox").joinpath("schema.sql").read_text(encoding="utf-8")

# Columns that came later, for files that were begun before them. Each has a default, so old rows stay what they are.
_LATER = (
    ("orders", "uses_points", "INTEGER NOT NULL DEFAULT 0 CHECK (uses_points IN (0, 1))"),
    ("orders", "point", "INTEGER NOT NULL DEFAULT 0 CHECK (point >= 0)"),
    ("orders", "discount", "INTEGER NOT NULL DEFAULT 0 CHECK (discount >= 0)"),
    ("orders", "canceled_point", "INTEGER NOT NULL DEFAULT 0 CHECK (canceled_point >= 0)"),
    ("orders", "canceled_discount", "INTEGER NOT NULL DEFAULT 0 CHECK (canceled_discount >= 0)"),
    ("actions", "point", "INTEGER NOT NULL DEFAULT 0 CHECK (point >= 0)"),
    ("actions", "discount", "INTEGER NOT NULL DEFAULT 0 CHECK (discount >= 0)"),
    ("file_addresses", "kind", "TEXT NOT NULL DEFAULT 'payments'"),
)


class Database:
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
        for table, column, kind in _LATER:
            if column not in [row["name"] for row in self._db.execute(f"PRAGMA table_info({table})")]:
                self._db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")

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
