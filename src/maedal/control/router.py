"""The control API of `maedal dev`, under `/_dev/` (docs/wire/dev-control.md).

`maedal dev` alone has these routes: `create_app` adds them when it is given a key, and no setting leads there. Who asks
names the key, which is drawn anew at each start and written where only the same user can read it, so that no page in
a browser on this machine can ask. Bodies and answers are JSON; an error is `{"error": "…"}` with 400, 401, 404 or 409.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response, Router, delete, get, post, put
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers.base import BaseRouteHandler
from litestar.params import FromPath

from maedal.billing_keys.last_approval import settles_in
from maedal.errors import GatewayError
from maedal.flows import sign_webhook
from maedal.flows.services import Services
from maedal.flows.set_up_channel import ChannelPairSettings, add_pair
from maedal.flows.set_up_merchant import create_merchant
from maedal.flows.set_webhook import set_webhook
from maedal.flows.time_travel import DISTANCE_MAX, Traveller
from maedal.merchants.errors import MerchantNotFound
from maedal.merchants.merchant import Merchant
from maedal.payments.errors import InvalidParameter
from maedal.storage.schedules.writes import RevokeSchedules

AnyRequest = Request[Any, Any, Any]
_Body = TypeVar("_Body")

WHO = "maedal dev (script)"
KEY = "control_key"
"""Under this name the application's state has the key."""
SCHEDULES_TOGETHER = 200
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class NewMerchant(msgspec.Struct, forbid_unknown_fields=True):
    """A merchant with the two test channels; its webhooks are signed unless `signed` is false."""

    name: str = "Test"
    webhook_url: str | None = None
    signed: bool = True


class WebhookChange(msgspec.Struct, forbid_unknown_fields=True):
    """Where webhooks of test payments go; "" is nowhere. With `instead_of`, only if they go there now ("" likewise)."""

    url: str | None = None
    type: str | None = None
    retry: str | None = None
    failures: bool | None = None
    instead_of: str | None = None


class TravelRequest(msgspec.Struct, forbid_unknown_fields=True):
    """How far to travel: so many seconds, or to a moment in seconds since the epoch, or until keys have settled.

    A key that was approved a moment ago is charged only once its approval has settled
    (docs/decisions/0039-the-pgs-own-second.md).
    """

    seconds: float | None = None
    to: float | None = None
    settle: bool = False


def admit(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Let in who knows the key."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(token.encode(), connection.app.state[KEY].encode()):
        raise HTTPException("the control key is missing or wrong; `maedal dev --json` prints it", status_code=401)


@get("/clock", sync_to_thread=False)
def show_clock(request: AnyRequest) -> Response[bytes]:
    """Say what time it is for gateway, simulator and shop."""
    traveller: Traveller = request.app.state["traveller"]
    return _json({"now": traveller.now.timestamp(), "ahead_seconds": traveller.ahead.total_seconds()})


@post("/travel", status_code=200)
async def travel(request: AnyRequest) -> Response[bytes]:
    """Travel, and answer once what was due on the way has happened; `stuck` says that something still is."""
    traveller: Traveller = request.app.state["traveller"]
    journey = traveller.set_out(_goal(traveller.now, await _body(request, TravelRequest)))
    await traveller.arrive()
    return _json(
        {"now": journey.now.timestamp(), "stops": journey.stops, "charges": journey.charges, "stuck": journey.stuck}
    )


@post("/merchants", status_code=201)
async def add_merchant(request: AnyRequest) -> Response[bytes]:
    """Make a merchant with both test channels, and tell its key pair and the secret that signs its webhooks."""
    services, wanted = _services(request), await _body(request, NewMerchant)
    made = await create_merchant(services, wanted.name, webhook_url_test=wanted.webhook_url or None, who=WHO)
    code = made.merchant.code
    channels = await add_pair(services, code, ChannelPairSettings(test_mode=True), who=WHO)
    secret = await sign_webhook.new_secret(services, code, who=WHO) if wanted.signed else None
    services.merchant_cache.forget_merchant(code)
    return _json(
        {
            "identification_code": code,
            "api_key": made.api_key,
            "api_secret": made.api_secret,
            "webhook_secret": secret,
            "pg": {str(channel.kind): f"{channel.pg_provider}.{channel.pg_merchant_id}" for channel in channels},
        },
        201,
    )


@put("/merchants/{code:str}/webhook", status_code=200)
async def move_webhook(request: AnyRequest, code: FromPath[str]) -> Response[bytes]:
    """Change where and how webhooks of test payments go; answers where they went before."""
    services, wanted = _services(request), await _body(request, WebhookChange)
    before = await _merchant(services, code)
    if wanted.instead_of is not None and (before.webhook_url_test or "") != wanted.instead_of:
        return _json({"changed": False, "before": before.webhook_url_test}, 409)
    await set_webhook(
        services,
        code,
        live=None,
        test=wanted.url,
        body=None,
        type_test=wanted.type,
        retry=wanted.retry,
        failures=wanted.failures,
        who=WHO,
    )
    services.merchant_cache.forget_merchant(code)
    return _json({"changed": True, "before": before.webhook_url_test})


@delete("/merchants/{code:str}/plans", status_code=200)
async def revoke_schedules(request: AnyRequest, code: FromPath[str]) -> Response[bytes]:
    """Take back whatever is planned for a merchant, so that nothing of a test that is over happens in the next."""
    services, revoked = _services(request), 0
    await _merchant(services, code)
    while True:
        now = services.clock.now()
        ahead = await services.store.schedules.due_between(code, LONG_AGO, now + 2 * DISTANCE_MAX, SCHEDULES_TOGETHER)
        if not ahead:
            return _json({"revoked": revoked})
        uids = tuple(plan.order.merchant_uid for plan in ahead)
        done = await services.store.write(RevokeSchedules(code, uids, None, now))
        revoked += len(done)
        if not done:
            # A worker is at what is left: it happens now, and not in the next test.
            return _json({"revoked": revoked})


def _goal(now: datetime, travel_request: TravelRequest) -> datetime:
    travel_fields = [travel_request.seconds is not None, travel_request.to is not None, travel_request.settle]
    if sum(travel_fields) != 1:
        raise InvalidParameter("seconds", "one of seconds, to and settle is expected")
    try:
        if travel_request.settle:
            return now + settles_in(in_reply=False)
        return (
            now + timedelta(seconds=travel_request.seconds)
            if travel_request.seconds is not None
            else datetime.fromtimestamp(travel_request.to or 0, UTC)
        )
    except (OverflowError, ValueError, OSError) as error:
        raise InvalidParameter("seconds", "that is too far away") from error


async def _merchant(services: Services, code: str) -> Merchant:
    merchant = await services.store.merchants.find(code)
    if merchant is None:
        raise MerchantNotFound(f"no merchant has the identification code {code}")
    return merchant


def _services(request: AnyRequest) -> Services:
    services: Services = request.app.state["services"]
    return services


async def _body(request: AnyRequest, kind: type[_Body]) -> _Body:
    try:
        return msgspec.json.decode(await request.body() or b"{}", type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidParameter("body", f"the body cannot be read: {error}") from error


def _json(content: dict[str, Any], status: int = 200) -> Response[bytes]:
    return Response(
        msgspec.json.encode(content),
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def _refuse(_: AnyRequest, error: Exception) -> Response[bytes]:
    if isinstance(error, HTTPException):
        return _json({"error": error.detail}, error.status_code)
    assert isinstance(error, GatewayError), "nothing else is handled here"
    if isinstance(error, InvalidParameter):
        return _json({"error": error.message, "field": error.field}, 400)
    return _json({"error": error.message}, 404 if isinstance(error, MerchantNotFound) else 400)


router = Router(
    path="/_dev",
    guards=[admit],
    route_handlers=[show_clock, travel, add_merchant, move_webhook, revoke_schedules],
    exception_handlers={HTTPException: _refuse, GatewayError: _refuse},
)
