"""Travel in time, in `maedal dev` alone: the clock goes from one due moment to the next, and nothing is skipped.

A jump over a month would run every scheduled charge late and all at once. So the journey stops at each moment at which
something is due, lets it happen at its time, waits for what follows (webhooks, and the shop's answer to them: it may
plan its next charge), and only then looks for the next stop. What runs at a stop are the worker's own flows; claims
keep it and the worker apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from maedal.clock import TravelClock
from maedal.flows.deactivate_key import end_due_keys
from maedal.flows.end_window import end_expired
from maedal.flows.reconcile import reconcile_due
from maedal.flows.record_lost_attempts import record_lost_attempts
from maedal.flows.resolve_unknown import clarify_due
from maedal.flows.run_plans import plan_due
from maedal.flows.run_schedule import claim_due, run_schedule
from maedal.flows.services import ServicesWith
from maedal.flows.undo_lost_key import undo_due
from maedal.payments.errors import InvalidParameter
from maedal.storage.attempts.reads import HasAttempts
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.channels.reads import HasChannels
from maedal.storage.database_servers.reads import HasDatabaseServers
from maedal.storage.findings.reads import HasFindings
from maedal.storage.invariants.reads import HasInvariants, OpenWork
from maedal.storage.maintenance.reads import HasMaintenance
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.payments.reads import HasPayments
from maedal.storage.plans.reads import HasPlans
from maedal.storage.reconciliation.reads import HasReconciliation
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.unknown_outcomes.reads import HasUnknownOutcomes
from maedal.storage.windows.reads import HasWindows
from maedal.storage.write import Writes

_log = structlog.get_logger()

DISTANCE_MAX = timedelta(days=5 * 366)
STOPS_MAX = 50_000
A_DAY = timedelta(days=1)
STUCK_STEP = timedelta(hours=3)
"""How far a stop goes while something is due that does not get done: a receiver that is down, a key that is busy."""
UNCLEAR_STEP, UNCLEAR_FOR = timedelta(minutes=5), timedelta(minutes=40)
"""How slowly it goes while a new outcome is unknown: it is asked about within minutes, as in life."""
CATCH_UP_SECONDS_MAX = 10.0
"""How long a stop waits for everything that is due, in real time."""
STUCK_SECONDS_MAX = 0.5
"""The same, once a stop has waited in vain."""
LOOK_SECONDS = 0.02
TOGETHER_MAX = 20
HAPPENS = (
    OpenWork.SCHEDULES, OpenWork.TRIES, OpenWork.PLANS, OpenWork.WEBHOOKS, OpenWork.KEY_ENDINGS, OpenWork.UNDOING,
)  # fmt: skip
"""What a journey stops for."""


class TimeTravelStore(
    HasAttempts,
    HasBillingKeys,
    HasCancellations,
    HasChannels,
    HasDatabaseServers,
    HasFindings,
    HasInvariants,
    HasMaintenance,
    HasMerchants,
    HasPayments,
    HasPlans,
    HasReconciliation,
    HasSchedules,
    HasUnknownOutcomes,
    HasWindows,
    Writes,
    Protocol,
): ...


@dataclass(slots=True)
class Journey:
    """One way through time, and how far it has come."""

    began_at: datetime
    goal: datetime
    now: datetime
    stops: int = 0
    charges: int = 0
    stuck: bool = False
    """Whether something was still due when the last stop was over."""
    stopping: bool = False
    ended: bool = False

    @property
    def done(self) -> float:
        """Return which part of the way lies behind, from 0 to 1."""
        return min(1.0, (self.now - self.began_at) / (self.goal - self.began_at))


class Traveller:
    """Moves the clock, one journey at a time."""

    def __init__(self, services: ServicesWith[TimeTravelStore], clock: TravelClock) -> None:
        self._services = services
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self.journey: Journey | None = None
        """The last journey; it goes on until it has `ended`."""

    @property
    def now(self) -> datetime:
        return self._clock.now()

    @property
    def ahead(self) -> timedelta:
        return self._clock.ahead

    @property
    def travels(self) -> bool:
        return self.journey is not None and not self.journey.ended

    def set_out(self, goal: datetime) -> Journey:
        """Begin a journey. Raises InvalidParameter: into the past, too far, or while another goes on."""
        now = self._clock.now()
        if self.travels:
            raise InvalidParameter("to", "a journey is under way")
        if goal <= now:
            raise InvalidParameter("to", "time goes forward only")
        if goal > now + DISTANCE_MAX:
            raise InvalidParameter("to", "a journey goes five years ahead at most")
        self.journey = Journey(now, goal, now)
        self._task = asyncio.create_task(self._go(self.journey))
        return self.journey

    def stop(self) -> None:
        """Let the journey end at its present stop."""
        if self.journey is not None:
            self.journey.stopping = True

    async def arrive(self) -> None:
        """Return once the journey has ended; who stops waiting does not stop it."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def close(self) -> None:
        """End the journey and return once it has."""
        self.stop()
        if self._task is not None:
            await self._task

    async def _go(self, journey: Journey) -> None:
        try:
            await self._catch_up(journey)
            while self._clock.now() < journey.goal and journey.stops < STOPS_MAX and not journey.stopping:
                self._clock.travel(await self._next_stop(journey))
                journey.now, journey.stops = self._clock.now(), journey.stops + 1
                await self._catch_up(journey)
        except Exception as error:  # the page shows where it ended; why is here
            _log.exception("journey_failed", kind=type(error).__name__)
        finally:
            journey.now, journey.ended = self._clock.now(), True
            _log.info("travelled", to=journey.now.isoformat(), stops=journey.stops, charges=journey.charges)

    async def _next_stop(self, journey: Journey) -> datetime:
        now = self._clock.now()
        stops = [journey.goal, now + A_DAY]
        for kind in HAPPENS:
            oldest = (await self._services.store.invariants.open_work(kind, journey.goal)).oldest
            if oldest is not None:
                stops.append(oldest if oldest > now else now + STUCK_STEP)
        unclear = (await self._services.store.invariants.open_work(OpenWork.UNKNOWN, now)).oldest
        if unclear is not None and now - unclear < UNCLEAR_FOR:
            stops.append(now + UNCLEAR_STEP)
        return min(stops)

    async def _catch_up(self, journey: Journey) -> None:
        """Let everything happen that is due by now, and what follows from it."""
        services = self._services
        for work in (record_lost_attempts, end_expired, reconcile_due):
            await work(services)
        for _ in _until(STUCK_SECONDS_MAX if journey.stuck else CATCH_UP_SECONDS_MAX):
            await plan_due(services)
            claimed = await claim_due(services, TOGETHER_MAX)
            journey.charges += len(claimed)
            await asyncio.gather(*(run_schedule(services, schedule) for schedule in claimed))
            await clarify_due(services, TOGETHER_MAX)
            await end_due_keys(services)
            await undo_due(services)
            if not await self._waits() or journey.stopping:
                journey.stuck = False
                return
            # The worker delivers.
            services.webhook_waiting.set()
            await asyncio.sleep(LOOK_SECONDS)
        journey.stuck = True

    async def _waits(self) -> bool:
        now = self._clock.now()
        for kind in (*HAPPENS, OpenWork.UNANSWERED):
            if (await self._services.store.invariants.open_work(kind, now)).count:
                return True
        return False


def _until(seconds: float) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while loop.time() < deadline:
        yield
