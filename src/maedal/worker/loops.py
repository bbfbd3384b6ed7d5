"""What goes on without being asked. Any number of workers may run; claims and guarded moves keep them apart."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import structlog

from maedal.flows.anchor_logs import anchor_logs
from maedal.flows.chain_logs import chain_logs
from maedal.flows.check_invariants import InvariantWatch
from maedal.flows.count_figures import count_figures
from maedal.flows.count_months import count_months
from maedal.flows.deactivate_key import end_due_keys
from maedal.flows.deliver_webhook import claim_due as claim_due_webhooks
from maedal.flows.deliver_webhook import deliver
from maedal.flows.dunning import dun
from maedal.flows.end_window import end_expired, forget_unfinished
from maedal.flows.index_payment_texts import index_payment_texts
from maedal.flows.keep_requests import forget_requests
from maedal.flows.limit_requests import sweep_request_counts
from maedal.flows.raise_alerts import AlertWatch, gather_alerts
from maedal.flows.reconcile import reconcile_due
from maedal.flows.record_lost_attempts import record_lost_attempts
from maedal.flows.resolve_unknown import clarify_due
from maedal.flows.run_plans import AT_ONCE_MAX as PLANS_AT_ONCE
from maedal.flows.run_plans import plan_due
from maedal.flows.run_schedule import claim_due, run_schedule
from maedal.flows.send_messages import claim_messages, send_message
from maedal.flows.services import Services
from maedal.flows.sign_in import forget_sign_ins
from maedal.flows.sweep_idempotency_keys import sweep_idempotency_keys
from maedal.flows.undo_lost_key import undo_due

_log = structlog.get_logger()
_T = TypeVar("_T")

WEBHOOK_POLL_SECONDS = 1.0
WEBHOOKS_AT_ONCE = 200
"""How many webhooks one worker has under way."""
LOST_SECONDS = 5.0
UNKNOWN_SECONDS = 5.0
EXPIRED_SECONDS = 10.0
KEY_ENDINGS_SECONDS = 5.0
UNDO_SECONDS = 2.0
RECONCILE_SECONDS = 60.0
"""How often it is looked whether a file of a past day is due; each is asked for every ten minutes until it is there."""
TEXTS_SECONDS = 1.0
CHAIN_SECONDS = 2.0
"""How long a new row of a log waits at most until the chain covers it, while a worker runs."""
ANCHOR_SECONDS = 60.0
"""How often it is looked whether the last anchor is a day old."""
FORGET_SECONDS = 60.0
FORGET_WINDOWS_SECONDS = 10.0
"""With so many at once that they are forgotten as fast as a merchant's limit lets them be opened."""
FIGURES_SECONDS = 60.0
PLANS_SECONDS = 5.0
"""How often it is looked whether a plan needs its next charge scheduled; that is due an interval later."""
PLAN_TURNS_MAX = 20
"""So many full turns follow each other, as on the first of a month; plans that cannot be done spin no worker."""
MESSAGES_SECONDS = 2.0
ALERTS_GATHER_SECONDS = 2.0
DUNNING_SECONDS = 10.0
MESSAGES_AT_ONCE = 20
"""How many messages one worker has under way."""
WATCH_SECONDS = 30.0
"""Half of the minute within which a broken invariant is told."""
UNKNOWN_BATCH_MAX = 20
DUE_POLL_SECONDS = 1.0
DUE_CLAIM_PAUSE_SECONDS = 0.2
"""How long a worker with charges left to claim waits at most until so many places are free that a claim is worth it."""
DUE_CLAIM_SHARE = 4
"""It is worth it when a quarter of the places is free: a claim of one costs nearly what a claim of fifty does."""


class Worker:
    """Runs the loops until it is told to stop. One that fails is logged and goes on at its next turn."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._invariants = InvariantWatch(services)
        self._alerts = AlertWatch(services)

    def start(self) -> None:
        """Start the loops in the running event loop."""
        self._tasks = [
            asyncio.create_task(self._deliver()),
            asyncio.create_task(self._charge_due()),
            asyncio.create_task(self._every(LOST_SECONDS, lambda: record_lost_attempts(self._services))),
            asyncio.create_task(self._every(UNKNOWN_SECONDS, self._clarify)),
            asyncio.create_task(self._every(EXPIRED_SECONDS, lambda: end_expired(self._services))),
            asyncio.create_task(self._every(KEY_ENDINGS_SECONDS, lambda: end_due_keys(self._services))),
            asyncio.create_task(self._every(UNDO_SECONDS, lambda: undo_due(self._services))),
            asyncio.create_task(self._every(RECONCILE_SECONDS, lambda: reconcile_due(self._services), at_once=False)),
            asyncio.create_task(self._every(TEXTS_SECONDS, lambda: index_payment_texts(self._services))),
            asyncio.create_task(self._every(CHAIN_SECONDS, lambda: chain_logs(self._services))),
            asyncio.create_task(self._every(ANCHOR_SECONDS, lambda: anchor_logs(self._services))),
            asyncio.create_task(self._every(FORGET_SECONDS, lambda: sweep_idempotency_keys(self._services))),
            asyncio.create_task(self._every(FORGET_SECONDS, lambda: forget_sign_ins(self._services))),
            asyncio.create_task(self._every(FORGET_SECONDS, lambda: sweep_request_counts(self._services))),
            asyncio.create_task(self._every(FORGET_SECONDS, lambda: forget_requests(self._services))),
            asyncio.create_task(self._every(FORGET_WINDOWS_SECONDS, lambda: forget_unfinished(self._services))),
            asyncio.create_task(self._every(PLANS_SECONDS, self._plan)),
            asyncio.create_task(self._every(FIGURES_SECONDS, lambda: count_figures(self._services))),
            asyncio.create_task(self._every(FIGURES_SECONDS, lambda: count_months(self._services))),
            asyncio.create_task(self._every(WATCH_SECONDS, self._watch)),
            asyncio.create_task(self._every(ALERTS_GATHER_SECONDS, lambda: gather_alerts(self._services))),
            asyncio.create_task(self._every(DUNNING_SECONDS, lambda: dun(self._services))),
            asyncio.create_task(self._send_messages()),
        ]

    async def stop(self) -> None:
        """Let what is under way end, and start nothing new."""
        self._stopping.set()
        self._services.webhook_waiting.set()
        self._services.message_waiting.set()
        await asyncio.gather(*self._tasks)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[object]], *, at_once: bool = True) -> None:
        if not at_once:
            # Nothing hurries, and what it asks may be starting as well.
            await _wait(self._stopping, seconds)
        while not self._stopping.is_set():
            await self._guarded(work)
            await _wait(self._stopping, seconds)

    async def _deliver(self) -> None:
        waiting = self._services.webhook_waiting
        running: dict[asyncio.Task[object], tuple[str, str]] = {}
        per_receiver = self._services.limits.webhooks_per_receiver
        # A receiver with so many under way gets no more for now, and one claim may be of one receiver alone. One that
        # hangs holds this little of what there is, and the others go on as if it were not there.
        claimed_at_once = (per_receiver + 1) // 2
        busy_at = per_receiver - claimed_at_once + 1

        def ended(task: asyncio.Task[object]) -> None:
            # More may wait for this receiver, or for this very webhook.
            del running[task]
            waiting.set()

        while not self._stopping.is_set():
            waiting.clear()
            under_way = Counter(running.values())
            busy = [receiver for receiver, count in under_way.items() if count >= busy_at]
            count_max = min(claimed_at_once, WEBHOOKS_AT_ONCE - len(running))
            claim = partial(claim_due_webhooks, self._services, count_max, busy)
            lease_id, claimed = await self._guarded(claim) or ("", ())
            for delivery in claimed:
                task = asyncio.create_task(self._guarded(partial(deliver, self._services, delivery, lease_id)))
                running[task] = (delivery.merchant_id, delivery.receiver)
                task.add_done_callback(ended)
            if len(running) == WEBHOOKS_AT_ONCE:
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            elif len(claimed) < count_max:
                await _wait(waiting, WEBHOOK_POLL_SECONDS)
        if running:
            await asyncio.wait(running)

    async def _charge_due(self) -> None:
        places = self._services.limits.scheduled_charges_at_once
        worth_a_claim = max(1, places // DUE_CLAIM_SHARE)
        running: set[asyncio.Task[object]] = set()
        room = asyncio.Event()

        def ended(task: asyncio.Task[object]) -> None:
            running.discard(task)
            if places - len(running) >= worth_a_claim:
                room.set()

        turn = 0
        while not self._stopping.is_set():
            free = places - len(running)
            # No more than can be started at once: what was claimed and waits would be late on every other worker.
            claimed = await self._guarded(partial(claim_due, self._services, free, turn)) or ()
            turn += 1
            for schedule in claimed:
                task = asyncio.create_task(self._guarded(partial(run_schedule, self._services, schedule)))
                running.add(task)
                task.add_done_callback(ended)
            if len(claimed) < free:
                await _wait(self._stopping, DUE_POLL_SECONDS)
                continue
            room.clear()
            await _wait(room, DUE_CLAIM_PAUSE_SECONDS)
            if len(running) == places:
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        if running:
            await asyncio.wait(running)

    async def _watch(self) -> None:
        violations = await self._guarded(self._invariants.check)
        await self._alerts.look(violations or ())

    async def _send_messages(self) -> None:
        waiting = self._services.message_waiting
        running: set[asyncio.Task[object]] = set()
        while not self._stopping.is_set():
            waiting.clear()
            free = MESSAGES_AT_ONCE - len(running)
            lease_id, claimed = await self._guarded(partial(claim_messages, self._services, free)) or ("", ())
            for message in claimed:
                task = asyncio.create_task(self._guarded(partial(send_message, self._services, message, lease_id)))
                running.add(task)
                task.add_done_callback(running.discard)
            if len(running) == MESSAGES_AT_ONCE:
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            elif len(claimed) < free:
                await _wait(waiting, MESSAGES_SECONDS)
        if running:
            await asyncio.wait(running)

    async def _clarify(self) -> None:
        while not self._stopping.is_set() and await clarify_due(self._services, UNKNOWN_BATCH_MAX) == UNKNOWN_BATCH_MAX:
            pass

    async def _plan(self) -> None:
        for _ in range(PLAN_TURNS_MAX):
            if self._stopping.is_set() or await plan_due(self._services) < PLANS_AT_ONCE:
                return

    async def _guarded(self, work: Callable[[], Awaitable[_T]]) -> _T | None:
        if self._services.key_standing.problem is not None:
            # What it would take up may not open here, and others can do it.
            return None
        try:
            return await work()
        except Exception as error:  # a loop that dies would be noticed by nobody
            _log.exception("worker_turn_failed", kind=type(error).__name__)
            return None


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
