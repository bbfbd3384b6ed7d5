"""/maedal/v1/plans: charges that come again by themselves, in the envelope of PortOne V1, which has none of this."""

from __future__ import annotations

import re
from datetime import timedelta

from litestar import Response, delete, get, post
from litestar.params import FromPath

from maedal.flows.korean_holidays import AS_OF, holidays_of, known_until
from maedal.flows.make_plan import create_plan
from maedal.flows.manage_plans import (
    PROOF_MAX,
    change_amount,
    change_plan,
    end_plan,
    find_plan,
    keep_consent,
    pause_plan,
    resume_plan,
    skip_occurrence,
)
from maedal.flows.run_plans import CONSENTS_MAX, rule_of
from maedal.flows.set_holidays import drop_holiday, set_holiday
from maedal.payments.errors import InvalidParameter
from maedal.payments.money import AMOUNT_MAX
from maedal.plans.calendar import korean_day
from maedal.plans.errors import PlanNotFound
from maedal.plans.holiday import NAME_MAX
from maedal.plans.plan import PlanStatus
from maedal.plans.planning import ahead
from maedal.rest.context import AnyRequest, context_of
from maedal.rest.decoding import MISSING, Fields, decode_body
from maedal.rest.envelope import success
from maedal.rest.errors import ApiRefusal
from maedal.rest.language import Bilingual, Language, language_of
from maedal.rest.pages import LIMIT_DEFAULT, UNKNOWN_STATUS, read_number
from maedal.rest.plan_fields import (
    ahead_object,
    consent_object,
    day_of,
    holiday_object,
    needed_day,
    occurrence_object,
    plan_object,
    read_change,
    read_day,
    read_moment,
    read_new_plan,
    read_price,
    read_reason,
)
from maedal.rest.subscribe import CUSTOMER_UID_MAX
from maedal.storage.plans.reads import PlanFilter

PLANS_MAX, AHEAD_DEFAULT, AHEAD_MAX = 100, 12, 100
LOOKED_THROUGH = 1_000
"""So many billing keys are looked through by one call; the next one goes on where it ended."""
NOTICE_DAYS, NOTICE_DAYS_MAX = 30, 366
YEAR_MIN, YEAR_MAX = 2024, 2099
BAD_PLACE = Bilingual("after 파라메터가 올바르지 않습니다.", "after is none that a list has given.")
BAD_YEAR = Bilingual(
    "year 파라메터는 {first}~{last} 사이의 연도여야 합니다.", "year must be one from {first} to {last}."
)
_PLACE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.(.{1,40})", re.ASCII)


@post("/maedal/v1/plans", status_code=200)
async def create(request: AnyRequest) -> Response[bytes]:
    """Make a plan, and schedule its first occurrence."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    body = decode_body(request.headers.get("content-type", ""), await request.body())
    new = read_new_plan(body, korean_day(services.clock.now()))
    return success(plan_object(await create_plan(services, merchant_id, new)))


@get("/maedal/v1/plans")
async def list_plans(request: AnyRequest) -> Response[bytes]:
    """Give a page of the merchant's plans, the newest first."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    status = request.query_params.get("status", "")
    if status and status not in set(PlanStatus):
        raise ApiRefusal(400, -1, UNKNOWN_STATUS)
    customer_uid = (request.query_params.get("customer_uid") or "").replace("\0", "") or None
    limit = read_number(request.query_params.get("limit"), "limit", LIMIT_DEFAULT, PLANS_MAX)
    after = request.query_params.get("after")
    place = None
    if after:
        try:
            last = await find_plan(services, merchant_id, after)
        except PlanNotFound as error:
            raise ApiRefusal(400, -1, BAD_PLACE) from error
        place = (last.created_at, last.plan_uid)
    wanted = PlanFilter(PlanStatus(status) if status else None, customer_uid, after=place)
    page = await services.store.plans.page(merchant_id, wanted, limit)
    following = page.plans[-1].plan_uid if page.go_on is not None and page.plans else None
    return success({"list": [plan_object(plan) for plan in page.plans], "next": following})


@get("/maedal/v1/plans/{plan_uid:str}")
async def give(request: AnyRequest, plan_uid: FromPath[str]) -> Response[bytes]:
    """Give one plan."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    return success(plan_object(await find_plan(services, merchant_id, plan_uid)))


@post("/maedal/v1/plans/{plan_uid:str}", status_code=200)
async def change(request: AnyRequest, plan_uid: FromPath[str]) -> Response[bytes]:
    """Change what the body names of a plan, from its next occurrence on."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    wanted = read_change(decode_body(request.headers.get("content-type", ""), await request.body()))
    return success(plan_object(await change_plan(services, merchant_id, plan_uid, wanted)))


@post("/maedal/v1/plans/{plan_uid:str}/pause", status_code=200)
async def pause(request: AnyRequest, plan_uid: FromPath[str]) -> Response[bytes]:
    """Pause a plan, until it is resumed or until a day."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    fields = Fields(decode_body(request.headers.get("content-type", ""), await request.body()))
    resumes_on, reason = read_day(fields, "resumes_on"), read_reason(fields)
    return success(plan_object(await pause_plan(services, merchant_id, plan_uid, resumes_on, reason=reason)))


@post("/maedal/v1/plans/{plan_uid:str}/resume", status_code=200)
async def resume(request: AnyRequest, plan_uid: FromPath[str]) -> Response[bytes]:
    """Let a paused plan go on."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    return success(plan_object(await resume_plan(services, merchant_id, plan_uid)))


@post("/maedal/v1/plans/{plan_uid:str}/skip", status_code=200)
async def skip(request: AnyRequest, plan_uid: FromPath[str]) -> Response[bytes]:
    """Charge nothing for one day of a plan."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    fields = Fields(decode_body(request.headers.get("content-type", ""), await request.body()))
    on, reason = read_day(fields, "on"), read_reason(fields)
    return success(plan_object(await skip_occurrence(services, merchant_id, plan_uid, on, reason=reason)))


@post("/maedal/v1/plans/{plan_uid:str}/amount", status_code=200)
async def amount(request: AnyRequest, plan_uid: FromPath[str]) -> Response[bytes]:
    """Let a plan cost something else from a day on; without an amount, take back what was to change on that day."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    fields = Fields(decode_body(request.headers.get("content-type", ""), await request.body()))
    from_on, price, reason = needed_day(fields, "from_on"), read_price(fields), read_reason(fields)
    return success(plan_object(await change_amount(services, merchant_id, plan_uid, from_on, price, reason=reason)))


@post("/maedal/v1/plans/{plan_uid:str}/consents", status_code=200)
async def consent(request: AnyRequest, plan_uid: FromPath[str]) -> Response[bytes]:
    """Keep what the buyer of a plan agreed to."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    fields = Fields(decode_body(request.headers.get("content-type", ""), await request.body()))
    kind = fields.needed_text("kind", longest=20)
    agreed_to = fields.needed_whole("amount", least=1, most=AMOUNT_MAX)
    agreed_at = read_moment(fields, "agreed_at")
    proof = fields.needed_text("proof", longest=PROOF_MAX)
    if agreed_at is None:
        raise InvalidParameter("agreed_at", MISSING.format(name="agreed_at"))
    return success(plan_object(await keep_consent(services, merchant_id, plan_uid, kind, agreed_to, agreed_at, proof)))


@get("/maedal/v1/plans/{plan_uid:str}/consents")
async def list_consents(request: AnyRequest, plan_uid: FromPath[str]) -> Response[bytes]:
    """Give what the buyer of a plan agreed to, the newest first."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    await find_plan(services, merchant_id, plan_uid)
    found = await services.store.plans.consents(merchant_id, plan_uid, CONSENTS_MAX)
    return success([consent_object(one) for one in found])


@post("/maedal/v1/plans/{plan_uid:str}/end", status_code=200)
async def end(request: AnyRequest, plan_uid: FromPath[str]) -> Response[bytes]:
    """End a plan for good."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    reason = read_reason(Fields(decode_body(request.headers.get("content-type", ""), await request.body())))
    return success(plan_object(await end_plan(services, merchant_id, plan_uid, reason=reason)))


@get("/maedal/v1/plans/{plan_uid:str}/occurrences")
async def list_occurrences(request: AnyRequest, plan_uid: FromPath[str]) -> Response[bytes]:
    """Give the days of a plan that were scheduled or passed, the latest first."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    limit = read_number(request.query_params.get("limit"), "limit", LIMIT_DEFAULT, PLANS_MAX)
    text = request.query_params.get("before")
    before = day_of(text, "before") if text else None
    plan = await find_plan(services, merchant_id, plan_uid)
    found = await services.store.plans.occurrences(merchant_id, plan_uid, before, limit)
    return success([occurrence_object(plan, one) for one in found])


@get("/maedal/v1/plans/{plan_uid:str}/ahead")
async def list_ahead(request: AnyRequest, plan_uid: FromPath[str]) -> Response[bytes]:
    """Give the next days of a plan, as they look now."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    count = read_number(request.query_params.get("limit"), "limit", AHEAD_DEFAULT, AHEAD_MAX)
    plan = await find_plan(services, merchant_id, plan_uid)
    consents = await services.store.plans.consents(merchant_id, plan_uid, CONSENTS_MAX)
    today = korean_day(services.clock.now())
    found = ahead(plan, count, consents, await rule_of(services, merchant_id), today)
    return success([ahead_object(plan, one) for one in found])


@get("/maedal/v1/plan-notices")
async def list_notices(request: AnyRequest) -> Response[bytes]:
    """Give the plans whose buyers have not agreed to what takes effect soon, the soonest first."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    days = read_number(request.query_params.get("days"), "days", NOTICE_DAYS, NOTICE_DAYS_MAX)
    limit = read_number(request.query_params.get("limit"), "limit", LIMIT_DEFAULT, PLANS_MAX)
    text = request.query_params.get("after")
    place = None
    if text:
        found = _PLACE.fullmatch(text)
        if found is None:
            raise ApiRefusal(400, -1, BAD_PLACE)
        place = (day_of(found[1], "after"), found[2])
    until = korean_day(services.clock.now()) + timedelta(days=days)
    plans = await services.store.plans.lacking_consent(merchant_id, until, place, limit)
    following = f"{plans[-1].needs_consent_on}.{plans[-1].plan_uid}" if len(plans) == limit else None
    return success({"list": [plan_object(plan) for plan in plans], "next": following})


@get("/maedal/v1/keys-without-charge")
async def list_keys_without_charge(request: AnyRequest) -> Response[bytes]:
    """Give living billing keys for which no charge is scheduled and no plan goes on, by customer_uid."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    after = request.query_params.get("after") or ""
    test_mode = request.query_params.get("test_mode") in {"true", "1"}
    if len(after) > CUSTOMER_UID_MAX or "\0" in after:
        raise ApiRefusal(400, -1, BAD_PLACE)
    found = await services.store.plans.keys_without_charge(merchant_id, after, LOOKED_THROUGH, test_mode=test_mode)
    return success({"list": [one.customer_uid for one in found.keys], "next": found.go_on})


@get("/maedal/v1/holidays")
async def list_holidays(request: AnyRequest) -> Response[bytes]:
    """Give the holidays of a year, with the merchant's own, and until when they are known."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    year = read_number(request.query_params.get("year"), "year", korean_day(services.clock.now()).year, YEAR_MAX)
    if year < YEAR_MIN:
        raise ApiRefusal(400, -1, BAD_YEAR.format(first=YEAR_MIN, last=YEAR_MAX))
    own = await services.store.plans.holidays(merchant_id)
    language = "ko" if language_of(request) is Language.KOREAN else "en_US"
    return success(
        {
            "year": year,
            "as_of": AS_OF.isoformat(),
            "known_until": known_until().isoformat(),
            "holidays": [holiday_object(one) for one in holidays_of(year, own, language)],
        }
    )


@post("/maedal/v1/holidays", status_code=200)
async def put_holiday(request: AnyRequest) -> Response[bytes]:
    """Make a day a holiday for the merchant, or with `closed` false a business day."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    body = decode_body(request.headers.get("content-type", ""), await request.body())
    fields = Fields(body)
    on, name = needed_day(fields, "on"), fields.needed_text("name", longest=NAME_MAX)
    closed = fields.flag("closed") if body.get("closed") is not None else True
    made = await set_holiday(services, merchant_id, on, name, closed=closed, who="REST API")
    return success({"on": made.on.isoformat(), "name": made.name, "closed": made.closed, "own": True})


@delete("/maedal/v1/holidays/{on:str}", status_code=200)
async def forget_holiday(request: AnyRequest, on: FromPath[str]) -> Response[bytes]:
    """Forget what was set for a day: it is again what the country says."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    day = day_of(on, "on")
    await drop_holiday(services, merchant_id, day, who="REST API")
    return success({"on": day.isoformat()})


HANDLERS = [
    create, list_plans, give, change, pause, resume, skip, amount, consent, list_consents, end, list_occurrences,
    list_ahead, list_notices, list_keys_without_charge, list_holidays, put_holiday, forget_holiday,
]  # fmt: skip
