"""What commands show: lists and single things, as text for people in Korea's time, or as JSON for scripts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from types import TracebackType
from typing import Annotated, Self

import typer

from maedal.cli.running import out, show

KST = timezone(timedelta(hours=9), "KST")
"""Korea's time, which knows no summer time; with it no time zone data is needed."""
Fact = str | int | bool | datetime | date | Sequence[str] | None
Json = Annotated[
    bool, typer.Option("--json", help="Print JSON for scripts: an array of a list, an object of one thing.")
]


def moment(at: datetime | None, none: str = "-") -> str:
    """Return a time as people in Korea read it."""
    return none if at is None else f"{at.astimezone(KST):%Y-%m-%d %H:%M:%S} KST"


def in_korea(typed: datetime | None) -> datetime | None:
    """Return the moment of a time that somebody typed, which is Korea's, in UTC."""
    return None if typed is None else typed.replace(tzinfo=KST).astimezone(UTC)


class Listing:
    """A list, printed row by row as it comes, or as one JSON array when it ends.

    In JSON numbers, yes and no, and none are themselves; times are ISO 8601 with Korea's offset.
    """

    def __init__(self, *, as_json: bool, empty: str = "") -> None:
        self._as_json, self._empty = as_json, empty
        self._rows: list[dict[str, object]] = []
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def row(self, kind: str, title: str, at: datetime | None = None, /, **facts: Fact) -> None:
        """Add a row: `kind` says in JSON what the title is; `at` is when it happened, for people before the title."""
        self._count += 1
        if self._as_json:
            self._rows.append(json_of(**{kind: title} | ({} if at is None else {"at": at}) | facts))
        else:
            show(
                title if at is None else f"{moment(at)}  {title}", **{name: _text(fact) for name, fact in facts.items()}
            )

    def note(self, text: str) -> None:
        """Say something beside the rows, to people alone."""
        if not self._as_json:
            out.print(text)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            return
        if self._as_json:
            print_json(self._rows)
        elif not self._count and self._empty:
            out.print(self._empty)


def show_one(kind: str, title: str, /, *, as_json: bool, **facts: Fact) -> None:
    """Show one thing, or print it as one JSON object."""
    if as_json:
        print_json(json_of(**{kind: title} | facts))
    else:
        show(title, **{name: _text(fact) for name, fact in facts.items()})


def json_of(**facts: Fact) -> dict[str, object]:
    """Return facts as JSON has them."""
    return {name: _value(fact) for name, fact in facts.items()}


def print_json(value: object) -> None:
    """Print a value as one line of JSON, whatever the terminal is."""
    print(json.dumps(value, ensure_ascii=False))


def _value(fact: Fact) -> object:
    if isinstance(fact, datetime):
        return fact.astimezone(KST).isoformat(timespec="seconds")
    if isinstance(fact, date):
        return fact.isoformat()
    if fact is None or isinstance(fact, str | bool | int):
        return fact
    return list(fact)


def _text(fact: Fact) -> str:
    match fact:
        case None | "":
            return "-"
        case bool():
            return "yes" if fact else "no"
        case datetime():
            return moment(fact)
        case date():
            return fact.isoformat()
        case str() | int():
            return str(fact)
        case _:
            return ", ".join(fact) or "-"
