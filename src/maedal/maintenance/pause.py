"""A pause: a time in which scheduled charges wait, because the PG is closed and each would only fail.

Three things make one: a window that the PG announced and a person entered, the nights that are known of the PG
(`Night`, data of its driver), and an answer of the PG's own that says that it is closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from maedal.payments.attempt import Method
from maedal.payments.errors import InvalidParameter
from maedal.reconciliation.settlement import SEOUL

LONGEST = timedelta(days=3)
"""A longer window is a typing error: charges that wait for so long are the merchants' to decide about."""
AHEAD_MAX = timedelta(days=366)
NOTE_MAX = 200
LOOK_BACK = timedelta(days=8)
"""For how long a pause that is over still counts: what waited in it catches up, and its lateness is not told."""


class Source(StrEnum):
    """Why we believe that the PG is closed."""

    ANNOUNCED = "announced"  # a person entered what the PG announced
    ANSWERED = "answered"  # the PG said so itself, to a call


@dataclass(frozen=True, slots=True)
class Pause:
    """One closed time of a PG. `who` entered it; nobody for what the PG answered."""

    id: str
    pg_provider: str
    source: Source
    begins_at: datetime
    ends_at: datetime
    note: str
    who: str = ""


@dataclass(frozen=True, slots=True)
class Night:
    """A time of every day, in Seoul, in which charges by one method fail; `method` None is every method."""

    begins: time
    ends: time
    method: Method | None

    def end_at(self, now: datetime) -> datetime | None:
        """Return when the night that `now` lies in ends; None by day."""
        local = now.astimezone(SEOUL)
        for days in (-1, 0):
            begins_at = datetime.combine(local.date() + timedelta(days=days), self.begins, SEOUL)
            ends_at = datetime.combine(begins_at.date(), self.ends, SEOUL)
            if ends_at <= begins_at:
                ends_at += timedelta(days=1)
            if begins_at <= now < ends_at:
                return ends_at.astimezone(now.tzinfo)
        return None

    def last_end(self, now: datetime) -> datetime:
        """Return when the night before `now` ended."""
        local = now.astimezone(SEOUL)
        ended = datetime.combine(local.date(), self.ends, SEOUL)
        return (ended if ended <= now else ended - timedelta(days=1)).astimezone(now.tzinfo)


def check(begins_at: datetime, ends_at: datetime, note: str, now: datetime) -> None:
    """Raise InvalidParameter unless a window can be meant like this."""
    if ends_at <= begins_at or ends_at - begins_at > LONGEST:
        raise InvalidParameter("until", f"a window ends after it begins, at most {LONGEST.days} days later")
    if ends_at <= now:
        raise InvalidParameter("until", "the window is over already")
    if begins_at > now + AHEAD_MAX:
        raise InvalidParameter("from", "the window is more than a year away")
    if not note.strip() or len(note) > NOTE_MAX or not note.isprintable():
        raise InvalidParameter("note", f"the note must be a text of 1 to {NOTE_MAX} printable characters")


def open_until(pauses: Iterable[Pause], now: datetime) -> datetime | None:
    """Return when the closed time that `now` lies in ends, windows that overlap or touch taken together."""
    until = None
    for pause in sorted(pauses, key=lambda p: p.begins_at):
        if pause.begins_at <= (until or now) < pause.ends_at:
            until = pause.ends_at
    return until


def last_end(pauses: Iterable[Pause], now: datetime) -> datetime | None:
    """Return when the last of these that is over ended."""
    return max((p.ends_at for p in pauses if p.ends_at <= now), default=None)


def open_time_before(pauses: Sequence[Pause], now: datetime, span: timedelta) -> datetime:
    """Return the moment since which the PG was open for `span` in all, closed times left out.

    What was due before it has had that long to be taken up.
    """
    at, left = now, span
    for begins_at, ends_at in _merged(pauses, now):
        between = at - ends_at
        if between > left:
            break
        at, left = begins_at, left - max(between, timedelta(0))
    return at - left


def open_time_since(pauses: Sequence[Pause], since: datetime, now: datetime) -> timedelta:
    """Return how long the PG was open from `since` until `now`."""
    closed = sum(
        (max(timedelta(0), min(end, now) - max(begin, since)) for begin, end in _merged(pauses, now)), timedelta(0)
    )
    return max(timedelta(0), now - since - closed)


def _merged(pauses: Iterable[Pause], now: datetime) -> list[tuple[datetime, datetime]]:
    """Return closed times until `now`, latest first, none overlapping another."""
    merged: list[tuple[datetime, datetime]] = []
    for pause in sorted(pauses, key=lambda p: p.begins_at):
        begin, end = pause.begins_at, min(pause.ends_at, now)
        if end <= begin:
            continue
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged[::-1]
