"""What a person may do to a scheduled charge, and what is in the way; pages show the same before it is done."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2s

from maedal.payments.moves import Status
from maedal.schedules.errors import InvalidScheduleTime
from maedal.schedules.schedule import Schedule, ScheduleStatus, check_time

RETRY_LEAD = timedelta(minutes=1)
"""How long after a person wanted it what is tried again waits: then a worker begins it like any scheduled charge."""
DAYS_MAX = 366
AT_ONCE_MAX = 5_000
"""How many scheduled charges one request may change."""


class ManualChange(StrEnum):
    """What a person wants of a scheduled charge."""

    HOLD = "hold"
    RELEASE = "release"
    REVOKE = "revoke"
    MOVE = "move"  # to wait for another time
    RETRY = "retry"  # what failed or was revoked is charged a minute from now
    ANEW = "anew"  # what failed or was revoked waits for another time


class Obstacle(StrEnum):
    """Why a change cannot be made."""

    HELD_ALREADY = "held_already"
    NOT_HELD = "not_held"
    NOT_AHEAD = "not_ahead"  # it was executed or revoked, and no try is planned
    NOT_WAITING = "not_waiting"
    STILL_WAITS = "still_waits"
    HELD = "held"
    UNCLEAR = "unclear"  # its payment is running, or its outcome unknown
    PAID = "paid"
    TIME_OVER = "time_over"  # the time is over, or too far away


def mark_of(schedule: Schedule) -> str:
    """Return a short mark of how a charge stands, so that a person changes it only as they saw it."""
    held = "" if schedule.hold is None else schedule.hold.at.isoformat()
    stands = f"{schedule.status}|{schedule.imp_uid}|{schedule.schedule_at.isoformat()}|{held}"
    return blake2s(stands.encode(), digest_size=6).hexdigest()


def obstacle_to(
    schedule: Schedule, change: ManualChange, now: datetime, schedule_at: datetime | None = None
) -> Obstacle | None:
    """Return what keeps `change` from being made, or None; `schedule_at` is the time that it is to wait for."""
    found: Obstacle | None = None
    match change:
        case ManualChange.HOLD:
            if schedule.hold is not None:
                found = Obstacle.HELD_ALREADY
            elif schedule.due_at is None:
                found = Obstacle.NOT_AHEAD
        case ManualChange.RELEASE:
            found = Obstacle.NOT_HELD if schedule.hold is None else None
        case ManualChange.REVOKE:
            found = Obstacle.NOT_AHEAD if schedule.due_at is None else None
        case ManualChange.MOVE:
            found = None if schedule.status is ScheduleStatus.SCHEDULED else Obstacle.NOT_WAITING
        case ManualChange.RETRY | ManualChange.ANEW:
            found = _not_anew(schedule)
            if found is None and change is ManualChange.RETRY and schedule.hold is not None:
                found = Obstacle.HELD
    if found is None and schedule_at is not None:
        try:
            check_time(schedule_at, now)
        except InvalidScheduleTime:
            found = Obstacle.TIME_OVER
    return found


def _not_anew(schedule: Schedule) -> Obstacle | None:
    if schedule.may_begin_anew():
        return None
    if schedule.status is ScheduleStatus.SCHEDULED:
        return Obstacle.STILL_WAITS
    paid = schedule.payment is not None and schedule.payment.status in {Status.PAID, Status.CANCELLED}
    return Obstacle.PAID if paid else Obstacle.UNCLEAR
