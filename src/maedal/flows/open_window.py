"""Open a payment window: choose the channel, commit the intent, prepare at the PG, keep what it said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from maedal import web_address
from maedal.errors import GatewayError
from maedal.flows.call_pg import account_of, call_pg, driver_of
from maedal.flows.end_window import end_window
from maedal.flows.limit_requests import admit_window
from maedal.flows.maintenance import note_availability
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.merchants.channel import CardLimits, Channel, WindowForm, choose
from maedal.payments.attempt import Approval, Attempt, Decline, Method, Outcome, Proof, Result, Verb
from maedal.payments.errors import CurrencyMismatch, InvalidAmount, InvalidParameter, MerchantUidUsed
from maedal.payments.moves import Status
from maedal.payments.payment import KeyUse, Order, Origin, Payment
from maedal.payments.prepared import check_prepared
from maedal.payments.window import Device, Shown, Window
from maedal.pg.driver import CallKind, PgReply, Prepared, PrepareParams
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.channels.reads import HasChannels
from maedal.storage.database_servers.reads import HasDatabaseServers
from maedal.storage.errors import Conflict
from maedal.storage.maintenance.reads import HasMaintenance
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.payments.reads import HasPayments
from maedal.storage.prepared_amounts.reads import HasPreparedAmounts
from maedal.storage.reconciliation.reads import HasReconciliation
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.windows.reads import HasWindows
from maedal.storage.windows.writes import OpenWindow, RecordPrepared
from maedal.storage.write import Writes

_log = structlog.get_logger()

ID_TRIES_MAX = 5


class OpenWindowStore(
    HasBillingKeys,
    HasCancellations,
    HasChannels,
    HasDatabaseServers,
    HasMaintenance,
    HasMerchants,
    HasPayments,
    HasPreparedAmounts,
    HasReconciliation,
    HasSchedules,
    HasWindows,
    Writes,
    Protocol,
): ...


class PgRefusedWindow(GatewayError):
    """The PG would not prepare the payment; the row is kept as failed, and nothing was taken."""

    code = "F0004"

    def __init__(self, imp_uid: str, decline: Decline) -> None:
        number = decline.code.partition(" ")[0]
        super().__init__(f"PG사 결제요청에 실패하여 중단합니다.({imp_uid}) [코드: {number}] {decline.message}")
        self.imp_uid = imp_uid


@dataclass(frozen=True, slots=True)
class WindowRequest:
    """What the page asked for, decoded: `order.customer_uid` makes it a window that issues a billing key."""

    merchant_code: str
    order: Order
    channel_key: str | None
    pg: str | None
    device: Device
    shown: Shown
    nonce: str
    page_origin: str
    page_url: str
    return_url: str | None = None
    confirm_url: str | None = None
    customer_id: str | None = None
    method: Method | None = None
    card_codes: tuple[str, ...] | None = None
    quota_months: int | None = None
    return_scheme: str | None = None
    message: str | None = None
    buyer_address: str | None = None
    """Where the page's browser is, as far as that is known; it is not kept."""
    seen_origin: str | None = None
    """What the browser named as the page's origin, if it did; `page_origin` may be what the page claims."""
    by_gateway: bool = False
    """Whether a page of the gateway's own asks for it, for a charge that is known here."""


@dataclass(frozen=True, slots=True)
class OpenedWindow:
    """An open window: where the buyer goes is kept with it."""

    payment: Payment
    window: Window


class OriginNotAllowed(GatewayError):
    """The page's origin is not among those that the channel allows."""

    code = "ORIGIN_NOT_ALLOWED"


async def open_window(services: ServicesWith[OpenWindowStore], window_request: WindowRequest) -> OpenedWindow:
    """Open the window and return it.

    Raises MerchantNotFound, NoChannel, ChannelNotFound, ChannelMisconfigured, OriginNotAllowed, InvalidAmount,
    CurrencyMismatch, InvalidParameter, NotPrepared, AmountMismatch, CustomerUidMismatch, TooManyRequests or
    MerchantUidUsed before anything is written, and PgRefusedWindow when the PG says no.
    """
    merchant = await services.merchant_cache.merchant(window_request.merchant_code)
    channels = await services.merchant_cache.channels(merchant.code)
    rules = {name: driver.abilities.accounts for name, driver in services.drivers.items()}
    recurring = window_request.order.customer_uid is not None
    channel = choose(channels, rules, channel_key=window_request.channel_key, pg=window_request.pg, recurring=recurring)
    _check(services, window_request, channel)
    _check_return(window_request, channel)
    limits = channel.limits.and_also(
        CardLimits(window_request.method, window_request.card_codes, window_request.quota_months)
    )
    window_request = replace(window_request, method=limits.method, card_codes=limits.cards, quota_months=limits.months)
    if window_request.shown is Shown.FRAME and channel.window_form is WindowForm.POPUP:
        window_request = replace(window_request, shown=Shown.POPUP)
    if merchant.confirm_url_ignored:
        window_request = replace(window_request, confirm_url=None)
    await admit_window(services, merchant.code, window_request.buyer_address)
    services.unrecorded_outcomes.refuse_charge(merchant.code, window_request.order.merchant_uid, None)
    prepared = await services.store.prepared_amounts.find(merchant.code, window_request.order.merchant_uid)
    check_prepared(window_request.order, prepared, prepared_only=channel.prepared_only)
    account_of(services, channel)  # a channel that cannot be called is told before a row exists
    return await services.background.finish(_open(services, window_request, channel))


def _check(services: ServicesWithoutStore, window_request: WindowRequest, channel: Channel) -> None:
    abilities = driver_of(services, channel).abilities
    total = window_request.order.price.total
    if total.currency not in abilities.currencies:
        raise CurrencyMismatch(f"this channel does not take {total.currency}")
    free_issue = window_request.order.customer_uid is not None and abilities.zero_amount_issue
    if total.amount < abilities.amount_min and not (total.amount == 0 and free_issue):
        raise InvalidAmount("amount must be greater than 0, or 0 together with customer_uid")
    # Browsers name a host in another script by its IDNA form; whoever typed the list may not have.
    allowed = {web_address.origin(origin) or origin for origin in channel.allowed_origins}
    # A page's own word is worth nothing here: any page says what it likes.
    if allowed and window_request.seen_origin not in allowed and not window_request.by_gateway:
        raise OriginNotAllowed("this page's origin is not allowed to open the merchant's window")


def _check_return(window_request: WindowRequest, channel: Channel) -> None:
    """Raise InvalidParameter, naming what to list, when the buyer would be sent where the merchant is not."""
    addresses = {"m_redirect_url": window_request.return_url, "app_scheme": window_request.return_scheme}
    for name, address in addresses.items():
        if address is None or web_address.may_return(
            address, window_request.page_origin, channel.allowed_origins, channel.app_schemes
        ):
            continue
        target = web_address.origin(address) or address.partition(":")[0]
        text = f"{name} 파라메터의 주소로 돌아가려면 채널 설정에 등록해야 합니다. ({target})"
        raise InvalidParameter(name, text)


async def _open(
    services: ServicesWith[OpenWindowStore], window_request: WindowRequest, channel: Channel
) -> OpenedWindow:
    driver = driver_of(services, channel)
    payment, window, attempt = await _begin(services, window_request, channel)
    urls = services.return_urls(payment.merchant_id, payment.imp_uid)
    order = payment.order
    prepare = PrepareParams(
        order_id=attempt.order_id,
        user_id=window.pg_user_id,
        name=order.name,
        quantity=order.quantity,
        price=order.price,
        approval_url=urls.approval,
        cancel_url=urls.cancel,
        fail_url=urls.fail,
        method=window_request.method,
        card_codes=window_request.card_codes,
        quota_months=window_request.quota_months,
        return_scheme=window_request.return_scheme,
        message=window_request.message,
    )
    prepared: list[Prepared] = []

    def read(reply: PgReply) -> Result:
        answer = driver.read_prepare(reply)
        if isinstance(answer, Decline):
            return Result(Outcome.DECLINED, Proof.REPLY, decline=answer)
        prepared.append(answer)
        return Result(Outcome.APPROVED, Proof.REPLY, approval=Approval(answer.pg_tid, None, None))

    result = await call_pg(
        services,
        CallKind.PREPARE,
        payment.merchant_id,
        driver.prepare_request(account_of(services, channel), prepare),
        read,
    )
    if not prepared:
        # A lost answer is harmless here: nobody has the window's address, so nothing can ever be approved in it.
        decline = result.decline or Decline("NO_ANSWER", "PG사가 응답하지 않았습니다.")
        refused = PgRefusedWindow(payment.imp_uid, decline)
        await end_window(services, payment, refused.code, refused.message, attempt_id=attempt.id, result=result)
        await note_availability(services, payment, result)
        raise refused
    pages = prepared[0]
    await services.store.write(
        RecordPrepared(
            payment.merchant_id,
            payment.imp_uid,
            attempt.id,
            result,
            pages.pc_url,
            pages.mobile_url,
            pages.app_url,
            services.clock.now(),
        )
    )
    return OpenedWindow(payment, window)


async def _begin(
    services: ServicesWith[OpenWindowStore], window_request: WindowRequest, channel: Channel
) -> tuple[Payment, Window, Attempt]:
    for _ in range(ID_TRIES_MAX):
        opening = _opening(services, window_request, channel)
        try:
            if not await services.store.write(opening):
                raise MerchantUidUsed("this merchant_uid has been paid, cancelled, or is being paid")
        except Conflict:
            continue  # an id that we drew is taken
        return opening.payment, opening.window, opening.attempt
    raise Conflict("no free payment id was found")


def _opening(services: ServicesWithoutStore, window_request: WindowRequest, channel: Channel) -> OpenWindow:
    now = services.clock.now()
    imp_uid = services.ids.window_payment()
    payment = Payment(
        merchant_id=channel.merchant_id,
        imp_uid=imp_uid,
        order=window_request.order,
        status=Status.READY,
        origin=Origin.MOBILE if window_request.device is Device.MOBILE else Origin.PC,
        pg_provider=channel.pg_provider,
        pg_merchant_id=channel.pg_merchant_id,
        channel_id=channel.id,
        test_mode=channel.test_mode,
        started_at=now,
        updated_at=now,
    )
    attempt_id = services.ids.row(now)
    attempt = Attempt(
        attempt_id,
        channel.merchant_id,
        Verb.PREPARE,
        attempt_id,
        now,
        imp_uid=imp_uid,
        price=window_request.order.price,
    )
    lifetime = driver_of(services, channel).abilities.window_lifetime
    page_origin = web_address.origin(window_request.page_url)
    window = Window(
        merchant_id=channel.merchant_id,
        imp_uid=imp_uid,
        device=window_request.device,
        shown=window_request.shown,
        nonce=window_request.nonce,
        page_origin=window_request.page_origin,
        # The way back leads to the page that asked, not to another one that it names.
        page_url=window_request.page_url if page_origin == window_request.page_origin else "",
        return_url=window_request.return_url,
        confirm_url=window_request.confirm_url,
        # The PG binds this user id to the billing key for ever. Without one of the merchant's own, the payment's id
        # stands in: it is unique and says nothing about a person.
        pg_user_id=window_request.customer_id or imp_uid,
        customer_id=window_request.customer_id,
        order_id=attempt_id,
        opened_at=now,
        expires_at=now + lifetime,
    )
    assert (window_request.order.key_use is KeyUse.ISSUE) == (window_request.order.customer_uid is not None)
    return OpenWindow(payment, window, attempt)
