"""The calls about payments, cancels and registered amounts."""

from __future__ import annotations

from typing import Any

from maedal.merchants.errors import ChannelMisconfigured, ChannelNotFound
from maedal.payments.errors import (
    AlreadyCancelled,
    AlreadyPrepared,
    CancelBusy,
    CancelRefused,
    CancelTooMuch,
    ChecksumMismatch,
    InvalidParameter,
    NothingToCancel,
    NotPrepared,
    OutcomeUnknown,
    PaymentNotFound,
    PgTidMissing,
)
from maedal.payments.money import AMOUNT_MAX
from maedal.rest import pages, payments, prepare, subscribe
from maedal.rest.api_document import examples
from maedal.rest.api_document.operation import Operation, body_of, in_path, in_query
from maedal.rest.api_document.parameters import (
    BAD_PAGE,
    BAD_PATH,
    BAD_SORTING,
    BAD_STATUS,
    BAD_TIMES,
    FAILURES,
    IMP_UID,
    MERCHANT_UID,
    PAGE,
    SORTING,
    TAX_FREE,
    array,
    bad,
    seconds,
)
from maedal.rest.api_document.schemas import PAYMENT_STATUSES, Schema, flag, listed, or_null, ref, text, whole
from maedal.rest.api_document.words import Words
from maedal.rest.pages import IDS_MAX

STATUS_IN_PATH = in_path(
    "payment_status",
    text("결제 상태. all은 모든 상태.", "Status; `all` is any.", enum=["all", *PAYMENT_STATUSES]),
    "paid",
)
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

FIND = Words(
    "주문번호의 결제 한 건을 조회합니다. 여러 건이면 정렬 순서의 첫 번째, 보통 가장 최근 결제입니다.",
    "Gives one payment under an order number: the first in the order asked for, usually the newest.",
)
FIND_ALL = Words("주문번호의 모든 결제를 조회합니다.", "Gives every payment under an order number.")


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


OF_PAYMENTS: tuple[Operation, ...] = (
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
        array(ref("Payment")), {"payments": [examples.PAYMENT]},
        (in_query("imp_uid[]", listed({"type": "string"}, "거래 고유번호", "The gateway's ids"), ["imps_104233019873"]),
         in_query("merchant_uid[]", listed({"type": "string"}, "가맹점 주문번호", "Order numbers")), FAILURES),
        errors=(PaymentNotFound,),
        refusals=(bad(400, pages.TOO_MANY_IDS.format(names="imp_uid, merchant_uid", most=IDS_MAX)),),
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
        refusals=(bad(400, payments.NO_MERCHANT_UID),),
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
         seconds("from", "조회 시작, UNIX 초. 없으면 to의 90일 전.",
                  "Begin, Unix seconds; 90 days before `to` if absent."),
         seconds("to", "조회 끝, UNIX 초. 없으면 지금.", "End, Unix seconds; now if absent."), SORTING, *PAGE,
         FAILURES),
        refusals=(BAD_STATUS, BAD_SORTING, *BAD_PAGE, *BAD_TIMES, bad(400, payments.BAD_SPAN)),
    ),
    Operation(
        payments.get_balance, "GET", "/payments/{imp_uid}/balance", "payments",
        Words("결제 금액 상세", "A payment's balance"),
        Words("카카오페이는 지원하지 않습니다.", "KakaoPay does not have this."), None, {}, (IMP_UID,),
        refusals=(bad(404, payments.NO_BALANCE),),
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
)  # fmt: skip
