"""What is read of calls to a PG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from maedal.payments.attempt import Attempt, Outcome, Proof


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """One call to the PG and what is known of it."""

    attempt: Attempt
    outcome: Outcome | None
    proof: Proof | None
    pg_tid: str | None
    code: str | None
    message: str | None
    recorded_at: datetime | None


class AttemptReads(Protocol):
    """What is read of calls to a PG."""

    async def of_payment(self, merchant_id: str, imp_uid: str) -> Sequence[PastAttempt]:
        """Return the calls to the PG that a payment led to, oldest first."""
        ...


class HasAttempts(Protocol):
    @property
    def attempts(self) -> AttemptReads: ...
