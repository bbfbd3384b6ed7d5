"""Parameters, fields of bodies and refusals that several calls of the document share."""

from __future__ import annotations

from maedal.billing_keys.errors import (
    BillingKeyBusy,
    BillingKeyChargeUnrecorded,
    BillingKeyStatusUnavailable,
    BillingKeyUnclear,
)
from maedal.errors import GatewayError
from maedal.maintenance.errors import PgUnderMaintenance
from maedal.merchants.errors import ChannelMisconfigured, ChannelNotFound
from maedal.payments.errors import OutcomeUnknown, PgCrowded
from maedal.payments.money import AMOUNT_MAX
from maedal.rest import decoding, pages, subscribe
from maedal.rest.api_document import examples
from maedal.rest.api_document.operation import in_path, in_query
from maedal.rest.api_document.schemas import Schema, flag, or_null, text, whole
from maedal.rest.api_document.words import Words
from maedal.rest.errors import WIRE, ApiRefusal
from maedal.rest.failures import ASKED
from maedal.rest.pages import LIMIT_DEFAULT, LIMIT_MAX, PAGE_MAX
from maedal.rest.wire import EPOCH_MAX
from maedal.storage.payments.reads import Sorting


def bad(status: int, message: str) -> ApiRefusal:
    return ApiRefusal(status, -1, message)


def otherwise(status: int, error: type[GatewayError]) -> ApiRefusal:
    """Return an error of the table under another status."""
    return ApiRefusal(status, -1, WIRE[error].text)


def array(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


# -- parameters

IMP_UID = in_path("imp_uid", text("거래 고유번호", "The gateway's id of the payment"), "imps_104233019873")
MERCHANT_UID = in_path("merchant_uid", text("가맹점 주문번호", "The merchant's order number"), "order_2024_05")
CUSTOMER_UID = in_path(
    "customer_uid", text("빌링키를 가리키는 가맹점의 값", "The merchant's name of the billing key"), "gildong_0001_1234"
)
SORTING = in_query(
    "sorting",
    text(
        "정렬: 시작, 결제, 변경 시각. -가 붙으면 최근 것부터.",
        "Order by time of start, payment or last change; with `-` newest first.",
        enum=[sorting.value for sorting in Sorting],
        default=Sorting.STARTED_NEWEST.value,
    ),
)
FAILURES = in_query(
    ASKED,
    flag(
        "실패 원인(failure)도 함께. 한 건 조회의 응답 헤더 Maedal-Failure-Cause, Maedal-Failure-Retry에는 항상 있음.",
        "Give `failure`, too: why it failed. Answers about one payment have it always, as the headers "
        "Maedal-Failure-Cause and Maedal-Failure-Retry.",
        default=False,
    ),
)
PAGE = (
    in_query("page", whole("쪽 번호", "Number of the page", minimum=0, maximum=PAGE_MAX, default=1)),
    in_query(
        "limit",
        whole("한 쪽의 건수", "How many on a page", minimum=0, maximum=LIMIT_MAX, default=LIMIT_DEFAULT),
    ),
)


def seconds(name: str, ko: str, en: str, *, required: bool = False, example: int | None = None) -> Schema:
    schema = whole(ko, en, minimum=0, maximum=EPOCH_MAX)
    return in_query(name, schema, example, required=required)


# -- fields of bodies

AMOUNT = whole("금액(원, 정수)", "Amount in whole won", minimum=1, maximum=AMOUNT_MAX)
TAX_FREE = or_null(whole("면세금액(원)", "The part without tax, in whole won", minimum=0, maximum=AMOUNT_MAX))
ORDER: dict[str, Schema] = {
    "merchant_uid": text("주문번호. 결제나 취소에 쓰인 값은 다시 쓸 수 없음.",
                         "Order number; one that was paid or cancelled cannot be used again.",
                         minLength=1, maxLength=subscribe.MERCHANT_UID_MAX),
    "amount": AMOUNT,
    "tax_free": TAX_FREE,
    "currency": or_null(text("통화. KRW만.", "Currency; KRW only.", enum=["KRW"])),
    "name": or_null(text("주문명. 없으면 정기결제. 40자 뒤는 잘림.", "Name of the order, cut after 40 characters.")),
    "buyer_name": or_null(text("구매자 이름", "Buyer's name")),
    "buyer_email": or_null(text("구매자 이메일", "Buyer's e-mail address")),
    "buyer_tel": or_null(text("구매자 전화번호", "Buyer's telephone number")),
    "buyer_addr": or_null(text("구매자 주소", "Buyer's address")),
    "buyer_postcode": or_null(text("구매자 우편번호", "Buyer's postcode")),
    "product_count": or_null(whole("수량. 0은 없는 것과 같음", "How many; 0 is as if left out", minimum=0,
                                   maximum=subscribe.QUANTITY_MAX)),
    "custom_data": {"description": Words("결제에 그대로 붙는 값. 객체는 JSON 문자열로 저장.",
                                         "Kept with the payment as it is; an object is kept as JSON text.")},
    "notice_url": text(
        "이 결제의 웹훅을 받을 주소, 또는 주소의 배열", "Address for this payment's webhook, or an array of them",
        maxLength=subscribe.URL_MAX,
    ) | {"type": ["string", "array", "null"], "maxItems": subscribe.NOTICE_URLS_MAX,
         "items": {"type": ["string", "null"], "maxLength": subscribe.URL_MAX}},
}  # fmt: skip
CUSTOMER_UID_FIELD = text(
    "빌링키를 가리키는 값", "The merchant's name of the billing key", minLength=1, maxLength=subscribe.CUSTOMER_UID_MAX
)

# -- refusals that several share

ANY_NAME = "…"
BAD_BODY = tuple(bad(400, text.format(name=ANY_NAME)) for text in decoding.BAD_BODY)
BAD_PATH = tuple(bad(400, text) for text in decoding.BAD_PATH)
BAD_STATUS = bad(400, pages.UNKNOWN_STATUS)
BAD_SORTING = bad(400, pages.BAD_SORTING)
BAD_PAGE = (
    bad(400, pages.PAGE_BEHIND),
    bad(400, pages.bad_number("page", PAGE_MAX)),
    bad(400, pages.bad_number("limit", LIMIT_MAX)),
)
BAD_TIMES = (bad(400, pages.bad_moment("from")), bad(400, pages.bad_moment("to")))
NO_KEY_IN = bad(200, subscribe.KEY_IN_UNSUPPORTED)
CHARGING = (
    BillingKeyBusy, BillingKeyUnclear, BillingKeyChargeUnrecorded, BillingKeyStatusUnavailable, PgUnderMaintenance,
    PgCrowded, OutcomeUnknown, ChannelNotFound, ChannelMisconfigured,
)  # fmt: skip
PAID_OR_NOT = {"paid": examples.PAYMENT, "declined": examples.DECLINED}
