"""/payments: reading (docs/wire/portone-v1-rest.md 4.2) and cancelling (4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from litestar import HttpMethod, Response, get, post, route
from litestar.params import FromPath

from maedal.flows.cancel import CancelRequest, cancel
from maedal.flows.services import Services
from maedal.payments.errors import InvalidParameter, PaymentNotFound
from maedal.payments.money import AMOUNT_MAX
from maedal.payments.moves import Status
from maedal.payments.payment import Payment
from maedal.rest.context import AnyRequest, context_of
from maedal.rest.decoding import MISSING, Fields, decode_body, segments
from maedal.rest.envelope import success
from maedal.rest.errors import ApiRefusal
from maedal.rest.failures import asks_for_failures, failure_headers, with_failures
from maedal.rest.idempotency import attempt_id_of
from maedal.rest.language import Bilingual
from maedal.rest.pages import (
    UNKNOWN_STATUS,
    check_count,
    keepable,
    page_object,
    read_list,
    read_moment,
    read_page,
    read_sorting,
)
from maedal.rest.presentation import present_payment, present_payments
from maedal.rest.subscribe import MERCHANT_UID_MAX
from maedal.rest.wire import BEHIND
from maedal.settings import IncludeSandbox
from maedal.storage.payments.reads import PaymentFilter

IMP_UID_MAX, REASON_MAX = 32, 256
WINDOW_MAX = timedelta(days=90)
LAST_OF_SECOND = timedelta(microseconds=999_999)
NO_BALANCE = (
    "(현재는 PAYCO, KCP만 지원됩니다) 결제건에 대한 금액상세정보가 확인되지 않습니다. "
    "결제 상태가 paid 또는 cancelled가 아닌 경우 확인되지 않습니다."
)
BAD_SPAN = Bilingual(
    "from, to 파라메터는 from이 to보다 앞서고 기간이 90일을 넘지 않아야 합니다.",
    "from must be before to, and the span 90 days at most.",
)
ANY_STATUS = frozenset({"", "all", "undefined"})
ALIASES = {"canceled": "cancelled"}
NO_MERCHANT_UID = MISSING.format(name="merchant_uid")
NO_ID = "imp_uid 또는 merchant_uid 중 하나는 반드시 지정해주셔야합니다."


@get("/payments/{imp_uid:str}")
async def get_payment(request: AnyRequest, imp_uid: FromPath[str]) -> Response[bytes]:
    """Give one payment. Test payments are hidden only under the `strict` rule, unless asked for."""
    services, tokens, settings = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    failures = asks_for_failures(request)
    payment = None if "\0" in imp_uid else await services.store.payments.find(merchant_id, imp_uid)
    if payment is None or payment.put_off:
        raise PaymentNotFound("no such payment")
    asked = request.query_params.get("include_sandbox", "").lower() in {"true", "1"}
    if payment.test_mode and settings.include_sandbox is IncludeSandbox.STRICT and not asked:
        raise PaymentNotFound("a test payment")
    return await _one(services, payment, failures=failures)


@route("/payments/find/{rest:path}", http_method=[HttpMethod.GET, HttpMethod.POST], status_code=200)
async def find_payment(request: AnyRequest) -> Response[bytes]:
    """Give the newest payment under a merchant_uid, of any or of one status."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    merchant_uid, *more = _path_parts(request, "/payments/find")
    statuses = _statuses(more)
    sorting, failures = read_sorting(request.query_params.get("sorting")), asks_for_failures(request)
    payment = await services.store.payments.find_by_merchant_uid(merchant_id, merchant_uid, statuses, sorting)
    if payment is None:
        raise PaymentNotFound("no such payment")
    return await _one(services, payment, failures=failures)


async def _one(services: Services, payment: Payment, *, failures: bool) -> Response[bytes]:
    """Give one payment; if it failed, headers say why."""
    [row] = with_failures(failures, services, [payment], [await present_payment(services, payment)])
    return success(row, headers=failure_headers(services, payment))


@route(["/payments/findAll", "/payments/findAll/{rest:path}"], http_method=[HttpMethod.GET], status_code=200)
async def find_all_payments(request: AnyRequest) -> Response[bytes]:
    """Give a page of the payments under a merchant_uid; without one it is HTTP 400, not a payment called findAll."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    merchant_uid, *more = _path_parts(request, "/payments/findAll")
    failures = asks_for_failures(request)
    page_request = PaymentFilter(
        _statuses(more),
        read_sorting(request.query_params.get("sorting")),
        *read_page(request),
        merchant_uid=merchant_uid,
    )
    found = await services.store.payments.page(merchant_id, page_request)
    if found.total == 0:
        raise PaymentNotFound("no such payment")
    return success(
        page_object(
            found.total,
            page_request.page,
            page_request.limit,
            await _rows(services, merchant_id, found.payments, failures=failures),
        )
    )


@get("/payments/status/{payment_status:str}")
async def list_payments(request: AnyRequest, payment_status: FromPath[str]) -> Response[bytes]:
    """Give a page of the payments that came to a status in a span of at most 90 days."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    if payment_status == "undefined":  # the placeholder of a status that may be left out, which this one may not
        raise ApiRefusal(400, -1, UNKNOWN_STATUS)
    statuses, failures = _statuses([payment_status]), asks_for_failures(request)
    now = services.clock.now().replace(microsecond=0)
    until = read_moment(request.query_params.get("to"), "to") or now
    since = read_moment(request.query_params.get("from"), "from") or until - WINDOW_MAX
    if since > until or until - since > WINDOW_MAX:
        raise ApiRefusal(400, -1, BAD_SPAN)
    page_request = PaymentFilter(
        statuses,
        read_sorting(request.query_params.get("sorting")),
        *read_page(request),
        since=since,
        # Seconds on the wire: `to` includes the whole second that it names.
        until=until + LAST_OF_SECOND,
    )
    found = await services.store.payments.page(merchant_id, page_request)
    return success(
        page_object(
            found.total,
            page_request.page,
            page_request.limit,
            await _rows(services, merchant_id, found.payments, failures=failures),
        )
    )


@get("/payments")
async def get_payments(request: AnyRequest) -> Response[bytes]:
    """Give several payments; 207 when some of the ids are unknown."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    imp_uids, merchant_uids = read_list(request, "imp_uid"), read_list(request, "merchant_uid")
    failures = asks_for_failures(request)
    check_count(len(imp_uids) + len(merchant_uids), "imp_uid, merchant_uid")
    found = await services.store.payments.by_ids(merchant_id, keepable(imp_uids), keepable(merchant_uids))
    payments = [payment for payment in found if not payment.put_off]
    if not payments:
        raise PaymentNotFound("none of these")
    known = {p.imp_uid for p in payments} | {p.order.merchant_uid for p in payments}
    status = 200 if known.issuperset(imp_uids + merchant_uids) else 207
    return success(await _rows(services, merchant_id, payments, failures=failures), status)


async def _rows(
    services: Services, merchant_id: str, payments: Sequence[Payment], *, failures: bool
) -> list[dict[str, Any]]:
    rows = await present_payments(services, merchant_id, payments)
    return with_failures(failures, services, payments, rows)


@get("/payments/{imp_uid:str}/balance")
async def get_balance(request: AnyRequest) -> Response[bytes]:
    """Say that KakaoPay shows no balance of a payment."""
    _, tokens, _ = context_of(request)
    await tokens.merchant_id(request)
    raise ApiRefusal(404, -1, NO_BALANCE)


@post("/payments/cancel", status_code=200)
async def cancel_payment(request: AnyRequest) -> Response[bytes]:
    """Cancel wholly or partly. HTTP 200 with a code other than 0 means that nothing was given back (4.3)."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    body = decode_body(request.headers.get("content-type", ""), await request.body())
    cancel_request = replace(read_cancel(Fields(body)), attempt_id=attempt_id_of(request))
    return success(await present_payment(services, await cancel(services, merchant_id, cancel_request)))


def read_cancel(fields: Fields) -> CancelRequest:
    """Return what a cancel asks for. Raises InvalidParameter, naming the field."""
    imp_uid = fields.text("imp_uid", longest=IMP_UID_MAX)
    merchant_uid = fields.text("merchant_uid", longest=MERCHANT_UID_MAX)
    if imp_uid is None and merchant_uid is None:
        raise InvalidParameter("imp_uid", NO_ID)
    # Without an amount all that is left goes back, and without a checksum nothing is compared: `false` or `[]` here is
    # somebody's mistake and no wish.
    amount = fields.whole("amount", least=0, most=AMOUNT_MAX, plainly=True) or 0
    tax_free = fields.whole("tax_free", least=0, most=AMOUNT_MAX, plainly=True)
    return CancelRequest(
        imp_uid=imp_uid,
        merchant_uid=merchant_uid,
        amount=amount,
        # PortOne's default is 0, and clients send it without meaning it: a whole cancel then still gives all back.
        tax_free=tax_free or None,
        # 0 is a value, and never what is left of a payment that can be cancelled (4.3).
        checksum=fields.whole("checksum", plainly=True),
        reason=fields.text("reason", longest=REASON_MAX, cut=True),
        tell=fields.flag("enable_webhook"),
    )


def _path_parts(request: AnyRequest, prefix: str) -> list[str]:
    try:
        parts = segments(request.scope["raw_path"], prefix)
    except InvalidParameter as error:
        raise ApiRefusal(400, -1, error.message) from error
    if not parts:
        raise ApiRefusal(400, -1, NO_MERCHANT_UID)
    return parts


def _statuses(more: list[str]) -> tuple[Status, ...]:
    wanted = more[0] if more else ""
    wanted = ALIASES.get(wanted, wanted)
    if len(more) > 1 or (wanted not in ANY_STATUS and wanted not in BEHIND):
        raise ApiRefusal(400, -1, UNKNOWN_STATUS)
    return tuple(Status) if wanted in ANY_STATUS else BEHIND[wanted]
