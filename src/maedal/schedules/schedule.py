"""A schedule: one charge of a billing key, scheduled for a time (docs/wire/portone-v1-rest.md 4.5.5 to 4.5.9).

A waiting charge is executed or revoked; either may be planned anew. What became of an executed one is told by its
payment alone, so that there is no second status that could disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from maedal.payments.moves import Status
from maedal.payments.payment import Order, Payment
from maedal.schedules.errors import InvalidScheduleTime
from maedal.schedules.hold import Hold
from maedal.schedules.recovery import NextTry

HORIZON = timedelta(days=5 * 366)
"""How far ahead a charge may be planned; above all it catches milliseconds sent as seconds."""
CALL_MAX = 1000
"""How many charges one call may plan."""
LIST_SPAN_MAX = timedelta(days=93)
"""Three months, the longest of which have 92 days, and a day of leniency."""

NO_KEY_REASON = "등록되지 않은 구매자입니다."


class ScheduleStatus(StrEnum):
    """Where a scheduled charge stands."""

    SCHEDULED = "scheduled"  # waits for its time, or for its key
    EXECUTED = "executed"  # its payment has begun; whether it was paid, the payment says
    REVOKED = "revoked"  # taken back by the merchant before it began


@dataclass(frozen=True, slots=True)
class Schedule:
    """A scheduled charge as stored, with the payment that executed it. Times are aware UTC.

    `channel_id` is that of the key that lived when the charge was planned: a charge that fails because no key lives
    any more is a payment of this channel.
    """

    merchant_id: str
    order: Order
    channel_id: str
    schedule_at: datetime
    inserted_at: datetime
    status: ScheduleStatus = ScheduleStatus.SCHEDULED
    imp_uid: str | None = None
    executed_at: datetime | None = None
    revoked_at: datetime | None = None
    lease_id: str | None = None
    """Whoever is about to execute it; a later claim or change takes the right away."""
    payment: Payment | None = None
    next_try: NextTry | None = None
    """When the charge, which failed, is tried again by the merchant's rules."""
    tries: int = 0
    """How often it was tried again since it was executed first."""
    by_claim: bool = True
    """Whether it was executed by itself, as it was planned or by a rule; otherwise by a person or their server."""
    hold: Hold | None = None
    """Who keeps it from being made; nothing executes it until it is released."""

    @property
    def due_at(self) -> datetime | None:
        """Return when money is to be taken next: at its time while it waits, at the next try once it failed."""
        if self.status is ScheduleStatus.SCHEDULED:
            return self.schedule_at
        return None if self.next_try is None else self.next_try.at

    def may_wait_again(self, imp_uid: str) -> bool:
        """Return whether the charge, begun by itself as this payment and not tried since, may wait as if it had not.

        What a person or the merchant has begun before it was due has been told to them, and is never repeated.
        """
        if self.status is not ScheduleStatus.EXECUTED or self.imp_uid != imp_uid or self.tries or not self.by_claim:
            return False
        assert self.executed_at is not None, "an executed charge says when"
        return self.executed_at >= self.schedule_at

    def may_begin_anew(self) -> bool:
        """Return whether the charge may be planned or tried again: revoked, or failed with proof."""
        if self.status is ScheduleStatus.EXECUTED:
            return self.payment is not None and self.payment.status is Status.FAILED
        return self.status is ScheduleStatus.REVOKED


def check_time(schedule_at: datetime, now: datetime) -> None:
    """Raise InvalidScheduleTime unless a charge may be planned for `schedule_at`."""
    if schedule_at <= now:
        raise InvalidScheduleTime("schedule_at is over")
    if schedule_at > now + HORIZON:
        raise InvalidScheduleTime("schedule_at is more than five years away; it is given in seconds")
