"""What answers about plans hold, and an example of each."""

from __future__ import annotations

from typing import Any

from maedal.plans.calendar import IntervalUnit
from maedal.plans.plan import ConsentKind, OccurrenceState, PauseReason, PlanStatus
from maedal.rest.api_document.schemas import (
    BUYER,
    CURRENCY,
    Schema,
    flag,
    listed,
    moment,
    or_null,
    record,
    ref,
    text,
    whole,
)


def day(ko: str, en: str, **more: Any) -> Schema:
    """Return the schema of a Korean day."""
    return text(f"{ko} 한국 날짜, 예: 2028-02-29.", f"{en} A Korean day, like 2028-02-29.", maxLength=10, **more)


PRICE: dict[str, Schema] = {
    "amount": whole("금액(원)", "Amount in whole won", minimum=1),
    "tax_free": whole("면세금액(원)", "The part without tax, in whole won", minimum=0),
}
AMOUNT_CHANGE = record(
    "예정된 금액 변경",
    "A change of the amount that is to come",
    {"from_on": day("이날부터.", "From this day on."), **PRICE},
)
PLAN = record(
    "정기결제",
    "A plan",
    {
        "plan_uid": text("가맹점이 정한 번호", "The merchant's name of the plan", maxLength=31),
        "customer_uid": text("결제할 빌링키를 가리키는 값", "The merchant's name of the billing key that is charged"),
        "status": text("active 진행, paused 일시정지, ended 종료", "Whether it goes on",
                       enum=[s.value for s in PlanStatus]),
        "pause_reason": or_null(
            text(
                "asked 요청, consent 무료 체험이 끝났고 동의가 없음",
                "`asked`, or `consent`: the trial is over and the buyer has not agreed to pay",
                enum=[reason.value for reason in PauseReason],
            )
        ),
        "resumes_on": or_null(day("일시정지가 풀리는 날.", "When a pause ends by itself.")),
        "name": text("주문명", "Name of the orders"),
        **PRICE,
        "currency": CURRENCY,
        **BUYER,
        "custom_data": or_null(text("결제에 그대로 붙는 값", "Kept with each payment as it is")),
        "notice_url": or_null(text("웹훅 주소", "Address for the webhooks of its payments")),
        "interval_unit": text("주기의 단위", "Unit of the interval", enum=[unit.value for unit in IntervalUnit]),
        "interval_count": whole("주기", "How many of them lie between two occurrences", minimum=1),
        "anchor_day": or_null(
            whole("기준일. 짧은 달은 말일. 주·일 단위는 null.",
                  "Day of the month; the last one of a shorter month. Null for weeks and days.", minimum=1, maximum=31)
        ),
        "starts_on": day("이날 이후 첫 회차.", "Its first day is this one or later."),
        "trial_until": or_null(day("이날 전의 회차는 무료.", "Days before this one are free.")),
        "ends_on": or_null(day("이날까지.", "Its last day is this one or earlier.")),
        "not_before": text("결제 시각(한국), 예: 09:00", "Hour of the charge, Korean, like 09:00", maxLength=5),
        "business_day": flag("휴일이면 다음 영업일", "Whether a holiday moves the charge to the next business day"),
        "next_on": or_null(day("다음 회차. 진행 중이 아니면 null.", "The next day; null unless it is active.")),
        "next_merchant_uid": or_null(
            text("다음 회차의 주문번호(plan_uid와 날짜)", "Order number of the next one: plan_uid and its day")
        ),
        "next_charge_at": moment("다음 결제 시각.", "When it is charged next."),
        "next_amount": or_null(whole("다음 결제금액(원)", "What it charges next, in whole won")),
        "changes": listed(AMOUNT_CHANGE, "예정된 금액 변경", "Changes of the amount that are to come"),
        "skips": listed({"type": "string"}, "건너뛸 회차", "Days that are skipped"),
        "needs_consent_on": or_null(
            day("이날 적용되어야 하지만 구매자의 동의가 아직 없음.",
                "Something would take effect here that the buyer has not agreed to.")
        ),
        "created_at": moment("만든 시각.", "When it was made."),
        "updated_at": moment("바뀐 시각.", "When it changed."),
    },
)  # fmt: skip
OCCURRENCE = record(
    "정기결제의 한 회차",
    "One day of a plan",
    {
        "on": day("기준일의 회차.", "The day before it is moved."),
        "state": text(
            "scheduled 예약, free 무료, skipped 건너뜀, revoked 철회, blocked 주문번호가 이미 쓰여 예약하지 못함",
            "What became of it; `blocked`: its order number was used for something else, so nothing was scheduled",
            enum=[state.value for state in OccurrenceState],
        ),
        "merchant_uid": or_null(text("결제예약의 주문번호", "Order number of its scheduled charge")),
        "charge_on": or_null(day("결제하는 날.", "When it is charged.")),
        "charge_at": moment("결제 시각.", "When it is charged."),
        "amount": or_null(whole("금액(원)", "Amount in whole won")),
        "tax_free": or_null(whole("면세금액(원)", "The part without tax, in whole won")),
        "lacks_consent": flag("구매자의 동의가 없음",
        "Whether the buyer has not agreed to something that would take effect"),
    },
)  # fmt: skip
CONSENT = record(
    "구매자의 동의",
    "What a buyer agreed to",
    {
        "id": text("번호", "Its id"),
        "kind": text("price_rise 인상, trial_end 유료 전환", "To what", enum=[kind.value for kind in ConsentKind]),
        "amount": whole("동의한 금액(원)", "Up to which amount, in whole won", minimum=1),
        "agreed_at": moment("동의한 시각.", "When the buyer agreed."),
        "proof": text("증빙", "How it is proved"),
        "recorded_by": text("기록한 사람", "Who recorded it"),
        "recorded_at": moment("기록한 시각.", "When it was recorded."),
    },
)
HOLIDAY = record(
    "휴일",
    "A holiday",
    {
        "on": day("날짜.", "The day."),
        "name": text("이름", "What it is"),
        "closed": flag("휴일이면 true, 영업일로 바꾼 날이면 false", "False for a day that was made a business day"),
        "own": flag("가맹점이 정한 날", "Whether it was set for this merchant"),
    },
)
HOLIDAYS = record(
    "한 해의 휴일",
    "The holidays of a year",
    {
        "year": whole("연도", "The year"),
        "as_of": day("공휴일 자료의 날짜.", "From when the country's days are."),
        "known_until": day(
            "이날까지의 공휴일이 발표됨. 그 뒤와 갑작스러운 임시공휴일은 직접 넣어야 함.",
            "Until when the country's calendar had been announced; temporary holidays since then are to be entered.",
        ),
        "holidays": listed(ref("Holiday"), "휴일", "The days"),
    },
)
PLAN_SCHEMAS: dict[str, Schema] = {
    "Plan": PLAN,
    "Occurrence": OCCURRENCE,
    "Consent": CONSENT,
    "Holiday": HOLIDAY,
    "Holidays": HOLIDAYS,
    "PlanPage": record(
        "정기결제 목록",
        "Some plans",
        {
            "list": listed(ref("Plan"), "정기결제", "The plans"),
            "next": or_null(text("다음 쪽의 after. 없으면 null.", "`after` of the next page; null on the last one")),
        },
    ),
    "KeyPage": record(
        "다음 결제가 없는 빌링키",
        "Billing keys without a next charge",
        {
            "list": listed({"type": "string"}, "customer_uid", "Their customer_uids"),
            "next": or_null(text("이어서 볼 after. 없으면 null.",
            "`after` to look further; null when all were looked through")),
        },
    ),
}  # fmt: skip

PLAN_EXAMPLE: dict[str, Any] = {
    "plan_uid": "gym-7",
    "customer_uid": "gildong_0001_1234",
    "status": "active",
    "pause_reason": None,
    "resumes_on": None,
    "name": "월간 이용권",
    "amount": 9900,
    "tax_free": 0,
    "currency": "KRW",
    "buyer_name": "홍길동",
    "buyer_email": None,
    "buyer_tel": None,
    "buyer_addr": None,
    "buyer_postcode": None,
    "custom_data": None,
    "notice_url": None,
    "interval_unit": "month",
    "interval_count": 1,
    "anchor_day": 31,
    "starts_on": "2027-12-31",
    "trial_until": None,
    "ends_on": None,
    "not_before": "09:00",
    "business_day": True,
    "next_on": "2028-04-30",
    "next_merchant_uid": "gym-7_20280430",
    "next_charge_at": 1840924800,
    "next_amount": 9900,
    "changes": [{"from_on": "2028-06-01", "amount": 12900, "tax_free": 0}],
    "skips": ["2028-05-31"],
    "needs_consent_on": "2028-06-30",
    "created_at": 1830297600,
    "updated_at": 1838246400,
}
OCCURRENCE_EXAMPLE = {
    "on": "2028-04-30",
    "state": "scheduled",
    "merchant_uid": "gym-7_20280430",
    "charge_on": "2028-05-03",
    "charge_at": 1840924800,
    "amount": 9900,
    "tax_free": 0,
    "lacks_consent": False,
}
CONSENT_EXAMPLE = {
    "id": "01k0000000000000000000000a",
    "kind": "price_rise",
    "amount": 12900,
    "agreed_at": 1843000000,
    "proof": "5월 27일 인상 안내 메일의 동의 버튼",
    "recorded_by": "REST API",
    "recorded_at": 1843000060,
}
HOLIDAY_EXAMPLE = {"on": "2028-05-01", "name": "노동절", "closed": True, "own": False}
