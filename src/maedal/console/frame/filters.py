"""The filters of a list as an address holds them; what cannot be is left out, so that every link answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from maedal.console.frame.days import begin_of, day_of
from maedal.console.frame.visit import AnyRequest


@dataclass(frozen=True, slots=True)
class QueryFilters:
    """Filters that are kept as the texts of an address; a list has a class of its own with its fields."""

    def query(self, **changes: str) -> str:
        """Return the filters as a query, without those that are not set."""
        wanted = {one.name: getattr(self, one.name) for one in fields(self)} | changes
        return urlencode({name: value for name, value in wanted.items() if value})


@dataclass(frozen=True, slots=True)
class FilterReader:
    """Reads the filters of a log from the address of a request."""

    request: AnyRequest
    chars_max: int

    def text(self, name: str) -> str:
        """Return what somebody typed to be found."""
        typed = self.request.query_params.get(name, "")
        return "".join(c for c in typed if c.isprintable()).strip()[: self.chars_max]

    def day(self, name: str) -> str:
        """Return a day as it was written, like 2026-11-25."""
        typed = self.text(name)
        return "" if day_of(typed) is None else typed

    def one_of(self, name: str, known: Sequence[str], otherwise: str = "") -> str:
        """Return a value that is known."""
        value = self.request.query_params.get(name, otherwise)
        return value if value in known else otherwise

    def place(self, fits: Callable[[str], bool] = str.isprintable) -> tuple[datetime, str] | None:
        """Return the row that the log goes on after, by its moment and id, as `place_text` wrote it."""
        at, _, row_id = self.request.query_params.get("after", "").partition("~")
        try:
            moment = datetime.fromisoformat(at)
            place = (moment.astimezone(UTC), row_id[: self.chars_max])
        except (ValueError, OverflowError):
            return None
        return place if moment.tzinfo is not None and fits(row_id) else None


def place_text(place: tuple[datetime, str] | None) -> str | None:
    """Return the row that a log goes on after as an address holds it."""
    return None if place is None else f"{place[0].isoformat()}~{place[1]}"


def span_of(since: str, until: str) -> tuple[datetime | None, datetime | None]:
    """Return when the first of two days begins and when the last is over; None where there is no such day."""
    first, last = day_of(since), day_of(until)
    return (
        None if first is None else begin_of(first),
        None if last is None else begin_of(last + timedelta(days=1)),
    )
