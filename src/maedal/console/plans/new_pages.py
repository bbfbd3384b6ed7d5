"""A new plan."""

from __future__ import annotations

from collections.abc import Mapping

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.days import today
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.console.plans.forms import needed_day, typed_day, typed_hour, typed_number, typed_price
from maedal.console.plans.pages import plan_path
from maedal.errors import GatewayError
from maedal.flows.make_plan import NewPlan, create_plan
from maedal.operators.role import Permission
from maedal.payments.payment import Buyer
from maedal.plans.calendar import IntervalUnit, date_rule
from maedal.plans.plan import PLAN_UID_MAX

FIELDS = ("plan_uid", "customer_uid", "name", "amount", "tax_free", "interval_unit", "interval_count", "starts_on",
          "anchor_day", "trial_until", "ends_on", "not_before", "business_day", "buyer_name", "buyer_email",
          "buyer_tel")  # fmt: skip


@get("/merchants/{code:str}/plans/new", opt=requires(Permission.CHANGE_SCHEDULES))
async def new(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show the form; an address may name whose key is to be charged."""
    visit = visit_of(request)
    customer_uid = request.query_params.get("customer_uid", "").replace("\0", "")[:80]
    typed = dict.fromkeys(FIELDS, "") | {
        "customer_uid": customer_uid, "interval_unit": "month", "interval_count": "1", "not_before": "09:00",
        "starts_on": today(visit).isoformat(), "business_day": "on",
    }  # fmt: skip
    return await _page(visit, code, typed)


@post("/merchants/{code:str}/plans/new", opt=requires(Permission.CHANGE_SCHEDULES))
async def create(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Make it; sent twice, the second finds its plan_uid taken."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    try:
        made = await create_plan(visit.services, code, _read(visit), who=visit.present.operator.name)
    except GatewayError as error:
        typed = {name: visit.value(name) for name in FIELDS}
        return await _page(visit, code, typed, problem_of(visit, error))
    return redirect(visit, plan_path(code, made.plan_uid), visit.t("정기결제를 만들었습니다.", "The plan is made."))


def _read(visit: Visit) -> NewPlan:
    starts_on = needed_day(visit, "starts_on")
    count = typed_number(visit, "interval_count")
    unit = visit.value("interval_unit")
    anchor_day = typed_number(visit, "anchor_day")
    buyer = Buyer(*(visit.value(name)[:most] or None for name, most in (("buyer_name", 16), ("buyer_email", 64),
                                                                       ("buyer_tel", 16))))  # fmt: skip
    return NewPlan(
        plan_uid=visit.value("plan_uid"),
        customer_uid=visit.value("customer_uid"),
        name=visit.value("name")[:40] or visit.t("정기결제", "Subscription"),
        price=typed_price(visit),
        rule=date_rule(unit, 1 if count is None else count, starts_on, anchor_day),
        trial_until=typed_day(visit, "trial_until"),
        ends_on=typed_day(visit, "ends_on"),
        not_before=typed_hour(visit, "not_before"),
        moves_to_business_day=visit.value("business_day") == "on",
        buyer=buyer,
    )


async def _page(
    visit: Visit, code: str, typed: Mapping[str, str], problem: Mapping[str, str] | None = None
) -> Response[str]:
    return render(
        visit,
        "plans/new.html",
        status=422 if problem else 200,
        merchant=await merchant_of(visit, code),
        typed=typed,
        problem=problem,
        units=list(IntervalUnit),
        plan_uid_max=PLAN_UID_MAX,
    )


HANDLERS = [new, create]
