"""Waiting after technical failures: what nobody declined is not told as failed, it is tried again within a bound.

A planned charge that could not be sent, was refused at the door of the PG, or is proved not to have been made after its
answer was lost, goes back to wait as if it had not been begun (docs/decisions/0040-technical-failures.md).
"""

from __future__ import annotations

from datetime import datetime

from maedal.payments.attempt import Fault
from maedal.payments.payment import Payment
from maedal.schedules.schedule import Schedule
from maedal.schedules.waiting import AT_MOST, try_again_at


def waits_until(payment: Payment, schedule: Schedule | None, fault: Fault, now: datetime) -> datetime | None:
    """Return until when the planned charge of a payment waits that came to nothing through `fault`.

    None when it is over: it was begun by hand before it was due, or its bound is reached.
    """
    if schedule is None or not schedule.may_wait_again(payment.imp_uid):
        return None
    over_at = schedule.schedule_at + AT_MOST
    return None if now >= over_at else min(try_again_at(fault, schedule.schedule_at, now), over_at)
