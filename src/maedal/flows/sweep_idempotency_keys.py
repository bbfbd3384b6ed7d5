"""Forget requests that were kept long enough: what carried an Idempotency-Key is known for thirty days."""

from __future__ import annotations

from datetime import timedelta

from maedal.flows.services import Services
from maedal.storage.idempotency.writes import SweepRequests

KEPT = timedelta(days=30)
BATCH_MAX = 500


async def sweep_idempotency_keys(services: Services) -> int:
    """Forget the oldest requests that are older than they are kept, a bounded number; return how many."""
    return await services.store.write(SweepRequests(services.clock.now() - KEPT, BATCH_MAX))
