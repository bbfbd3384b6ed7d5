"""Days as merchants mean them, in Korean time: read from an address, shown, and turned into moments."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

from maedal.console.frame.visit import Visit

KOREA = timezone(timedelta(hours=9), "KST")
FIRST, LAST = date(2000, 1, 1), date(2099, 12, 31)
WEEKDAYS = (("월", "Mon"), ("화", "Tue"), ("수", "Wed"), ("목", "Thu"), ("금", "Fri"), ("토", "Sat"), ("일", "Sun"))


def when(at: datetime | None) -> str:
    """`2026-11-23 12:34:56`, Korean time."""
    return "" if at is None else f"{at.astimezone(KOREA):%Y-%m-%d %H:%M:%S}"


def today(visit: Visit) -> date:
    """Return the day that it is in Korea."""
    return visit.services.clock.now().astimezone(KOREA).date()


def begin_of(day: date) -> datetime:
    """Return the first moment of a day in Korea, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=KOREA).astimezone(UTC)


def days_from(first: date, last: date) -> list[date]:
    """Return all days from the first to the last."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def borders(days: list[date]) -> list[tuple[datetime, datetime]]:
    """Return of each day its first moment, and that of the next."""
    return [(begin_of(day), begin_of(day + timedelta(days=1))) for day in days]


def day_of(text: str) -> date | None:
    """Return the day that is written like 2026-11-25, or None."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST <= day <= LAST else None


def moment_of(text: str) -> datetime | None:
    """Return the moment in Korean time that a browser's field writes like 2026-11-25T09:30, or None."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.replace(tzinfo=KOREA).astimezone(UTC) if at.tzinfo is None and FIRST <= at.date() <= LAST else None


def first_of_month(day: date) -> date:
    """Return the first day of the month."""
    return day.replace(day=1)


def next_month(first: date) -> date:
    """Return the first day of the month after."""
    return (first + timedelta(days=32)).replace(day=1)


def day_name(visit: Visit, day: date) -> str:
    """`11월 25일 (수)`, `Wed, Nov 25`; with the year when it is not this one."""
    korean, english = WEEKDAYS[day.weekday()]
    year = "" if day.year == today(visit).year else f"{day.year}"
    if visit.english:
        return f"{english}, {day:%b} {day.day}" + (f", {year}" if year else "")
    return (f"{year}년 " if year else "") + f"{day.month}월 {day.day}일 ({korean})"
