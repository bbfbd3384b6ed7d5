"""On which days a plan falls, in Korea: an anchored day of a month, or every so many days, weeks or years.

The anchored day is kept: 31 January, 28 (or 29) February, 31 March. A day that is moved to the next business day moves
for itself alone; the days after it stay where they were.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum

from maedal.payments.errors import InvalidParameter

KST = timezone(timedelta(hours=9), "KST")
SATURDAY = 5
MOVED_DAYS_MAX = 60
"""However an operator sets holidays, a charge is not moved further than this; then it stays on its day."""
LAST_DAY = date(2099, 12, 31)
"""No plan goes on after this; it bounds every calculation."""
IsHoliday = Callable[[date], bool]


class IntervalUnit(StrEnum):
    """In what the time between two occurrences is counted."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


COUNT_MAX = {IntervalUnit.DAY: 366, IntervalUnit.WEEK: 104, IntervalUnit.MONTH: 36, IntervalUnit.YEAR: 3}
"""The next occurrence is scheduled when the one before was due, and a charge is scheduled five years ahead at most."""
_DAYS = {IntervalUnit.DAY: 1, IntervalUnit.WEEK: 7}
_MONTHS = {IntervalUnit.MONTH: 1, IntervalUnit.YEAR: 12}


@dataclass(frozen=True, slots=True)
class DateRule:
    """The days of a plan: the first one that is `starts_on` or later, and then one every `count` units.

    `anchor_day` (1 to 31) is for months and years alone; a month that is shorter has its last day instead.
    """

    unit: IntervalUnit
    count: int
    starts_on: date
    anchor_day: int | None = None

    def __post_init__(self) -> None:
        assert (self.unit in _MONTHS) == (self.anchor_day is not None), "months have an anchored day, weeks have none"

    def day(self, number: int) -> date:
        """Return the day of an occurrence, the first of which has the number 0."""
        if self.anchor_day is None:
            return self.starts_on + timedelta(days=number * self.count * _DAYS[self.unit])
        return self._in_month(self._first_month() + number * self.count * _MONTHS[self.unit])

    def on_or_after(self, day: date) -> date:
        """Return the first day of the plan that is `day` or later."""
        if self.anchor_day is None:
            step = self.count * _DAYS[self.unit]
            number = max(0, -((self.starts_on - day).days // step))
        else:
            months = day.year * 12 + day.month - 1 - self._first_month()
            number = max(0, months // (self.count * _MONTHS[self.unit]))
        while self.day(number) < day:
            number += 1
        return self.day(number)

    def after(self, day: date) -> date:
        """Return the first day of the plan that is later than `day`."""
        return self.on_or_after(day + timedelta(days=1))

    def has(self, day: date) -> bool:
        """Return whether the plan falls on `day`."""
        return self.on_or_after(day) == day

    def _first_month(self) -> int:
        month = self.starts_on.year * 12 + self.starts_on.month - 1
        return month if self._in_month(month) >= self.starts_on else month + 1

    def _in_month(self, month: int) -> date:
        assert self.anchor_day is not None, "only months have one"
        year, index = divmod(month, 12)
        return date(year, index + 1, min(self.anchor_day, calendar.monthrange(year, index + 1)[1]))


def date_rule(unit: str, count: int, starts_on: date, anchor_day: int | None) -> DateRule:
    """Return the rule that a caller asks for. Raises InvalidParameter, naming the field."""
    if unit not in set(IntervalUnit):
        raise InvalidParameter("interval_unit", f"interval_unit must be one of {', '.join(IntervalUnit)}")
    most = COUNT_MAX[IntervalUnit(unit)]
    if not 1 <= count <= most:
        raise InvalidParameter("interval_count", f"interval_count must be from 1 to {most} for this unit")
    if anchor_day is not None and unit in _DAYS:
        raise InvalidParameter("anchor_day", "anchor_day is for months and years; days and weeks count from starts_on")
    if anchor_day is not None and not 1 <= anchor_day <= 31:
        raise InvalidParameter("anchor_day", "anchor_day must be a day of a month, from 1 to 31")
    if unit in _MONTHS and anchor_day is None:
        anchor_day = starts_on.day
    return DateRule(IntervalUnit(unit), count, starts_on, anchor_day)


def is_business_day(day: date, is_holiday: IsHoliday) -> bool:
    """Return whether banks and offices are open: no Saturday, Sunday or public holiday."""
    return day.weekday() < SATURDAY and not is_holiday(day)


def next_business_day(day: date, is_holiday: IsHoliday) -> date:
    """Return `day`, or the next business day after it."""
    for later in range(MOVED_DAYS_MAX):
        found = day + timedelta(days=later)
        if is_business_day(found, is_holiday):
            return found
    return day


def moment(day: date, at: time) -> datetime:
    """Return a moment of a Korean day, in UTC."""
    return datetime.combine(day, at, KST).astimezone(UTC)


def korean_day(at: datetime) -> date:
    """Return the day that it is in Korea."""
    return at.astimezone(KST).date()
