"""Public holidays of Korea by the library `holidays`, with the days that a merchant's operators set beside them.

The library computes what the law says (lunar days, substitute holidays, 1 May and 17 July since 2026, elections that
have their day). A temporary holiday, which a government announces some days before, is known only once a release of it
has it, or an operator has entered it; so `known_until` is shown with every list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import holidays

from maedal.plans.calendar import IsHoliday
from maedal.plans.holiday import OwnHoliday

LIBRARY_VERSION = "0.109"
AS_OF = date(2026, 11, 17)
"""When that release of the library came out; a test holds the version against the lock file."""
ANNOUNCED_IN_JUNE = 6
"""By the end of June the country's calendar of the next year stands in the official gazette (월력요항)."""


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day on which nothing is charged by a plan that keeps to business days; `own` is an operator's setting."""

    on: date
    name: str
    closed: bool
    own: bool


@lru_cache(maxsize=400)
def public_holidays(year: int, language: str = "ko") -> Mapping[date, str]:
    """Return the country's holidays of a year, with their names in `ko` or `en_US`."""
    return dict(holidays.country_holidays("KR", years=year, language=language))


def known_until() -> date:
    """Return the last day of the newest year whose calendar had been announced when the library was released."""
    return date(AS_OF.year + (AS_OF.month > ANNOUNCED_IN_JUNE), 12, 31)


def holiday_rule(own: Sequence[OwnHoliday]) -> IsHoliday:
    """Return whether a day is a holiday for a merchant: as its operators say, and otherwise as the country has it."""
    said = {one.on: one.closed for one in own}

    def is_holiday(day: date) -> bool:
        closed = said.get(day)
        return day in public_holidays(day.year) if closed is None else closed

    return is_holiday


def holidays_of(year: int, own: Sequence[OwnHoliday], language: str = "ko") -> list[Holiday]:
    """Return the days of a year that are holidays for a merchant, and those that its operators made business days."""
    country = {on: Holiday(on, name, closed=True, own=False) for on, name in public_holidays(year, language).items()}
    set_here = {one.on: Holiday(one.on, one.name, one.closed, own=True) for one in own if one.on.year == year}
    return [(country | set_here)[on] for on in sorted({*country, *set_here})]
