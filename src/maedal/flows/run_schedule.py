"""Run scheduled charges: claim what is due, begin each with its scheduled charge in one transaction, once.

A worker that dies before it began leaves nothing but a lease, and the charge is claimed again when that has run out.
One that dies later leaves an attempt like any other, which is clarified and never repeated. A charge that was declined
is tried again by itself only where a rule of the merchant says so (`recovery`); such a try is claimed and begun like a
scheduled charge, and proves by the failed payment it was claimed with that no other try came first.

Without a living key no charge can begin. Merchants wait for a webhook that names a payment
(docs/wire/portone-v1-rest.md 4.5.5 and 5.1), so the scheduled charge is then executed by a payment that failed with the
reason and for which no PG was called. One whose merchant_uid was paid meanwhile is executed by the payment that was.
A key that is busy or unclear proves nothing of the kind: the scheduled charge goes on waiting.

A charge that comes late may have been made already by a gateway whose newer database is lost: an older copy that was
restored believes that it still waits. So one that is late is begun only when the PG says that its key was not charged,
unknown to us, since it was due.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog

from maedal import metrics
from maedal.billing_keys.billing_key import BillingKey
from maedal.billing_keys.errors import (
    BillingKeyBusy,
    BillingKeyChargeUnrecorded,
    BillingKeyNotFound,
    BillingKeyStatusUnavailable,
    BillingKeyUnclear,
)
from maedal.flows import recovery, webhook_outbox
from maedal.flows.channel_pauses import over_at, pause_channel, wait_for_channel
from maedal.flows.charge import charge, charged_before
from maedal.flows.failover import LastApprovalUnavailable, WaitsAfterFailover, last_approval
from maedal.flows.maintenance import everything_is_closed, pace, postpone_while_closed
from maedal.flows.merchant_entry import audit_entry_of
from maedal.flows.resolve_unknown import TIMES_APART
from maedal.flows.schedule_charges import to_begin_anew
from maedal.flows.services import ServicesWith
from maedal.maintenance.errors import PgUnderMaintenance
from maedal.merchants.audit_entry import AuditAction
from maedal.payments.attempt import DeclineReason, Fault
from maedal.payments.errors import MerchantUidUsed, OutcomeUnknown
from maedal.payments.moves import Status
from maedal.payments.payment import Origin, Payment
from maedal.pg.driver import CallKind, NotSent
from maedal.schedules.errors import ScheduleNotChangeable
from maedal.schedules.schedule import NO_KEY_REASON, Schedule, ScheduleStatus
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.channels.reads import HasChannels
from maedal.storage.database_servers.reads import HasDatabaseServers
from maedal.storage.maintenance.reads import HasMaintenance
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.payments.reads import HasPayments, Sorting
from maedal.storage.payments.writes import FailSchedule
from maedal.storage.reconciliation.reads import HasReconciliation
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.schedules.writes import ClaimSchedules, EndTries, LinkSchedule, PostponeSchedule
from maedal.storage.unknown_outcomes.reads import HasUnknownOutcomes
from maedal.storage.write import Writes

_log = structlog.get_logger()

LATE = timedelta(minutes=1)
"""From then on a due charge is late: a worker takes it up within seconds, and no restored copy is so young."""
UNSEEN = "KEY_CHARGED_UNSEEN"
STORE_TIME = timedelta(seconds=60)
"""More than beginning a charge takes the store, its waits for the key aside."""


class RunScheduleStore(
    HasBillingKeys,
    HasCancellations,
    HasChannels,
    HasDatabaseServers,
    HasMaintenance,
    HasMerchants,
    HasPayments,
    HasReconciliation,
    HasSchedules,
    HasUnknownOutcomes,
    Writes,
    Protocol,
): ...


async def claim_due(services: ServicesWith[RunScheduleStore], count_max: int, turn: int = 0) -> Sequence[Schedule]:
    """Claim due charges; each is this worker's to begin until its lease runs out. While every PG is closed, none.

    `turn` counts the claims of a worker: where more merchants have due charges than there are places, they take turns.
    """
    if await everything_is_closed(services):
        return ()
    now = services.clock.now()
    # A charge may wait twice for its key before it begins: in its turn, and in the store.
    leased_until = now + 2 * timedelta(seconds=services.limits.busy_wait_seconds) + STORE_TIME
    return await services.store.write(
        ClaimSchedules(services.ids.row(now), now, leased_until, count_max, await pace(services), turn)
    )


async def run_schedule(services: ServicesWith[RunScheduleStore], schedule: Schedule) -> None:
    """Charge what `claim_due` gave; whatever keeps it from beginning for now leaves it to a later claim."""
    merchant_uid = schedule.order.merchant_uid
    if await postpone_while_closed(services, schedule) or await wait_for_channel(services, schedule):
        return
    if await _may_have_been_made(services, schedule):
        return
    try:
        payment = await charge(services, schedule.merchant_id, schedule.order, executes=schedule, by_itself=True)
    except BillingKeyNotFound as error:
        await _fail(services, schedule, error.code, NO_KEY_REASON)
    except MerchantUidUsed:
        paid = await _paid(services, schedule)
        if paid is None:
            _log.info("schedule_postponed", merchant_uid=merchant_uid, reason="another payment of it is open")
        elif schedule.status is ScheduleStatus.EXECUTED:
            # The merchant charged it in another way meanwhile, and knows.
            await services.store.write(EndTries(schedule))
        else:
            # It has its money, and whoever paid it was told: nothing of it has failed.
            await services.store.write(LinkSchedule(schedule, paid, services.clock.now()))
            _log.info("schedule_was_paid", merchant_uid=merchant_uid, imp_uid=paid.imp_uid)
    except BillingKeyChargeUnrecorded as error:
        metrics.CHARGED_UNSEEN.inc()
        _log.error("schedule_postponed", merchant_uid=merchant_uid, reason=UNSEEN, seen=error.message)
    except WaitsAfterFailover as waits:
        await services.store.write(PostponeSchedule(schedule, waits.until))
        metrics.POSTPONED.labels("failover").inc()
        _log.info("schedule_postponed", merchant_uid=merchant_uid, reason="failover", until=waits.until)
    except (BillingKeyBusy, BillingKeyUnclear, BillingKeyStatusUnavailable) as error:
        _log.info("schedule_postponed", merchant_uid=merchant_uid, reason=error.code)
    except PgUnderMaintenance:
        # Somebody has heard it since this one was claimed.
        await postpone_while_closed(services, schedule)
    except ScheduleNotChangeable:
        metrics.LEASES_LOST.labels("schedule").inc()
        _log.info("schedule_moved_meanwhile", merchant_uid=merchant_uid)
    except OutcomeUnknown:
        _log.warning("schedule_executed_outcome_unknown", merchant_uid=merchant_uid)
    else:
        _count(schedule, payment.status)
        _log.info("schedule_executed", merchant_uid=merchant_uid, imp_uid=payment.imp_uid, status=payment.status)


@dataclass(frozen=True, slots=True)
class ByHand:
    """A retry that a person wants: of the charge as they saw it, once however often they send it."""

    who: str
    attempt_id: str
    """Under which id the call to the PG is begun."""
    imp_uid: str | None
    """The payment that had failed when they looked."""


async def retry(
    services: ServicesWith[RunScheduleStore],
    merchant_id: str,
    merchant_uid: str,
    by_hand: ByHand | None = None,
    *,
    attempt_id: str | None = None,
) -> Payment:
    """Charge a failed or revoked scheduled charge at once and return the payment.

    With `attempt_id` it is charged once however often it is asked for, and what was begun before is given as it stands:
    by then the scheduled charge may well have been executed. Raises ScheduleNotFound, ScheduleNotChangeable, and
    everything that a charge raises.
    """
    attempt_id = attempt_id if by_hand is None else by_hand.attempt_id
    begun_before = await charged_before(services, merchant_id, attempt_id)
    if begun_before is not None:
        return begun_before
    schedule = await to_begin_anew(services, merchant_id, merchant_uid)
    if schedule.hold is not None:
        raise ScheduleNotChangeable("it is held; release it first")
    if by_hand is None:
        return await charge(services, merchant_id, schedule.order, executes=schedule, attempt_id=attempt_id)
    if schedule.imp_uid != by_hand.imp_uid:
        raise ScheduleNotChangeable("it has moved in this very moment")
    facts = (f"imp_uid={schedule.imp_uid or schedule.status}", f"amount={schedule.order.price.total.amount}")
    audit_entry = audit_entry_of(services, merchant_id, AuditAction.RETRY_SCHEDULE, merchant_uid, by_hand.who, facts)
    return await charge(
        services, merchant_id, schedule.order, executes=schedule, attempt_id=attempt_id, audit_entry=audit_entry
    )


async def _may_have_been_made(services: ServicesWith[RunScheduleStore], schedule: Schedule) -> bool:
    """Return whether a late charge must not begin: its key was charged unknown to us, or the PG does not tell.

    It goes on waiting. A person revokes it if the charge was made, and otherwise moves it or retries it.
    """
    due_at = schedule.schedule_at if schedule.next_try is None else schedule.next_try.at
    if services.clock.now() - due_at < LATE:
        return False
    assert schedule.order.customer_uid is not None, "a scheduled charge names its key"
    key = await services.store.billing_keys.find(schedule.merchant_id, schedule.order.customer_uid)
    if key is None:
        return False
    details = {"merchant": schedule.merchant_id, "merchant_uid": schedule.order.merchant_uid}
    try:
        # The place of the charge that follows: a worker with more late ones than there are places to look things up
        # would have them wait for each other, and what is unclear would wait behind them.
        last = await last_approval(services, key, CallKind.SCHEDULED)
    except LastApprovalUnavailable as error:
        _log.warning("schedule_postponed", reason=f"the PG does not tell of the key ({error})", **details)
        await _key_status_unavailable(services, schedule, key, error.__cause__)
        return True
    # Looked at after the answer: what is still under way may be what moved the key, and what was recorded is known.
    if await services.store.billing_keys.has_open_charge(key.merchant_id, key.id):
        _log.info("schedule_postponed", reason="another charge of the key is open", **details)
        return True
    key = await services.store.billing_keys.find_by_id(key.merchant_id, key.id) or key
    if last is None or last < due_at - TIMES_APART or not key.was_approved_since(last):
        return False
    metrics.CHARGED_UNSEEN.inc()
    _log.error("schedule_postponed", reason=UNSEEN, last_approved_at=last.isoformat(), **details)
    return True


async def _key_status_unavailable(
    services: ServicesWith[RunScheduleStore], schedule: Schedule, key: BillingKey, error: BaseException | None
) -> None:
    """Let a late charge wait that the PG does not tell of; past its bound it fails, without having been begun."""
    channel = await services.merchant_cache.channel(key.merchant_id, key.channel_id)
    fault = error.fault if isinstance(error, NotSent) else Fault.NOT_MADE
    reason = f"PG에 연결하지 못했습니다. ({error})" if isinstance(error, NotSent) else "PG사가 응답하지 않았습니다."
    now = services.clock.now()
    if now >= over_at(schedule, channel.waits_at_most):
        await _fail(services, schedule, "NOT_SENT", f"[NOT_SENT] {reason}")
        return
    if fault.of_channel:
        await pause_channel(services, channel.merchant_id, channel.id, fault, reason)


async def _paid(services: ServicesWith[RunScheduleStore], schedule: Schedule) -> Payment | None:
    """Return the payment that took money under this merchant_uid; one that is still open proves nothing yet."""
    taken = (Status.PAID, Status.CANCELLED)
    merchant_uid = schedule.order.merchant_uid
    return await services.store.payments.find_by_merchant_uid(
        schedule.merchant_id, merchant_uid, taken, Sorting.STARTED_NEWEST
    )


def _count(schedule: Schedule, status: Status) -> None:
    if schedule.next_try is not None:
        metrics.RECOVERY_TRIES.labels(schedule.next_try.reason, status).inc()


async def _fail(services: ServicesWith[RunScheduleStore], schedule: Schedule, code: str, reason: str) -> None:
    """Execute the scheduled charge by a payment that failed before any call, and tell the merchant."""
    channel = await services.merchant_cache.channel(schedule.merchant_id, schedule.channel_id)
    now = services.clock.now()
    payment = Payment(
        merchant_id=schedule.merchant_id,
        imp_uid=services.ids.server_payment(),
        order=schedule.order,
        status=Status.READY,
        origin=Origin.API,
        pg_provider=channel.pg_provider,
        pg_merchant_id=channel.pg_merchant_id,
        channel_id=channel.id,
        test_mode=channel.test_mode,
        started_at=now,
        updated_at=now,
    )
    deliveries = await webhook_outbox.deliveries(services, payment, Status.FAILED, now)
    ended_key = DeclineReason.ENDED_KEY if code == BillingKeyNotFound.code else None
    tries = schedule.tries + 1 if schedule.status is ScheduleStatus.EXECUTED else 0
    next_try = await recovery.plan_next_try(services, schedule.merchant_id, ended_key, tries, now)
    if await services.store.write(FailSchedule(schedule, payment, code, reason, now, deliveries, next_try)):
        _count(schedule, Status.FAILED)
        _log.info("schedule_failed", merchant_uid=schedule.order.merchant_uid, imp_uid=payment.imp_uid, reason=code)
        services.webhook_waiting.set()
