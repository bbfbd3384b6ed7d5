"""The calls about scheduled charges."""

from __future__ import annotations

from typing import Any

from maedal.billing_keys.errors import BillingKeyNotFound
from maedal.payments.errors import InvalidParameter, MerchantUidUsed
from maedal.rest import pages, schedule_lists, schedules, subscribe
from maedal.rest.api_document import examples
from maedal.rest.api_document.operation import Operation, body_of, in_query
from maedal.rest.api_document.parameters import (
    BAD_PAGE,
    BAD_PATH,
    BAD_SORTING,
    BAD_STATUS,
    BAD_TIMES,
    CHARGING,
    CUSTOMER_UID,
    CUSTOMER_UID_FIELD,
    FAILURES,
    MERCHANT_UID,
    NO_KEY_IN,
    ORDER,
    PAGE,
    PAID_OR_NOT,
    array,
    bad,
    otherwise,
    seconds,
)
from maedal.rest.api_document.schemas import listed, or_null, ref, text, whole
from maedal.rest.api_document.words import Words
from maedal.rest.errors import ApiRefusal
from maedal.rest.wire import EPOCH_MAX
from maedal.schedules.errors import (
    InvalidScheduleTime,
    MerchantUidScheduled,
    NothingToUnschedule,
    ScheduleNotChangeable,
    ScheduleNotFound,
)
from maedal.schedules.schedule import CALL_MAX, ScheduleStatus

SPAN = (
    seconds("from", "조회 시작, UNIX 초. 이 시각부터.", "Begin of the span, Unix seconds, included.", required=True,
             example=1717200000),
    seconds("to", "조회 끝, UNIX 초. 이 시각 전까지. 기간은 3개월 이내.",
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
SCHEDULE_AT = whole("결제할 시각, UNIX 초", "When to charge, Unix seconds", minimum=0, maximum=EPOCH_MAX)
TIME_BODY = body_of({"schedule_at": SCHEDULE_AT}, "schedule_at")
BAD_SPAN = (
    bad(400, schedule_lists.NO_SPAN),
    bad(400, schedule_lists.BAD_SPAN),
    *BAD_TIMES,
    bad(400, pages.bad_moment("schedule_from")),
    bad(400, pages.bad_moment("schedule_to")),
    BAD_STATUS,
    BAD_SORTING,
    *BAD_PAGE,
)
BAD_TIME = otherwise(400, InvalidScheduleTime)
SCHEDULES_OF = Words(
    "구매자의 결제예약을 기간으로 조회합니다. 없는 구매자는 빈 목록입니다.",
    "Gives a customer's scheduled charges in a span; an unknown customer has none.",
)


def _schedules_of(handler: Any, path: str) -> Operation:
    return Operation(
        handler, "GET", path, "schedules",
        Words("구매자의 결제예약 목록", "A customer's scheduled charges"), SCHEDULES_OF,
        ref("SchedulePage"), {"page": examples.page(examples.SCHEDULE)}, (CUSTOMER_UID, *SPAN, FAILURES),
        # A path that is no UTF-8 is refused like any other parameter, here with another status than beside it.
        errors=(InvalidParameter,) if handler is subscribe.customer else (),
        refusals=BAD_SPAN if handler is subscribe.customer else (*BAD_PATH, *BAD_SPAN),
    )  # fmt: skip


OF_SCHEDULES: tuple[Operation, ...] = (
    Operation(
        schedules.schedule, "POST", "/subscribe/payments/schedule", "schedules",
        Words("결제 예약", "Schedule charges"),
        Words("구매자의 결제를 예약합니다. 전부 예약되거나 하나도 예약되지 않습니다. 결과는 웹훅으로 알립니다.",
              "Schedules charges of one customer, all or none. What becomes of them is told by webhook."),
        array(ref("Schedule")), {"planned": [examples.SCHEDULE]},
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
        array(ref("Schedule")),
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
        errors=(ScheduleNotFound, ScheduleNotChangeable), refusals=(BAD_TIME, otherwise(400, InvalidParameter)),
    ),
    Operation(
        schedules.scheduled_charge, "POST", "/subscribe/payments/schedule/{merchant_uid}/reschedule", "schedules",
        Words("다시 예약", "Schedule anew"),
        Words("실패했거나 철회된 예약을 새 시각으로 다시 예약합니다.", "Schedules anew what failed or was revoked."),
        ref("Schedule"), {"planned": examples.SCHEDULE}, (MERCHANT_UID,),
        body=TIME_BODY, body_example={"schedule_at": 1717200000},
        errors=(ScheduleNotFound, ScheduleNotChangeable), refusals=(BAD_TIME, otherwise(400, InvalidParameter)),
    ),
    Operation(
        schedules.scheduled_charge, "POST", "/subscribe/payments/schedule/{merchant_uid}/retry", "schedules",
        Words("지금 다시 결제", "Charge again at once"),
        Words("실패했거나 철회된 예약을 지금 결제합니다. 결제되었는지는 response.status가 말합니다.",
              "Charges at once what failed or was revoked; whether it paid says `response.status`."),
        ref("Payment"), PAID_OR_NOT, (MERCHANT_UID,),
        errors=(ScheduleNotFound, ScheduleNotChangeable, *CHARGING),
        refusals=(otherwise(404, BillingKeyNotFound), otherwise(400, MerchantUidUsed),
                  otherwise(400, InvalidParameter)),
    ),
    _schedules_of(schedules.scheduled_charge, "/subscribe/payments/schedule/customers/{customer_uid}"),
    _schedules_of(subscribe.customer, "/subscribe/customers/{customer_uid}/schedules"),
)  # fmt: skip
