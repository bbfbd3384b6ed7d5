"""Keep watch: measure what is open, and check what must be true at every moment, while everything runs.

What breaks an invariant is told in the log once and counted; the gauge shows it for as long as it is there to be seen.
Nothing is repaired here: a person looks, with `maedal unknown` and the manual.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from maedal import metrics
from maedal.flows.failover import note_server
from maedal.flows.maintenance import is_closed
from maedal.flows.reseal import SealWatch
from maedal.flows.services import ServicesWith
from maedal.flows.watch_log_chain import LogChainWatch
from maedal.maintenance.pause import Pause, open_time_before, open_time_since
from maedal.payments.attempt import Fault
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.channels.reads import HasChannels
from maedal.storage.database_servers.reads import HasDatabaseServers
from maedal.storage.errors import DatabaseAway
from maedal.storage.health import HasHealth
from maedal.storage.invariants.reads import HasInvariants, Invariant, OpenWork, Violation
from maedal.storage.log_chain.reads import HasLogChain
from maedal.storage.reconciliation.reads import HasReconciliation
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.sealing.reads import HasSealing
from maedal.storage.write import Writes

_log = structlog.get_logger()

LOOK_BACK = timedelta(minutes=15)
"""How far back changes are checked: many times the time between two checks."""
OPEN_TOO_LONG = {
    # Twenty minutes may go by until a charge is known not to have been made, and a few until it is asked about.
    Invariant.UNKNOWN_ENDS: timedelta(minutes=40),
    # A worker notices a call without an outcome after a minute.
    Invariant.ATTEMPT_HAS_OWNER: timedelta(minutes=5),
    # A worker takes a due charge up within seconds, and lets go of it within two minutes.
    Invariant.SCHEDULE_HAS_OWNER: timedelta(minutes=15),
    # What the PG has told of a day that is over can be told at once.
    Invariant.FILE_AGREES: timedelta(0),
}
"""From which age on something that is open breaks the invariant; the others look at what has changed."""
LINE_MOVES = timedelta(minutes=5)
"""A claim so long ago shows that what waited for a PG's opening is being taken up."""
QUEUES_AT_MOST = timedelta(days=1)
"""How long a charge may stand in that line while it moves."""
UNKNOWN_AGES = {
    "0s": timedelta(0),
    "1m": timedelta(minutes=1),
    "10m": timedelta(minutes=10),
    "1h": timedelta(hours=1),
    "1d": timedelta(days=1),
}
REPORTED_MAX = 100
"""How much of what breaks one invariant is told at a time."""


class CheckInvariantsStore(
    HasBillingKeys,
    HasChannels,
    HasDatabaseServers,
    HasHealth,
    HasInvariants,
    HasLogChain,
    HasReconciliation,
    HasSchedules,
    HasSealing,
    Writes,
    Protocol,
): ...


class InvariantWatch:
    """Remembers what was told already, so that the log says it once."""

    def __init__(self, services: ServicesWith[CheckInvariantsStore]) -> None:
        self._services = services
        self._logs = LogChainWatch(services)
        self._seals = SealWatch(services)
        self._reported: dict[Invariant, set[Violation]] = {}

    async def check(self) -> Sequence[Violation]:
        """Measure and check once; return everything that breaks an invariant now."""
        await note_server(self._services)
        await measure(self._services)
        now = self._services.clock.now()
        closed, moving = await self._services.merchant_cache.pauses(), await is_catching_up(self._services)
        found: list[Violation] = []
        for invariant in Invariant:
            match invariant:
                case Invariant.LOGS_UNCHANGED:
                    broken = (await self._logs.changed())[:REPORTED_MAX]
                case Invariant.LOGS_CHAINED:
                    broken = await self._logs.waiting()
                case Invariant.SEALED_IN_PLACE:
                    broken = (await self._seals.look())[:REPORTED_MAX]
                case _:
                    moment = _moment(invariant, now, closed, moving)
                    broken = await self._services.store.invariants.violations(invariant, moment, REPORTED_MAX)
            for violation in set(broken) - self._reported.get(invariant, set()):
                metrics.VIOLATIONS.labels(invariant).inc()
                _log.error(
                    "invariant_broken", invariant=invariant, merchant=violation.merchant_id, subject=violation.subject
                )
            self._reported[invariant] = set(broken)
            metrics.VIOLATED.labels(invariant).set(len(broken))
            found.extend(broken)
        metrics.watched(now)
        return found


async def measure(services: ServicesWith[CheckInvariantsStore]) -> None:
    """Set the gauges of the database and of open work; a few bounded index reads.

    Raises StoreError, without reading, while no database takes us in.
    """
    standing = await services.store.standing()
    metrics.DATABASE_READY.set(standing.problem is None)
    metrics.DATABASE_READ_ONLY.set(standing.read_only)
    metrics.STANDBY_LAG.set(standing.lag_seconds or 0)
    metrics.SYNCHRONOUS_MISSING.set(standing.synchronous_missing)
    if standing.problem is not None and standing.host is None:
        raise DatabaseAway(standing.problem)
    now, closed = services.clock.now(), await services.merchant_cache.pauses()
    for provider in services.drivers:
        metrics.CLOSED.labels(provider).set(is_closed(closed, provider, now))
    resting = Counter(pause.fault for pause in await services.store.channels.pauses())
    for fault in Fault:
        if fault.of_channel:
            metrics.RESTING.labels(fault).set(resting[fault])
    metrics.CATCHING_UP.set(await is_catching_up(services))
    for name, age in UNKNOWN_AGES.items():
        waiting = await services.store.invariants.open_work(OpenWork.UNKNOWN, now - age)
        metrics.UNKNOWN_OUTCOMES.labels(name).set(waiting.count)
    for kind in OpenWork:
        waiting = await services.store.invariants.open_work(kind, now)
        metrics.OPEN_WORK.labels(kind).set(waiting.count)
        age_seconds = 0.0 if waiting.oldest is None else (now - waiting.oldest).total_seconds()
        if waiting.oldest is not None and kind in {OpenWork.SCHEDULES, OpenWork.TRIES}:
            # They wait for the PG as much as for us.
            age_seconds = open_time_since(closed, waiting.oldest, now).total_seconds()
        metrics.OLDEST_SECONDS.labels(kind).set(max(0.0, age_seconds))


async def is_catching_up(services: ServicesWith[CheckInvariantsStore]) -> bool:
    """Return whether charges that waited for a PG's opening are being taken up one after the other."""
    used = await services.store.schedules.pace_used_until()
    return used is not None and used > services.clock.now() - LINE_MOVES


def _moment(invariant: Invariant, now: datetime, closed: Sequence[Pause], moving: bool) -> datetime:
    span = OPEN_TOO_LONG.get(invariant, LOOK_BACK)
    if invariant is not Invariant.SCHEDULE_HAS_OWNER:
        return now - span
    return open_time_before(closed, now, QUEUES_AT_MOST if moving else span)
