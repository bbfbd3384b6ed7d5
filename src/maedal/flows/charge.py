"""Charge a billing key: begin, call, record; only then does the caller hear anything."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

import structlog

from maedal.billing_keys.billing_key import secret_context
from maedal.billing_keys.errors import (
    BillingKeyBusy,
    BillingKeyNotFound,
    BillingKeyStatusUnavailable,
    BillingKeyUnclear,
)
from maedal.flows.call_pg import account_for, call_pg, driver_of, not_built
from maedal.flows.failover import ask_first, note_server
from maedal.flows.intents import WITHDRAWN, Intent, begin
from maedal.flows.maintenance import note_availability, refuse_while_closed
from maedal.flows.record_outcome import record
from maedal.flows.resolve_unknown import clarify_for_a_while
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.flows.unrecorded_outcomes import OwnCall
from maedal.merchants.audit_entry import AuditEntry
from maedal.payments.attempt import Result
from maedal.payments.errors import InvalidAmount, MerchantUidUsed, OutcomeUnknown, PgCrowded
from maedal.payments.mark import write_mark
from maedal.payments.moves import Status
from maedal.payments.payment import KeyUse, Order, Payment
from maedal.pg.driver import CallKind, ChargeParams
from maedal.schedules.errors import ScheduleNotChangeable
from maedal.schedules.schedule import Schedule
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.channels.reads import HasChannels
from maedal.storage.database_servers.reads import HasDatabaseServers
from maedal.storage.durability.writes import Proved
from maedal.storage.errors import Conflict, StoreError
from maedal.storage.maintenance.reads import HasMaintenance
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.payments.reads import HasPayments
from maedal.storage.payments.writes import BeginCharge, BegunCharge, Refusal
from maedal.storage.reconciliation.reads import HasReconciliation
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.unknown_outcomes.reads import HasUnknownOutcomes
from maedal.storage.write import Writes

_log = structlog.get_logger()

ID_TRIES_MAX = 5
SERVERS_MAX = 5
"""How often a charge meets a database server on which it may not begin yet, until it gives up."""
POLL_SECONDS = 0.2
"""How often a charge looks again whether the key's other charge, on another node, has ended."""
SETTLING_POLL_SECONDS_MAX = 1.0
"""How long it sleeps at a time while the key's last approval settles; a clock may be set meanwhile."""


class ChargeStore(
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


async def charge(
    services: ServicesWith[ChargeStore],
    merchant_id: str,
    order: Order,
    *,
    executes: Schedule | None = None,
    attempt_id: str | None = None,
    audit_entry: AuditEntry | None = None,
    by_itself: bool = False,
) -> Payment:
    """Charge the living key of `order.customer_uid` once and return the payment: paid, failed, or unknown.

    With `executes` the charge carries out a scheduled one, which is executed in the transaction that begins it; raises
    ScheduleNotChangeable when that one was changed, revoked or claimed by somebody else meanwhile.

    With `attempt_id` the call to the PG is begun under this id, at most once however often the charge is asked for: one
    that was begun before is given as it stands. `audit_entry` is kept in the audit log beside the beginning.

    `by_itself` says that a worker carries out the scheduled charge: it then raises WaitsAfterFailover where it may.

    Raises MerchantUidUsed, BillingKeyNotFound, BillingKeyBusy, BillingKeyUnclear, InvalidAmount, PgUnderMaintenance
    when the PG has just said that it is closed, PgCrowded when so many calls to it are under way that one more would
    not be made in time (a worker's charge waits instead), and after a failover of the database
    BillingKeyChargeUnrecorded or BillingKeyStatusUnavailable; then nothing was charged and nothing was kept. An unknown
    outcome is no error here, the payment says so; but OutcomeUnknown is raised when the store could not even keep what
    the PG said, and as long as such an outcome is held of this order.
    """
    assert order.customer_uid is not None, "a charge names its key"
    check_price(order)
    services.key_standing.check()
    services.unrecorded_outcomes.refuse_charge(merchant_id, order.merchant_uid, order.customer_uid)
    begun_before = await charged_before(services, merchant_id, attempt_id)
    if begun_before is not None:
        return begun_before
    await refuse_while_closed(services, merchant_id, order.customer_uid)
    if executes is None and services.pg_is_crowded(CallKind.CHARGE, merchant_id):
        # Begun, it would find no connection and stand in the books as failed, which nobody has decided.
        raise PgCrowded("so many calls to the PG are under way that none was begun; nothing was charged")
    return await services.background.finish(
        _charge(services, merchant_id, order, order.customer_uid, executes, attempt_id, audit_entry, by_itself)
    )


async def charged_before(
    services: ServicesWith[ChargeStore], merchant_id: str, attempt_id: str | None
) -> Payment | None:
    """Return the payment whose charge was begun under this id, as far as it can be known by now; None without one."""
    if attempt_id is None:
        return None
    begun_before = await services.store.payments.find_by_attempt(merchant_id, attempt_id)
    return None if begun_before is None else await clarify_for_a_while(services, begun_before, attempt_id)


async def _charge(
    services: ServicesWith[ChargeStore],
    merchant_id: str,
    order: Order,
    customer_uid: str,
    executes: Schedule | None,
    attempt_id: str | None,
    audit_entry: AuditEntry | None,
    by_itself: bool,
) -> Payment:
    async with services.call_queue.turn((merchant_id, customer_uid), services.limits.busy_wait_seconds) as my_turn:
        if not my_turn:
            raise BillingKeyBusy("another charge of this billing key is still running; nothing was charged")
        begun = await _begin(services, merchant_id, order, executes, attempt_id, audit_entry, by_itself)
        payment = await _call_and_record(services, begun)
    if payment.status is Status.UNKNOWN:
        payment = await clarify_for_a_while(services, payment, begun.attempt.id)
    return payment


async def _begin(
    services: ServicesWith[ChargeStore],
    merchant_id: str,
    order: Order,
    executes: Schedule | None,
    attempt_id: str | None,
    audit_entry: AuditEntry | None,
    by_itself: bool,
) -> BegunCharge:
    """Commit the intent, once the key's other charge is over; wait for that a bounded time."""
    assert order.customer_uid is not None, "a charge names its key"
    deadline = services.clock.now() + timedelta(seconds=services.limits.busy_wait_seconds)
    collisions = servers = 0
    asked_on: str | None = None
    while True:
        now = services.clock.now()
        write = BeginCharge(
            merchant_id,
            services.ids.server_payment(),
            attempt_id or services.ids.row(now),
            order,
            now,
            executes,
            audit_entry,
            asked_on,
        )
        try:
            begun = await begin(services, _intent(services, write))
        except Conflict:
            # An id that we drew is taken, or another node was first: then the next look says so.
            collisions += 1
            if collisions >= ID_TRIES_MAX:
                raise
            continue
        match begun:
            case BegunCharge():
                return begun
            case Refusal.MERCHANT_UID_USED:
                raise MerchantUidUsed("this merchant_uid has been paid, cancelled, or is being paid")
            case Refusal.SCHEDULE_MOVED:
                raise ScheduleNotChangeable("the scheduled charge was changed, revoked or begun by somebody else")
            case Refusal.NO_KEY:
                raise BillingKeyNotFound("no billing key is registered under this customer_uid")
            case Refusal.KEY_UNCLEAR:
                raise BillingKeyUnclear("an earlier charge of this billing key is being clarified; nothing was charged")
            case Refusal.SERVER_UNKNOWN | Refusal.ASK_FIRST if servers >= SERVERS_MAX:
                raise BillingKeyStatusUnavailable("the database is moving from server to server; nothing was charged")
            case Refusal.SERVER_UNKNOWN:
                servers += 1
                await note_server(services)
            case Refusal.ASK_FIRST:
                servers += 1
                asked_on = await ask_first(services, merchant_id, order.customer_uid, executes if by_itself else None)
            case Refusal.KEY_BUSY | Refusal.KEY_SETTLING:
                if now >= deadline:
                    raise BillingKeyBusy("another charge of this billing key is still running; nothing was charged")
                # The look said who was first. Two nodes that take turns meet at every turn, however long the queue is.
                collisions = 0
                await services.clock.sleep(await _settling_seconds(services, merchant_id, order, now, deadline))


async def _settling_seconds(
    services: ServicesWith[ChargeStore], merchant_id: str, order: Order, now: datetime, deadline: datetime
) -> float:
    """Return how long to wait before the next look, towards the moment when the key's last approval has settled."""
    assert order.customer_uid is not None, "a charge names its key"
    key = await services.store.billing_keys.find(merchant_id, order.customer_uid)
    settled_at = None if key is None else key.chargeable_from()
    if settled_at is None:
        return POLL_SECONDS
    left = (min(settled_at, deadline) - now).total_seconds()
    return min(max(POLL_SECONDS, left), SETTLING_POLL_SECONDS_MAX)


def _intent(services: ServicesWith[ChargeStore], write: BeginCharge) -> Intent[BegunCharge | Refusal]:
    async def commit() -> BegunCharge | Refusal:
        return await services.store.write(write)

    def begun(proved: Proved) -> BegunCharge:
        assert proved.payment is not None, "a charge has its payment"
        assert proved.key is not None, "a charge names its key, and a key is never deleted"
        return BegunCharge(proved.payment, proved.attempt, proved.key)

    async def withdraw(begun: BegunCharge | Refusal) -> None:
        assert isinstance(begun, BegunCharge), "a refusal began nothing"
        await record(services, begun.payment, begun.attempt.id, WITHDRAWN)

    return Intent(write.merchant_id, write.attempt_id, write.now, commit, begun, withdraw)


async def _call_and_record(services: ServicesWith[ChargeStore], begun: BegunCharge) -> Payment:
    result = await _call(services, begun)
    try:
        own_call = OwnCall(begun.attempt, key=begun.key)
        payment = await record(services, begun.payment, begun.attempt.id, result, own_call=own_call)
    except StoreError as error:
        # The PG has answered and the answer could not be kept: "try again" would be a lie that charges twice.
        raise OutcomeUnknown("the outcome could not be kept and is being clarified") from error
    await note_availability(services, payment, result)
    return payment


async def _call(services: ServicesWithoutStore, begun: BegunCharge) -> Result:
    key, order = begun.key, begun.payment.order
    try:
        channel = await services.merchant_cache.channel(key.merchant_id, key.channel_id)
        driver, account = driver_of(services, channel), account_for(services, channel, test_mode=key.test_mode)
        params = ChargeParams(
            pg_key=services.vault.open(key.sealed_pg_key, *secret_context(key)),
            order_id=begun.attempt.order_id,
            user_id=key.pg_user_id,
            name=order.name,
            quantity=order.quantity,
            price=order.price,
            mark=write_mark(begun.payment),
        )
        request = driver.charge_request(account, params)
    except Exception as error:  # whatever keeps the request from being built, it was certainly not sent
        _log.exception("charge_could_not_be_built", imp_uid=begun.payment.imp_uid, kind=type(error).__name__)
        return not_built(error)
    begun_at = begun.attempt.begun_at
    return await call_pg(
        services,
        CallKind.SCHEDULED if order.key_use is KeyUse.SCHEDULED else CallKind.CHARGE,
        key.merchant_id,
        request,
        lambda reply: driver.read_charge(account, params, reply),
        begun_at=begun_at,
    )


def check_price(order: Order) -> None:
    """Raise InvalidAmount unless there is something to charge."""
    if order.price.total.amount < 1:
        raise InvalidAmount("amount must be greater than 0")
