"""Pay an unpaid charge by its link: with the registered method, or in a window that registers another one.

The charge has its own merchant_uid in both, so that whatever else is under way, a retry by rule or a second window,
one of them takes the money and the others are refused (docs/decisions/0138-paying-by-a-link.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import structlog

from maedal import web_address
from maedal.dunning.unpaid import PRESS_PAUSE, TOKEN, Unpaid, UnpaidState, attempt_id_of, digest_of, needs_new_method
from maedal.errors import GatewayError
from maedal.flows.dunning import end_paid
from maedal.flows.explain_failures import failure_cause
from maedal.flows.open_window import OpenedWindow, WindowRequest, open_window
from maedal.flows.run_schedule import retry
from maedal.flows.services import ServicesWith
from maedal.merchants.merchant import Merchant
from maedal.payments.failure_causes import FailureCause
from maedal.payments.moves import Status
from maedal.payments.payment import KeyUse, Payment
from maedal.payments.prepared import PreparedAmount
from maedal.payments.window import Device, Shown
from maedal.schedules.schedule import Schedule, ScheduleStatus
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.channels.reads import HasChannels
from maedal.storage.database_servers.reads import HasDatabaseServers
from maedal.storage.dunning.reads import HasDunning
from maedal.storage.maintenance.reads import HasMaintenance
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.messages.reads import HasMessages
from maedal.storage.payments.reads import HasPayments, Sorting
from maedal.storage.prepared_amounts.reads import HasPreparedAmounts
from maedal.storage.prepared_amounts.writes import ChangePrepared, Prepare
from maedal.storage.reconciliation.reads import HasReconciliation
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.unknown_outcomes.reads import HasUnknownOutcomes
from maedal.storage.windows.reads import HasWindows
from maedal.storage.write import Writes

_log = structlog.get_logger()

PAID = (Status.PAID, Status.CANCELLED)
OPEN_OR_PAID = (Status.CALLING, Status.UNKNOWN, *PAID)


class PayUnpaidStore(
    HasBillingKeys,
    HasCancellations,
    HasChannels,
    HasDatabaseServers,
    HasDunning,
    HasMaintenance,
    HasMerchants,
    HasMessages,
    HasPayments,
    HasPreparedAmounts,
    HasReconciliation,
    HasSchedules,
    HasUnknownOutcomes,
    HasWindows,
    Writes,
    Protocol,
): ...


class Standing(StrEnum):
    """What whoever has the link sees."""

    UNPAID = "unpaid"
    UNDER_WAY = "under_way"  # a charge of it is being made, or its outcome is being found out
    PAID = "paid"
    LATER = "later"  # it was planned anew, or is held: there is nothing to pay now
    OVER = "over"  # the link's time is over


@dataclass(frozen=True, slots=True)
class UnpaidPage:
    """An unpaid charge as its link shows it."""

    unpaid: Unpaid
    schedule: Schedule
    merchant: Merchant
    standing: Standing
    cause: FailureCause
    has_key: bool
    """Whether the registered method may still pay it."""
    seen: str
    """The payment that failed last: what a button is pressed about."""
    payer: Payment | None = None
    """What is paying it, or has paid it."""


async def find_unpaid(services: ServicesWith[PayUnpaidStore], token: str) -> UnpaidPage | None:
    """Return what a link is about; None for a token that nobody was given."""
    if TOKEN.fullmatch(token) is None:
        return None
    unpaid = await services.store.dunning.by_token(digest_of(token))
    if unpaid is None:
        return None
    schedule = await services.store.schedules.find(unpaid.merchant_id, unpaid.merchant_uid)
    if schedule is None:
        return None
    merchant = await services.merchant_cache.merchant(unpaid.merchant_id)
    assert schedule.order.customer_uid is not None, "a scheduled charge names its key"
    key = await services.store.billing_keys.find(unpaid.merchant_id, schedule.order.customer_uid)
    failed = schedule.payment
    cause = None if failed is None else failure_cause(services, failed)
    payer = await services.store.payments.find_by_merchant_uid(
        unpaid.merchant_id, unpaid.merchant_uid, OPEN_OR_PAID, Sorting.STARTED_NEWEST
    )
    return UnpaidPage(
        unpaid,
        schedule,
        merchant,
        _standing(unpaid, schedule, payer, services.clock.now()),
        cause or unpaid.cause,
        key is not None and not needs_new_method(cause or unpaid.cause),
        schedule.imp_uid or "",
        payer,
    )


def _standing(unpaid: Unpaid, schedule: Schedule, payer: Payment | None, now: datetime) -> Standing:
    if payer is not None:
        return Standing.PAID if payer.status in PAID else Standing.UNDER_WAY
    if unpaid.state is UnpaidState.PAID:
        return Standing.PAID
    if unpaid.state is UnpaidState.EXPIRED or unpaid.expires_at <= now:
        return Standing.OVER
    if schedule.status is not ScheduleStatus.EXECUTED or schedule.hold is not None:
        return Standing.LATER
    return Standing.UNPAID


async def pay_now(services: ServicesWith[PayUnpaidStore], page: UnpaidPage, seen: str) -> GatewayError | None:
    """Charge the registered method for what is unpaid, once however often it is asked for; gives why it could not.

    `seen` is the payment that had failed when the buyer looked: whoever presses the button of an older page changes
    nothing. What becomes of the charge, the page tells that is looked at afterwards.
    """
    if page.standing is not Standing.UNPAID or not page.has_key or seen != page.seen:
        return None
    failed = page.schedule.payment
    now = services.clock.now()
    if failed is not None and failed.failed_at is not None and now - failed.failed_at < PRESS_PAUSE:
        return TooSoon("the last try was a moment ago; try again in a minute")
    unpaid = page.unpaid
    try:
        attempt_id = attempt_id_of(unpaid, page.seen)
        payment = await retry(services, unpaid.merchant_id, unpaid.merchant_uid, attempt_id=attempt_id)
    except GatewayError as error:
        _log.info("unpaid_not_charged", merchant_uid=unpaid.merchant_uid, reason=error.code)
        return error
    if payment.status is Status.PAID:
        await end_paid(services, unpaid.merchant_id)
    return None


class TooSoon(GatewayError):
    """Whoever has the link asked for the charge again right after it failed."""

    code = "TOO_SOON"


async def register_anew(
    services: ServicesWith[PayUnpaidStore],
    page: UnpaidPage,
    *,
    device: Device,
    nonce: str,
    buyer_address: str | None,
) -> OpenedWindow:
    """Open a window that registers another method and takes what is unpaid with it.

    Raises everything that opening a window raises; then nothing was charged.
    """
    unpaid, order = page.unpaid, page.schedule.order
    prepared = PreparedAmount(
        unpaid.merchant_id,
        unpaid.merchant_uid,
        order.price.total.amount,
        order.price.total.currency,
        order.customer_uid,
    )
    now = services.clock.now()
    # The gateway itself says what is to be paid and for whom, as a merchant's server would: so the new key may take
    # the place of the one before.
    if not await services.store.write(Prepare(prepared, now)):
        await services.store.write(ChangePrepared(prepared, now))
    channel = await services.merchant_cache.channel(unpaid.merchant_id, page.schedule.channel_id)
    origin = web_address.origin(services.public_url) or services.public_url
    request = WindowRequest(
        merchant_code=unpaid.merchant_id,
        order=replace(order, key_use=KeyUse.ISSUE),
        channel_key=channel.id,
        pg=None,
        device=device,
        # A phone is sent to the page for phones, any other to the one with the QR code.
        shown=Shown.REDIRECT if device is Device.MOBILE else Shown.POPUP,
        nonce=nonce,
        page_origin=origin,
        # Without the token: where the buyer came from is kept with the window.
        page_url=f"{services.public_url}/pay",
        buyer_address=buyer_address,
        seen_origin=origin,
        by_gateway=True,
    )
    return await open_window(services, request)
