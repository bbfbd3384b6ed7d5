"""Schedule charges, take them back, and change when they are due. Nothing here calls a PG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from maedal.billing_keys.billing_key import BillingKey
from maedal.flows.services import ServicesWith
from maedal.merchants.audit_entry import AuditEntry
from maedal.payments.payment import Order
from maedal.schedules.errors import (
    MerchantUidScheduled,
    NothingToUnschedule,
    ScheduleNotChangeable,
    ScheduleNotFound,
)
from maedal.schedules.schedule import Schedule, ScheduleStatus, check_time
from maedal.storage.errors import Conflict
from maedal.storage.payments.reads import HasPayments
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.schedules.writes import AddSchedules, RevokeSchedules, SetScheduleTime
from maedal.storage.write import Writes


class ScheduleChargesStore(HasPayments, HasSchedules, Writes, Protocol): ...


async def schedule_charges(
    services: ServicesWith[ScheduleChargesStore],
    key: BillingKey,
    wanted: Sequence[tuple[Order, datetime]],
    audit_entry: AuditEntry | None = None,
) -> list[Schedule]:
    """Schedule charges of the customer whose key lives now, all or none, and return them in order.

    `audit_entry` is kept with them when a person asked for it.

    When one is due, whichever key of the customer_uid lives then is charged. Raises InvalidScheduleTime or
    MerchantUidScheduled; then nothing was scheduled.
    """
    now = services.clock.now()
    for _, schedule_at in wanted:
        check_time(schedule_at, now)
    schedules = [Schedule(key.merchant_id, order, key.channel_id, schedule_at, now) for order, schedule_at in wanted]
    merchant_uids = [order.merchant_uid for order, _ in wanted]
    if len(set(merchant_uids)) < len(merchant_uids):
        raise MerchantUidScheduled("the same merchant_uid more than once in one call")
    try:
        taken = await services.store.write(AddSchedules(tuple(schedules), audit_entry))
    except Conflict as error:
        raise MerchantUidScheduled("one of these was planned in this very moment") from error
    if taken:
        raise MerchantUidScheduled(", ".join(taken[:10]))
    return schedules


async def unschedule(
    services: ServicesWith[ScheduleChargesStore],
    merchant_id: str,
    merchant_uids: Sequence[str] | None,
    customer_uid: str | None,
) -> Sequence[Schedule]:
    """Revoke what waits of these merchant_uids, or everything of the customer, and return what was revoked.

    From the moment this returns none of it can begin any more. Raises NothingToUnschedule.
    """
    revoked: Sequence[Schedule] = ()
    if merchant_uids is not None or customer_uid is not None:
        uids = None if merchant_uids is None else tuple(merchant_uids)
        revoked = await services.store.write(RevokeSchedules(merchant_id, uids, customer_uid, services.clock.now()))
    if not revoked:
        raise NothingToUnschedule("nothing that waits matches")
    return await _with_payments(services, merchant_id, revoked)


async def _with_payments(
    services: ServicesWith[ScheduleChargesStore], merchant_id: str, schedules: Sequence[Schedule]
) -> Sequence[Schedule]:
    """Return the schedules with the payments that executed them: one whose tries were ended has a failed one."""
    executed = [s.imp_uid for s in schedules if s.imp_uid is not None]
    if not executed:
        return schedules
    payments = {p.imp_uid: p for p in await services.store.payments.by_ids(merchant_id, executed, ())}
    return [replace(s, payment=None if s.imp_uid is None else payments.get(s.imp_uid)) for s in schedules]


async def find_schedule(services: ServicesWith[ScheduleChargesStore], merchant_id: str, merchant_uid: str) -> Schedule:
    """Return what is scheduled under `merchant_uid`. Raises ScheduleNotFound."""
    schedule = await services.store.schedules.find(merchant_id, merchant_uid)
    if schedule is None:
        raise ScheduleNotFound("nothing was ever planned under this merchant_uid")
    return schedule


async def change_time(
    services: ServicesWith[ScheduleChargesStore], merchant_id: str, merchant_uid: str, schedule_at: datetime
) -> Schedule:
    """Let a waiting charge wait for another time. Raises ScheduleNotFound, ScheduleNotChangeable, InvalidScheduleTime.

    One that a worker has claimed, but not begun, waits again.
    """
    schedule = await find_schedule(services, merchant_id, merchant_uid)
    if schedule.status is not ScheduleStatus.SCHEDULED:
        raise ScheduleNotChangeable("it was executed or revoked already")
    return await _wait_until(services, schedule, schedule_at)


async def reschedule(
    services: ServicesWith[ScheduleChargesStore], merchant_id: str, merchant_uid: str, schedule_at: datetime
) -> Schedule:
    """Schedule a failed or revoked charge anew; the same errors as `change_time`."""
    return await _wait_until(services, await to_begin_anew(services, merchant_id, merchant_uid), schedule_at)


async def to_begin_anew(services: ServicesWith[ScheduleChargesStore], merchant_id: str, merchant_uid: str) -> Schedule:
    """Return a failed or revoked charge. Raises ScheduleNotFound, and ScheduleNotChangeable for any other."""
    schedule = await find_schedule(services, merchant_id, merchant_uid)
    if not schedule.may_begin_anew():
        raise ScheduleNotChangeable("it still waits, is being charged, or was paid")
    return schedule


async def _wait_until(
    services: ServicesWith[ScheduleChargesStore], schedule: Schedule, schedule_at: datetime
) -> Schedule:
    check_time(schedule_at, services.clock.now())
    if not await services.store.write(SetScheduleTime(schedule, schedule_at)):
        raise ScheduleNotChangeable("it has moved in this very moment")
    return replace(
        schedule,
        schedule_at=schedule_at,
        status=ScheduleStatus.SCHEDULED,
        imp_uid=None,
        executed_at=None,
        revoked_at=None,
        lease_id=None,
        payment=None,
    )
