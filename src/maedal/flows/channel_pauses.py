"""Waiting after technical failures: what nobody declined is not told as failed, it is tried again within a bound.

A scheduled charge that could not be sent, was refused at the door of the PG, or is proved not to have been made after
its answer was lost, goes back to wait as if it had not been begun (docs/decisions/0040-technical-failures.md).

Where every call through a channel would meet the same, the channel rests as a whole: scheduled charges are not begun,
one of them is let through now and then, and the first answer ends the rest. A merchant's own call is always passed on.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from maedal import metrics
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.merchants.channel_pause import ChannelPause
from maedal.payments.attempt import DeclineReason, Fault, Outcome, Proof, Result
from maedal.payments.payment import Payment
from maedal.schedules.recovery import NextTry
from maedal.schedules.schedule import Schedule
from maedal.schedules.waiting import try_again_at
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.channels.reads import HasChannels
from maedal.storage.channels.writes import PauseChannel, ResumeChannel
from maedal.storage.errors import StoreError
from maedal.storage.schedules.writes import PostponeSchedule
from maedal.storage.write import Writes

_log = structlog.get_logger()

BESIDE_THE_PROBE = timedelta(seconds=10)
"""How long the others wait while one charge finds out whether a channel works again."""
REASON_CHARS_MAX = 300


class ChannelPausesStore(HasBillingKeys, HasChannels, Writes, Protocol): ...


async def waits_until(
    services: ServicesWithoutStore, payment: Payment, schedule: Schedule | None, fault: Fault, now: datetime
) -> datetime | None:
    """Return until when the scheduled charge of a payment waits that came to nothing through `fault`.

    None when it is over: a person or the merchant's server has begun it, or its bound is reached.
    """
    if schedule is None or not schedule.may_wait_again(payment.imp_uid):
        return None
    channel = await services.merchant_cache.channel(payment.merchant_id, payment.channel_id)
    over_at = schedule.schedule_at + channel.waits_at_most
    return None if now >= over_at else min(try_again_at(fault, schedule.schedule_at, now), over_at)


async def next_try(
    services: ServicesWith[ChannelPausesStore], payment: Payment, schedule: Schedule | None, fault: Fault, now: datetime
) -> NextTry | None:
    """Return the try that takes the place of one by the merchant's rules that a channel's `fault` brought to nothing.

    It is no try of the rules. None when the channel has not worked for the bound of a scheduled charge.
    """
    if schedule is None or schedule.imp_uid != payment.imp_uid or not schedule.tries or not schedule.by_claim:
        return None
    channel = await services.merchant_cache.channel(payment.merchant_id, payment.channel_id)
    pause = await services.store.channels.pause(channel.merchant_id, channel.id)
    since = now if pause is None else pause.since
    if not fault.of_channel or now >= since + channel.waits_at_most:
        return None
    return NextTry(try_again_at(fault, since, now), DeclineReason.LOCKED)


def over_at(schedule: Schedule, at_most: timedelta) -> datetime:
    """Return from when on a scheduled charge, or a try of one, waits no longer."""
    due_at = schedule.schedule_at if schedule.next_try is None else schedule.next_try.at
    return due_at + at_most


async def wait_for_channel(services: ServicesWith[ChannelPausesStore], schedule: Schedule) -> bool:
    """Let a claimed charge wait while the channel of its key rests; return whether it waits.

    Once the rest is over one charge goes on, and the others wait for what becomes of it.
    """
    pauses = await services.merchant_cache.channel_pauses()
    if not any(pause.merchant_id == schedule.merchant_id for pause in pauses):
        return False
    assert schedule.order.customer_uid is not None, "a scheduled charge names its key"
    key = await services.store.billing_keys.find(schedule.merchant_id, schedule.order.customer_uid)
    pause = None if key is None else await services.store.channels.pause(key.merchant_id, key.channel_id)
    if pause is None:
        return False
    now = services.clock.now()
    channel = await services.merchant_cache.channel(pause.merchant_id, pause.channel_id)
    over = over_at(schedule, channel.waits_at_most)
    if now >= over:
        # It is begun once more, and what it meets is told.
        return False
    until = pause.until
    if now >= until:
        pause_channel = replace(pause, until=try_again_at(pause.fault, pause.since, now))
        if await services.store.write(PauseChannel(pause, pause_channel)):
            _log.info("channel_tried", channel=pause.channel_id, merchant_uid=schedule.order.merchant_uid)
            return False
        until = now + BESIDE_THE_PROBE
    await services.store.write(PostponeSchedule(schedule, min(until, over), pause.channel_id))
    metrics.POSTPONED.labels(pause.fault).inc()
    return True


async def note_channel_availability(
    services: ServicesWith[ChannelPausesStore], payment: Payment, result: Result
) -> None:
    """Keep that a channel does not work, or that it works again. Never raises: it is a courtesy."""
    fault = None if result.decline is None else result.decline.fault
    with contextlib.suppress(StoreError):
        if fault is not None and fault.of_channel and result.outcome is not Outcome.UNKNOWN:
            assert result.decline is not None, "it has a fault"
            await pause_channel(services, payment.merchant_id, payment.channel_id, fault, result.decline.message)
        elif fault is None and result.outcome is not Outcome.UNKNOWN and result.proof is Proof.REPLY:
            await resume_channel(services, payment.merchant_id, payment.channel_id)


async def pause_channel(
    services: ServicesWith[ChannelPausesStore], merchant_id: str, channel_id: str, fault: Fault, reason: str
) -> None:
    """Let a channel rest, unless it does already."""
    now = services.clock.now()
    before = await services.store.channels.pause(merchant_id, channel_id)
    if before is not None and before.until > now:
        return
    since = now if before is None else before.since
    until = try_again_at(fault, since, now)
    after = ChannelPause(merchant_id, channel_id, fault, reason[:REASON_CHARS_MAX], since, until)
    if await services.store.write(PauseChannel(before, after)) and before is None:
        _log.error("channel_does_not_work", merchant=merchant_id, channel=channel_id, fault=fault, reason=after.reason)
    services.merchant_cache.forget_pauses()


async def resume_channel(services: ServicesWith[ChannelPausesStore], merchant_id: str, channel_id: str) -> None:
    """End the rest of a channel, if it has one; what waits for it is due at once."""
    known = await services.merchant_cache.channel_pauses()
    if not any(p.merchant_id == merchant_id and p.channel_id == channel_id for p in known):
        return
    if await services.store.write(ResumeChannel(merchant_id, channel_id, services.clock.now())):
        _log.warning("channel_works_again", merchant=merchant_id, channel=channel_id)
    services.merchant_cache.forget_pauses()
