"""The page that pays an unpaid charge. Its address is a secret and says nothing; it works without JavaScript."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import structlog
from jinja2 import Environment, FileSystemLoader, select_autoescape
from litestar import Response, Router, get, post
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from maedal.checkout.context import AnyRequest, checkout_of
from maedal.checkout.pay_texts import (
    BUTTONS,
    DETAILS,
    MAYBE,
    NOT_KNOWN,
    NOT_NOW,
    TITLES,
    TONES,
    TOO_SOON,
    Words,
    language_of,
    say,
)
from maedal.dunning.letter_texts import buyer_sentence
from maedal.errors import GatewayError
from maedal.flows.pay_unpaid import PAID, Standing, TooSoon, UnpaidPage, find_unpaid, pay_now, register_anew
from maedal.payments.errors import OutcomeUnknown
from maedal.payments.window import Device
from maedal.storage.errors import StoreError

_log = structlog.get_logger()

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=select_autoescape(), trim_blocks=True
)
FORM_BYTES_MAX = 1000
HEADERS = {
    "Cache-Control": "no-store",
    # The address is a secret: no page that is gone on to may learn it.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
}


@get("/pay/{token:str}")
async def look(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    """Show what is unpaid and how it can be paid."""
    return _page(request, token, await _found(request, token))


@post("/pay/{token:str}/charge", status_code=200)
async def charge(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    """Charge the registered method. Pressed twice, it is charged once."""
    page = await _found(request, token)
    seen = parse_qs((await request.body())[:FORM_BYTES_MAX].decode("utf-8", "replace")).get("seen", [""])[0]
    error = await pay_now(checkout_of(request).services, page, seen)
    page = await _found(request, token)
    if error is None or page.standing is not Standing.UNPAID:
        # Shown by its own address, so that a reload presses no button. Another charge of it may have come first.
        return Response("", status_code=303, headers={**HEADERS, "Location": f"/pay/{token}"})
    words = TOO_SOON if isinstance(error, TooSoon) else MAYBE if isinstance(error, OutcomeUnknown) else NOT_NOW
    return _page(request, token, page, problem=words)


@post("/pay/{token:str}/register", status_code=200)
async def register(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    """Open a window that registers another method and takes what is unpaid."""
    page = await _found(request, token)
    if page.standing is not Standing.UNPAID:
        return _page(request, token, page)
    checkout = checkout_of(request)
    mobile = "mobi" in request.headers.get("user-agent", "").lower()
    try:
        opened = await register_anew(
            checkout.services,
            page,
            device=Device.MOBILE if mobile else Device.PC,
            nonce=secrets.token_hex(16),
            buyer_address=request.client.host if request.client else None,
        )
    except GatewayError as error:
        _log.info("unpaid_window_refused", merchant_uid=page.unpaid.merchant_uid, reason=error.code)
        return _page(request, token, await _found(request, token), problem=NOT_NOW)
    location = checkout.window_url(opened.payment.merchant_id, opened.payment.imp_uid)
    return Response("", status_code=303, headers={**HEADERS, "Location": location})


async def _found(request: AnyRequest, token: str) -> UnpaidPage:
    services = checkout_of(request).services
    page = await find_unpaid(services, token)
    if page is None:
        raise HTTPException(status_code=404)
    if page.payer is None or page.standing is not Standing.PAID:
        return page
    # A commit that a failover may undo is not told yet.
    [payer] = await services.proved_payments.visible(services, [page.payer])
    return page if payer.status in PAID else replace(page, standing=Standing.UNDER_WAY)


def _page(request: AnyRequest, token: str, page: UnpaidPage, problem: Words | None = None) -> Response[str]:
    language = language_of(request.headers.get("accept-language", ""))
    over = page.standing is Standing.OVER
    return _render(
        language,
        410 if over else 409 if problem else 200,
        title=say(TITLES[page.standing], language),
        detail=say(DETAILS[page.standing], language),
        tone=TONES[page.standing],
        # What it was for is nobody's business any more once the link is over.
        shop="" if over else page.merchant.name,
        item="" if over else page.schedule.order.name,
        amount=0 if over else page.schedule.order.price.total.amount,
        cause=buyer_sentence(page.cause, language) if page.standing is Standing.UNPAID else "",
        problem=say(problem, language) if problem else "",
        at=f"/pay/{token}",
        seen=page.seen,
        may_pay=page.standing is Standing.UNPAID and page.has_key,
        may_register=page.standing is Standing.UNPAID,
        may_look=page.standing is Standing.UNDER_WAY or bool(problem),
        buttons={name: say(words, language) for name, words in BUTTONS.items()},
    )


def _render(language: str, status: int, **values: Any) -> Response[str]:
    text = _templates.get_template("pay.html").render(language=language, **values)
    headers = {**HEADERS, "Content-Language": language, "Vary": "Accept-Language"}
    return Response(text, status_code=status, media_type="text/html", headers=headers)


def _nothing(request: AnyRequest, status: int, words: Words, tone: str) -> Response[str]:
    language = language_of(request.headers.get("accept-language", ""))
    return _render(language, status, title=say(words, language), detail="", tone=tone, shop="", item="", amount=0)


def _answer_http_error(request: AnyRequest, error: HTTPException) -> Response[str]:
    return _nothing(request, error.status_code, NOT_KNOWN, "stopped")


def _answer_failure(request: AnyRequest, error: Exception) -> Response[str]:
    """Say that the outcome is looked for: a charge may have been made by now."""
    services = checkout_of(request).services
    if isinstance(error, StoreError):
        services.database_outage.refused(services, error, route="pay")
    else:
        _log.error("pay_page_failed", exc_info=error)
    return _nothing(request, 503, MAYBE, "waiting")


router = Router(
    path="/",
    route_handlers=[look, charge, register],
    exception_handlers={
        HTTPException: _answer_http_error,
        StoreError: _answer_failure,
        GatewayError: _answer_failure,
        Exception: _answer_failure,
    },
)
