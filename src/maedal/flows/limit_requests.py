"""Limits on what anybody may ask for, counted for all nodes together and paid for by those who ask often.

Each process counts in memory. It tells the database what it has counted for somebody each time that is an eighth of
the limit, and hears what all have counted: a buyer who opens a window writes nothing here, and neither does a server
that is known. So of n processes each may let an eighth more pass than the limit, and no more.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

import structlog

from maedal import metrics
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.merchants.errors import TooManyRequests
from maedal.merchants.request_limit import Limited
from maedal.storage.errors import StoreError
from maedal.storage.request_counts.writes import CountRequests, SweepRequestCounts
from maedal.storage.write import Writes

_log = structlog.get_logger()

PURPOSE = "request_counts"
REPORTS_A_MINUTE = 8
KEPT = timedelta(minutes=5)
SWEPT_AT_ONCE = 5_000


class LimitRequestsStore(Writes, Protocol): ...


async def admit(services: ServicesWith[LimitRequestsStore], kind: Limited, address: str | None) -> None:
    """Count a request from an address. Raises TooManyRequests, and counts nothing, when there were too many."""
    subject = services.request_limits.subject_of(address)
    if subject is not None:
        await _count(services, kind, subject)


async def admit_window(services: ServicesWith[LimitRequestsStore], merchant_id: str, address: str | None) -> None:
    """Count a window of a merchant's, unless the buyer's address is known. Raises TooManyRequests.

    Others can use up what a merchant has in a minute; whoever has paid here before is not kept out by that.
    """
    if not services.request_limits.knows(address, services.people_clock.now()):
        await _count(services, Limited.MERCHANT_WINDOW, merchant_id)


def refuse_if_over(services: ServicesWithoutStore, kind: Limited, address: str | None) -> None:
    """Raise TooManyRequests for an address that has met the limit, unless it is known; counts nothing."""
    subject = services.request_limits.subject_of(address)
    now = services.people_clock.now()
    if subject is None or services.request_limits.knows(address, now):
        return
    subject, count = services.request_limits.count_of(kind, subject, _minute_of(now))
    if count.total >= services.request_limits.limit_of(kind, subject):
        _refuse(kind, subject, 60 - now.second, log=False)


async def sweep_request_counts(services: ServicesWith[LimitRequestsStore]) -> int:
    """Forget counts of minutes that are over; return how many."""
    return await services.store.write(SweepRequestCounts(services.people_clock.now() - KEPT, SWEPT_AT_ONCE))


async def _count(services: ServicesWith[LimitRequestsStore], kind: Limited, subject: str) -> None:
    now = services.people_clock.now()
    minute = _minute_of(now)
    subject, count = services.request_limits.count_of(kind, subject, minute)
    limit = services.request_limits.limit_of(kind, subject)
    if count.total >= limit:
        log, count.logged = not count.logged, True
        _refuse(kind, subject, 60 - now.second, log=log)
    count.total += 1
    count.unreported += 1
    if count.unreported >= max(1, limit // REPORTS_A_MINUTE):
        reported, count.unreported = count.unreported, 0
        digest = services.vault.digest(PURPOSE, f"{kind}:{subject}")
        try:
            everybodys = await services.store.write(CountRequests(digest, minute, reported))
        except StoreError as error:
            # Without the database nothing is opened or given out either; what was counted is reported next time.
            count.unreported += reported
            _log.info("requests_not_counted", kind=kind, reason=type(error).__name__)
        else:
            count.total = max(count.total, everybodys + count.unreported)


def _minute_of(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0)


def _refuse(kind: Limited, subject: str, wait_seconds: int, *, log: bool) -> None:
    metrics.REFUSED_BY_LIMIT.labels(kind).inc()
    if log:
        _log.warning("request_limit_met", limit=kind, subject=subject)
    raise TooManyRequests(f"too many requests; try again in {wait_seconds} seconds", wait_seconds)
