"""A small shop that sells coffee by the month, and takes the money with KakaoPay through PortOne V1.

This is the sample code. It reads top to bottom like the way of a payment:

    1  the browser asks for an order           POST /api/orders             what we expect is written down first
    2  the browser calls IMP.request_pay       pages/pay.js
    3  the browser reports                     POST /payments/complete      (a phone comes back: GET /payments/complete)
    4  the payment server reports              POST /portone-webhook        the same check, in any order, however often
    5  the shop charges again                  POST /api/orders/{merchant_uid}/charge
    6  the shop plans a charge each month      POST /api/subscriptions/{customer_uid}/plan   and the next one in step 4
    7  the shop ends the subscription          DELETE /api/subscriptions/{customer_uid}

Nobody's report is believed: `Shop.confirm` asks the payment server and compares with the order.
Source: docs/wire/portone-browser-sdk.md section 3.4, docs/wire/portone-v1-rest.md sections 4.5 and 5.
"""

import logging
import re
import secrets
import time
from calendar import monthrange
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from litestar import Litestar, Request, Response, delete, get, post
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException, SerializationException
from litestar.params import FromPath, FromQuery, JSONBody

from . import pages
from .journal import Journal
from .orders import Kind, Order, Orders, Plan, Status, Subscription
from .portone import Call, Json, NoAnswer, NotSent, PortOne, PortOneError, Refused

KOREA = timezone(timedelta(hours=9), "KST")
PLAN_AMOUNT = 9_900  # whole KRW, tax included
ONCE_AMOUNT = 12_000
NAMES: dict[Kind, str] = {
    "register": "이달의 원두 정기배송 카드 등록",
    "first": "이달의 원두 정기배송 첫 달",
    "once": "이달의 원두 한 봉지",
    "again": "이달의 원두 정기배송",
}

ImpUid = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_-]{1,32}$")]
MerchantUid = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_-]{1,40}$")]
CustomerUid = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_-]{1,80}$")]
Amount = Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """Where the payment server is and who we are there. `data_file` None keeps orders in memory only."""

    gateway_url: str
    identification_code: str
    api_key: str
    api_secret: str
    shop_url: str
    sandbox_url: str | None = None
    data_file: Path | None = None
    clock_file: Path | None = None
    """Holds how many seconds this shop lives ahead of the machine, where a simulator lets time pass quickly."""
    allowed_hosts: frozenset[str] | None = None
    """Names that it answers to beside addresses and `localhost`; None is any."""


class ShopError(Exception):
    """Something to tell the buyer. `reason` names a sentence in pages/texts.json."""

    def __init__(self, reason: str, http_status: int = 400) -> None:
        super().__init__(reason)
        self.reason, self.http_status = reason, http_status


class NewOrder(msgspec.Struct, forbid_unknown_fields=True):
    """What the browser may say about an order. Prices are ours; `amount` is for the charge-again form only."""

    kind: Kind
    customer_uid: CustomerUid | None = None
    amount: Amount | None = None


class PlanOrder(msgspec.Struct, forbid_unknown_fields=True):
    """How much the buyer agrees to pay each month."""

    amount: Amount


class Report(msgspec.Struct):
    """What the browser says after the payment window. Only the two ids matter; the rest is for the reader."""

    merchant_uid: MerchantUid
    imp_uid: ImpUid | None = None
    error_code: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    error_msg: Annotated[str, msgspec.Meta(max_length=500)] | None = None


class Webhook(msgspec.Struct):
    """What the payment server sends. There is no signature: it is a hint to go and look, nothing more."""

    imp_uid: ImpUid
    merchant_uid: str
    status: str


class Shop:
    """Everything that is done with an order."""

    def __init__(self, settings: DemoSettings) -> None:
        self.settings = settings
        self.journal = Journal(self.now)

    @asynccontextmanager
    async def open(self, _app: Litestar) -> AsyncIterator[None]:
        me = self.settings
        self.orders = Orders(me.data_file, self.now)
        try:
            async with PortOne(me.gateway_url, me.api_key, me.api_secret, self._write_down, self.now) as self.portone:
                yield
        finally:
            self.orders.close()

    def now(self) -> float:
        file = self.settings.clock_file
        return time.time() + (float(file.read_text()) if file and file.exists() else 0.0)

    def place(self, new_order: NewOrder) -> Order:
        """Write the order down before any payment: its number and the amount we expect."""
        match new_order:
            case NewOrder(kind="register", amount=None, customer_uid=None):
                order = self.orders.place("register", NAMES["register"], 0, new_customer_uid())
            case NewOrder(kind="first", amount=None, customer_uid=None):
                order = self.orders.place("first", NAMES["first"], PLAN_AMOUNT, new_customer_uid())
            case NewOrder(kind="once", amount=None, customer_uid=None):
                order = self.orders.place("once", NAMES["once"], ONCE_AMOUNT)
            case NewOrder(kind="again", amount=int(amount), customer_uid=str(customer_uid)):
                if self.subscription(customer_uid).status != "active":
                    raise ShopError("subscription_ended", 409)
                order = self.orders.place("again", NAMES["again"], amount, customer_uid)
            case _:
                raise ShopError("bad_input")
        self.journal.changed()
        return order

    def order(self, merchant_uid: str) -> Order:
        order = self.orders.order(merchant_uid)
        if order is None:
            raise ShopError("no_such_order", 404)
        return order

    def subscription(self, customer_uid: str) -> Subscription:
        subscription = self.orders.subscription(customer_uid)
        if subscription is None:
            raise ShopError("no_such_subscription", 404)
        return subscription

    async def confirm(self, merchant_uid: str, imp_uid: str | None, error_msg: str | None = None) -> Order:
        """Find out what became of an order. Browser, phone and webhook all end here, as often as they like."""
        order = self.order(merchant_uid)
        if imp_uid:
            payment = await self.portone.payment(imp_uid)
        else:
            payment = await self.portone.payment_of_order(merchant_uid)
        if payment is not None and payment.get("merchant_uid") != merchant_uid:
            raise ShopError("other_order", 409)  # somebody shows us the payment of something else
        if payment is None:
            if imp_uid:
                raise ShopError("no_such_payment", 404)
            if order.status == "pending" and error_msg:  # refused before the window opened: nothing was tried
                self._move(order, "refused", error_msg)
            return self.order(merchant_uid)
        await self._take(order, payment)
        return self.order(merchant_uid)

    async def charge(self, merchant_uid: str) -> Order:
        """Charge the order's billing key, once. A repeated call finds the order moved on and only reads it."""
        order = self.order(merchant_uid)
        if order.kind != "again":
            raise ShopError("bad_input")
        if order.status != "pending" or not self._move(order, "checking"):
            return self.order(merchant_uid)
        charge = {
            "customer_uid": order.customer_uid,
            "merchant_uid": order.merchant_uid,
            "amount": order.amount,
            "name": order.name,
            "notice_url": self.webhook_url,
        }
        try:
            payment: Json | None = await self.portone.again(charge)
        except NotSent:
            self._move(order, "refused")
            raise
        except NoAnswer:
            payment = await self._latest_payment(order)  # None proves nothing here: our call may still be on its way
        except Refused as refusal:
            payment = None
            if refusal.code != 1 and refusal.http_status != 401:  # not a plain no: see whether a payment exists
                payment = await self._latest_payment(order)
            if payment is None:
                self._move(order, "refused", refusal.message)
        if payment is not None:
            await self._take(order, payment)
        return self.order(merchant_uid)

    async def end(self, customer_uid: str) -> Subscription:
        """End the billing key at the payment server, then ours. One that is gone there already is gone."""
        if self.subscription(customer_uid).status == "active":
            await self.stop_plan(customer_uid)
            try:
                await self.portone.delete_customer(customer_uid)
            except Refused as refusal:
                if refusal.code != 1 and refusal.http_status != 404:
                    raise
            self.orders.end_subscription(customer_uid, "shop")
            self.journal.changed()
        return self.subscription(customer_uid)

    async def plan(self, customer_uid: str, amount: int) -> Subscription:
        """Charge the same amount each month from now on: plan the first of these charges with the payment server."""
        if self.subscription(customer_uid).status != "active":
            raise ShopError("subscription_ended", 409)
        if self.orders.plan(customer_uid) is None:
            now = datetime.fromtimestamp(self.now(), KOREA)
            plan = self._plan_order(customer_uid, amount, a_month_after(now, now.day), now.day)
            await self._tell_plan(plan)
        await self.go_on(customer_uid)
        return self.subscription(customer_uid)

    async def go_on(self, customer_uid: str | None) -> None:
        """Plan the charge after the one that was paid; ask again for one that the payment server has not taken yet.

        May be called as often as anybody likes: an order is planned once, under its own number.
        """
        plan = self.orders.plan(customer_uid) if customer_uid else None
        if plan is None:
            return
        if self.order(plan.merchant_uid).status == "paid":
            following = a_month_after(datetime.fromtimestamp(plan.charge_at, KOREA), plan.day)
            await self._tell_plan(self._plan_order(plan.customer_uid, plan.amount, following, plan.day))
        elif not plan.told:
            # What was sent earlier may have arrived, though its answer did not.
            await self._tell_plan(plan, arrived=await self.portone.planned(plan.merchant_uid) is not None)

    async def _tell_plan(self, plan: Plan, *, arrived: bool = False) -> None:
        charge = {
            "merchant_uid": plan.merchant_uid,
            "schedule_at": plan.charge_at,
            "amount": plan.amount,
            "name": NAMES["again"],
            "notice_url": self.webhook_url,
        }
        try:
            if not arrived:
                await self.portone.schedule(plan.customer_uid, charge)
        except Refused as refusal:
            self._move(self.order(plan.merchant_uid), "refused", refusal.message)
            self.orders.drop_plan(plan.customer_uid)
            raise
        self.orders.put_plan(msgspec.structs.replace(plan, told=True))
        self.journal.changed()

    async def stop_plan(self, customer_uid: str) -> Subscription:
        """Charge nothing by itself any more."""
        plan = self.orders.plan(customer_uid)
        if plan is not None:
            try:
                await self.portone.unschedule(customer_uid, plan.merchant_uid)
            except Refused as refusal:
                if (
                    refusal.code != 1 and refusal.http_status != 404
                ):  # it has been charged already, or never was planned
                    raise
            else:
                self._move(self.order(plan.merchant_uid), "cancelled")
            self.orders.drop_plan(customer_uid)
            self.journal.changed()
        return self.subscription(customer_uid)

    def _plan_order(self, customer_uid: str, amount: int, at: datetime, day: int) -> Plan:
        order = self.orders.place("again", NAMES["again"], amount, customer_uid)
        plan = Plan(
            customer_uid=customer_uid,
            merchant_uid=order.merchant_uid,
            amount=amount,
            charge_at=int(at.timestamp()),
            day=day,
            told=False,
        )
        self.orders.put_plan(plan)
        return plan

    async def _take(self, order: Order, payment: Json) -> None:
        """Judge a payment, move its order, and do what follows; the second time, nothing follows."""
        status, message = judge(order, payment)
        if not self._move(order, status, message, payment):
            return
        if status == "forged":
            await self._undo(order, payment)
        elif status == "paid" and order.customer_uid and order.kind != "again":
            await self._subscribe(order.customer_uid, payment)
        elif status == "failed" and order.customer_uid and re.search(r"-75[01]\b", message or ""):
            # KakaoPay says that this key is no more (-750) or inactive (-751): the buyer ended it in KakaoTalk.
            self.orders.end_subscription(order.customer_uid, "kakaopay")
        self.journal.changed()

    async def _subscribe(self, customer_uid: str, payment: Json) -> None:
        self.orders.start_subscription(customer_uid, payment.get("pay_method"))
        try:
            customer = await self.portone.customer(customer_uid)
        except PortOneError:
            return  # only a nicer name for the list
        self.orders.name_method(customer_uid, str(customer.get("card_name") or ""))

    async def _undo(self, order: Order, payment: Json) -> None:
        """Give the money of a forged payment back, and take no billing key from it."""
        try:
            if payment["amount"] > 0:
                await self.portone.cancel(payment["imp_uid"], "주문과 다른 결제")
        except PortOneError:
            self.orders.note(order.merchant_uid, "cancel_failed")

    async def _latest_payment(self, order: Order) -> Json | None:
        try:
            return await self.portone.payment_of_order(order.merchant_uid)
        except PortOneError:
            # We asked because something was unclear, and it stays so.
            return {"merchant_uid": order.merchant_uid, "status": "ready"}

    def _move(self, order: Order, to: Status, message: str | None = None, payment: Json | None = None) -> bool:
        moved = self.orders.move(order.merchant_uid, to, message, payment)
        self.journal.changed()
        return moved

    @property
    def webhook_url(self) -> str:
        return f"{self.settings.shop_url.rstrip('/')}/portone-webhook"

    def _write_down(self, call: Call) -> None:
        path = call.url.removeprefix(self.settings.gateway_url.rstrip("/"))
        self.journal.write(
            "rest",
            title_of(call.method, path),
            method=call.method,
            url=call.url,
            headers=call.headers,
            sent=call.body,
            status=call.status,
            got=call.answer,
            milliseconds=round(call.seconds * 1000),
        )


def new_customer_uid() -> str:
    """Our name for one payment method of one buyer. A new method gets a new name, so no key is ever overwritten."""
    return f"minji-{secrets.token_hex(6)}"


def a_month_after(at: datetime, day: int) -> datetime:
    """The same day of the next month; the last one, where the month is shorter."""
    following = (at.replace(day=1) + timedelta(days=32)).replace(day=1)
    return following.replace(day=min(day, monthrange(following.year, following.month)[1]))


def judge(order: Order, payment: Json) -> tuple[Status, str | None]:
    """What a payment means for the order it names."""
    match payment["status"]:
        case "paid":
            ordered = (order.merchant_uid, order.amount, order.customer_uid, "KRW")
            paid = tuple(payment.get(name) for name in ("merchant_uid", "amount", "customer_uid", "currency"))
            return ("paid", None) if paid == ordered else ("forged", None)
        case "failed":
            return "failed", payment.get("fail_reason")
        case "cancelled":
            return "cancelled", payment.get("cancel_reason")
        case _:  # ready: the window is open, or the payment server is still finding out
            return "checking", None


def title_of(method: str, path: str) -> str:
    """The name of a REST call in pages/texts.json."""
    named = [
        ("POST /users/getToken", "token"),
        ("POST /subscribe/payments/again", "again"),
        ("POST /subscribe/payments/schedule", "schedule"),
        ("POST /subscribe/payments/unschedule", "unschedule"),
        ("GET /subscribe/payments/schedule/", "planned"),
        ("POST /payments/cancel", "cancel"),
        ("GET /payments/find/", "find"),
        ("GET /payments/", "payment"),
        ("GET /subscribe/customers/", "customer"),
        ("DELETE /subscribe/customers/", "delete_customer"),
    ]
    return next((title for start, title in named if f"{method} {path}".startswith(start)), "rest")


# What the browser asks for.


@post("/api/orders")
async def place_order(data: JSONBody[NewOrder], shop: NamedDependency[Shop]) -> Order:
    return shop.place(data)


@post("/api/orders/{merchant_uid:str}/charge", status_code=200)
async def charge_order(merchant_uid: FromPath[str], shop: NamedDependency[Shop]) -> Order:
    return await shop.charge(merchant_uid)


@post("/api/orders/{merchant_uid:str}/check", status_code=200)
async def check_order(merchant_uid: FromPath[str], shop: NamedDependency[Shop]) -> Order:
    """Ask again about an order that nobody reported on."""
    return await shop.confirm(merchant_uid, None)


@delete("/api/subscriptions/{customer_uid:str}", status_code=200)
async def end_subscription(customer_uid: FromPath[str], shop: NamedDependency[Shop]) -> Subscription:
    return await shop.end(customer_uid)


@post("/api/subscriptions/{customer_uid:str}/plan", status_code=200)
async def plan_subscription(
    customer_uid: FromPath[str], data: JSONBody[PlanOrder], shop: NamedDependency[Shop]
) -> Subscription:
    return await shop.plan(customer_uid, data.amount)


@delete("/api/subscriptions/{customer_uid:str}/plan", status_code=200)
async def stop_plan(customer_uid: FromPath[str], shop: NamedDependency[Shop]) -> Subscription:
    return await shop.stop_plan(customer_uid)


# What others report: the page's callback, a phone coming back, the payment server.


@post("/payments/complete", status_code=200)
async def complete(data: JSONBody[Report], shop: NamedDependency[Shop]) -> Order:
    return await shop.confirm(data.merchant_uid, data.imp_uid, data.error_msg or data.error_code)


@get("/payments/complete")
async def complete_on_phone(request: Request[Any, Any, Any], shop: NamedDependency[Shop]) -> Response[str]:
    """A phone left our page for KakaoPay and comes back here: check, and say what happened."""
    lang = pages.language(request)
    query = {name: value for name, value in request.query_params.items() if value}
    shop.journal.write("redirect", "redirect", method="GET", url=str(request.url), got=query)
    try:
        report = msgspec.convert(query, Report)
        error_msg = report.error_msg or report.error_code
        order = await shop.confirm(report.merchant_uid, report.imp_uid, error_msg)
    except msgspec.ValidationError:
        return pages.outcome(lang, None, "bad_input")
    except ShopError as error:
        return pages.outcome(lang, None, error.reason)
    except PortOneError as error:
        return pages.outcome(lang, shop.order(report.merchant_uid), reason_of(error))
    return pages.outcome(lang, order)


@post("/portone-webhook", status_code=200)
async def webhook(request: Request[Any, Any, Any], shop: NamedDependency[Shop]) -> Response[dict[str, str]]:
    """JSON or a form. 200 means "heard", also for what is not ours; 503 asks the sender to come again."""
    if "json" in request.headers.get("content-type", ""):
        body = await request.json()
    else:
        body = dict(await request.form())
    shop.journal.write("webhook", "webhook", method="POST", url=str(request.url), got=body)
    report = msgspec.convert(body, Webhook)
    order = shop.orders.order(report.merchant_uid)
    if order is None:
        return Response({"result": "ignored"}, status_code=200)
    try:
        after = await shop.confirm(order.merchant_uid, report.imp_uid)
        await shop.go_on(order.customer_uid)
    except ShopError as error:
        return Response({"result": "ignored", "reason": error.reason}, status_code=200)
    except PortOneError as error:
        return Response({"result": "come again", "reason": reason_of(error)}, status_code=503)
    return Response({"result": "nothing new" if after == order else after.status}, status_code=200)


# What the page shows.


class State(msgspec.Struct):
    version: str
    subscriptions: list[Subscription]
    orders: list[Order]
    journal: Any


class BrowserCall(msgspec.Struct, forbid_unknown_fields=True):
    """What the page sent to, or got from, the payment window; for the journal only."""

    kind: Literal["request_pay", "callback"]
    body: dict[str, Any]


@get("/api/state")
async def state(shop: NamedDependency[Shop], since: FromQuery[str] = "") -> Response[State | None]:
    if since == shop.journal.version:
        return Response(None, status_code=204)
    now = State(
        version=shop.journal.version,
        subscriptions=shop.orders.subscriptions(),
        orders=shop.orders.orders_without_subscription(),
        journal=shop.journal.newest_first(),
    )
    return Response(now)


@post("/api/journal", status_code=204)
async def write_journal(data: JSONBody[BrowserCall], shop: NamedDependency[Shop]) -> None:
    side = "sent" if data.kind == "request_pay" else "got"
    shop.journal.write(data.kind, data.kind, **{side: data.body})


@get("/")
async def home(request: Request[Any, Any, Any], shop: NamedDependency[Shop]) -> Response[str]:
    me = shop.settings
    prices = {"plan": PLAN_AMOUNT, "once": ONCE_AMOUNT}
    return pages.home(
        pages.language(request),
        gateway_url=me.gateway_url.rstrip("/"),
        sandbox_url=(me.sandbox_url or "").rstrip("/"),
        prices=prices,
        shop={
            "identificationCode": me.identification_code,
            "gatewayUrl": me.gateway_url.rstrip("/"),
            "webhookUrl": shop.webhook_url,
        },
    )


@get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


# How errors are told.


def reason_of(error: PortOneError) -> str:
    match error:
        case NotSent():
            return "gateway_down"
        case NoAnswer():
            return "gateway_silent"
        case _:
            return "gateway_refused"


def error_answer(request: Request[Any, Any, Any], reason: str, http_status: int, detail: str = "") -> Response[Json]:
    body = {"error": reason, "message": pages.sentence(pages.language(request), reason), "detail": detail}
    return Response(body, status_code=http_status)


def tell_shop_error(request: Request[Any, Any, Any], error: ShopError) -> Response[Json]:
    return error_answer(request, error.reason, error.http_status)


def tell_portone_error(request: Request[Any, Any, Any], error: PortOneError) -> Response[Json]:
    return error_answer(request, reason_of(error), 502, str(error) if isinstance(error, Refused) else "")


def tell_bad_input(request: Request[Any, Any, Any], error: Exception) -> Response[Json]:
    return error_answer(request, "bad_input", 400, str(error))


def tell_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Json]:
    if error.status_code == 400:
        return error_answer(request, "bad_input", 400, str(error.extra or error.detail))
    return error_answer(
        request, "not_found" if error.status_code == 404 else "http_error", error.status_code, error.detail
    )


def tell_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Json]:
    logging.getLogger(__name__).error("%s %s", request.method, request.url.path, exc_info=error)
    return error_answer(request, "unexpected", 500)


async def same_origin_only(
    request: Request[Any, Any, Any], allowed_hosts: frozenset[str] | None
) -> Response[Json] | None:
    """Refuse what another site's page asks, under its own name by DNS rebinding, or sends in the buyer's name.

    Webhooks come from a server, without an Origin.
    """
    if allowed_hosts is not None and not is_our_name(request.headers.get("host", ""), allowed_hosts):
        return error_answer(request, "other_name", 403)
    origin = request.headers.get("origin")
    if request.method in {"GET", "HEAD"} or origin is None:
        return None
    if origin.partition("://")[2] == request.headers.get("host"):
        return None
    return error_answer(request, "other_origin", 403)


def is_our_name(host: str, names: frozenset[str]) -> bool:
    """Return whether a Host header names this shop; an address does, for no DNS stands behind it."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    try:
        ip_address(name)
    except ValueError:
        return name == "localhost" or name.endswith(".localhost") or name in names
    return True


def create_app(settings: DemoSettings) -> Litestar:
    """The shop as an ASGI application."""
    shop = Shop(settings)
    shop_is = Provide(lambda: shop, sync_to_thread=False)
    return Litestar(
        route_handlers=[
            home,
            place_order,
            charge_order,
            check_order,
            end_subscription,
            plan_subscription,
            stop_plan,
            complete,
            complete_on_phone,
            webhook,
            state,
            write_journal,
            healthz,
            pages.asset,
            pages.source,
            pages.sources,
        ],
        dependencies={"shop": shop_is},
        lifespan=[shop.open],
        before_request=partial(same_origin_only, allowed_hosts=settings.allowed_hosts),
        exception_handlers={
            ShopError: tell_shop_error,
            PortOneError: tell_portone_error,
            msgspec.ValidationError: tell_bad_input,
            SerializationException: tell_bad_input,
            HTTPException: tell_http_error,
            Exception: tell_unexpected,
        },
        request_max_body_size=64 * 1024,
        openapi_config=None,
        logging_config=None,
    )
