"""/subscribe/payments/schedule: charges scheduled for a time (docs/wire/portone-v1-rest.md 4.5.5 to 4.5.9)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from litestar import HttpMethod, Response, get, post, route

from maedal.billing_keys.billing_key import BillingKey
from maedal.billing_keys.errors import BillingKeyNotFound
from maedal.flows.deactivate_key import living_key
from maedal.flows.run_schedule import retry
from maedal.flows.schedule_charges import change_time, find_schedule, reschedule, schedule_charges, unschedule
from maedal.flows.services import Services
from maedal.payments.errors import InvalidParameter, MerchantUidUsed, OutcomeUnknown
from maedal.payments.moves import Status
from maedal.payments.payment import KeyUse, Order
from maedal.rest.context import AnyRequest, context_of
from maedal.rest.decoding import MISSING, NOT_A_TEXT, Fields, decode_body, is_nothing, segments
from maedal.rest.envelope import success
from maedal.rest.errors import NO_SUCH_API, NO_SUCH_METHOD, ApiRefusal, on_the_wire
from maedal.rest.failures import asks_for_failures, failure_headers, with_failures
from maedal.rest.idempotency import attempt_id_of
from maedal.rest.language import Bilingual
from maedal.rest.pages import bad_moment
from maedal.rest.presentation import present_payment, present_schedule, present_schedules
from maedal.rest.schedule_lists import schedules_page
from maedal.rest.subscribe import CUSTOMER_UID_MAX, KEY_IN_UNSUPPORTED, MERCHANT_UID_MAX, read_order
from maedal.rest.wire import EPOCH_MAX, from_epoch
from maedal.schedules.errors import InvalidScheduleTime, ScheduleNotFound
from maedal.schedules.schedule import CALL_MAX

NOT_JSON_TEXT = Bilingual("{name} 파라메터가 올바른 JSON이 아닙니다.", "{name} is no JSON.")
NOT_A_LIST = Bilingual("{name} 파라메터는 배열이어야 합니다.", "{name} must be an array.")
NOT_AN_ENTRY = Bilingual("{name} 파라메터는 객체여야 합니다.", "{name} must be an object.")
TOO_MANY = Bilingual("{name} 파라메터는 {most}건을 넘을 수 없습니다.", "{name} may have {most} entries at most.")
IN_ENTRY = Bilingual("{name}: {message}", "{name}: {message}")
PREFIX = "/subscribe/payments/schedule/"
CARD_FIELDS = ("card_number", "expiry", "birth", "pwd_2digit", "cvc")


@post("/subscribe/payments/schedule", status_code=200)
async def schedule(request: AnyRequest) -> Response[bytes]:
    """Schedule charges of one customer, all or none (4.5.5)."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    body = decode_body(request.headers.get("content-type", ""), await request.body())
    customer_uid = Fields(body).needed_text("customer_uid", longest=CUSTOMER_UID_MAX)
    entries = read_entries(body)
    # An unknown customer is told before anything about the entries: clients' suites plan for times long past.
    key = await _key(services, merchant_id, customer_uid, body)
    wanted = [read_entry(entry, number, customer_uid) for number, entry in enumerate(entries)]
    return success(await present_schedules(services, merchant_id, await schedule_charges(services, key, wanted)))


@post("/subscribe/payments/unschedule", status_code=200)
async def revoke(request: AnyRequest) -> Response[bytes]:
    """Revoke what waits under some merchant_uids, or all that waits of a customer (4.5.6)."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    body = decode_body(request.headers.get("content-type", ""), await request.body())
    customer_uid = Fields(body).text("customer_uid", longest=CUSTOMER_UID_MAX)
    merchant_uids = read_merchant_uids(body.get("merchant_uid"))
    revoked = await unschedule(services, merchant_id, merchant_uids, customer_uid)
    return success(await present_schedules(services, merchant_id, revoked))


@get("/subscribe/payments/schedule")
async def list_schedules(request: AnyRequest) -> Response[bytes]:
    """Give a page of what is planned in a span of at most three months (4.5.7)."""
    services, tokens, _ = context_of(request)
    return await schedules_page(request, services, await tokens.merchant_id(request))


@route(
    "/subscribe/payments/schedule/{rest:path}",
    http_method=[HttpMethod.GET, HttpMethod.POST, HttpMethod.PUT],
    status_code=200,
)
async def scheduled_charge(request: AnyRequest) -> Response[bytes]:
    """Give or change one scheduled charge, or try it again; give a customer's (4.5.7 and 4.5.8)."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    try:
        match request.method, segments(request.scope["raw_path"], PREFIX):
            case "GET", ["customers", customer_uid]:
                return await schedules_page(request, services, merchant_id, customer_uid)
            case "GET", [merchant_uid]:
                failures = asks_for_failures(request)
                found = await find_schedule(services, merchant_id, merchant_uid)
                shown = [await present_schedule(services, found)]
                [row] = with_failures(failures, services, [found.payment], shown)
                return success(row, headers=failure_headers(services, found.payment))
            case "PUT", [merchant_uid]:
                schedule_at = await _read_time(request)
                return success(
                    await present_schedule(
                        services, await change_time(services, merchant_id, merchant_uid, schedule_at)
                    )
                )
            case "POST", [merchant_uid, "reschedule"]:
                schedule_at = await _read_time(request)
                return success(
                    await present_schedule(services, await reschedule(services, merchant_id, merchant_uid, schedule_at))
                )
            case "POST", [merchant_uid, "retry"]:
                return await _retry(services, merchant_id, merchant_uid, attempt_id_of(request))
            case "GET" | "PUT", [_, _, *_]:
                raise ScheduleNotFound("no merchant_uid has a slash that is not encoded")
            case "POST", [_, _, *_]:
                raise ApiRefusal(404, -1, NO_SUCH_API)
            case _:
                raise ApiRefusal(405, -1, NO_SUCH_METHOD)
    except (InvalidParameter, InvalidScheduleTime) as error:
        # Unlike planning, these document 400.
        raise ApiRefusal(400, -1, on_the_wire(error).message) from error


async def _retry(services: Services, merchant_id: str, merchant_uid: str, attempt_id: str | None) -> Response[bytes]:
    """Charge at once; code 0 means that the PG answered, and the payment's `status` says whether it paid."""
    try:
        payment = await retry(services, merchant_id, merchant_uid, attempt_id=attempt_id)
    except (BillingKeyNotFound, MerchantUidUsed) as error:
        status = 404 if isinstance(error, BillingKeyNotFound) else 400
        raise ApiRefusal(status, -1, on_the_wire(error).message) from error
    if payment.status in {Status.UNKNOWN, Status.CALLING}:
        raise OutcomeUnknown("the PG's answer is lost and being clarified")
    return success(await present_payment(services, payment), headers=failure_headers(services, payment))


async def _key(services: Services, merchant_id: str, customer_uid: str, body: Mapping[str, Any]) -> BillingKey:
    """Return the customer's living key; a card number instead of one is what KakaoPay does not take."""
    try:
        return await living_key(services, merchant_id, customer_uid)
    except BillingKeyNotFound as error:
        if any(body.get(name) for name in CARD_FIELDS):
            raise ApiRefusal(200, -1, KEY_IN_UNSUPPORTED) from error
        raise ApiRefusal(200, 1, "등록된 고객정보가 없습니다.") from error


def read_entries(body: Mapping[str, Any]) -> list[Any]:
    """Return the entries of `schedules`: a list, or in a form also its JSON text. Raises InvalidParameter."""
    value = body.get("schedules")
    if isinstance(value, str) and value.strip():
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise InvalidParameter("schedules", NOT_JSON_TEXT.format(name="schedules")) from error
    if is_nothing(value):
        raise InvalidParameter("schedules", MISSING.format(name="schedules"))
    if not isinstance(value, list):
        raise InvalidParameter("schedules", NOT_A_LIST.format(name="schedules"))
    if len(value) > CALL_MAX:
        raise InvalidParameter("schedules", TOO_MANY.format(name="schedules", most=CALL_MAX))
    return value


def read_entry(entry: Any, number: int, customer_uid: str) -> tuple[Order, datetime]:
    """Return one charge to plan and when. Raises InvalidParameter, naming entry and field."""
    name = f"schedules[{number}]"
    if not isinstance(entry, dict):
        raise InvalidParameter(name, NOT_AN_ENTRY.format(name=name))
    fields = Fields(entry)
    try:
        order = read_order(fields, entry, customer_uid, KeyUse.SCHEDULED, None)
        return order, read_time(fields)
    except InvalidParameter as error:
        raise InvalidParameter(f"{name}.{error.field}", IN_ENTRY.format(name=name, message=error.message)) from error


def read_time(fields: Fields) -> datetime:
    """Return `schedule_at`. Raises InvalidParameter."""
    seconds = fields.seconds("schedule_at")
    if seconds is None:
        raise InvalidParameter("schedule_at", MISSING.format(name="schedule_at"))
    if not 0 <= seconds <= EPOCH_MAX:
        raise InvalidParameter("schedule_at", bad_moment("schedule_at"))
    return from_epoch(seconds)


async def _read_time(request: AnyRequest) -> datetime:
    return read_time(Fields(decode_body(request.headers.get("content-type", ""), await request.body())))


def read_merchant_uids(value: Any) -> list[str] | None:
    """Return `merchant_uid`, one or several; None when it is absent (4.5.6). Raises InvalidParameter.

    Absent means everything of a customer, so it is only what is absent for every client: null and, as in a form, "".
    A list that names nothing stays a list, and a blank or `false` is refused: somebody's empty selection must not
    revoke everything.
    """
    if value is None or value == "":
        return None
    values = value if isinstance(value, list) else [value]
    if not isinstance(value, list) and is_nothing(value):
        raise InvalidParameter("merchant_uid", NOT_A_TEXT.format(name="merchant_uid"))
    if len(values) > CALL_MAX:
        raise InvalidParameter("merchant_uid", TOO_MANY.format(name="merchant_uid", most=CALL_MAX))
    texts = [Fields({"merchant_uid": v}).text("merchant_uid", longest=MERCHANT_UID_MAX) for v in values]
    return [text for text in texts if text is not None]
