"""The calls about plans, holidays and keys without a next charge. PortOne V1 has none of them."""

from __future__ import annotations

from typing import Any

from maedal.billing_keys.errors import BillingKeyNotFound
from maedal.flows.manage_plans import PROOF_MAX
from maedal.payments.errors import InvalidParameter
from maedal.plans.errors import PlanNotChangeable, PlanNotFound, PlanUidTaken
from maedal.plans.holiday import NAME_MAX
from maedal.plans.plan import PLAN_UID_MAX, ConsentKind, PlanStatus
from maedal.rest import pages, plan_fields, plans, subscribe
from maedal.rest.api_document.operation import Operation, body_of, in_path, in_query
from maedal.rest.api_document.parameters import AMOUNT, CUSTOMER_UID_FIELD, ORDER, TAX_FREE, array, bad
from maedal.rest.api_document.plan_schemas import (
    CONSENT_EXAMPLE,
    HOLIDAY_EXAMPLE,
    OCCURRENCE_EXAMPLE,
    PLAN_EXAMPLE,
    day,
)
from maedal.rest.api_document.schemas import Schema, flag, or_null, ref, text, whole
from maedal.rest.api_document.words import Words
from maedal.rest.pages import LIMIT_DEFAULT
from maedal.rest.wire import EPOCH_MAX

PLAN_UID = in_path("plan_uid", text("가맹점이 정한 번호", "The merchant's name of the plan"), "gym-7")
REASON = or_null(text("이유. 감사 로그에 남음.", "Why; kept in the audit log.", maxLength=plan_fields.REASON_MAX))
HOUR = or_null(
    text("결제 시각(한국), 예: 09:00", "Hour of the charge, Korean, like 09:00", maxLength=plan_fields.HOUR_MAX)
)
NAME = {"name": ORDER["name"]}
BUYER = {name: ORDER[name] for name in ORDER if name.startswith("buyer_")}
NOTICE_URL = or_null(text("이 정기결제의 웹훅을 받을 주소", "Address for the webhooks of its payments",
                          maxLength=subscribe.URL_MAX))  # fmt: skip
BUSINESS_DAY = or_null(flag("휴일이면 다음 영업일에 결제", "Move the charge from a holiday to the next business day"))
ENDS_ON = or_null(day("이날까지.", "Its last day is this one or earlier."))
CHANGING = (InvalidParameter, PlanNotFound, PlanNotChangeable)


def limit(default: int, most: int) -> Schema:
    return in_query("limit", whole("최대 건수", "How many at most", minimum=0, maximum=most, default=default))


def after(ko: str, en: str, example: str) -> Schema:
    return in_query("after", text(ko, en), example)


BAD_LIMIT = bad(400, pages.bad_number("limit", plans.PLANS_MAX))
BAD_PLACE = bad(400, plans.BAD_PLACE)
PLAN_PAGE = {"page": {"list": [PLAN_EXAMPLE], "next": None}}


def _act(
    handler: Any, name: str, summary: Words, description: Words, fields: dict[str, Schema] | None, *needed: str,
    example: dict[str, Any] | None = None,
) -> Operation:  # fmt: skip
    return Operation(
        handler, "POST", f"/maedal/v1/plans/{{plan_uid}}{name}", "plans", summary, description, ref("Plan"),
        {"plan": PLAN_EXAMPLE}, (PLAN_UID,), body=None if fields is None else body_of(fields, *needed),
        body_example=example, errors=CHANGING,
    )  # fmt: skip


OF_PLANS: tuple[Operation, ...] = (
    Operation(
        plans.create, "POST", "/maedal/v1/plans", "plans",
        Words("정기결제 만들기", "Make a plan"),
        Words("빌링키를 정해진 날마다 결제합니다. 각 회차는 주문번호가 plan_uid와 날짜인 결제예약이며, 다음 회차 "
              "하나가 항상 "
              "예약되어 있습니다.",
              "Charges a billing key again and again. Each occurrence is a scheduled charge, whose order number is the "
              "plan_uid and its day; the next one is always scheduled."),
        ref("Plan"), {"plan": PLAN_EXAMPLE},
        body=body_of({
            "plan_uid": text("가맹점이 정한 번호. 영문자, 숫자, . _ -",
            "The merchant's name of the plan: letters, digits and . _ -",
                             minLength=1, maxLength=PLAN_UID_MAX),
            "customer_uid": CUSTOMER_UID_FIELD,
            "amount": AMOUNT,
            "tax_free": TAX_FREE,
            "currency": ORDER["currency"],
            "interval_unit": or_null(text("주기의 단위. 없으면 month.", "Unit of the interval; a month if left out",
                                          enum=["month", "week", "day", "year"])),
            "interval_count": or_null(whole("주기. 없으면 1.", "How many of them; 1 if left out", minimum=1)),
            "starts_on": or_null(day("시작일. 없으면 오늘.", "From when on; today if left out.")),
            "anchor_day": or_null(whole("기준일(월·년 단위). 없으면 시작일의 날. 짧은 달은 말일.",
                                        "Day of the month, for months and years; that of `starts_on` if left out",
                                        minimum=1, maximum=31)),
            "trial_until": or_null(day("이날 전의 회차는 무료.", "Days before this one are free.")),
            "ends_on": ENDS_ON,
            "not_before": HOUR,
            "business_day": BUSINESS_DAY,
            **NAME,
            **BUYER,
            "custom_data": ORDER["custom_data"],
            "notice_url": NOTICE_URL,
        }, "plan_uid", "customer_uid", "amount"),
        body_example={"plan_uid": "gym-7", "customer_uid": "gildong_0001_1234", "amount": 9900, "name": "월간 이용권",
                      "starts_on": "2027-12-31", "anchor_day": 31, "interval_unit": "month", "trial_until": None,
                      "ends_on": None, "not_before": "09:00", "business_day": True},
        errors=(InvalidParameter, BillingKeyNotFound, PlanUidTaken),
    ),
    Operation(
        plans.list_plans, "GET", "/maedal/v1/plans", "plans",
        Words("정기결제 목록", "List plans"),
        Words("정기결제를 최신순으로 조회합니다.", "Gives plans, the newest first."),
        ref("PlanPage"), PLAN_PAGE,
        (in_query("status", text("상태. 없으면 모두.", "Status; any if left out.", enum=[s.value for s in PlanStatus]),
                  "active"),
         in_query("customer_uid", text("구매자", "Whose"), "gildong_0001_1234"),
         limit(LIMIT_DEFAULT, plans.PLANS_MAX), after("앞 쪽의 next", "`next` of the page before", "gym-7")),
        refusals=(bad(400, pages.UNKNOWN_STATUS), BAD_LIMIT, BAD_PLACE),
    ),
    Operation(
        plans.give, "GET", "/maedal/v1/plans/{plan_uid}", "plans",
        Words("정기결제 조회", "Give a plan"), Words("한 건을 조회합니다.", "Gives one plan."),
        ref("Plan"), {"plan": PLAN_EXAMPLE}, (PLAN_UID,), errors=(PlanNotFound,),
    ),
    _act(
        plans.change, "", Words("정기결제 변경", "Change a plan"),
        Words("본문에 있는 것만 바꿉니다. 예약된 다음 회차부터 적용됩니다. ends_on이 null이면 종료일이 없어집니다.",
              "Changes what the body names, from the next occurrence on. A null `ends_on` takes the end away."),
        {**NAME, **BUYER, "not_before": HOUR, "business_day": BUSINESS_DAY, "ends_on": ENDS_ON,
         "notice_url": NOTICE_URL, "custom_data": ORDER["custom_data"]},
        example={"name": "연간 이용권", "not_before": "10:30", "ends_on": None},
    ),
    _act(
        plans.pause, "/pause", Words("일시정지", "Pause a plan"),
        Words("예약된 회차를 철회하고 다시 시작할 때까지 결제하지 않습니다. 이미 실패한 결제의 재시도는 계속됩니다.",
              "Takes back what is scheduled and charges nothing until it is resumed. A failed charge is tried "
              "again all "
              "the same."),
        {"resumes_on": or_null(day("이날 스스로 다시 시작.", "When it goes on by itself.")), "reason": REASON},
        example={"resumes_on": None, "reason": "여행"},
    ),
    _act(
        plans.resume, "/resume", Words("다시 시작", "Resume a plan"),
        Words("오늘 이후 첫 회차부터 결제합니다. 쉬는 동안의 회차는 결제하지 않습니다.",
              "Goes on with the first day that is charged from today on; the days of the pause are not charged."),
        None,
    ),
    _act(
        plans.skip, "/skip", Words("회차 건너뛰기", "Skip a day"),
        Words("한 회차를 결제하지 않습니다. on이 없으면 다음 회차입니다.",
              "Charges nothing for one day, the next one unless `on` names it."),
        {"on": or_null(day("건너뛸 회차.", "The day, before it is moved.")), "reason": REASON},
        example={"on": None, "reason": "배송 없음"},
    ),
    _act(
        plans.amount, "/amount", Words("금액 변경", "Change the amount"),
        Words("이날부터의 회차에 적용됩니다. 더 높은 금액은 구매자의 동의로부터 30일 안의 회차부터 적용되고, "
              "그때까지는 이전 금액을 "
              "결제합니다. amount가 없으면 그날의 예정된 변경을 취소합니다.",
              "From this day on. A higher amount takes effect with a day within the 30 days after the buyer's consent; "
              "until then the old one is charged. Without `amount` the change of that day is taken back."),
        {"from_on": day("이날부터.", "From this day on."),
         "amount": or_null(AMOUNT), "tax_free": TAX_FREE, "reason": REASON}, "from_on",
        example={"from_on": "2028-06-01", "amount": 12900, "tax_free": 0, "reason": "요금 인상"},
    ),
    _act(
        plans.consent, "/consents", Words("동의 기록", "Keep a consent"),
        Words("구매자가 인상 또는 유료 전환에 동의한 것을 기록합니다. 적용되는 날 전 30일 안의 동의만 유효합니다.",
              "Keeps that the buyer agreed to a higher amount, or to pay after a free trial. It counts for 30 days."),
        {"kind": text("price_rise 인상, trial_end 유료 전환", "To what", maxLength=20,
                      enum=[k.value for k in ConsentKind]),
         "amount": AMOUNT,
         "agreed_at": whole("동의한 시각, UNIX 초", "When, Unix seconds", minimum=0, maximum=EPOCH_MAX),
         "proof": text("증빙: 언제 어떤 화면이나 메일에서", "How it is proved: which page or mail",
                       maxLength=PROOF_MAX)},
        "kind", "amount", "agreed_at", "proof",
        example={"kind": "price_rise", "amount": 12900, "agreed_at": 1700000000, "proof": "인상 안내 메일의 동의 버튼"},
    ),
    Operation(
        plans.list_consents, "GET", "/maedal/v1/plans/{plan_uid}/consents", "plans",
        Words("동의 목록", "List consents"), Words("최근 20건.", "The newest 20."),
        array(ref("Consent")), {"consents": [CONSENT_EXAMPLE]}, (PLAN_UID,), errors=(PlanNotFound,),
    ),
    _act(
        plans.end, "/end", Words("종료", "End a plan"),
        Words("예약된 회차를 철회하고 더 결제하지 않습니다. 되돌릴 수 없습니다.",
              "Takes back what is scheduled and charges no more; for good."),
        {"reason": REASON}, example={"reason": "해지"},
    ),
    Operation(
        plans.list_occurrences, "GET", "/maedal/v1/plans/{plan_uid}/occurrences", "plans",
        Words("지난 회차", "List past days"),
        Words("예약했거나 지나간 회차를 늦은 것부터 조회합니다.",
              "Gives the days that were scheduled or passed, the latest first."),
        array(ref("Occurrence")), {"days": [OCCURRENCE_EXAMPLE]},
        (PLAN_UID, limit(LIMIT_DEFAULT, plans.PLANS_MAX),
         in_query("before", day("이날 전의 회차.", "Days before this one."), "2028-05-01")),
        errors=(PlanNotFound, InvalidParameter), refusals=(BAD_LIMIT,),
    ),
    Operation(
        plans.list_ahead, "GET", "/maedal/v1/plans/{plan_uid}/ahead", "plans",
        Words("다가올 회차", "List days to come"),
        Words("지금 기준으로 다가올 회차와 금액을 계산합니다.",
              "Calculates the next days and amounts, as they look now."),
        array(ref("Occurrence")), {"days": [OCCURRENCE_EXAMPLE]},
        (PLAN_UID, limit(plans.AHEAD_DEFAULT, plans.AHEAD_MAX)), errors=(PlanNotFound,), refusals=(BAD_LIMIT,),
    ),
    Operation(
        plans.list_notices, "GET", "/maedal/v1/plan-notices", "plans",
        Words("동의가 필요한 정기결제", "Plans that need a consent"),
        Words("곧 인상되거나 유료로 바뀌지만 구매자의 동의가 아직 없는 정기결제를 가까운 것부터 조회합니다.",
              "Gives plans that soon cost more, or begin to cost, without the buyer's consent, the soonest first."),
        ref("PlanPage"), PLAN_PAGE,
        (in_query("days", whole("며칠 안에", "Within how many days", minimum=0, maximum=plans.NOTICE_DAYS_MAX,
                                default=plans.NOTICE_DAYS)),
         limit(LIMIT_DEFAULT, plans.PLANS_MAX),
         after("앞 쪽의 next", "`next` of the page before", "2028-06-30.gym-7")),
        errors=(InvalidParameter,),
        refusals=(bad(400, pages.bad_number("days", plans.NOTICE_DAYS_MAX)), BAD_LIMIT, BAD_PLACE),
    ),
    Operation(
        plans.list_keys_without_charge, "GET", "/maedal/v1/keys-without-charge", "plans",
        Words("다음 결제가 없는 빌링키", "Keys without a next charge"),
        Words("살아 있지만 예약도 진행 중인 정기결제도 없는 빌링키를 찾습니다. 한 번에 1,000개씩 살펴봅니다.",
              "Finds living billing keys for which nothing is scheduled and no plan goes on; 1,000 are looked "
              "through at "
              "once."),
        ref("KeyPage"), {"keys": {"list": ["gildong_0001_1234"], "next": None}},
        (after("앞 응답의 next", "`next` of the answer before", "gildong_0001_1234"),
         in_query("test_mode", flag("테스트 채널의 빌링키", "Keys of test channels", default=False), True)),
        refusals=(BAD_PLACE,),
    ),
    Operation(
        plans.list_holidays, "GET", "/maedal/v1/holidays", "plans",
        Words("휴일", "Holidays"),
        Words("한국의 공휴일과 가맹점이 정한 날을 조회합니다.",
              "Gives Korea's public holidays and the merchant's own days."),
        ref("Holidays"),
        {"year": {"year": 2028, "as_of": "2026-11-17", "known_until": "2027-12-31", "holidays": [HOLIDAY_EXAMPLE]}},
        (in_query("year", whole("연도. 없으면 올해.", "The year; this one if left out", minimum=0,
                                maximum=plans.YEAR_MAX),
                  2028),),
        refusals=(bad(400, pages.bad_number("year", plans.YEAR_MAX)),
                  bad(400, plans.BAD_YEAR.format(first=plans.YEAR_MIN, last=plans.YEAR_MAX))),
    ),
    Operation(
        plans.put_holiday, "POST", "/maedal/v1/holidays", "plans",
        Words("휴일 정하기", "Set a holiday"),
        Words("임시공휴일 등을 더하거나(closed true), 공휴일을 영업일로 바꿉니다(closed false). 결제일이 바뀌는 "
              "예약은 바로 옮겨집니다.",
              "Adds a temporary holiday, or with `closed` false makes a holiday a business day. What is scheduled is "
              "moved at once."),
        ref("Holiday"), {"holiday": HOLIDAY_EXAMPLE | {"own": True}},
        body=body_of({
            "on": day("날짜.", "The day."),
            "name": text("이름과 출처", "What it is, and where that was announced", minLength=1, maxLength=NAME_MAX),
            "closed": or_null(flag("휴일인지. 없으면 true.", "Whether it is a holiday; true if left out")),
        }, "on", "name"),
        body_example={"on": "2028-09-15", "name": "임시공휴일(관보 제20000호)", "closed": True},
        errors=(InvalidParameter,),
    ),
    Operation(
        plans.forget_holiday, "DELETE", "/maedal/v1/holidays/{on}", "plans",
        Words("정한 휴일 지우기", "Forget a day"),
        Words("가맹점이 정한 것을 지웁니다. 그날은 다시 나라의 공휴일을 따릅니다.",
              "Forgets what was set for a day: it is again what the country says."),
        {"type": "object", "description": Words("지운 날", "The day"), "additionalProperties": False,
         "required": ["on"], "properties": {"on": day("날짜.", "The day.")}},
        {"day": {"on": "2028-09-15"}}, (in_path("on", day("날짜.", "The day."), "2028-09-15"),),
        errors=(InvalidParameter,),
    ),
)  # fmt: skip
