"""How whatever goes wrong in a page of the console is shown: an error's class has one page, whichever route it left."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import structlog
from litestar import Response, get
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from maedal.billing_keys.errors import BillingKeyNotFound
from maedal.console.frame.admission import FormNotOurs, NotAllowed, SignInNeeded, SomethingOwed, requires
from maedal.console.frame.page import HEADERS, render
from maedal.console.frame.sentences import translated
from maedal.console.frame.visit import AnyRequest, Visit, new_pre_session
from maedal.errors import GatewayError
from maedal.korean_messages import in_korean
from maedal.merchants.errors import ChannelNotFound, MerchantNotFound, TooManyRequests
from maedal.operators.operator import Owed
from maedal.operators.role import Permission
from maedal.payments.errors import PaymentNotFound
from maedal.plans.errors import PlanNotFound
from maedal.schedules.errors import ScheduleNotFound
from maedal.storage.errors import Conflict, StoreError, TookTooLong

_log = structlog.get_logger()

NOT_FOUND = (MerchantNotFound, ChannelNotFound, PaymentNotFound, ScheduleNotFound, BillingKeyNotFound, PlanNotFound)


def _visit(request: AnyRequest) -> Visit:
    known: Visit | None = request.state.get("visit")
    state = request.app.state
    return known or Visit(request, state.services, state.settings, None, pre_session=new_pre_session())


def _error_page(request: AnyRequest, status: int, korean: tuple[str, str], english: tuple[str, str]) -> Response[str]:
    visit = _visit(request)
    title, text = english if visit.english else korean
    answer = render(visit, "frame/error.html", status=status, title=title, text=text)
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


def answer_something_owed(request: AnyRequest, error: SomethingOwed) -> Response[str]:
    """Send to where it is done; what the page before left to be said waits."""
    page = "/console/account" if error.owed is Owed.PASSWORD else "/console/account/two-steps"
    if "hx-request" in request.headers:
        return Response("", status_code=200, headers={**HEADERS, "HX-Redirect": page})
    return Response("", status_code=303, headers={**HEADERS, "Location": page})


def answer_not_allowed(request: AnyRequest, _: NotAllowed) -> Response[str]:
    return _error_page(
        request,
        403,
        ("권한이 없습니다", "이 일은 지금 역할로 할 수 없습니다. 필요하면 소유자나 관리자에게 요청하세요."),
        ("Not yours to do", "Your role does not include this. Ask an owner or admin if you need it."),
    )


def answer_foreign_form(request: AnyRequest, _: FormNotOurs) -> Response[str]:
    return _error_page(
        request,
        403,
        ("다시 시도해 주세요", "화면이 오래되었거나 다른 사이트에서 보낸 요청입니다. 아무것도 바뀌지 않았습니다."),
        ("Please try again", "The page was too old, or the request came from another site. Nothing was changed."),
    )


def answer_refused(request: AnyRequest, error: GatewayError) -> Response[str]:
    if isinstance(error, NOT_FOUND):
        return _not_found(request)
    text = translated(_visit(request), error.message)
    return _error_page(request, 422, ("할 수 없습니다", text), ("This cannot be done", text))


def answer_too_many(request: AnyRequest, error: TooManyRequests) -> Response[str]:
    seconds = error.wait_seconds
    answer = _error_page(
        request,
        429,
        ("요청이 너무 많습니다", f"{seconds}초 뒤에 다시 시도해 주세요. 아무것도 바뀌지 않았습니다."),
        ("Too many requests", f"Try again in {seconds} seconds. Nothing was changed."),
    )
    answer.headers["Retry-After"] = str(seconds)
    return answer


def answer_overtaken(request: AnyRequest, error: Conflict) -> Response[str]:
    """Tell that somebody else was first; the database's own words stay out of it."""
    text = in_korean(str(error))
    english = str(error) if text else "somebody else was first; look again"
    return _error_page(
        request,
        409,
        ("다른 사람이 먼저 바꾸었습니다", text or "화면을 다시 열어 확인해 주세요. 아무것도 바뀌지 않았습니다."),
        ("Somebody else was first", english),
    )


def answer_took_too_long(request: AnyRequest, _: TookTooLong) -> Response[str]:
    return _error_page(
        request,
        503,
        ("너무 오래 걸립니다", "찾을 것이 너무 많아 그만두었습니다. 기간을 줄이거나 더 긴 말로 찾아 주세요."),
        ("This takes too long", "There is too much to look through. Choose a shorter span or a longer word."),
    )


def answer_http_error(request: AnyRequest, error: HTTPException) -> Response[str]:
    if error.status_code == 404:
        return _not_found(request)
    if error.status_code == 413:
        return _error_page(
            request,
            413,
            ("내용이 너무 많습니다", "보낸 내용이 너무 커서 받지 않았습니다. 아무것도 바뀌지 않았습니다."),
            ("This is too much", "What was sent is too large and was not taken. Nothing was changed."),
        )
    return _error_page(
        request,
        error.status_code,
        ("잘못된 요청입니다", "아무것도 바뀌지 않았습니다."),
        ("Bad request", "Nothing was changed."),
    )


def answer_bug(request: AnyRequest, error: Exception) -> Response[str]:
    _log.error("console_failed", route=f"{request.method} {request.scope.get('path_template', '')}", exc_info=error)
    return _error_page(
        request,
        500,
        ("일시적인 오류가 발생했습니다", "잠시 후 다시 시도해 주세요. 바뀌었는지는 화면을 다시 열어 확인하세요."),
        ("Something went wrong", "Try again in a moment, and look whether the change was made."),
    )


def _not_found(request: AnyRequest) -> Response[str]:
    return _error_page(
        request,
        404,
        ("찾을 수 없습니다", "주소를 확인해 주세요."),
        ("Not found", "Check the address."),
    )


@get("/{rest:path}", opt=requires(Permission.ANYBODY), sync_to_thread=False)
def not_found(rest: FromPath[str]) -> Response[str]:  # noqa: ARG001 - whatever it is
    """Say, in the console's own page, that nothing is here."""
    raise HTTPException(status_code=404)


EXCEPTION_HANDLERS: dict[Any, Any] = {
    SignInNeeded: answer_not_signed_in,
    SomethingOwed: answer_something_owed,
    NotAllowed: answer_not_allowed,
    FormNotOurs: answer_foreign_form,
    TooManyRequests: answer_too_many,
    GatewayError: answer_refused,
    HTTPException: answer_http_error,
    Conflict: answer_overtaken,
    TookTooLong: answer_took_too_long,
    StoreError: answer_bug,
    Exception: answer_bug,
}

HANDLERS = [not_found]
