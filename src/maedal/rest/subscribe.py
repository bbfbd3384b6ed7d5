"""/subscribe: charging billing keys, and the keys themselves (docs/wire/portone-v1-rest.md 4.5 and 4.6)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from litestar import HttpMethod, Response, get, post, route

from maedal.billing_keys.errors import BillingKeyNotFound
from maedal.flows.charge import charge
from maedal.flows.deactivate_key import deactivate_key, living_key
from maedal.flows.services import Services
from maedal.payments.errors import InvalidParameter, OutcomeUnknown
from maedal.payments.money import AMOUNT_MAX, Currency, Money, Price
from maedal.payments.moves import Status
from maedal.payments.payment import Buyer, KeyUse, Order
from maedal.rest.context import AnyRequest, context_of
from maedal.rest.decoding import BAD_CHARACTERS, LONGER_THAN, TEXT_WITH_NUL, Fields, decode_body, segments
from maedal.rest.envelope import success
from maedal.rest.errors import NO_SUCH_API, ApiRefusal
from maedal.rest.failures import asks_for_failures, failure_headers, with_failures
from maedal.rest.idempotency import attempt_id_of
from maedal.rest.language import Bilingual
from maedal.rest.pages import check_count, keepable, page_object, read_list, read_page
from maedal.rest.presentation import present_billing_keys, present_payment, present_payments
from maedal.rest.schedule_lists import schedules_page
from maedal.storage.payments.reads import PaymentFilter, Sorting

DEFAULT_NAME = "정기결제"
"""PortOne gives a name of its own to charges without one; KakaoPay shows it to the buyer."""
CUSTOMER_UID_MAX, MERCHANT_UID_MAX, NAME_MAX = 80, 40, 40
CUSTOM_DATA_MAX, URL_MAX, USER_AGENT_MAX = 100_000, 2_000, 500
QUANTITY_MAX = 1_000_000
NOTICE_URLS_MAX = 10
KEY_IN_UNSUPPORTED = Bilingual(
    "카카오페이는 카드정보 직접 입력 방식을 지원하지 않습니다. IMP.request_pay의 customer_uid로 빌링키를 발급한 뒤 "
    "/subscribe/payments/again을 이용해주세요.",
    "KakaoPay takes no card numbers. Issue a billing key with the customer_uid of IMP.request_pay and charge it with "
    "/subscribe/payments/again.",
)
KRW_ONLY = Bilingual("currency 파라메터는 KRW만 지원합니다.", "currency may be KRW only.")
TAX_FREE_TOO_MUCH = Bilingual(
    "tax_free 파라메터는 0 이상 amount 이하여야 합니다.", "tax_free must be from 0 to the amount."
)
TOO_MANY_BYTES = Bilingual(
    "{name} 파라메터는 {most}바이트를 넘을 수 없습니다.", "{name} may have {most} bytes at most."
)


@post("/subscribe/payments/again", status_code=200)
async def charge_again(request: AnyRequest) -> Response[bytes]:
    """Charge a billing key. Code 0 means that the PG answered: `status` says whether it paid (2.3)."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    body = decode_body(request.headers.get("content-type", ""), await request.body())
    fields = Fields(body)
    customer_uid = fields.needed_text("customer_uid", longest=CUSTOMER_UID_MAX)
    try:
        order = read_order(fields, body, customer_uid, KeyUse.CHARGE, request.headers.get("user-agent"))
    except InvalidParameter:
        # An unknown customer is told before anything about the rest: clients look for that sentence.
        await living_key(services, merchant_id, customer_uid)
        raise
    payment = await charge(services, merchant_id, order, attempt_id=attempt_id_of(request))
    if payment.status in {Status.UNKNOWN, Status.CALLING}:
        raise OutcomeUnknown("the PG's answer is lost and being clarified")
    return success(await present_payment(services, payment), headers=failure_headers(services, payment))


def read_order(
    fields: Fields, body: Mapping[str, Any], customer_uid: str, key_use: KeyUse, user_agent: str | None
) -> Order:
    """Return the order of a charge of `customer_uid`, at once or planned. Raises InvalidParameter."""
    merchant_uid = fields.needed_text("merchant_uid", longest=MERCHANT_UID_MAX)
    amount = fields.needed_whole("amount", least=1, most=AMOUNT_MAX)
    tax_free = fields.whole("tax_free") or 0
    if not 0 <= tax_free <= amount:
        raise InvalidParameter("tax_free", TAX_FREE_TOO_MUCH)
    if (fields.text("currency") or Currency.KRW).upper() != Currency.KRW:
        raise InvalidParameter("currency", KRW_ONLY)
    # JAVA sends every int of a charge, and 0 for this one when nobody set it: no order has no pieces.
    quantity = fields.whole("product_count", least=0, most=QUANTITY_MAX)
    return Order(
        merchant_uid=merchant_uid,
        name=fields.text("name", longest=NAME_MAX, cut=True) or DEFAULT_NAME,
        price=Price(Money(amount), Money(tax_free)),
        buyer=read_buyer(fields),
        customer_uid=customer_uid,
        key_use=key_use,
        custom_data=read_custom_data(body.get("custom_data")),
        notice_urls=fields.addresses("notice_url", longest=URL_MAX, most=NOTICE_URLS_MAX),
        user_agent=clean(user_agent)[:USER_AGENT_MAX] if user_agent else None,
        quantity=quantity or 1,
    )


def read_buyer(fields: Fields) -> Buyer:
    """Return the buyer's fields; too long ones are cut, as PortOne's limits say (3)."""
    return Buyer(
        name=fields.kept_text("buyer_name", longest=16),
        email=fields.kept_text("buyer_email", longest=64),
        tel=fields.kept_text("buyer_tel", longest=16),
        addr=fields.kept_text("buyer_addr", longest=128),
        postcode=fields.kept_text("buyer_postcode", longest=8),
    )


def read_custom_data(value: Any, *, bytes_max: int = CUSTOM_DATA_MAX) -> str | None:
    """Return `custom_data` as the text that is given back: a string as it is, anything else as JSON."""
    if value is None or value == "":
        return None
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (RecursionError, ValueError) as error:  # nested too deeply, or a number of thousands of digits
        raise InvalidParameter("custom_data", "custom_data 파라메터가 올바르지 않습니다.") from error
    if "\0" in text:
        raise InvalidParameter("custom_data", TEXT_WITH_NUL.format(name="custom_data"))
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise InvalidParameter("custom_data", BAD_CHARACTERS.format(name="custom_data")) from error
    if size > bytes_max:
        raise InvalidParameter("custom_data", TOO_MANY_BYTES.format(name="custom_data", most=bytes_max))
    return text


def clean(text: str) -> str:
    """Return `text` without what a database cannot keep."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


@post("/subscribe/payments/onetime", status_code=200)
async def charge_onetime(request: AnyRequest) -> Response[bytes]:
    """Say that KakaoPay takes no card numbers (4.5.3)."""
    _, tokens, _ = context_of(request)
    await tokens.merchant_id(request)
    raise ApiRefusal(200, -1, KEY_IN_UNSUPPORTED)


@route(
    "/subscribe/customers/{rest:path}",
    http_method=[HttpMethod.GET, HttpMethod.POST, HttpMethod.DELETE],
    status_code=200,
)
async def customer(request: AnyRequest) -> Response[bytes]:
    """Give or delete a billing key; issuing one here would need a card number, which KakaoPay does not take (4.6)."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    path = segments(request.scope["raw_path"], "/subscribe/customers/")
    if len(path) == 2 and path[1] == "payments" and request.method == "GET":
        return await _payments_of(request, services, merchant_id, path[0])
    if len(path) == 2 and path[1] == "schedules" and request.method == "GET":
        return await schedules_page(request, services, merchant_id, path[0])
    if len(path) != 1:
        raise ApiRefusal(404, -1, NO_SUCH_API)
    customer_uid = path[0]
    if request.method == "POST":
        raise ApiRefusal(200, -1, KEY_IN_UNSUPPORTED)
    if len(customer_uid) > CUSTOMER_UID_MAX:
        raise InvalidParameter("customer_uid", LONGER_THAN.format(name="customer_uid", longest=CUSTOMER_UID_MAX))
    try:
        if request.method == "DELETE":
            key = await deactivate_key(services, merchant_id, customer_uid)
        else:
            key = await living_key(services, merchant_id, customer_uid)
    except BillingKeyNotFound:
        text = f"요청하신 customer_uid({customer_uid})로 등록된 정보를 찾을 수 없습니다."
        raise ApiRefusal(200, 1, text, BillingKeyNotFound.code) from None
    return success((await present_billing_keys(services, merchant_id, [key]))[0])


async def _payments_of(request: AnyRequest, services: Services, merchant_id: str, customer_uid: str) -> Response[bytes]:
    """Give a page of the payments that issued or charged a customer_uid's keys; an unknown one has none."""
    page, limit = read_page(request)
    page_request = PaymentFilter(tuple(Status), Sorting.STARTED_NEWEST, page, limit, customer_uid=customer_uid)
    found = await services.store.payments.page(merchant_id, page_request)
    rows = await present_payments(services, merchant_id, found.payments)
    rows = with_failures(asks_for_failures(request), services, found.payments, rows)
    return success(page_object(found.total, page, limit, rows))


@get("/subscribe/customers")
async def list_customers(request: AnyRequest) -> Response[bytes]:
    """Give several billing keys, in the order asked for; 207 when some are unknown."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    wanted = read_list(request, "customer_uid")
    check_count(len(wanted), "customer_uid")
    known = keepable(wanted)
    found = {k.customer_uid: k for k in await services.store.billing_keys.living(merchant_id, known)} if known else {}
    if not found:
        raise ApiRefusal(404, -1, "등록된 고객정보가 없습니다.")
    keys = await present_billing_keys(services, merchant_id, [found[uid] for uid in wanted if uid in found])
    return success(keys, 200 if len(keys) == len(wanted) else 207)
