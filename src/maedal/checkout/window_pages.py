"""The window's own pages: on the way to the PG, and back from it. Tiny, uncached, working without JavaScript."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import structlog
from jinja2 import Environment, FileSystemLoader, select_autoescape
from litestar import Response, Router, get
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from maedal import web_address
from maedal.checkout.context import AnyRequest, Checkout, checkout_of
from maedal.checkout.errors import text_of_code
from maedal.checkout.results import result_of, return_address
from maedal.errors import GatewayError
from maedal.flows.approve import approve
from maedal.flows.end_window import come_back_without_approval
from maedal.flows.open_window import OriginNotAllowed
from maedal.flows.webhook_first import wait_until_delivered
from maedal.payments.moves import Status
from maedal.payments.payment import Payment
from maedal.payments.window import CANCELLED_BY_BUYER, Shown, Window
from maedal.storage.errors import StoreError

_log = structlog.get_logger()

PAGES = Path(__file__).parent / "pages"
PG_TOKEN_CHARS_MAX = 255
_templates = Environment(loader=FileSystemLoader(PAGES), autoescape=select_autoescape(), trim_blocks=True)
STATIC = {"window.css": "text/css", "enter.js": "text/javascript", "end.js": "text/javascript"}


@cache
def _static(name: str) -> bytes:
    return (PAGES / name).read_bytes()


def _page(template: str, ancestors: str | None = "'none'", status: int = 200, **values: Any) -> Response[str]:
    """Show a page that only `ancestors` may frame; None is anybody."""
    headers = {
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; "
        "form-action 'none'" + (f"; frame-ancestors {ancestors}" if ancestors else ""),
    }
    text = _templates.get_template(template).render(**values)
    return Response(text, status_code=status, media_type="text/html", headers=headers)


@get("/checkout/static/{name:str}", sync_to_thread=False)
def static_file(name: FromPath[str]) -> Response[bytes]:
    """Serve the pages' style and script."""
    if name not in STATIC:
        raise HTTPException(status_code=404)
    return Response(_static(name), media_type=STATIC[name], headers={"Cache-Control": "public, max-age=300"})


@get("/checkout/failure", sync_to_thread=False)
def failure(request: AnyRequest) -> Response[str]:
    """Show why no window opened, to a phone whose shop gave nowhere to go back to."""
    text = text_of_code(request.query_params.get("code", ""))
    return _page("end.html", title="결제를 시작하지 못했습니다.", detail=text, tone="failed")


@get("/checkout/{token:str}")
async def enter(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    """Send the buyer on to the PG's page."""
    checkout = checkout_of(request)
    payment, window = await _of(checkout, "window", token)
    if not await _may_lead_here(checkout, payment, request):
        return _page("end.html", status=403, title=text_of_code(OriginNotAllowed.code), tone="failed")
    # Whatever the PG said, or an older version kept: a link of ours leads to a page.
    url = web_address.page_address((window.mobile_url if window.shown is Shown.REDIRECT else window.pc_url) or "")
    if payment.status is not Status.READY or url is None:
        return await _end(checkout, payment, window)
    return _page("enter.html", await _ancestors(checkout, payment), url=url, key_only=_is_key_only(payment))


@get("/checkout/{token:str}/approve")
async def approved(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    """Take the PG's word that the buyer agreed, and approve. A second return shows the result of the first."""
    checkout = checkout_of(request)
    payment, window = await _of(checkout, "return", token)
    pg_token = request.query_params.get("pg_token", "")
    awaited = payment.status in {Status.READY, Status.CALLING}
    if awaited and 0 < len(pg_token) <= PG_TOKEN_CHARS_MAX and "\0" not in pg_token:
        payment = await approve(checkout.services, payment, window, pg_token)
        if payment.status is Status.PAID and request.client:
            services = checkout.services
            services.request_limits.remember(request.client.host, services.people_clock.now())
    return await _end(checkout, payment, window)


@get("/checkout/{token:str}/cancel")
async def cancelled(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    """End the window: the buyer stopped."""
    return await _came_back(request, token, cancelled=True)


@get("/checkout/{token:str}/fail")
async def failed(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    """End the window: the time ran out, or the buyer could not authenticate."""
    return await _came_back(request, token, cancelled=False)


async def _came_back(request: AnyRequest, token: str, *, cancelled: bool) -> Response[str]:
    checkout = checkout_of(request)
    payment, window = await _of(checkout, "return", token)
    payment = await come_back_without_approval(checkout.services, payment, cancelled=cancelled)
    return await _end(checkout, payment, window)


async def _of(checkout: Checkout, purpose: str, token: str) -> tuple[Payment, Window]:
    owner = checkout.addresses.read(purpose, token)
    if owner is None:
        raise HTTPException(status_code=404)
    payment = await checkout.services.store.payments.find(*owner)
    window = await checkout.services.store.windows.find(*owner)
    if payment is None or window is None:
        raise HTTPException(status_code=404)
    if not window.tells(payment, checkout.services.clock.now()):
        raise HTTPException(status_code=410)
    return payment, window


async def _end(checkout: Checkout, payment: Payment, window: Window) -> Response[str]:
    """Show the end where the window was shown: to the page around the frame, or by going back to the shop.

    Money may have been taken: whatever the shop's page once gave, and whatever is away by now, the buyer gets there.
    """
    [payment] = await checkout.services.proved_payments.visible(checkout.services, [payment])
    over = payment.status is not Status.READY
    try:
        await wait_until_delivered(checkout.services, payment)
    except Exception:
        _log.exception("webhook_first_broke", imp_uid=payment.imp_uid)
    result = result_of(payment)
    if over and window.shown is Shown.REDIRECT and window.return_url is not None:
        # Windows that an older version opened keep the address as the page wrote it.
        back = web_address.destination(window.return_url, window.page_url)
        if back is not None:
            # A real navigation: apps watch for it. 303, because some browsers repeat other redirects on reload.
            headers = {
                "Location": return_address(back, result),
                "Cache-Control": "no-store",
                "Referrer-Policy": "no-referrer",
            }
            return Response("", status_code=303, headers=headers)
    title, detail, tone = _words(payment)
    message = None
    if over and window.shown is not Shown.REDIRECT and window.page_origin != "null":
        message_content = {
            "from": "imp-gateway",
            "type": "result",
            "nonce": window.nonce,
            "imp_uid": payment.imp_uid,
            "result": result,
        }
        message = {"origin": window.page_origin, "content": json.dumps(message_content, ensure_ascii=False)}
    return _page(
        "end.html",
        await _ancestors(checkout, payment),
        order=payment.order.name,
        amount=payment.order.price.total.amount,
        key_only=_is_key_only(payment),
        title=title,
        detail=detail,
        tone=tone,
        back=web_address.page_address(window.page_url) if window.shown is Shown.REDIRECT else None,
        apart=over and window.shown is not Shown.REDIRECT,
        message=message,
    )


def _is_key_only(payment: Payment) -> bool:
    """Return whether the window registers a billing key and takes no money."""
    return payment.order.price.total.amount == 0


def _words(payment: Payment) -> tuple[str, str | None, str]:
    match payment.status:
        case Status.PAID | Status.CANCELLED if payment.key_lost:
            return "결제수단을 등록하지 못했습니다.", "결제한 금액은 취소됩니다. 처음부터 다시 등록해주세요.", "failed"
        case Status.PAID | Status.CANCELLED if _is_key_only(payment):
            return "정기결제 등록이 완료되었습니다.", None, "done"
        case Status.PAID | Status.CANCELLED:
            return "결제가 완료되었습니다.", None, "done"
        case Status.FAILED if payment.fail_reason == CANCELLED_BY_BUYER and _is_key_only(payment):
            return "정기결제 등록을 취소하셨습니다.", None, "stopped"
        case Status.FAILED if payment.fail_reason == CANCELLED_BY_BUYER:
            return "결제를 취소하셨습니다.", None, "stopped"
        case Status.FAILED if _is_key_only(payment):
            return "정기결제를 등록하지 못했습니다.", payment.fail_reason, "failed"
        case Status.FAILED:
            return "결제에 실패하였습니다.", payment.fail_reason, "failed"
        case Status.READY if _is_key_only(payment):
            return "등록이 아직 끝나지 않았습니다.", "카카오톡에서 등록을 마친 뒤 이 화면으로 돌아와주세요.", "waiting"
        case Status.READY:
            return "결제가 아직 끝나지 않았습니다.", "카카오톡에서 결제를 마친 뒤 이 화면으로 돌아와주세요.", "waiting"
        case _ if _is_key_only(payment):
            return "등록 결과를 확인하고 있습니다.", "쇼핑몰에서 결과를 확인해주세요.", "waiting"
        case _:
            return "결제 결과를 확인하고 있습니다.", "주문 내역에서 결과를 확인해주세요.", "waiting"


async def _may_lead_here(checkout: Checkout, payment: Payment, request: AnyRequest) -> bool:
    """Return whether the page that led the browser here may do so: one of the channel's origins, if it has a list.

    Where the browser names no page, the one that opened the window was judged.
    """
    leading = web_address.origin(request.headers.get("referer", ""))
    allowed = await _allowed_origins(checkout, payment)
    return not allowed or leading in {None, web_address.origin(checkout.addresses.public_url), *allowed}


async def _ancestors(checkout: Checkout, payment: Payment) -> str | None:
    """Return who may frame the page: the channel's registered origins, anybody until there are any.

    Anybody is not `*`: that leaves out the pages of apps, which are loaded from a file or from text. Also when nobody
    can be read: the page has nothing to be tricked into pressing, and a buyer who has paid must see it.
    """
    allowed = await _allowed_origins(checkout, payment)
    return None if allowed is None else " ".join(allowed) or "'none'"


async def _allowed_origins(checkout: Checkout, payment: Payment) -> list[str] | None:
    """Return the origins that the channel allows, as browsers name them; None without a list, or when it is away."""
    try:
        channel = await checkout.services.merchant_cache.channel(payment.merchant_id, payment.channel_id)
    except (StoreError, GatewayError):
        _log.exception("allowed_origins_not_known", imp_uid=payment.imp_uid)
        return None
    if not channel.allowed_origins:
        return None
    return list(filter(None, map(web_address.origin, channel.allowed_origins)))


def _answer_http_error(_: AnyRequest, error: HTTPException) -> Response[str]:
    if error.status_code >= 500:
        return _page_to_try_again()
    if error.status_code == 410:
        title, detail = "유효 시간이 지난 결제창입니다.", "결제 결과는 쇼핑몰의 주문 내역에서 확인해주세요."
        return _page("end.html", status=410, title=title, detail=detail, tone="stopped")
    return _page("end.html", status=error.status_code, title="잘못된 접근입니다.", tone="failed")


def _answer_failure(request: AnyRequest, error: Exception) -> Response[str]:
    services = checkout_of(request).services
    if isinstance(error, StoreError):
        services.database_outage.refused(services, error, route="checkout")
    else:
        _log.error("window_page_failed", exc_info=error)
    return _page_to_try_again()


def _page_to_try_again() -> Response[str]:
    """Ask for the same address again by itself: it approves what was not begun, waits for what was, and shows the end.

    Money may have been taken by now, so this is no error and no end. Any page may show it around: it says nothing of
    anybody, and a buyer in a frame must see it.
    """
    title, detail = (
        "결제 결과를 확인하고 있습니다.",
        "잠시만 기다려주세요. 결제 결과는 주문 내역에서도 확인할 수 있습니다.",
    )
    return _page("end.html", None, title=title, detail=detail, tone="waiting", again=True)


router = Router(
    path="/",
    route_handlers=[static_file, failure, enter, approved, cancelled, failed],
    # A more exact handler further out would win over `Exception` and answer the buyer's browser with JSON.
    exception_handlers={
        HTTPException: _answer_http_error,
        StoreError: _answer_failure,
        GatewayError: _answer_failure,
        Exception: _answer_failure,
    },
)
