"""Maintenance of a PG: when it is closed, who says so, and how scheduled charges wait for its opening.

Scheduled charges are not begun while the PG is closed, so none is burnt. Afterwards they run oldest first, at a pace
for all workers together. A merchant's own call is passed on, for the announcement may be wrong or long over; it is
refused only while the PG itself has just said that it is closed, since its answer then proves nothing and would leave
the key unclear for twenty minutes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from maedal import metrics
from maedal.flows.channel_pauses import note_channel_availability
from maedal.flows.operator_entry import operator_entry
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.maintenance.errors import PgUnderMaintenance
from maedal.maintenance.pause import Pause, Source, check, last_end, open_until
from maedal.operators.operator_audit_entry import OperatorAuditAction, OperatorAuditEntry
from maedal.payments.attempt import DeclineReason, Method, Result
from maedal.payments.errors import InvalidParameter
from maedal.payments.payment import Payment
from maedal.schedules.pace import Pace
from maedal.schedules.recovery import TRIES_MAX, NextTry
from maedal.schedules.schedule import Schedule
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.channels.reads import HasChannels
from maedal.storage.errors import StoreError
from maedal.storage.maintenance.reads import HasMaintenance
from maedal.storage.maintenance.writes import AddPause, EndPause, NotePause
from maedal.storage.schedules.writes import PostponeSchedule
from maedal.storage.write import Writes

_log = structlog.get_logger()

ANSWER_HOLDS = timedelta(minutes=5)
"""For how long it is believed that a PG which says that it is closed stays so; then a few charges find out."""
LATER = timedelta(minutes=15)
"""How long a charge waits whose bank or card company was closed, when nothing tells until when."""
POSTPONED_AT_MOST = timedelta(days=1)
"""A scheduled charge that still meets a closed bank so long after it was due fails, and its merchant hears it."""


class MaintenanceStore(HasBillingKeys, HasChannels, HasMaintenance, Writes, Protocol): ...


async def announce(
    services: ServicesWith[MaintenanceStore],
    pg_provider: str,
    begins_at: datetime,
    ends_at: datetime,
    note: str,
    *,
    who: str,
) -> Pause:
    """Keep a window that the PG announced, and return it. Raises InvalidParameter; then nothing is kept."""
    now = services.clock.now()
    if pg_provider not in services.drivers:
        raise InvalidParameter("pg", f"there is no driver for {pg_provider}; known are {', '.join(services.drivers)}")
    check(begins_at, ends_at, note, now)
    pause = Pause(services.ids.row(now), pg_provider, Source.ANNOUNCED, begins_at, ends_at, note.strip(), who)
    await services.store.write(AddPause(pause, _entry(services, OperatorAuditAction.ADD_MAINTENANCE, pause, who)))
    services.merchant_cache.forget_pauses()
    return pause


async def take_back(services: ServicesWith[MaintenanceStore], pause_id: str, *, who: str) -> Pause:
    """End a window now, or take it back before it begins; return it as it was. Raises InvalidParameter."""
    now = services.clock.now()
    pause = next((p for p in await services.store.maintenance.pauses(now) if p.id == pause_id), None)
    ended = None
    if pause is not None:
        entry = _entry(services, OperatorAuditAction.END_MAINTENANCE, pause, who)
        ended = await services.store.write(EndPause(pause_id, now, entry))
    if ended is None:
        raise InvalidParameter("id", f"no window {pause_id} is open or to come; see: maedal maintenance list")
    services.merchant_cache.forget_pauses()
    return ended


def _entry(services: ServicesWithoutStore, kind: OperatorAuditAction, pause: Pause, who: str) -> OperatorAuditEntry:
    span = f"{pause.begins_at.isoformat()} to {pause.ends_at.isoformat()}: {pause.note}"
    before, after = (span, "") if kind is OperatorAuditAction.END_MAINTENANCE else ("", span)
    return operator_entry(services, kind, pause.pg_provider, who, before, after)


def is_closed(pauses: Sequence[Pause], provider: str, now: datetime) -> bool:
    """Return whether a PG is under maintenance now; its nights are none."""
    return open_until(_of(pauses, provider), now) is not None


async def everything_is_closed(services: ServicesWithoutStore) -> bool:
    """Return whether every PG is closed, so that no scheduled charge need even be looked at."""
    now, pauses = services.clock.now(), await services.merchant_cache.pauses()
    return all(is_closed(pauses, provider, now) for provider in services.drivers)


async def pace(services: ServicesWithoutStore) -> Pace | None:
    """Return the pace of charges that waited for a PG's opening, or for a night to end, if any did of late."""
    now, pauses = services.clock.now(), await services.merchant_cache.pauses()
    opened_at, night_ended_at = last_end(pauses, now), max(_nights_ended(services, now), default=None)
    if opened_at is None and night_ended_at is None:
        return None
    return Pace(services.limits.catch_up_per_second, opened_at, night_ended_at)


def _nights_ended(services: ServicesWithoutStore, now: datetime) -> list[datetime]:
    return [night.last_end(now) for driver in services.drivers.values() for night in driver.abilities.nights]


async def refuse_while_closed(services: ServicesWith[MaintenanceStore], merchant_id: str, customer_uid: str) -> None:
    """Raise PgUnderMaintenance while the PG of the customer's key has just said that it is closed."""
    now = services.clock.now()
    answered = [p for p in await services.merchant_cache.pauses() if p.source is Source.ANSWERED]
    if not open_until(answered, now):
        return
    key = await services.store.billing_keys.find(merchant_id, customer_uid)
    until = None if key is None else open_until(_of(answered, key.pg_provider), now)
    if until is not None:
        raise PgUnderMaintenance(f"the PG has said that it is under maintenance; ask again after {until.isoformat()}")


async def postpone_while_closed(services: ServicesWith[MaintenanceStore], schedule: Schedule) -> bool:
    """Let a claimed charge wait for the opening of its PG, or for the end of the night; return whether it waits."""
    now = services.clock.now()
    pauses = await services.merchant_cache.pauses()
    at_night = [n for d in services.drivers.values() for n in d.abilities.nights if n.end_at(now) is not None]
    if not at_night and open_until(pauses, now) is None:
        return False
    assert schedule.order.customer_uid is not None, "a scheduled charge names its key"
    key = await services.store.billing_keys.find(schedule.merchant_id, schedule.order.customer_uid)
    if key is None:
        return False
    until = open_until(_of(pauses, key.pg_provider), now)
    if not key.test_mode:
        # Test channels know no nights: no bank stands behind them.
        until = max((u for u in (until, _night_end(services, key.pg_provider, key.method, now)) if u), default=None)
    if until is None:
        return False
    await services.store.write(PostponeSchedule(schedule, until))
    metrics.POSTPONED.labels("closed").inc()
    _log.info("schedule_postponed", merchant_uid=schedule.order.merchant_uid, reason="maintenance", until=until)
    return True


def _night_end(services: ServicesWithoutStore, provider: str, method: Method | None, now: datetime) -> datetime | None:
    nights = services.drivers[provider].abilities.nights
    ends = (n.end_at(now) for n in nights if n.method in {None, method})
    return max((until for until in ends if until is not None), default=None)


async def note_availability(services: ServicesWith[MaintenanceStore], payment: Payment, result: Result) -> None:
    """Note that a PG is closed, or a channel does not work, so that no worker asks for a while. Never raises."""
    await note_channel_availability(services, payment, result)
    codes = services.drivers[payment.pg_provider].abilities.closed_codes
    if result.decline is None or result.decline.code not in codes:
        return
    now = services.clock.now()
    pause = Pause(
        services.ids.row(now), payment.pg_provider, Source.ANSWERED, now, now + ANSWER_HOLDS, result.decline.code
    )
    with contextlib.suppress(StoreError):
        if await services.store.write(NotePause(pause)):
            _log.warning("pg_is_closed", pg=payment.pg_provider, code=result.decline.code, until=pause.ends_at)
        services.merchant_cache.forget_pauses()


async def waits_until(
    services: ServicesWithoutStore, payment: Payment, schedule: Schedule | None, now: datetime
) -> datetime | None:
    """Return until when the scheduled charge of a payment waits that failed because somebody was closed.

    None when it is over: it was begun by hand before it was due, or has waited for too long.
    """
    if schedule is None or not schedule.may_wait_again(payment.imp_uid):
        return None
    if now >= schedule.schedule_at + POSTPONED_AT_MOST:
        return None
    return await _opening(services, payment.pg_provider, now)


async def next_try_when_open(
    services: ServicesWithoutStore, payment: Payment, schedule: Schedule | None, now: datetime
) -> NextTry | None:
    """Return the try that follows one that met somebody closed: what is tried by the merchant's rules is not given up.

    It counts among the tries, so that their number stays bounded.
    """
    if schedule is None or schedule.imp_uid != payment.imp_uid or not 0 < schedule.tries < TRIES_MAX:
        return None
    merchant = await services.merchant_cache.merchant(payment.merchant_id)
    if not any(merchant.recovery.values()):
        return None
    return NextTry(await _opening(services, payment.pg_provider, now), DeclineReason.LOCKED)


async def _opening(services: ServicesWithoutStore, provider: str, now: datetime) -> datetime:
    """Return when it is worth asking again: when what is known to be closed opens, or a little later."""
    nights = (n.end_at(now) for n in services.drivers[provider].abilities.nights)
    known = [
        until for until in (open_until(_of(await services.merchant_cache.pauses(), provider), now), *nights) if until
    ]
    return max(known, default=now + LATER)


def _of(pauses: Sequence[Pause], provider: str) -> list[Pause]:
    return [p for p in pauses if p.pg_provider == provider]
