"""The log of calls with an API key: written in batches, off the way of the call, and kept for some days.

A call adds an entry to a list in memory, and that is all that it pays. What a process has gathered in a second it
writes at once; under load, or without a database, entries are dropped and their number is written in their place.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from maedal import metrics
from maedal.flows.services import ServicesWith
from maedal.merchants.request_entry import ERROR_CHARS_MAX, RequestEntry
from maedal.storage.errors import StoreError
from maedal.storage.request_log.writes import ForgetRequests, KeepRequests, TrimRequests
from maedal.storage.write import Writes

_log = structlog.get_logger()

WRITTEN_EVERY_SECONDS = 1.0
BATCH_MAX = 500
OF_MERCHANT_MAX = 100_000
"""So many entries of a merchant are kept, whatever their age."""
TRIMMED_EVERY = 10_000
"""After so many new ones of a merchant the oldest beyond that number go."""
FORGOTTEN_AT_ONCE = 5_000


class KeepRequestsStore(Writes, Protocol): ...


@dataclass(frozen=True, slots=True)
class Called:
    """A call as its way in knows it. `error` is the code of its refusal."""

    merchant_id: str
    api_key: str
    method: str
    route: str
    status: int
    error: str | None
    duration: timedelta


def note_request(services: ServicesWith[KeepRequestsStore], called: Called) -> None:
    """Keep that a call was made; it is written within a second or so, and nobody waits for it."""
    log = services.request_log
    if not log.days:
        return
    now = services.clock.now()
    error = None if called.error is None else called.error[:ERROR_CHARS_MAX]
    log.add(
        RequestEntry(
            called.merchant_id,
            services.ids.row(now),
            now,
            called.api_key,
            called.method,
            called.route,
            called.status,
            error,
            called.duration,
        )
    )
    if log.timer is None:
        # A timer and no sleeping task: nobody who closes the gateway has to wait for it.
        log.timer = asyncio.get_running_loop().call_later(WRITTEN_EVERY_SECONDS, _begin_writing, services)


def _begin_writing(services: ServicesWith[KeepRequestsStore]) -> None:
    services.request_log.timer = None
    services.background.begin(write_requests(services))


async def close_request_log(services: ServicesWith[KeepRequestsStore]) -> None:
    """Write what waits now, and nothing later."""
    if services.request_log.timer is not None:
        services.request_log.timer.cancel()
        services.request_log.timer = None
        await write_requests(services)


async def write_requests(services: ServicesWith[KeepRequestsStore]) -> None:
    """Write what waits. Never raises: what the database does not take is counted as dropped."""
    log = services.request_log
    entries, dropped = log.take()
    now = services.clock.now()
    entries += [_of_dropped(services, merchant_id, count, now) for merchant_id, count in dropped.items()]
    metrics.REQUESTS_NOT_LOGGED.inc(dropped.total())
    for first in range(0, len(entries), BATCH_MAX):
        batch = tuple(entries[first : first + BATCH_MAX])
        try:
            await services.store.write(KeepRequests(batch))
        except StoreError as error:
            _log.warning("requests_not_logged", count=len(batch), kind=type(error).__name__)
            for entry in batch:
                log.dropped[entry.merchant_id] += max(entry.dropped, 1)
        else:
            await _trim(services, batch)


async def _trim(services: ServicesWith[KeepRequestsStore], batch: tuple[RequestEntry, ...]) -> None:
    """Let the oldest entries go of merchants that have written many; at first, when nobody knows how many there are."""
    log = services.request_log
    for merchant_id in {entry.merchant_id for entry in batch}:
        first = merchant_id not in log.written
        log.written[merchant_id] += sum(entry.merchant_id == merchant_id for entry in batch)
        if not first and log.written[merchant_id] < TRIMMED_EVERY:
            continue
        log.written[merchant_id] = 0
        try:
            await services.store.write(TrimRequests(merchant_id, OF_MERCHANT_MAX, TRIMMED_EVERY * 2))
        except StoreError as error:
            _log.warning("request_log_not_trimmed", kind=type(error).__name__)


def _of_dropped(services: ServicesWith[KeepRequestsStore], merchant_id: str, count: int, now: datetime) -> RequestEntry:
    return RequestEntry(merchant_id, services.ids.row(now), now, dropped=count)


async def forget_requests(services: ServicesWith[KeepRequestsStore]) -> int:
    """Forget entries that are older than they are kept, a bounded number; return how many."""
    before = services.clock.now() - timedelta(days=services.request_log.days)
    return await services.store.write(ForgetRequests(before, FORGOTTEN_AT_ONCE))
