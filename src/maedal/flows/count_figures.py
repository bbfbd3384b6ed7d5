"""Count what each hour came to, once it is over: beside the charges, never in their way."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from maedal.flows.overview import DAYS, a_day_in_seoul, midnight
from maedal.flows.services import ServicesWith
from maedal.storage.figures.reads import HasFigures
from maedal.storage.figures.writes import CountHours
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.write import Writes

AN_HOUR = timedelta(hours=1)
OVER_FOR = timedelta(minutes=10)
"""How long an hour has been over when it is counted: longer than any commit of it can take."""
AT_ONCE = timedelta(hours=24)
"""How much one transaction counts, so that none holds up the writes of charges."""
AGAIN = timedelta(hours=24)
"""How far back every count reaches once more: what a frozen process committed late is in the figures a day later."""


class CountFiguresStore(HasFigures, HasMerchants, Writes, Protocol): ...


async def count_figures(services: ServicesWith[CountFiguresStore]) -> int:
    """Count the hours of every merchant that are over and not counted yet; return how many batches there were."""
    return sum([await count_of(services, merchant.code) for merchant in await services.store.merchants.all()])


async def count_of(services: ServicesWith[CountFiguresStore], merchant_id: str) -> int:
    """Count the hours of one merchant."""
    now = services.clock.now()
    end = _full_hour(now - OVER_FOR)
    known = await services.store.figures.counted_until(merchant_id)
    since = midnight(a_day_in_seoul(now) - timedelta(days=2 * DAYS)) if known is None else known
    batches = 0
    while since < end:
        until = min(since + AT_ONCE, end)
        if not await services.store.write(CountHours(merchant_id, since - AGAIN, until, known)):
            break  # another worker is at it
        since = known = until
        batches += 1
    return batches


def _full_hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
