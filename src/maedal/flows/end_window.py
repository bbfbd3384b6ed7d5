"""End a window that no call has taken money for: the buyer left, the time is over, or the PG would not open it."""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from maedal.errors import GatewayError
from maedal.flows import webhook_outbox
from maedal.flows.call_pg import account_for, ask_pg, driver_of
from maedal.flows.failover import young_server
from maedal.flows.record_outcome import record
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.payments.attempt import LOST, Attempt, Result, Verb
from maedal.payments.moves import Status
from maedal.payments.payment import Payment
from maedal.payments.window import CANCELLED_BY_BUYER, Window
from maedal.pg.driver import AnswerLost, NotSent, OrderFacts, OrderState, Unreadable
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.channels.reads import HasChannels
from maedal.storage.database_servers.reads import HasDatabaseServers
from maedal.storage.errors import Conflict
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.payments.reads import HasPayments
from maedal.storage.reconciliation.reads import HasReconciliation
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.windows.reads import HasWindows
from maedal.storage.windows.writes import BeginApproval, EndWindow, ForgetUnfinished
from maedal.storage.write import Writes

_log = structlog.get_logger()

CANCELLED = "CANCELED_BY_USER"
EXPIRED = "-723"
EXPIRED_TEXT = "결제 시간이 만료되었습니다."
BATCH_MAX = 100
AT_ONCE = 8
"""How many orders are asked about at the same time: windows may end as fast as they are opened."""
LOOKS_MAX = 2_000
FORGOTTEN_AT_ONCE = 200
"""Few enough for one short transaction."""
APPROVED = frozenset({OrderState.APPROVED, OrderState.CANCELLED})
"""The PG took money, or issued a key, for an order in one of these."""


class EndWindowStore(
    HasBillingKeys,
    HasCancellations,
    HasChannels,
    HasDatabaseServers,
    HasMerchants,
    HasPayments,
    HasReconciliation,
    HasSchedules,
    HasWindows,
    Writes,
    Protocol,
): ...


async def end_window(
    services: ServicesWith[EndWindowStore],
    payment: Payment,
    code: str,
    reason: str,
    *,
    attempt_id: str | None = None,
    result: Result | None = None,
) -> Payment:
    """Move an open window's payment to failed; if it has moved meanwhile, return it as it stands."""
    if payment.status is not Status.READY:
        return payment
    now = services.clock.now()
    deliveries = await webhook_outbox.deliveries(services, payment, Status.FAILED, now)
    try:
        ended = await services.store.write(EndWindow(payment, code, reason, now, attempt_id, result, deliveries))
    except Conflict:
        stored = await services.store.payments.find(payment.merchant_id, payment.imp_uid)
        assert stored is not None, "a payment is never deleted"
        return stored
    if deliveries:
        services.webhook_waiting.set()
    return ended


async def close_by_buyer(services: ServicesWith[EndWindowStore], payment: Payment) -> Payment:
    """End the window because the buyer closed it. An approval that has already begun runs on.

    While the database may have forgotten an approval, after a failover, the PG is asked first.
    """
    if payment.status is Status.READY and await young_server(services) is not None:
        facts = await _look(services, payment)
        if facts is not None and facts.state in APPROVED:
            return await _enter_approval(services, payment, facts)
    return await end_window(services, payment, CANCELLED, CANCELLED_BY_BUYER)


async def come_back_without_approval(
    services: ServicesWith[EndWindowStore], payment: Payment, *, cancelled: bool
) -> Payment:
    """End the window because the PG sent the browser back without a token.

    Anybody can open that address, so the order is looked up for the reason. Only our own approval takes money, and once
    the payment has failed we never send one; an order that was approved all the same is entered.
    """
    if payment.status is not Status.READY:
        return payment
    facts = await _look(services, payment)
    if facts is not None and facts.state in APPROVED:
        return await _enter_approval(services, payment, facts)
    window = await services.store.windows.find(payment.merchant_id, payment.imp_uid)
    if window is not None and services.clock.now() >= window.expires_at:
        return await end_window(services, payment, EXPIRED, f"[{EXPIRED}] {EXPIRED_TEXT}")
    if facts is not None and facts.state is OrderState.FAILED and not cancelled:
        if facts.pg_state == "FAIL_AUTH_PASSWORD":
            return await end_window(services, payment, facts.pg_state, "비밀번호 인증에 실패하여 결제를 중단합니다.")
        # An order whose time ran out shows as failed (docs/wire/kakaopay.md 4.3).
        return await end_window(services, payment, EXPIRED, f"[{EXPIRED}] {EXPIRED_TEXT}")
    if cancelled or (facts is not None and facts.state is OrderState.QUIT):
        return await end_window(services, payment, CANCELLED, CANCELLED_BY_BUYER)
    return await end_window(services, payment, "PG_FAILED", "결제에 실패하였습니다.")


async def end_expired(services: ServicesWith[EndWindowStore]) -> int:
    """End the windows whose time is over and that the PG confirms as not paid; return how many were looked at.

    One that the PG does not confirm keeps none behind it from being looked at.
    """
    looked_at, after = 0, None
    while looked_at < LOOKS_MAX:
        found = await services.store.windows.expired(services.clock.now(), BATCH_MAX, after)
        for first in range(0, len(found), AT_ONCE):
            some = found[first : first + AT_ONCE]
            # Each comes to its end, whatever becomes of the others.
            ends = await asyncio.gather(*(_end_expired(services, payment) for payment in some), return_exceptions=True)
            for failed in (end for end in ends if end is not None):
                raise failed
        looked_at += len(found)
        if len(found) < BATCH_MAX:
            break
        after = found[-1].started_at
    return looked_at


async def _end_expired(services: ServicesWith[EndWindowStore], payment: Payment) -> None:
    facts = await _look(services, payment)
    if facts is None:
        return  # not confirmed: look again next time
    if facts.state in APPROVED:
        await _enter_approval(services, payment, facts)
    elif facts.state is OrderState.QUIT:
        await end_window(services, payment, CANCELLED, CANCELLED_BY_BUYER)
    else:
        await end_window(services, payment, EXPIRED, f"[{EXPIRED}] {EXPIRED_TEXT}")


async def forget_unfinished(services: ServicesWith[EndWindowStore]) -> int:
    """Forget windows that ended long ago without anything to be paid, and their buyers; return how many.

    What proves anything of money stays: the payment with its ids and its amount, every attempt and every event. A
    window in which a call for money was begun is never forgotten, whatever became of that.
    """
    before = services.clock.now() - services.limits.unfinished_kept
    return await services.store.write(ForgetUnfinished(before, FORGOTTEN_AT_ONCE))


def attempt_to_approve(services: ServicesWithoutStore, payment: Payment, window: Window) -> Attempt:
    """Return a new attempt to approve a window's payment, begun now; the PG knows it by the window's order number."""
    now = services.clock.now()
    return Attempt(
        services.ids.row(now),
        payment.merchant_id,
        Verb.APPROVE,
        window.order_id,
        now,
        imp_uid=payment.imp_uid,
        price=payment.order.price,
    )


async def _enter_approval(services: ServicesWith[EndWindowStore], payment: Payment, facts: OrderFacts) -> Payment:
    """Begin the approval again that the PG tells of and the database has forgotten; it is clarified like a lost one.

    The database lost its newest commits when a standby took over, or an older copy was restored.
    """
    _log.error("paid_at_pg_but_open_here", imp_uid=payment.imp_uid, pg_state=facts.pg_state)
    window = await services.store.windows.find(payment.merchant_id, payment.imp_uid)
    if window is None or facts.order_id != window.order_id:
        return payment
    attempt = attempt_to_approve(services, payment, window)
    try:
        # The PG's token went with the commit.
        begun = await services.store.write(BeginApproval(payment, attempt, b""))
    except Conflict:
        # It has moved meanwhile, or another payment of its merchant_uid is paid; then the PG's file tells of this one.
        return await services.store.payments.find(payment.merchant_id, payment.imp_uid) or payment
    return await record(services, begun, attempt.id, LOST)


async def _look(services: ServicesWithoutStore, payment: Payment) -> OrderFacts | None:
    """Return the order as the PG shows it, or None when it does not say."""
    if payment.pg_tid is None:
        return None
    try:
        channel = await services.merchant_cache.channel(payment.merchant_id, payment.channel_id)
        driver = driver_of(services, channel)
        reply = await ask_pg(
            services,
            payment.merchant_id,
            driver.order_request(account_for(services, channel, test_mode=payment.test_mode), payment.pg_tid),
        )
        return driver.read_order(payment.pg_tid, reply)
    except (NotSent, AnswerLost, Unreadable, GatewayError) as error:
        _log.info("order_lookup_failed", imp_uid=payment.imp_uid, reason=type(error).__name__)
        return None
