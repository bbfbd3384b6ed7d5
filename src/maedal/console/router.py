"""The console's routes, behind one door, and how whatever goes wrong in them is shown."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import structlog
from litestar import Response, Router
from litestar.exceptions import HTTPException

from maedal.billing_keys.errors import BillingKeyNotFound
from maedal.console import (
    account_pages,
    address_pages,
    billing_key_pages,
    bulk_pages,
    calendar_pages,
    channel_pages,
    desk_pages,
    export_pages,
    go_live_pages,
    home_pages,
    key_pages,
    log_pages,
    overview_pages,
    payment_pages,
    recovery_pages,
    schedule_pages,
    sign_in_pages,
    upcoming_pages,
    user_pages,
    webhook_log_pages,
    webhook_pages,
)
from maedal.console.admission import FormNotOurs, NotAllowed, SignInNeeded, admit, checked
from maedal.console.page import HEADERS, show
from maedal.console.sentences import told
from maedal.console.visit import AnyRequest, Visit, draw_door
from maedal.errors import GatewayError
from maedal.korean_messages import in_korean
from maedal.merchants.errors import ChannelNotFound, MerchantNotFound
from maedal.payments.errors import PaymentNotFound
from maedal.schedules.errors import ScheduleNotFound
from maedal.storage.store import Conflict, StoreError, TookTooLong

_log = structlog.get_logger()

NOT_THERE = (MerchantNotFound, ChannelNotFound, PaymentNotFound, ScheduleNotFound, BillingKeyNotFound)


def _visit(request: AnyRequest) -> Visit:
    known: Visit | None = request.state.get("visit")
    state = request.app.state
    return known or Visit(request, state.parts, state.settings, None, door=draw_door())


def _told(request: AnyRequest, status: int, korean: tuple[str, str], english: tuple[str, str]) -> Response[str]:
    visit = _visit(request)
    title, text = english if visit.english else korean
    answer = show(visit, "told.html", status=status, title=title, text=text)
    if "hx-request" in request.headers:
        # It is told in the place of the page, not of the part that was asked for.
        answer.headers |= {"HX-Retarget": "#main", "HX-Reselect": ".card", "HX-Reswap": "innerHTML"}
    return answer


def answer_not_signed_in(request: AnyRequest, error: SignInNeeded) -> Response[str]:
    """Send to the sign-in page, and from there back to the page that was asked for."""
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    goal = quote(path, safe="/") if request.method == "GET" else "/console"
    page = "code" if error.half else "sign-in"
    if "hx-request" in request.headers:
        # A part of a page cannot become the sign-in page: the whole browser goes there.
        return Response("", status_code=200, headers={**HEADERS, "HX-Redirect": f"/console/{page}"})
    return Response("", status_code=303, headers={**HEADERS, "Location": f"/console/{page}?next={goal}"})


def answer_not_allowed(request: AnyRequest, _: NotAllowed) -> Response[str]:
    return _told(
        request,
        403,
        ("권한이 없습니다", "이 일은 지금 역할로 할 수 없습니다. 필요하면 소유자나 관리자에게 요청하세요."),
        ("Not yours to do", "Your role does not include this. Ask an owner or admin if you need it."),
    )


def answer_foreign_form(request: AnyRequest, _: FormNotOurs) -> Response[str]:
    return _told(
        request,
        403,
        ("다시 시도해 주세요", "화면이 오래되었거나 다른 사이트에서 보낸 요청입니다. 아무것도 바뀌지 않았습니다."),
        ("Please try again", "The page was too old, or the request came from another site. Nothing was changed."),
    )


def answer_refused(request: AnyRequest, error: GatewayError) -> Response[str]:
    if isinstance(error, NOT_THERE):
        return _lost(request)
    text = told(_visit(request), error.message)
    return _told(request, 422, ("할 수 없습니다", text), ("This cannot be done", text))


def answer_overtaken(request: AnyRequest, error: Conflict) -> Response[str]:
    """Tell that somebody else was first; the database's own words stay out of it."""
    text = in_korean(str(error))
    english = str(error) if text else "somebody else was first; look again"
    return _told(
        request,
        409,
        ("다른 사람이 먼저 바꾸었습니다", text or "화면을 다시 열어 확인해 주세요. 아무것도 바뀌지 않았습니다."),
        ("Somebody else was first", english),
    )


def answer_took_too_long(request: AnyRequest, _: TookTooLong) -> Response[str]:
    return _told(
        request,
        503,
        ("너무 오래 걸립니다", "찾을 것이 너무 많아 그만두었습니다. 기간을 줄이거나 더 긴 말로 찾아 주세요."),
        ("This takes too long", "There is too much to look through. Choose a shorter span or a longer word."),
    )


def answer_http_error(request: AnyRequest, error: HTTPException) -> Response[str]:
    if error.status_code == 404:
        return _lost(request)
    return _told(
        request,
        error.status_code,
        ("잘못된 요청입니다", "아무것도 바뀌지 않았습니다."),
        ("Bad request", "Nothing was changed."),
    )


def answer_bug(request: AnyRequest, error: Exception) -> Response[str]:
    _log.error("console_failed", route=f"{request.method} {request.scope.get('path_template', '')}", exc_info=error)
    return _told(
        request,
        500,
        ("일시적인 오류가 발생했습니다", "잠시 후 다시 시도해 주세요. 바뀌었는지는 화면을 다시 열어 확인하세요."),
        ("Something went wrong", "Try again in a moment, and look whether the change was made."),
    )


def _lost(request: AnyRequest) -> Response[str]:
    return _told(
        request,
        404,
        ("찾을 수 없습니다", "주소를 확인해 주세요."),
        ("Not found", "Check the address."),
    )


EXCEPTION_HANDLERS: dict[Any, Any] = {
    SignInNeeded: answer_not_signed_in,
    NotAllowed: answer_not_allowed,
    FormNotOurs: answer_foreign_form,
    GatewayError: answer_refused,
    HTTPException: answer_http_error,
    Conflict: answer_overtaken,
    TookTooLong: answer_took_too_long,
    StoreError: answer_bug,
    Exception: answer_bug,
}

router = Router(
    path="/console",
    guards=[admit],
    route_handlers=checked(
        [
            *overview_pages.HANDLERS,
            *home_pages.HANDLERS,
            *sign_in_pages.HANDLERS,
            *account_pages.HANDLERS,
            *user_pages.HANDLERS,
            *channel_pages.HANDLERS,
            *key_pages.HANDLERS,
            *go_live_pages.HANDLERS,
            *address_pages.HANDLERS,
            *webhook_pages.HANDLERS,
            *log_pages.HANDLERS,
            *export_pages.HANDLERS,
            *payment_pages.HANDLERS,
            *recovery_pages.HANDLERS,
            *desk_pages.HANDLERS,
            *webhook_log_pages.HANDLERS,
            *billing_key_pages.HANDLERS,
            *upcoming_pages.HANDLERS,
            *schedule_pages.HANDLERS,
            *bulk_pages.HANDLERS,
            *calendar_pages.HANDLERS,
        ]
    ),
    exception_handlers=EXCEPTION_HANDLERS,
)
