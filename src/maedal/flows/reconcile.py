"""Reconcile a day: hold the PG's own file of it against what is known here.

A row is ours by the order number that the PG was given: the id of our attempt. What the file proves is recorded (the
PG's id of a payment that was found without one, an outcome that was unknown, a payment that a restored database has
forgotten); everything else that differs is a finding, which a person closes. Nothing is charged, cancelled or given
back here. Reading a day again adds nothing.
"""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Protocol

import structlog

from maedal import metrics
from maedal.flows.call_pg import ask_pg, driver_of, file_account_of
from maedal.flows.compare_cancels import compare_cancels
from maedal.flows.compare_charges import Progress, compare_rows, missing_charges
from maedal.flows.compare_file import Comparison, Reconciled
from maedal.flows.record_lost_attempts import record_lost_attempts
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.merchants.channel import Channel
from maedal.pg.driver import AnswerLost, NotSent, Unreadable
from maedal.reconciliation.settlement import (
    A_DAY,
    NotYet,
    SettlementDay,
    day_of,
    ends_at,
)
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.channels.reads import HasChannels
from maedal.storage.database_servers.reads import HasDatabaseServers
from maedal.storage.findings.reads import HasFindings
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.payments.reads import HasPayments
from maedal.storage.reconciliation.reads import HasReconciliation
from maedal.storage.reconciliation.writes import ClaimDay
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.unknown_outcomes.reads import HasUnknownOutcomes
from maedal.storage.windows.reads import HasWindows
from maedal.storage.write import Writes

_log = structlog.get_logger()

CHANNELS_AT_ONCE = 100
ASK_AGAIN = timedelta(minutes=10)
"""How long after a try without a file the next one is made."""


class ReconcileStore(
    HasBillingKeys,
    HasCancellations,
    HasChannels,
    HasDatabaseServers,
    HasFindings,
    HasMerchants,
    HasPayments,
    HasReconciliation,
    HasSchedules,
    HasUnknownOutcomes,
    HasWindows,
    Writes,
    Protocol,
): ...


async def settlement_file(services: ServicesWithoutStore, channel: Channel, day: date) -> SettlementDay | NotYet:
    """Return the PG's file of a day. Raises NotSent, AnswerLost or Unreadable; asking again is harmless.

    Raises ChannelMisconfigured for a channel without a file key.
    """
    driver, account = driver_of(services, channel), file_account_of(services, channel)
    place = driver.read_file_place(
        account, await ask_pg(services, channel.merchant_id, driver.file_place_request(account, day))
    )
    if isinstance(place, NotYet):
        return place
    reply = await ask_pg(services, channel.merchant_id, driver.file_request(account, place))
    # A large file takes a while to read; the event loop serves others meanwhile.
    return await asyncio.to_thread(driver.read_file, account, day, reply)


async def reconcile(
    services: ServicesWith[ReconcileStore], channel: Channel, day: date, progress: Progress | None = None
) -> Reconciled | NotYet:
    """Hold the file of a day against what is here; the same errors as `settlement_file`, and then nothing is judged."""
    file = await settlement_file(services, channel, day)
    if isinstance(file, NotYet):
        return file
    # Calls whose process died are unknown outcomes like any other, which the file may resolve.
    await record_lost_attempts(services)
    run = Comparison(services, channel, file)
    await compare_rows(services, run, progress)
    await missing_charges(services, run)
    await compare_cancels(services, run)
    await run.finish()
    return run.result


async def reconcile_due(services: ServicesWith[ReconcileStore]) -> int:
    """Reconcile the past days of every channel that has a file key, as far as they are due; return how many were."""
    count = 0
    after = ("", "")
    while channels := await services.store.channels.with_files(after, CHANNELS_AT_ONCE):
        for channel in channels:
            count += await _reconcile_due_days(services, channel)
        after = (channels[-1].merchant_id, channels[-1].id)
    return count


async def _reconcile_due_days(services: ServicesWith[ReconcileStore], channel: Channel) -> int:
    rules = driver_of(services, channel).abilities.files
    if rules is None:
        return 0
    now = services.clock.now()
    newest = day_of(now - rules.after_the_day) - A_DAY
    wanted = [newest - n * A_DAY for n in reversed(range(rules.days_kept))]
    known = {
        state.day: state
        for state in await services.store.reconciliation.days(channel.merchant_id, channel.id, wanted[0], newest)
    }
    count = 0
    for day in wanted:
        state = known.get(day)
        if state is not None and (state.done_at is not None or state.due_at > now):
            continue
        if await services.store.write(ClaimDay(channel.merchant_id, channel.id, day, now, now + ASK_AGAIN)):
            gone_at = ends_at(day) + rules.after_the_day + rules.days_kept * A_DAY
            await _try_day(services, channel, day, is_last=now + ASK_AGAIN >= gone_at)
            count += 1
    return count


async def _try_day(services: ServicesWith[ReconcileStore], channel: Channel, day: date, *, is_last: bool) -> None:
    details = {"merchant": channel.merchant_id, "channel": channel.id, "day": day.isoformat()}
    try:
        found = await reconcile(services, channel, day)
    except (NotSent, AnswerLost, Unreadable) as error:
        metrics.FILES.labels("unreadable" if isinstance(error, Unreadable) else "no_answer").inc()
        _log.warning("settlement_file_not_had", reason=f"{type(error).__name__}: {error}", **details)
    except Exception as error:  # one channel must not keep the others from their files
        metrics.FILES.labels("broken").inc()
        _log.exception("reconciling_broke", kind=type(error).__name__, **details)
    else:
        if isinstance(found, Reconciled):
            metrics.FILES.labels("done").inc()
            return
        metrics.FILES.labels("not_there").inc()
        _log.debug("settlement_file_not_there", reason=found.reason, **details)
    if is_last:
        _log.error("settlement_file_missed", advice="ask the PG for the file of this day", **details)
