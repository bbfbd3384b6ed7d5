"""What the gateway asks itself: which work is open, and what must never be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class WaitingWork:
    """Work of one kind that waits: how much, up to a bound, and since when the oldest of it has waited."""

    count: int
    oldest: datetime | None


class OpenWork(StrEnum):
    """Kinds of work that wait for somebody to do it."""

    UNKNOWN = "unknown"  # outcomes that nobody knows, by when the call was begun
    UNANSWERED = "unanswered"  # calls without an outcome
    UNDOING = "undoing"  # payments whose billing key was lost, and whose next try to give the money back is due
    SCHEDULES = "schedules"  # scheduled charges that are due
    TRIES = "tries"  # failed scheduled charges whose next try is due
    PLANS = "plans"  # plans whose next charge is to be scheduled, or looked at
    WEBHOOKS = "webhooks"  # webhooks that are due
    FINDINGS = "findings"  # differences to the PG's file that nobody has closed
    KEY_ENDINGS = "key_endings"  # ended keys whose next try to end them at the PG is due


class Invariant(StrEnum):
    """What is true at every moment, however the gateway is stopped and started."""

    PAID_HAS_PROOF = "paid_has_proof"  # a payment is paid only with evidence that money was taken
    FAILED_HAS_PROOF = "failed_has_proof"  # a payment has failed only when no call of it may have taken money
    STATUS_HAS_EVENT = "status_has_event"  # the last event of a payment tells its status
    CANCELLED_IS_THE_SUM = "cancelled_is_the_sum"  # what is cancelled of a payment is the sum of its cancels
    UNKNOWN_ENDS = "unknown_ends"  # an unknown outcome is resolved
    ATTEMPT_HAS_OWNER = "attempt_has_owner"  # a call without an outcome is under way, or noticed as lost
    SCHEDULE_HAS_OWNER = "schedule_has_owner"  # a due charge is taken up by a worker
    SEALED_IN_PLACE = "sealed_in_place"  # what is sealed opens in the row where it stands
    FILE_AGREES = "file_agrees"  # the PG's file of a day has the sums that are here, or somebody has looked into it
    LOGS_UNCHANGED = "logs_unchanged"  # what was written to a log is there as it was written, and so says its anchor
    LOGS_CHAINED = "logs_chained"  # a row of a log is covered by the chain soon


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that breaks an invariant; `subject` names a payment, attempt, scheduled charge or row of a log."""

    invariant: Invariant
    merchant_id: str
    subject: str


class InvariantReads(Protocol):
    """What the gateway asks itself."""

    async def open_work(self, kind: OpenWork, until: datetime) -> WaitingWork:
        """Return how much has been open, or due, since `until` or longer, counted up to a bound."""
        ...

    async def violations(self, invariant: Invariant, at: datetime, count_max: int) -> Sequence[Violation]:
        """Return what breaks `invariant`: among what changed since `at`, or of what has been open since before.

        Those of the logs are not asked here: the chain over them says it.
        """
        ...


class HasInvariants(Protocol):
    @property
    def invariants(self) -> InvariantReads: ...
