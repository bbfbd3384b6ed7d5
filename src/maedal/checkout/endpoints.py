"""The SDK's file and its endpoints (docs/wire/sdk-endpoints.md)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache
from typing import Any

import msgspec
import structlog
from litestar import HttpMethod, Response, Router, get, post, route
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from maedal.checkout import sdk
from maedal.checkout.context import AnyRequest, Checkout, checkout_of
from maedal.checkout.errors import in_the_callback
from maedal.checkout.page_origin import page_origin
from maedal.checkout.results import refused, result_of, state_of
from maedal.checkout.window_requests import merchant_uid_of, read_window_request
from maedal.errors import GatewayError
from maedal.flows.end_window import close_by_buyer
from maedal.flows.limit_requests import admit
from maedal.flows.open_window import OpenedWindow, PgRefusedWindow, WindowRequest, open_window
from maedal.flows.webhook_first import awaits_webhook
from maedal.merchants.errors import MerchantNotFound, TooManyRequests
from maedal.merchants.request_limit import Limited
from maedal.payments.payment import Payment
from maedal.rest.envelope import NOT_KEPT
from maedal.storage.errors import StoreError
from maedal.storage.windows.writes import NoteLeft

_log = structlog.get_logger()

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "no-store",
}
PREFLIGHT = CORS | {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "86400",
}
OPEN_BODY_BYTES_MAX = 128 * 1024
"""A page's parameters with the largest of each that is kept, each sign of them escaped, take three quarters."""
BODY_BYTES_MAX = 4 * 1024
"""Of every other call: a token and a word."""
NOT_READABLE = "요청 본문이 올바른 UTF-8 JSON 객체가 아닙니다."


def _json(content: dict[str, Any], status: int = 200) -> Response[bytes]:
    return Response(
        msgspec.json.encode(content), status_code=status, media_type="application/json", headers=CORS | NOT_KEPT
    )


@cache
def _script(kind: sdk.Kind, gateway: str) -> tuple[bytes, str]:
    content = sdk.script(kind, gateway)
    return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _serve_script(request: AnyRequest, kind: sdk.Kind) -> Response[bytes]:
    content, etag = _script(kind, checkout_of(request).addresses.public_url)
    headers = CORS | {"Cache-Control": "public, max-age=300", "ETag": etag, "X-Content-Type-Options": "nosniff"}
    known = request.headers.get("if-none-match") == etag
    return Response(
        b"" if known else content,
        status_code=304 if known else 200,
        media_type="text/javascript",
        headers=headers,
    )


@get(["/v1/iamport.js", "/js/iamport.payment.js", "/js/{file:str}"], sync_to_thread=False)
def classic_script(request: AnyRequest) -> Response[bytes]:
    """Serve the SDK under every address that pages use (docs/wire/portone-browser-sdk.md 1.1)."""
    name = request.scope["path"].rpartition("/")[2]
    if not (name.startswith("iamport") and name.endswith(".js")):
        raise HTTPException(status_code=404)
    return _serve_script(request, "classic")


@get("/v1/iamport.esm.js", sync_to_thread=False)
def esm_script(request: AnyRequest) -> Response[bytes]:
    """Serve the SDK as an ES module."""
    return _serve_script(request, "esm")


@get("/v2/browser-sdk.js", sync_to_thread=False)
def v2_script(request: AnyRequest) -> Response[bytes]:
    """Tell pages of V2 that they have come to a V1 gateway (docs/wire/portone-browser-sdk.md 5.1)."""
    return _serve_script(request, "v2")


@get("/v2/browser-sdk.esm.js", sync_to_thread=False)
def v2_esm_script(request: AnyRequest) -> Response[bytes]:
    """The same as an ES module."""
    return _serve_script(request, "v2.esm")


@route(
    ["/sdk/payments", "/sdk/payments/{imp_uid:str}", "/sdk/payments/{imp_uid:str}/close"],
    http_method=[HttpMethod.OPTIONS],
    status_code=204,
    sync_to_thread=False,
)
def preflight() -> Response[None]:
    """Let any page ask; nothing here works by cookies."""
    return Response(None, status_code=204, headers=PREFLIGHT)


@post("/sdk/payments", status_code=200, request_max_body_size=OPEN_BODY_BYTES_MAX)
async def open_payment(request: AnyRequest) -> Response[bytes]:
    """Open a window, or say why not."""
    checkout = checkout_of(request)
    address = request.client.host if request.client else None
    try:
        await admit(checkout.services, Limited.WINDOW, address)
    except TooManyRequests as error:
        return _too_many(None, error)
    content = await _content(request)
    if content is None:
        return _json(refused(None, "INVALID_PARAMETER", NOT_READABLE), 400)
    try:
        window_request = read_window_request(
            content,
            request.headers.get("user-agent"),
            page_origin(request, checkout.addresses.public_url),
            buyer_address=address,
        )
        opened = await _open(checkout, window_request)
    except TooManyRequests as error:
        return _too_many(merchant_uid_of(content), error)
    except GatewayError as error:
        code, text = in_the_callback(error)
        imp_uid = error.imp_uid if isinstance(error, PgRefusedWindow) else None
        return _json(refused(merchant_uid_of(content), code, text, imp_uid=imp_uid))
    payment, window = opened.payment, opened.window
    return _json(
        {
            "imp_uid": payment.imp_uid,
            "merchant_uid": payment.order.merchant_uid,
            "token": checkout.sdk_token(payment.merchant_id, payment.imp_uid),
            "next": {
                "kind": window.shown.value,
                "url": checkout.window_url(payment.merchant_id, payment.imp_uid),
            },
            "expires_in": int((window.expires_at - window.opened_at).total_seconds()),
        }
    )


def _too_many(merchant_uid: str | None, error: TooManyRequests) -> Response[bytes]:
    answer = _json(refused(merchant_uid, *in_the_callback(error)), 429)
    answer.headers["Retry-After"] = str(error.wait_seconds)
    return answer


async def _open(checkout: Checkout, window_request: WindowRequest) -> OpenedWindow:
    try:
        return await open_window(checkout.services, window_request)
    except MerchantNotFound:
        if window_request.merchant_code not in checkout.other_codes:
            raise
        return await open_window(
            checkout.services, replace(window_request, merchant_code=checkout.other_codes[window_request.merchant_code])
        )


@get("/sdk/payments/{imp_uid:str}")
async def payment_state(request: AnyRequest, imp_uid: FromPath[str]) -> Response[bytes]:
    """Say how far a window is."""
    checkout = checkout_of(request)
    # Copies of the script from before it used the header put the token into the address.
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip() if scheme.lower() == "bearer" else request.query_params.get("token", "")
    payment = await _payment_of(checkout, imp_uid, token)
    return _no_such() if payment is None else await _state(checkout, payment)


@post("/sdk/payments/{imp_uid:str}/close", status_code=200)
async def close_payment(request: AnyRequest, imp_uid: FromPath[str]) -> Response[bytes]:
    """End a window that the buyer closed, unless the approval has begun; note one that was left."""
    checkout = checkout_of(request)
    content = await _content(request) or {}
    payment = await _payment_of(checkout, imp_uid, content.get("token"))
    if payment is None:
        return _no_such()
    if content.get("reason") == "left":
        services = checkout.services
        await services.store.write(NoteLeft(payment.merchant_id, payment.imp_uid, services.clock.now()))
    else:
        payment = await close_by_buyer(checkout.services, payment)
    return await _state(checkout, payment)


async def _content(request: AnyRequest) -> dict[str, Any] | None:
    try:
        content = msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


async def _payment_of(checkout: Checkout, imp_uid: str, token: Any) -> Payment | None:
    owner = checkout.read_sdk_token(token) if isinstance(token, str) else None
    if owner is None or owner[1] != imp_uid:
        return None
    payment = await checkout.services.store.payments.find(*owner)
    window = await checkout.services.store.windows.find(*owner)
    if payment is None or window is None or not window.tells(payment, checkout.services.clock.now()):
        return None
    return payment


async def _state(checkout: Checkout, payment: Payment) -> Response[bytes]:
    [payment] = await checkout.services.proved_payments.visible(checkout.services, [payment])
    state = state_of(payment, checkout.services.clock.now(), checkout.services.limits.clarify_wait_seconds)
    if state == "done" and await awaits_webhook(checkout.services, payment):
        state = "working"
    return _json(
        {
            "imp_uid": payment.imp_uid,
            "merchant_uid": payment.order.merchant_uid,
            "state": state,
            "result": result_of(payment) if state == "done" else None,
        }
    )


def _no_such() -> Response[bytes]:
    return _json(refused(None, "NOT_FOUND", "존재하지 않는 결제정보입니다."), 404)


def _answer_http_error(_: AnyRequest, error: HTTPException) -> Response[bytes]:
    text = "요청 본문이 너무 큽니다." if error.status_code == 413 else "요청을 처리할 수 없습니다."
    return _json(refused(None, "INVALID_PARAMETER", text), error.status_code)


def _answer_store_error(request: AnyRequest, error: StoreError) -> Response[bytes]:
    services = checkout_of(request).services
    services.database_outage.refused(services, error, route="sdk")
    return _json(refused(None, "NETWORK_ERROR", "결제 서버에 연결하지 못했습니다. 잠시 후 다시 시도해주세요."), 503)


def _answer_bug(_: AnyRequest, error: Exception) -> Response[bytes]:
    _log.error("sdk_request_failed", exc_info=error)
    return _json(refused(None, "SERVER_ERROR", "결제 서버에 오류가 발생하였습니다."), 500)


router = Router(
    path="/",
    route_handlers=[
        classic_script,
        esm_script,
        v2_script,
        v2_esm_script,
        preflight,
        open_payment,
        payment_state,
        close_payment,
    ],
    request_max_body_size=BODY_BYTES_MAX,
    exception_handlers={
        HTTPException: _answer_http_error,
        StoreError: _answer_store_error,
        Exception: _answer_bug,
    },
)
