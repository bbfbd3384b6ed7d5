"""Hold a merchant's servers to so many calls a minute: nothing is read or written for it, so a charge pays nothing."""

from __future__ import annotations

import math

import structlog

from maedal import metrics
from maedal.flows.services import ServicesWithoutStore
from maedal.merchants.errors import TooManyRequests
from maedal.merchants.request_limit import Limited

_log = structlog.get_logger()


def admit_call(services: ServicesWithoutStore, merchant_id: str) -> None:
    """Count a call with a good token. Raises TooManyRequests, and counts nothing, when there were too many.

    Each process counts for itself: of n processes a merchant may make n times as many.
    """
    wait = services.call_limits.take(merchant_id, services.people_clock.now())
    if not wait:
        return
    seconds = math.ceil(wait)
    metrics.REFUSED_BY_LIMIT.labels(Limited.MERCHANT_CALL).inc()
    if services.call_limits.is_news(merchant_id):
        _log.warning("call_limit_met", merchant=merchant_id)
    raise TooManyRequests(f"too many requests; try again in {seconds} seconds", seconds)
