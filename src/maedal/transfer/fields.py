"""Reading the fields of one entry; whatever is wrong names its place in the file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from maedal.rest.wire import from_epoch
from maedal.schedules.recovery import PayDay, Wait

TEXT_MAX = 20_000
SECONDS_MAX = 253_402_300_799
"""The last second of the year 9999."""


class FileRefused(Exception):
    """The file cannot be imported as it is; the text says where and why. Nothing of it became visible."""


class Fields:
    """One object of the file and its place there, such as `payments[17]`."""

    def __init__(self, place: str, values: Any) -> None:
        self.place = place
        if not isinstance(values, Mapping):
            raise FileRefused(f"{place}: an object is expected")
        self._values = values

    def wrong(self, name: str, text: str) -> FileRefused:
        """Return the error of one field."""
        return FileRefused(f"{self.place}.{name}: {text}")

    def has(self, name: str) -> bool:
        """Return whether the field is there and not null."""
        return self._values.get(name) is not None

    def part(self, name: str) -> Fields:
        """Return an object inside this one; one without fields when it is missing."""
        return Fields(f"{self.place}.{name}", self._values.get(name) if self.has(name) else {})

    def parts(self, name: str) -> list[Fields]:
        """Return the objects of a list; none when it is missing."""
        return [Fields(f"{self.place}.{name}[{n}]", item) for n, item in enumerate(self._list(name))]

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the texts of a list; none when it is missing."""
        found = self._list(name)
        if any(not isinstance(item, str) or "\0" in item for item in found):
            raise self.wrong(name, "a list of texts is expected")
        return tuple(found)

    def _list(self, name: str) -> Sequence[Any]:
        found = self._values.get(name)
        if found is None:
            return ()
        if not isinstance(found, list):
            raise self.wrong(name, "a list is expected")
        return found

    def text(self, name: str) -> str | None:
        """Return a text; None when it is missing or null."""
        found = self._values.get(name)
        if found is None:
            return None
        if not isinstance(found, str) or "\0" in found or len(found) > TEXT_MAX:
            raise self.wrong(name, f"a text of at most {TEXT_MAX} characters is expected")
        return found

    def needed(self, name: str) -> str:
        """Return a text that must be there and not empty."""
        found = self.text(name)
        if not found:
            raise self.wrong(name, "it is missing")
        return found

    def whole(self, name: str, default: int | None = None, *, least: int = 0, most: int) -> int:
        """Return a whole number; `default` when it is missing, which is an error without one."""
        found = self._values.get(name)
        if found is None:
            found = default
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
            raise self.wrong(name, f"a whole number from {least} to {most} is expected")
        return found

    def waits(self, name: str, *, most: int) -> tuple[Wait, ...]:
        """Return the waits of a list, each in seconds or a day of the month such as `@25`; none when it is missing."""
        found: list[Wait] = []
        for item in self._list(name):
            if isinstance(item, str) and (day := re.fullmatch(r"@([1-9]|[12][0-9]|3[01])", item, re.ASCII)):
                found.append(PayDay(int(day[1])))
            elif isinstance(item, int) and not isinstance(item, bool) and 0 <= item <= most:
                found.append(timedelta(seconds=item))
            else:
                raise self.wrong(name, f"whole numbers from 0 to {most}, or days such as @25, are expected")
        return tuple(found)

    def flag(self, name: str, default: bool) -> bool:
        """Return true or false."""
        found = self._values.get(name)
        if found is None:
            return default
        if not isinstance(found, bool):
            raise self.wrong(name, "true or false is expected")
        return found

    def one_of(self, name: str, known: Mapping[str, Any], default: str | None = None) -> Any:
        """Return what the field's word stands for."""
        word = self.text(name) or default
        if word is None or word not in known:
            raise self.wrong(name, f"one of {', '.join(known)} is expected")
        return known[word]

    def moment(self, name: str) -> datetime | None:
        """Return the moment of Unix seconds; None for 0 and null."""
        seconds = self.whole(name, 0, most=SECONDS_MAX)
        return from_epoch(seconds) if seconds else None

    def exact(self, name: str) -> datetime | None:
        """Return the moment of an ISO 8601 text with its offset."""
        text = self.text(name)
        if text is None:
            return None
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            raise self.wrong(name, "a moment such as 2026-11-23T09:00:00+00:00 is expected") from None
        if found.tzinfo is None:
            raise self.wrong(name, "a moment needs its offset from UTC")
        return found
