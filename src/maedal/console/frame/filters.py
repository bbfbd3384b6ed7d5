"""The filters of a list as an address holds them; what cannot be is left out, so that every link answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, datetime
from urllib.parse import urlencode

from maedal.console.frame.visit import AnyRequest


@dataclass(frozen=True, slots=True)
class QueryFilters:
    """Filters that are kept as the texts of an address; a list has a class of its own with its fields."""

    def query(self, **changes: str) -> str:
        """Return the filters as a query, without those that are not set."""
        wanted = {one.name: getattr(self, one.name) for one in fields(self)} | changes
        return urlencode({name: value for name, value in wanted.items() if value})


def read_text(request: AnyRequest, name: str, chars_max: int) -> str:
    """Return what somebody typed to be found."""
    return "".join(c for c in request.query_params.get(name, "") if c.isprintable()).strip()[:chars_max]


def read_day(text: str) -> date | None:
    """Return the day that is written like 2026-11-25, or None."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def read_place(text: str, chars_max: int, fits: Callable[[str], bool] = str.isprintable) -> tuple[datetime, str] | None:
    """Return the row that a list goes on after, by its moment and id, or None for one that cannot be."""
    at, _, row_id = text.partition("~")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (moment, row_id[:chars_max]) if moment.tzinfo is not None and fits(row_id) else None
