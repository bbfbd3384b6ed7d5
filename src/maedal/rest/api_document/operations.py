"""Every call of the REST API, in the order in which people read about them; a test holds it against the router."""

from __future__ import annotations

from typing import Any

from maedal.billing_keys.errors import (
    BillingKeyBusy,
    BillingKeyChargeUnrecorded,
    BillingKeyNotFound,
    BillingKeyStatusUnavailable,
    BillingKeyUnclear,
)
from maedal.errors import GatewayError
from maedal.maintenance.errors import PgUnderMaintenance
from maedal.merchants.errors import (
    AddressNotAllowed,
    ChannelMisconfigured,
    ChannelNotFound,
    TooManyFailures,
    WrongApiSecret,
)
from maedal.merchants.merchant import DEMO_API_KEY, DEMO_API_SECRET
from maedal.payments.errors import (
    AlreadyCancelled,
    AlreadyPrepared,
    CancelBusy,
    CancelRefused,
    CancelTooMuch,
    ChecksumMismatch,
    InvalidParameter,
    MerchantUidUsed,
    NothingToCancel,
    NotPrepared,
    OutcomeUnknown,
    PaymentNotFound,
    PgCrowded,
    PgTidMissing,
)
from maedal.payments.money import AMOUNT_MAX
from maedal.rest import (
    codes,
    decoding,
    pages,
    payments,
    prepare,
    schedule_lists,
    schedules,
    subscribe,
    unsupported,
    users,
)
from maedal.rest.api_document import examples
from maedal.rest.api_document.operation import Operation, body_of, in_path, in_query
from maedal.rest.api_document.schemas import PAYMENT_STATUSES, Schema, flag, listed, or_null, ref, text, whole
from maedal.rest.api_document.words import Words
from maedal.rest.errors import WIRE, ApiRefusal
from maedal.rest.failures import ASKED
from maedal.rest.pages import IDS_MAX, LIMIT_DEFAULT, LIMIT_MAX, PAGE_MAX
from maedal.rest.wire import EPOCH_MAX
from maedal.schedules.errors import (
    InvalidScheduleTime,
    MerchantUidScheduled,
    NothingToUnschedule,
    ScheduleNotChangeable,
    ScheduleNotFound,
)
from maedal.schedules.schedule import CALL_MAX, ScheduleStatus
from maedal.storage.payments.reads import Sorting


def _bad(status: int, message: str) -> ApiRefusal:
    return ApiRefusal(status, -1, message)


def _otherwise(status: int, error: type[GatewayError]) -> ApiRefusal:
    """Return an error of the table under another status."""
    return ApiRefusal(status, -1, WIRE[error].text)


def _array(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


# -- parameters

IMP_UID = in_path("imp_uid", text("거래 고유번호", "The gateway's id of the payment"), "imps_104233019873")
MERCHANT_UID = in_path("merchant_uid", text("가맹점 주문번호", "The merchant's order number"), "order_2024_05")
CUSTOMER_UID = in_path(
    "customer_uid", text("빌링키를 가리키는 가맹점의 값", "The merchant's name of the billing key"), "gildong_0001_1234"
)
STATUS_IN_PATH = in_path(
    "payment_status",
    text("결제 상태. all은 모든 상태.", "Status; `all` is any.", enum=["all", *PAYMENT_STATUSES]),
    "paid",
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


def _seconds(name: str, ko: str, en: str, *, required: bool = False, example: int | None = None) -> Schema:
    schema = whole(ko, en, minimum=0, maximum=EPOCH_MAX)
    return in_query(name, schema, example, required=required)


SPAN = (
    _seconds("from", "조회 시작, UNIX 초. 이 시각부터.", "Begin of the span, Unix seconds, included.", required=True,
             example=1717200000),
    _seconds("to", "조회 끝, UNIX 초. 이 시각 전까지. 기간은 3개월 이내.",
             "End of the span, Unix seconds, not included; at most three months.", required=True, example=1719700000),
    in_query("schedule_status", text("예약 상태. 없으면 모두.", "Status; any if absent.",
                                     enum=[s.value for s in ScheduleStatus])),
    in_query(
        "sorting",
        text("scheduled는 이른 것부터, -scheduled는 늦은 것부터", "`scheduled` earliest first, `-scheduled` latest",
             enum=["-scheduled", "scheduled"], default="-scheduled"),
    ),
    *PAGE,
)  # fmt: skip

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
SCHEDULE_AT = whole("결제할 시각, UNIX 초", "When to charge, Unix seconds", minimum=0, maximum=EPOCH_MAX)
PREPARE_BODY = body_of(
    {
        "merchant_uid": text("주문번호", "Order number", minLength=1, maxLength=subscribe.MERCHANT_UID_MAX),
        "amount": whole("결제될 금액(원)", "Amount to be paid, in whole won", minimum=0, maximum=AMOUNT_MAX),
        "currency": or_null(text("통화. 없으면 검사하지 않음.", "Currency; not compared if absent.", enum=["KRW"])),
        "customer_uid": or_null(
            text(
                "결제창이 발급할 빌링키의 customer_uid. 없으면 검사하지 않고, 변경할 때 없으면 그대로 둡니다.",
                "For whom the window issues a billing key; not compared if absent, and a change without it leaves it.",
                maxLength=subscribe.CUSTOMER_UID_MAX,
            )
        ),
    },
    "merchant_uid",
    "amount",
)
PREPARE_EXAMPLE = {"merchant_uid": "order_2024_05", "amount": 12000, "customer_uid": "gildong_0001_1234"}
TIME_BODY = body_of({"schedule_at": SCHEDULE_AT}, "schedule_at")

# -- refusals that several share

ANY_NAME = "…"
BAD_BODY = tuple(_bad(400, text.format(name=ANY_NAME)) for text in decoding.BAD_BODY)
BAD_KEY_PAIR = tuple(_bad(400, text.format(name=ANY_NAME, longest=users.KEY_CHARS_MAX)) for text in decoding.BAD_TEXT)
BAD_PATH = tuple(_bad(400, text) for text in decoding.BAD_PATH)
BAD_STATUS = _bad(400, pages.UNKNOWN_STATUS)
BAD_SORTING = _bad(400, pages.BAD_SORTING)
BAD_PAGE = (
    _bad(400, pages.PAGE_BEHIND),
    _bad(400, pages.bad_number("page", PAGE_MAX)),
    _bad(400, pages.bad_number("limit", LIMIT_MAX)),
)
BAD_TIMES = (_bad(400, pages.bad_moment("from")), _bad(400, pages.bad_moment("to")))
BAD_SPAN = (
    _bad(400, schedule_lists.NO_SPAN),
    _bad(400, schedule_lists.BAD_SPAN),
    *BAD_TIMES,
    _bad(400, pages.bad_moment("schedule_from")),
    _bad(400, pages.bad_moment("schedule_to")),
    BAD_STATUS,
    BAD_SORTING,
    *BAD_PAGE,
)
BAD_TIME = _otherwise(400, InvalidScheduleTime)
NO_KEY_IN = _bad(200, subscribe.KEY_IN_UNSUPPORTED)
NO_SUCH_KEY = ApiRefusal(200, 1, "요청하신 customer_uid(gildong_0001_1234)로 등록된 정보를 찾을 수 없습니다.")
NO_SUCH_CODE = _bad(404, codes.NO_SUCH_CODE)
CHARGING = (
    BillingKeyBusy, BillingKeyUnclear, BillingKeyChargeUnrecorded, BillingKeyStatusUnavailable, PgUnderMaintenance,
    PgCrowded, OutcomeUnknown, ChannelNotFound, ChannelMisconfigured,
)  # fmt: skip

FIND = Words(
    "주문번호의 결제 한 건을 조회합니다. 여러 건이면 정렬 순서의 첫 번째, 보통 가장 최근 결제입니다.",
    "Gives one payment under an order number: the first in the order asked for, usually the newest.",
)
FIND_ALL = Words("주문번호의 모든 결제를 조회합니다.", "Gives every payment under an order number.")
SCHEDULES_OF = Words(
    "구매자의 결제예약을 기간으로 조회합니다. 없는 구매자는 빈 목록입니다.",
    "Gives a customer's scheduled charges in a span; an unknown customer has none.",
)
NOT_HERE = Words(
    "카드번호를 직접 받는 결제입니다. 카카오페이는 지원하지 않으므로 아무것도 읽거나 저장하지 않고 그 사실을 답합니다.",
    "Takes a card number, which KakaoPay does not. Nothing is read or kept; the answer says so.",
)
DECLINE = Words(
    "빌링키로 결제합니다. **code 0은 PG가 답했다는 뜻**이고, 결제되었는지는 response.status가 "
    "말합니다(paid 또는 failed). 결과를 알 수 없으면 실패라고 하지 않고 다시 결제하지도 않습니다.",
    "Charges a billing key. **Code 0 means that the PG answered**; whether it paid says `response.status`, `paid` or "
    "`failed`. When the outcome is unknown it is neither called failed nor charged again.",
)
PAID_OR_NOT = {"paid": examples.PAYMENT, "declined": examples.DECLINED}


def _finding(handler: Any, method: str, path: str, *more: Schema) -> Operation:
    return Operation(
        handler, method, path, "payments",
        Words("주문번호로 결제 조회", "Find one payment by order number"), FIND,
        ref("Payment"), {"paid": examples.PAYMENT}, (MERCHANT_UID, *more, SORTING, FAILURES),
        errors=(PaymentNotFound,), refusals=(*BAD_PATH, BAD_STATUS, BAD_SORTING),
    )  # fmt: skip


def _finding_all(path: str, *more: Schema) -> Operation:
    return Operation(
        payments.find_all_payments, "GET", path, "payments",
        Words("주문번호로 모든 결제 조회", "Find all payments by order number"), FIND_ALL,
        ref("PaymentPage"), {"page": examples.page(examples.PAYMENT)}, (MERCHANT_UID, *more, SORTING, *PAGE, FAILURES),
        errors=(PaymentNotFound,), refusals=(*BAD_PATH, BAD_STATUS, BAD_SORTING, *BAD_PAGE),
    )  # fmt: skip


def _schedules_of(handler: Any, path: str) -> Operation:
    return Operation(
        handler, "GET", path, "schedules",
        Words("구매자의 결제예약 목록", "A customer's scheduled charges"), SCHEDULES_OF,
        ref("SchedulePage"), {"page": examples.page(examples.SCHEDULE)}, (CUSTOMER_UID, *SPAN, FAILURES),
        # A path that is no UTF-8 is refused like any other parameter, here with another status than beside it.
        errors=(InvalidParameter,) if handler is subscribe.customer else (),
        refusals=BAD_SPAN if handler is subscribe.customer else (*BAD_PATH, *BAD_SPAN),
    )  # fmt: skip


OWN: tuple[Operation, ...] = (
    Operation(
        users.get_token, "POST", "/users/getToken", "users",
        Words("액세스 토큰 받기", "Get an access token"),
        Words("REST API 키와 secret으로 토큰을 받습니다. 만료 전에는 같은 토큰을 다시 줍니다. "
              "남은 시간이 1분 미만이면 5분 연장합니다.",
              "Gives the token of an API key. Until it expires the same token is given; in its last minute it is "
              "extended by five."),
        ref("Token"), {"token": examples.TOKEN},
        body=body_of({"imp_key": text("REST API 키", "REST API key", minLength=1, maxLength=users.KEY_CHARS_MAX),
                      "imp_secret": text("REST API secret", "REST API secret", minLength=1,
                                         maxLength=users.KEY_CHARS_MAX)}, "imp_key", "imp_secret"),
        body_example={"imp_key": DEMO_API_KEY, "imp_secret": DEMO_API_SECRET},
        errors=(WrongApiSecret, AddressNotAllowed, TooManyFailures),
        refusals=(_bad(400, users.NO_PAIR), *BAD_BODY, *BAD_KEY_PAIR), public=True,
    ),
    Operation(
        users.list_pgs, "GET", "/users/pg", "users",
        Words("채널 목록", "List the channels"),
        Words("가맹점의 PG 채널을 조회합니다.", "Gives the merchant's channels."),
        _array(ref("Channel")), {"channels": [examples.CHANNEL]},
    ),
    Operation(
        payments.get_payment, "GET", "/payments/{imp_uid}", "payments",
        Words("결제 조회", "Give one payment"),
        Words("결제 한 건을 조회합니다. 서버 설정이 strict이면 테스트 결제는 include_sandbox=true일 때만 보입니다.",
              "Gives one payment. Under the server's `strict` rule a test payment shows only with "
              "`include_sandbox=true`."),
        ref("Payment"), {"paid": examples.PAYMENT, "cancelled": examples.CANCELLED, "failed": examples.DECLINED},
        (IMP_UID, in_query("include_sandbox", flag("테스트 결제도 조회", "Show test payments too", default=False)),
         FAILURES),
        errors=(PaymentNotFound,),
    ),
    Operation(
        payments.get_payments, "GET", "/payments", "payments",
        Words("여러 결제 조회", "Give several payments"),
        Words(f"합하여 {IDS_MAX}개까지의 번호로 조회합니다. 최근 것부터. 일부가 없으면 HTTP 207입니다.",
              f"Gives payments by up to {IDS_MAX} ids in all, newest first; HTTP 207 when some are unknown."),
        _array(ref("Payment")), {"payments": [examples.PAYMENT]},
        (in_query("imp_uid[]", listed({"type": "string"}, "거래 고유번호", "The gateway's ids"), ["imps_104233019873"]),
         in_query("merchant_uid[]", listed({"type": "string"}, "가맹점 주문번호", "Order numbers")), FAILURES),
        errors=(PaymentNotFound,),
        refusals=(_bad(400, pages.TOO_MANY_IDS.format(names="imp_uid, merchant_uid", most=IDS_MAX)),),
        some_missing=True,
    ),
    _finding(payments.find_payment, "GET", "/payments/find/{merchant_uid}"),
    _finding(payments.find_payment, "POST", "/payments/find/{merchant_uid}"),
    _finding(payments.find_payment, "GET", "/payments/find/{merchant_uid}/{payment_status}", STATUS_IN_PATH),
    _finding(payments.find_payment, "POST", "/payments/find/{merchant_uid}/{payment_status}", STATUS_IN_PATH),
    Operation(
        payments.find_all_payments, "GET", "/payments/findAll", "payments",
        Words("주문번호 없는 조회", "Find without an order number"),
        Words("주문번호가 없으므로 거절합니다.", "Refused: an order number is needed."), None,
        refusals=(_bad(400, payments.NO_MERCHANT_UID),),
    ),
    _finding_all("/payments/findAll/{merchant_uid}"),
    _finding_all("/payments/findAll/{merchant_uid}/{payment_status}", STATUS_IN_PATH),
    Operation(
        payments.list_payments, "GET", "/payments/status/{payment_status}", "payments",
        Words("상태별 결제 목록", "List payments by status"),
        Words("기간 안에 그 상태가 된 결제를 조회합니다. 기간은 90일 이내.",
              "Gives the payments that came to a status in a span of at most 90 days."),
        ref("PaymentPage"), {"page": examples.page(examples.PAYMENT)},
        (STATUS_IN_PATH,
         _seconds("from", "조회 시작, UNIX 초. 없으면 to의 90일 전.",
                  "Begin, Unix seconds; 90 days before `to` if absent."),
         _seconds("to", "조회 끝, UNIX 초. 없으면 지금.", "End, Unix seconds; now if absent."), SORTING, *PAGE,
         FAILURES),
        refusals=(BAD_STATUS, BAD_SORTING, *BAD_PAGE, *BAD_TIMES, _bad(400, payments.BAD_SPAN)),
    ),
    Operation(
        payments.get_balance, "GET", "/payments/{imp_uid}/balance", "payments",
        Words("결제 금액 상세", "A payment's balance"),
        Words("카카오페이는 지원하지 않습니다.", "KakaoPay does not have this."), None, {}, (IMP_UID,),
        refusals=(_bad(404, payments.NO_BALANCE),),
    ),
    Operation(
        payments.cancel_payment, "POST", "/payments/cancel", "payments",
        Words("결제 취소", "Cancel a payment"),
        Words("전액 또는 일부를 취소합니다. imp_uid와 merchant_uid 중 하나는 반드시 있어야 하며 imp_uid가 우선합니다. "
              "**HTTP 200이어도 code가 0이 아니면 취소되지 않은 것입니다.**",
              "Cancels wholly or partly. One of `imp_uid` and `merchant_uid` is needed, and `imp_uid` wins. **HTTP 200 "
              "with a code other than 0 means that nothing was given back.**"),
        ref("Payment"), {"cancelled": examples.CANCELLED},
        body=body_of({
            "imp_uid": or_null(text("거래 고유번호", "The gateway's id", maxLength=payments.IMP_UID_MAX)),
            "merchant_uid": or_null(text("가맹점 주문번호", "Order number", maxLength=subscribe.MERCHANT_UID_MAX)),
            "amount": or_null(whole("취소할 금액(원). 없거나 0이면 남은 금액 모두.",
                                    "How much, in whole won; all that is left if absent or 0.",
                                    minimum=0, maximum=AMOUNT_MAX)),
            "tax_free": TAX_FREE,
            "checksum": or_null(whole("취소 전 남은 금액. 다르면 취소하지 않음.",
                                      "What is left before this cancel; if it differs nothing is cancelled.")),
            "reason": or_null(text("취소 사유", "Reason")),
            "enable_webhook": or_null(flag("취소 웹훅 전송", "Send a webhook about it", default=False)),
        }),
        body_example={"imp_uid": "imps_104233019873", "amount": 900, "checksum": 8900, "reason": "고객 변심"},
        errors=(InvalidParameter, NothingToCancel, AlreadyCancelled, ChecksumMismatch, CancelTooMuch, CancelBusy,
                CancelRefused, PgTidMissing, OutcomeUnknown, ChannelNotFound, ChannelMisconfigured),
    ),
    Operation(
        prepare.prepare, "POST", "/payments/prepare", "payments",
        Words("결제금액 사전등록", "Register an amount"),
        Words("등록된 주문번호는 다른 금액으로 결제창이 열리지 않습니다.",
              "No window opens for a registered order number with another amount."),
        ref("Prepared"), {"prepared": examples.PREPARED}, body=PREPARE_BODY, body_example=PREPARE_EXAMPLE,
        errors=(InvalidParameter, AlreadyPrepared),
    ),
    Operation(
        prepare.prepare, "PUT", "/payments/prepare", "payments",
        Words("사전등록 금액 변경", "Change a registered amount"),
        Words("등록된 금액을 바꿉니다.", "Changes a registered amount."),
        ref("Prepared"), {"prepared": examples.PREPARED}, body=PREPARE_BODY, body_example=PREPARE_EXAMPLE,
        errors=(InvalidParameter, NotPrepared),
    ),
    Operation(
        prepare.get_prepared, "GET", "/payments/prepare/{merchant_uid}", "payments",
        Words("사전등록 금액 조회", "Give a registered amount"),
        Words("등록된 금액을 조회합니다.", "Gives a registered amount."),
        ref("Prepared"), {"prepared": examples.PREPARED}, (MERCHANT_UID,),
        errors=(NotPrepared,), refusals=BAD_PATH,
    ),
    Operation(
        subscribe.charge_again, "POST", "/subscribe/payments/again", "billing keys",
        Words("빌링키 결제", "Charge a billing key"), DECLINE, ref("Payment"), PAID_OR_NOT,
        body=body_of({"customer_uid": CUSTOMER_UID_FIELD, **ORDER}, "customer_uid", "merchant_uid", "amount"),
        body_example={"customer_uid": "gildong_0001_1234", "merchant_uid": "order_2024_05", "amount": 8900,
                      "name": "월간 이용권", "buyer_name": "홍길동"},
        errors=(InvalidParameter, MerchantUidUsed, BillingKeyNotFound, *CHARGING),
    ),
    Operation(
        subscribe.charge_onetime, "POST", "/subscribe/payments/onetime", "billing keys",
        Words("카드번호 결제", "Charge a card number"), NOT_HERE, None, refusals=(NO_KEY_IN,),
    ),
    Operation(
        subscribe.customer, "GET", "/subscribe/customers/{customer_uid}", "billing keys",
        Words("빌링키 조회", "Give a billing key"),
        Words("빌링키를 조회합니다. 없는 빌링키는 HTTP 200에 code 1입니다.",
              "Gives a billing key. An unknown one is HTTP 200 with code 1."),
        ref("Customer"), {"key": examples.CUSTOMER}, (CUSTOMER_UID,),
        errors=(InvalidParameter,), refusals=(NO_SUCH_KEY,),
    ),
    Operation(
        subscribe.customer, "POST", "/subscribe/customers/{customer_uid}", "billing keys",
        Words("카드번호로 빌링키 발급", "Issue a billing key from a card number"), NOT_HERE, None, {}, (CUSTOMER_UID,),
        errors=(InvalidParameter,), refusals=(NO_KEY_IN,),
    ),
    Operation(
        subscribe.customer, "DELETE", "/subscribe/customers/{customer_uid}", "billing keys",
        Words("빌링키 삭제", "Delete a billing key"),
        Words("빌링키를 카카오페이에서도 비활성화합니다. 결제예약은 철회되지 않습니다.",
              "Deletes a billing key, at KakaoPay too. Its scheduled charges are not revoked."),
        ref("Customer"), {"key": examples.CUSTOMER}, (CUSTOMER_UID,),
        errors=(InvalidParameter, BillingKeyBusy, BillingKeyUnclear, ChannelNotFound, ChannelMisconfigured),
        refusals=(NO_SUCH_KEY,),
    ),
    Operation(
        subscribe.list_customers, "GET", "/subscribe/customers", "billing keys",
        Words("여러 빌링키 조회", "Give several billing keys"),
        Words(f"{IDS_MAX}개까지 요청한 순서로 조회합니다. 일부가 없으면 HTTP 207입니다.",
              f"Gives up to {IDS_MAX} billing keys in the order asked for; HTTP 207 when some are unknown."),
        _array(ref("Customer")), {"keys": [examples.CUSTOMER]},
        (in_query("customer_uid[]", listed({"type": "string"}, "빌링키를 가리키는 값", "The merchant's names of keys"),
                  ["gildong_0001_1234"]),),
        refusals=(_bad(404, "등록된 고객정보가 없습니다."),
                  _bad(400, pages.TOO_MANY_IDS.format(names="customer_uid", most=IDS_MAX))),
        some_missing=True,
    ),
    Operation(
        subscribe.customer, "GET", "/subscribe/customers/{customer_uid}/payments", "billing keys",
        Words("빌링키의 결제 목록", "A billing key's payments"),
        Words("빌링키를 발급하거나 빌링키로 한 결제를 조회합니다.", "Gives the payments that issued or charged a key."),
        ref("PaymentPage"), {"page": examples.page(examples.PAYMENT)}, (CUSTOMER_UID, *PAGE, FAILURES),
        errors=(InvalidParameter,), refusals=BAD_PAGE,
    ),
    Operation(
        schedules.schedule, "POST", "/subscribe/payments/schedule", "schedules",
        Words("결제 예약", "Schedule charges"),
        Words("구매자의 결제를 예약합니다. 전부 예약되거나 하나도 예약되지 않습니다. 결과는 웹훅으로 알립니다.",
              "Schedules charges of one customer, all or none. What becomes of them is told by webhook."),
        _array(ref("Schedule")), {"planned": [examples.SCHEDULE]},
        body=body_of({
            "customer_uid": CUSTOMER_UID_FIELD,
            "schedules": listed(body_of({"schedule_at": SCHEDULE_AT, **ORDER}, "schedule_at", "merchant_uid", "amount"),
                                "예약할 결제", "The charges to plan", minItems=1, maxItems=CALL_MAX),
        }, "customer_uid", "schedules"),
        body_example={"customer_uid": "gildong_0001_1234", "schedules": [
            {"merchant_uid": "order_2024_06", "schedule_at": 1717200000, "amount": 8900, "name": "월간 이용권"}]},
        errors=(InvalidParameter, InvalidScheduleTime, MerchantUidScheduled),
        refusals=(ApiRefusal(200, 1, "등록된 고객정보가 없습니다."), NO_KEY_IN),
    ),
    Operation(
        schedules.revoke, "POST", "/subscribe/payments/unschedule", "schedules",
        Words("결제예약 철회", "Revoke scheduled charges"),
        Words("merchant_uid가 없으면 구매자의 대기 중인 예약을 모두 철회합니다. 빈 배열은 아무것도 철회하지 않습니다.",
              "Without `merchant_uid` everything of the customer that waits is revoked; an empty list "
              "revokes nothing."),
        _array(ref("Schedule")),
        {"revoked": [examples.SCHEDULE | {"schedule_status": "revoked", "revoked_at": 1716000000}]},
        body=body_of({
            "customer_uid": or_null(CUSTOMER_UID_FIELD),
            "merchant_uid": {
                "description": Words("주문번호 하나 또는 배열", "One order number or a list of them"),
                "type": ["string", "array", "null"],
                "maxLength": subscribe.MERCHANT_UID_MAX,
                "items": {"type": "string", "maxLength": subscribe.MERCHANT_UID_MAX},
                "maxItems": CALL_MAX,
            },
        }),
        body_example={"customer_uid": "gildong_0001_1234", "merchant_uid": ["order_2024_06"]},
        errors=(InvalidParameter, NothingToUnschedule),
    ),
    Operation(
        schedules.list_schedules, "GET", "/subscribe/payments/schedule", "schedules",
        Words("결제예약 목록", "List scheduled charges"),
        Words("기간 안의 결제예약을 조회합니다. from, to는 schedule_from, schedule_to로도 쓸 수 있습니다.",
              "Gives what is planned in a span. `from` and `to` may be called `schedule_from` and `schedule_to`."),
        ref("SchedulePage"), {"page": examples.page(examples.SCHEDULE)}, (*SPAN, FAILURES), refusals=BAD_SPAN,
    ),
    Operation(
        schedules.scheduled_charge, "GET", "/subscribe/payments/schedule/{merchant_uid}", "schedules",
        Words("결제예약 조회", "Give a scheduled charge"),
        Words("결제예약 한 건을 조회합니다.", "Gives one scheduled charge."),
        ref("Schedule"), {"planned": examples.SCHEDULE}, (MERCHANT_UID, FAILURES),
        errors=(ScheduleNotFound,), refusals=BAD_PATH,
    ),
    Operation(
        schedules.scheduled_charge, "PUT", "/subscribe/payments/schedule/{merchant_uid}", "schedules",
        Words("결제예약 시각 변경", "Move a scheduled charge"),
        Words("대기 중인 예약의 시각을 바꿉니다.", "Changes when a charge that waits is to be made."),
        ref("Schedule"), {"planned": examples.SCHEDULE}, (MERCHANT_UID,),
        body=TIME_BODY, body_example={"schedule_at": 1717200000},
        errors=(ScheduleNotFound, ScheduleNotChangeable), refusals=(BAD_TIME, _otherwise(400, InvalidParameter)),
    ),
    Operation(
        schedules.scheduled_charge, "POST", "/subscribe/payments/schedule/{merchant_uid}/reschedule", "schedules",
        Words("다시 예약", "Schedule anew"),
        Words("실패했거나 철회된 예약을 새 시각으로 다시 예약합니다.", "Schedules anew what failed or was revoked."),
        ref("Schedule"), {"planned": examples.SCHEDULE}, (MERCHANT_UID,),
        body=TIME_BODY, body_example={"schedule_at": 1717200000},
        errors=(ScheduleNotFound, ScheduleNotChangeable), refusals=(BAD_TIME, _otherwise(400, InvalidParameter)),
    ),
    Operation(
        schedules.scheduled_charge, "POST", "/subscribe/payments/schedule/{merchant_uid}/retry", "schedules",
        Words("지금 다시 결제", "Charge again at once"),
        Words("실패했거나 철회된 예약을 지금 결제합니다. 결제되었는지는 response.status가 말합니다.",
              "Charges at once what failed or was revoked; whether it paid says `response.status`."),
        ref("Payment"), PAID_OR_NOT, (MERCHANT_UID,),
        errors=(ScheduleNotFound, ScheduleNotChangeable, *CHARGING),
        refusals=(_otherwise(404, BillingKeyNotFound), _otherwise(400, MerchantUidUsed),
                  _otherwise(400, InvalidParameter)),
    ),
    _schedules_of(schedules.scheduled_charge, "/subscribe/payments/schedule/customers/{customer_uid}"),
    _schedules_of(subscribe.customer, "/subscribe/customers/{customer_uid}/schedules"),
    *(
        operation
        for path, everything, one, ko, en in (
            ("/cards", codes.list_cards, codes.get_card, "카드사", "card company"),
            ("/banks", codes.list_banks, codes.get_bank, "은행", "bank"),
        )
        for operation in (
            Operation(
                everything, "GET", path, "codes", Words(f"{ko} 코드 목록", f"List every {en}"),
                Words(f"{ko}의 코드와 이름을 모두 조회합니다.", f"Gives code and name of every {en}."),
                _array(ref("Code")), {"codes": [examples.CODE]},
            ),
            Operation(
                one, "GET", path + "/{code}", "codes", Words(f"{ko} 코드 조회", f"Give one {en}"),
                Words(f"{ko}의 이름을 조회합니다.", f"Gives the name of one {en}."),
                ref("Code"), {"code": examples.CODE}, (in_path("code", text("코드", "Code"), "366"),),
                refusals=(NO_SUCH_CODE,),
            ),
        )
    ),
)  # fmt: skip

SUBJECTS = {
    "certifications": Words("본인인증", "Identity check"),
    "escrows": Words("에스크로 배송정보", "Delivery of an escrow payment"),
    "receipts": Words("현금영수증", "Cash receipt"),
    "partners": Words("현금영수증", "Cash receipt"),
    "vbanks": Words("가상계좌", "Virtual account"),
    "kakao": Words("카카오페이 주문내역", "KakaoPay's list of orders"),
    "tiers": Words("하위상점", "Sub-merchant"),
    "subscribe": Words("해외카드 결제", "Charge of a foreign card"),
    "payco": Words("페이코", "PAYCO"),
    "paymentwall": Words("페이먼트월", "Paymentwall"),
    "cvs": Words("편의점 결제", "Payment in a convenience store"),
    "benepia": Words("베네피아", "Benepia"),
    "kcpquick": Words("KCP 퀵페이", "KCP Quick Pay"),
    "payments": Words("네이버페이", "Naver Pay"),
    "naver": Words("네이버페이", "Naver Pay"),
}
"""What the calls that belong to other PGs are about, by the first part of their path."""
PARTS = {
    "imp_uid": IMP_UID,
    "merchant_uid": MERCHANT_UID,
    "tier_code": in_path("tier_code", text("하위상점 코드", "Code of the sub-merchant"), "ABC"),
    "rest": in_path("rest", text("나머지 주소", "The rest of the address"), "orders"),
}
OF_OTHERS = Words(
    "다른 PG사의 기능입니다. 보낸 것을 읽거나 저장하지 않고, 지원하지 않는다고 답합니다.",
    "Belongs to other PGs. Nothing that is sent is read or kept; the answer says that it is not supported.",
)


def _of_others(entry: unsupported.UnsupportedEndpoint, handler: Any) -> tuple[Operation, ...]:
    path = entry.path.replace(":str}", "}").replace(":path}", "}")
    known = (_bad(*entry.if_payment_exists),) if entry.if_payment_exists else ()
    return tuple(
        Operation(
            handler, method.value, path, "other PGs", SUBJECTS[path.split("/")[1]], OF_OTHERS, None, {},
            tuple(part for name, part in PARTS.items() if f"{{{name}}}" in path),
            refusals=(_bad(entry.status, entry.message), *known),
        )
        for method in entry.methods
    )  # fmt: skip


OPERATIONS: tuple[Operation, ...] = OWN + tuple(
    operation
    for entry, handler in zip(unsupported.TABLE, unsupported.HANDLERS, strict=True)
    for operation in _of_others(entry, handler)
)
