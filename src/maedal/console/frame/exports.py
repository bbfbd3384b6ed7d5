"""Lists that can be written out as files: each subject adds its own, and all are asked for, sealed and logged alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from maedal.console.frame.spreadsheets import Lines
from maedal.console.frame.visit import Visit

AT_ONCE = 200
"""Rows that are in memory at a time."""
NEVER_KEPT = frozenset({"word", "host"})
"""Filters whose values are no matter of the audit log: what was looked for may be somebody's name."""
PLACES = frozenset({"page", "after", "before"})
"""What an address says of where a reader of the list is; a file has all of it."""


@dataclass(frozen=True, slots=True)
class FoundList:
    """A list as its filters leave it, before it is written out."""

    filters: Sequence[tuple[str, str]]
    """Its filters and their values, as people say them."""
    total: int | None
    """How many rows there are; None where nobody has counted them."""
    head: Sequence[str]
    lines: Callable[[], Lines]
    exact: bool = True
    """Whether there are no more rows than `total`."""


@dataclass(frozen=True, slots=True)
class ListExport:
    """A list that can be written out, by the filters that its page has in its address."""

    title: tuple[str, str]
    """What it is called, and what its files are named after."""
    page: str
    """Where it is shown, below the merchant's address."""
    read: Callable[[Visit, str], Awaitable[FoundList]]


_exports: dict[str, ListExport] = {}


def add(exports: Mapping[str, ListExport]) -> None:
    """Add what a subject lets be written out, by the name that stands in addresses and in the audit log."""
    assert not _exports.keys() & exports.keys(), "a list has one subject"
    _exports.update(exports)


def export_named(name: str) -> ListExport | None:
    """Return the list of a name."""
    return _exports.get(name)


def query_of(visit: Visit) -> str:
    """Return the filters of an address as a query, without where its reader was."""
    query: Mapping[str, Any] = visit.request.query_params
    return urlencode({name: value for name, value in query.items() if value and name not in PLACES})


def for_audit_log(visit: Visit) -> str:
    """Return the filters of an address as the audit log keeps them."""
    query: Mapping[str, Any] = visit.request.query_params
    kept = {name: "(…)" if name in NEVER_KEPT else value for name, value in query.items() if name not in PLACES}
    return "&".join(f"{name}={value}" for name, value in kept.items() if value)[:300] or "-"
