"""What is written about scheduled charges; one that cannot even begin fails as a payment (see payments)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from maedal.merchants.audit_entry import AuditEntry
from maedal.payments.payment import Payment
from maedal.schedules.pace import Pace
from maedal.schedules.schedule import Schedule
from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class AddSchedules(Write[Sequence[str]]):
    """Plan charges, all or none; gives the merchant_uids that wait or were paid already, and plans nothing then.

    A merchant_uid whose scheduled charge was revoked or failed may be planned anew. Raises Conflict when somebody else
    plans one of them in this very moment.
    """

    schedules: tuple[Schedule, ...]
    audit_entry: AuditEntry | None = None
    """Kept beside it when a person planned it."""


@dataclass(frozen=True, slots=True)
class RevokeSchedules(Write[Sequence[Schedule]]):
    """Take back what waits: under these merchant_uids, of this customer, or both; gives what was taken back.

    A charge that a worker has claimed but not begun is revoked too: the worker then cannot begin it. One that failed
    and would be tried again stays executed, and is not tried again.
    """

    merchant_id: str
    merchant_uids: tuple[str, ...] | None
    customer_uid: str | None
    now: datetime

    def __post_init__(self) -> None:
        assert self.merchant_uids is not None or self.customer_uid is not None, "never everything of a merchant"


@dataclass(frozen=True, slots=True)
class ClaimSchedules(Write[Sequence[Schedule]]):
    """Take up to `count_max` due charges, and due tries of failed ones, under a lease, each for one worker.

    Merchants share a claim alike, so that one with very many that are due does not keep the others waiting.
    """

    lease_id: str
    now: datetime
    leased_until: datetime
    count_max: int
    pace: Pace | None = None
    """How quickly all workers together may begin charges, as long as charges wait for an opening that has come."""
    turn: int = 0
    """The number of this claim, by which merchants take turns where there are more of them than places."""


@dataclass(frozen=True, slots=True)
class SetScheduleTime(Write[bool]):
    """Let a scheduled charge wait for `schedule_at`; gives False when it has moved since it was read.

    A claim of it ends with this; what an earlier execution left in it is cleared, its payment stays.
    """

    schedule: Schedule
    schedule_at: datetime


@dataclass(frozen=True, slots=True)
class EndTries(Write[bool]):
    """Plan no further try of a failed charge; gives False when none was planned, or it has moved since it was read."""

    schedule: Schedule


@dataclass(frozen=True, slots=True)
class ChangeScheduleByHand(Write[bool]):
    """Do to a scheduled charge what a person wants, with the act; gives False when it has moved since it was read.

    What is done is the act's kind: hold it, release it, revoke it, or let it wait for `schedule_at`. A claim of it ends
    with each: what a worker has claimed and not begun cannot begin after this was committed.
    """

    schedule: Schedule
    audit_entry: AuditEntry
    schedule_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PostponeSchedule(Write[bool]):
    """Let a claimed charge wait: nobody claims it before `until`. Gives False when it has moved since its claim."""

    schedule: Schedule
    until: datetime
    channel_id: str | None = None
    """The channel whose pause it waits for; it is due when that ends, if that is earlier."""


@dataclass(frozen=True, slots=True)
class LinkSchedule(Write[bool]):
    """Execute a claimed charge by a payment that has taken its money already. Gives False when it has moved."""

    schedule: Schedule
    payment: Payment
    now: datetime
