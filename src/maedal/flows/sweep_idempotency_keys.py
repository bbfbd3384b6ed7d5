"""Forget requests that were kept long enough: what carried an Idempotency-Key is known for thirty days."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from maedal.flows.services import ServicesWith
from maedal.storage.idempotency.writes import SweepRequests
from maedal.storage.write import Writes

KEPT = timedelta(days=30)
BATCH_MAX = 500


class SweepIdempotencyKeysStore(Writes, Protocol): ...


async def sweep_idempotency_keys(services: ServicesWith[SweepIdempotencyKeysStore]) -> int:
    """Forget the oldest requests that are older than they are kept, a bounded number; return how many."""
    return await services.store.write(SweepRequests(services.clock.now() - KEPT, BATCH_MAX))
