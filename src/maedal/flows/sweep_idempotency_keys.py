"""Forget requests that were kept long enough: what carried an Idempotency-Key is known for thirty days."""

from __future__ import annotations

from datetime import timedelta

from maedal.flows.parts import Parts
from maedal.storage.store import SweepRequests

KEPT = timedelta(days=30)
BATCH_MAX = 500


async def sweep_idempotency_keys(parts: Parts) -> int:
    """Forget the oldest requests that are older than they are kept, a bounded number; return how many."""
    return await parts.store.write(SweepRequests(parts.clock.now() - KEPT, BATCH_MAX))
