"""A small shop that sells coffee by the month, and takes the money with KakaoPay through PortOne V1.

This is the sample code. It reads top to bottom like the way of a payment:

    1  the browser asks for an order           POST /api/orders             what we expect is written down first
    2  the browser calls IMP.request_pay       pages/pay.js
    3  the browser reports                     POST /payments/complete      (a phone comes back: GET /payments/complete)
    4  the payment server reports              POST /portone-webhook        the same check, in any order, however often
    5  the shop charges again                  POST /api/orders/{merchant_uid}/charge
    6  the shop plans a charge each month      POST /api/subscriptions/{customer_uid}/plan   and the next one in step 4
    7  the shop ends the subscription          DELETE /api/subscriptions/{customer_uid}

What is done with an order is in `shop.py`.
Nobody's report is believed: `Shop.confirm` asks the payment server and compares with the order.
Source: docs/wire/portone-browser-sdk.md section 3.4, docs/wire/portone-v1-rest.md sections 4.5 and 5.
"""

import logging
from functools import partial
from ipaddress import ip_address
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from litestar import Litestar, Request, Response, delete, get, post
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException, SerializationException
from litestar.params import FromPath, FromQuery, JSONBody

from . import pages
from .orders import Order, Subscription
from .portone import Json, NoAnswer, NotSent, PortOneError, Refused
from .shop import ONCE_AMOUNT, PLAN_AMOUNT, Amount, DemoSettings, NewOrder, Shop, ShopError
from .snippet import snippet_of

NOBODY_YET = "nobody has registered in the shop yet\n"
ImpUid = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_-]{1,32}$")]
MerchantUid = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_-]{1,40}$")]


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


@get("/snippet")
async def snippet(request: Request[Any, Any, Any], shop: NamedDependency[Shop]) -> Response[str]:
    """The page's code and the next charge, with this shop's own values."""
    shown = snippet_of(shop.settings, shop.orders.subscriptions())
    return pages.snippet(pages.language(request), shown, shop.settings.gateway_url.rstrip("/"))


@get("/snippet/charge.sh", sync_to_thread=False)
def snippet_charge(shop: NamedDependency[Shop]) -> Response[str]:
    """The next charge alone, for a terminal: `curl -s …/snippet/charge.sh | sh`; 404 until somebody has registered."""
    shown = snippet_of(shop.settings, shop.orders.subscriptions())
    if shown.customer_uid is None:
        return Response(NOBODY_YET, media_type="text/plain", status_code=404)
    return Response(f"{shown.curl}\n", media_type="text/plain")


@get("/snippet/customer_uid", sync_to_thread=False)
def snippet_customer(shop: NamedDependency[Shop]) -> Response[str]:
    """Whoever registered last, for a script; 404 until somebody has."""
    uid = snippet_of(shop.settings, shop.orders.subscriptions()).customer_uid
    return Response(uid or NOBODY_YET, media_type="text/plain", status_code=200 if uid else 404)


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
            snippet,
            snippet_charge,
            snippet_customer,
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
