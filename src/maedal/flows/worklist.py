"""What waits for a person, of a merchant: how many of each kind, so that a page can lead to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from maedal.flows.services import ServicesWith
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.unknown_outcomes.reads import HasUnknownOutcomes, OpenCounts
from maedal.webhooks.webhook import GIVEN_UP_OPEN_FOR

FAILED_FOR = timedelta(days=7)
"""For how long a scheduled charge that failed is work: after that it is history."""
COUNT_MAX = 1_000
OVERDUE_AFTER = timedelta(minutes=10)


class WorklistStore(HasBillingKeys, HasSchedules, HasUnknownOutcomes, Protocol): ...


@dataclass(frozen=True, slots=True)
class Worklist:
    """How much of each kind waits, each counted up to a bound."""

    open: OpenCounts = field(default_factory=OpenCounts)
    failed_schedules: int = 0
    """Failed within `FAILED_FOR`, and no later try is planned."""
    overdue: int = 0
    """Should have been charged by now, and nobody holds it."""
    gone_keys: int = 0
    """Customers whose key ended at the PG while scheduled charges wait for it: those will fail."""

    @property
    def total(self) -> int:
        return self.open.total + self.failed_schedules + self.overdue + self.gone_keys


async def worklist(services: ServicesWith[WorklistStore], merchant_id: str, test_mode: bool | None = None) -> Worklist:
    """Return what waits for a person, in all channels or those of one mode."""
    store, now = services.store, services.clock.now()
    counts, failed, late, gone = await asyncio.gather(
        store.unknown_outcomes.open_counts(merchant_id, now - GIVEN_UP_OPEN_FOR, test_mode),
        store.schedules.failed_since(merchant_id, now - FAILED_FOR, COUNT_MAX, test_mode),
        store.schedules.overdue(merchant_id, now - OVERDUE_AFTER, COUNT_MAX, test_mode),
        store.billing_keys.gone_with_plans(merchant_id, test_mode, COUNT_MAX),
    )
    return Worklist(counts, failed, late, gone)
