"""What is written about calls to a PG that move no payment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maedal.payments.attempt import Result
from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class RecordAttempt(Write[None]):
    """Keep the outcome of an attempt that moves no payment."""

    merchant_id: str
    attempt_id: str
    result: Result
    now: datetime
