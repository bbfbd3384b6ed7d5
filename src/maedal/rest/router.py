"""The REST API's routes, and how whatever goes wrong in them is answered."""

from __future__ import annotations

import re
from typing import Any

import structlog
from litestar import HttpMethod, Response, Router
from litestar.exceptions import HTTPException, MethodNotAllowedException

from maedal.billing_keys.errors import (
    BillingKeyBusy,
    BillingKeyChargeUnrecorded,
    BillingKeyStatusUnavailable,
    BillingKeyUnclear,
)
from maedal.errors import GatewayError
from maedal.maintenance.errors import PgUnderMaintenance
from maedal.merchants.errors import TooManyFailures, TooManyRequests
from maedal.payments.errors import CancelBusy, InvalidParameter, OutcomeUnknown, PgCrowded
from maedal.rest import codes, payments, plans, prepare, schedules, subscribe, unsupported, users
from maedal.rest.context import AnyRequest, context_of
from maedal.rest.decoding import BODY_BYTES_MAX
from maedal.rest.envelope import refusal
from maedal.rest.errors import (
    NO_DATABASE,
    NO_SUCH_API,
    NO_SUCH_METHOD,
    NOT_CARRIED_OUT,
    SERVER_ERROR,
    TOO_LARGE_TEXT,
    ApiRefusal,
    on_the_wire,
    too_large_text,
)
from maedal.rest.idempotency import come_again, idempotent
from maedal.rest.language import language_of
from maedal.rest.request_log import logged, refused_as
from maedal.storage.errors import StoreError

_log = structlog.get_logger()

_NAME = re.compile(r"[A-Za-z0-9_.\[\]-]{1,40}", re.ASCII)
_HTTP_TEXTS = {404: NO_SUCH_API, 405: NO_SUCH_METHOD, 413: TOO_LARGE_TEXT}


def answer_refusal(request: AnyRequest, error: ApiRefusal) -> Response[bytes]:
    refused_as(request, error.name)
    return refusal(error.status, error.code, error.message, language_of(request))


COME_AGAIN = (
    OutcomeUnknown,
    BillingKeyBusy,
    BillingKeyUnclear,
    BillingKeyChargeUnrecorded,
    BillingKeyStatusUnavailable,
    CancelBusy,
    PgUnderMaintenance,
    PgCrowded,
)
"""Refusals that are not the last word about a request."""


def answer_gateway_error(request: AnyRequest, error: GatewayError) -> Response[bytes]:
    if isinstance(error, COME_AGAIN):
        come_again(request)
    answer = answer_refusal(request, on_the_wire(error))
    if isinstance(error, InvalidParameter):
        # The name of a field may be whatever somebody sent.
        refused_as(request, f"{error.code} {error.field}" if _NAME.fullmatch(error.field) else error.code)
    if isinstance(error, TooManyFailures | TooManyRequests):
        answer.headers["Retry-After"] = str(error.wait_seconds)
    return answer


def answer_http_error(request: AnyRequest, error: HTTPException) -> Response[bytes]:
    text = _HTTP_TEXTS.get(error.status_code, NOT_CARRIED_OUT)
    if error.status_code == 413:
        text = too_large_text(request.route_handler.resolve_request_max_body_size() or BODY_BYTES_MAX)
    return refusal(error.status_code, -1, text, language_of(request))


def answer_store_error(request: AnyRequest, error: StoreError) -> Response[bytes]:
    services, _, _ = context_of(request)
    services.database_outage.refused(services, error, route=_route(request))
    refused_as(request, "NO_DATABASE")
    return refusal(503, -1, NO_DATABASE, language_of(request))


def answer_bug(request: AnyRequest, error: Exception) -> Response[bytes]:
    _log.error("request_failed", route=_route(request), exc_info=error)
    refused_as(request, "SERVER_ERROR")
    return refusal(500, -1, SERVER_ERROR, language_of(request))


def _route(request: AnyRequest) -> str:
    """Return the pattern of the address that was called: the address itself may carry a token or a customer's name."""
    return f"{request.method} {request.scope.get('path_template', '')}"


EXCEPTION_HANDLERS: dict[Any, Any] = {
    ApiRefusal: answer_refusal,
    GatewayError: answer_gateway_error,
    HTTPException: answer_http_error,
    StoreError: answer_store_error,
    Exception: answer_bug,
}


async def no_options(request: AnyRequest) -> None:
    """Answer `OPTIONS` as any other method that is not there: Litestar's own answer has no envelope.

    No page may call this API, so there is nothing to let it ask; the addresses of the SDK have a handler for it.
    """
    if request.method == HttpMethod.OPTIONS:
        raise MethodNotAllowedException


router = Router(
    path="/",
    route_handlers=[
        users.get_token,
        users.list_pgs,
        payments.get_payment,
        payments.find_payment,
        payments.find_all_payments,
        payments.list_payments,
        payments.get_payments,
        payments.get_balance,
        payments.cancel_payment,
        prepare.prepare,
        prepare.get_prepared,
        subscribe.charge_again,
        subscribe.charge_onetime,
        subscribe.customer,
        subscribe.list_customers,
        schedules.schedule,
        schedules.revoke,
        schedules.list_schedules,
        schedules.scheduled_charge,
        *plans.HANDLERS,
        codes.list_cards,
        codes.get_card,
        codes.list_banks,
        codes.get_bank,
        *unsupported.HANDLERS,
    ],
    middleware=[logged, idempotent],
    before_request=no_options,
    request_max_body_size=BODY_BYTES_MAX,
)
