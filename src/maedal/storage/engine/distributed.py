"""What is done otherwise where the tables are spread over several servers by their merchant.

A statement that locks may name one merchant only there, and what a trigger of one table writes to another cannot be
relied on. So a statement about items of many merchants is run once for each, and what triggers note on one server is
noted by a statement of its own. Where the tables are on one server nothing here is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from maedal.storage.engine.steps import INSERTS, ChangeAll, Row, Rows, RowsOfAll, Run, Step, Together, Unit

UNITS: dict[type, Unit] = {}
"""Kinds of writes that have another unit there."""
INSTEAD: dict[str, str] = {}
"""Statements that have another text there."""
NOTES: dict[str, Note] = {}
"""Tables of whose new rows something is noted, by a trigger where the tables are on one server."""


@dataclass(frozen=True, slots=True)
class Note:
    """What is noted of a row. `values` are columns of the row, or constants."""

    insert: str
    values: tuple[str, ...]
    constants: Mapping[str, Any] = field(default_factory=dict)
    when_changed: tuple[str, ...] = ()
    """Columns after whose change it is noted again; the row is then named by the first values of the statement."""

    def of(self, columns: Sequence[str], item: Sequence[Any]) -> tuple[Any, ...]:
        place = {name: number for number, name in enumerate(columns)}
        return tuple(self.constants[v] if v in self.constants else item[place[v]] for v in self.values)


def unit_when_distributed(kind: type) -> Callable[[Unit], Unit]:
    """Name the unit that carries out writes of `kind` there."""

    def named(function: Unit) -> Unit:
        UNITS[kind] = function
        return function

    return named


@dataclass(frozen=True, slots=True)
class OfMerchant:
    """A statement for the items of one merchant: its text, and its values."""

    sql: str
    values: tuple[Any, ...]


def of_merchants(step: RowsOfAll | ChangeAll) -> list[OfMerchant]:
    """Return one statement for each merchant of a step's items, in the order of their first items."""
    names = [column.split()[0] for column in step.of.columns]
    place = names.index("merchant_id")
    grouped: dict[str, list[tuple[int, Sequence[Any]]]] = {}
    for number, item in enumerate(step.items, 1):
        grouped.setdefault(item[place], []).append((number, item))
    statements = []
    for merchant_id, items in grouped.items():
        rest = [[item[n] for _, item in items] for n in range(len(names)) if n != place]
        statements.append(OfMerchant(_of_one_merchant(step.of), (merchant_id, *rest, [n for n, _ in items])))
    return statements


def names_merchants(statement: Together) -> bool:
    """Return whether the items of a statement have a merchant each."""
    return any(column.split()[0] == "merchant_id" for column in statement.columns)


@cache
def _of_one_merchant(statement: Together) -> str:
    columns = [column.split() for column in statement.columns if column.split()[0] != "merchant_id"]
    arrays = ", ".join(f"${n}::{kind}[]" for n, (_, kind) in enumerate([*columns, ("number", "bigint")], 2))
    names = ", ".join([*(name for name, _ in columns), "number"])
    sql = re.sub(r"\bitem\.merchant_id\b", "$1::text", statement.sql)
    return sql.replace("{items}", f"unnest({arrays}) AS item ({names})")


def notes_of(step: Step, answer: Any) -> Iterator[Run]:
    """Give what is to be noted after a step, and its answer."""
    table, columns, items = _changed(step, answer)
    note = NOTES.get(table or "")
    if note is None or not items:
        return
    yield Run(note.insert, sorted({note.of(columns, item) for item in items}))


_INSERT = re.compile(r"\s*INSERT INTO (\w+) \(([\w, ]+)\)")
_TAKING = re.compile(r"\s*INSERT INTO (\w+) \(([\w, ]+)\)\s*SELECT (.+?)\s+FROM (.+)", re.DOTALL)
_UPDATE = re.compile(r"\s*UPDATE (\w+)\s")


def _changed(step: Step, answer: Any) -> tuple[str | None, Sequence[str], Sequence[Sequence[Any]]]:
    """Return which rows a step has put into which table, or may have changed there."""
    sql = sql_of(step)
    if sql in INSERTS:
        return (*INSERTS[sql], step.items)
    inserted, updated = _INSERT.match(sql), _UPDATE.match(sql)
    if inserted is not None and isinstance(step, Rows):
        # Those that were there already are not given back.
        kept = [item for item, rows in zip(step.items, answer, strict=True) if rows]
        return inserted[1], inserted[2].split(", "), kept
    note = NOTES.get(updated[1]) if updated is not None else None
    if updated is not None and note is not None and any(re.search(rf"\b{c}\s*=", sql) for c in note.when_changed):
        return updated[1], _named_by(step, note), step.items
    return None, (), ()


def sql_of(step: Step) -> str:
    return step.of.sql if isinstance(step, RowsOfAll | ChangeAll) else step.sql


def selected_notes(step: Step) -> Iterator[str]:
    """Give the statement that notes rows which an INSERT takes from another table, by the same values."""
    taking = _TAKING.match(sql_of(step))
    note = NOTES.get(taking[1]) if taking is not None else None
    if taking is None or note is None:
        return
    taken = dict(zip(taking[2].split(", "), taking[3].split(", "), strict=True))
    target, into = INSERTS[note.insert]
    values = ", ".join(repr(note.constants[v]) if v in note.constants else taken[v] for v in note.values)
    yield f"INSERT INTO {target} ({', '.join(into)}) SELECT {values} FROM {taking[4]}"


def _named_by(step: Step, note: Note) -> Sequence[str]:
    if isinstance(step, RowsOfAll | ChangeAll):
        return [column.split()[0] for column in step.of.columns]
    return note.values


def put_together(parts: Sequence[Sequence[Row]]) -> Sequence[Row]:
    """Return the rows of statements of several merchants, in no order."""
    return [row for part in parts for row in part]
