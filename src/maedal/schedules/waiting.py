"""How a scheduled charge waits that came to nothing through nobody's decline: for how long, and when it tries again."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from maedal.payments.attempt import Fault
from maedal.reconciliation.settlement import SEOUL

AT_MOST = timedelta(days=1)
"""How long after it was due a scheduled charge is tried again, unless its channel says otherwise."""
SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(minutes=15)
LONGEST_OF_TOO_MANY = timedelta(minutes=5)
AFTER_MIDNIGHT = timedelta(minutes=1)
"""How far the clock that counts the PG's quota may be behind ours."""


def try_again_at(fault: Fault, since: datetime, now: datetime) -> datetime:
    """Return when it is worth trying again after a failure that has lasted since then: ever later, up to a bound.

    A quota of the day begins anew at midnight in Seoul.
    """
    if fault is Fault.QUOTA:
        tomorrow = now.astimezone(SEOUL).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time(0), SEOUL).astimezone(now.tzinfo) + AFTER_MIDNIGHT
    longest = LONGEST_OF_TOO_MANY if fault is Fault.TOO_MANY else LONGEST
    return now + min(max((now - since) / 2, SHORTEST), longest)
