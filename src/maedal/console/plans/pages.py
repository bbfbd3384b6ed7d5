"""The list of plans, and one of them: its days, and everything that can be done to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.days import FIRST, LAST, day_name, moment_of, today
from maedal.console.frame.links import schedule_path
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.once import require_confirmation
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.console.plans.forms import needed_day, typed_day, typed_hour, typed_number, typed_price
from maedal.errors import GatewayError
from maedal.flows.korean_holidays import known_until
from maedal.flows.manage_plans import (
    PlanChange,
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
from maedal.operators.role import Permission
from maedal.payments.errors import InvalidParameter
from maedal.payments.money import AMOUNT_MAX
from maedal.plans.plan import ConsentKind, Plan, PlanStatus
from maedal.plans.planning import ahead
from maedal.storage.plans.reads import PlanFilter

SEE, CHANGE = requires(Permission.SEE_PAYMENTS), requires(Permission.CHANGE_SCHEDULES)
ROWS, DAYS_AHEAD, DAYS_BEHIND, AUDIT_ENTRIES_MAX = 50, 12, 24, 30
WORD_CHARS_MAX = 80
FIELDS = ("act", "name", "not_before", "business_day", "ends_on", "resumes_on", "reason", "on", "from_on", "amount",
          "tax_free", "kind", "agreed_at", "proof")  # fmt: skip


def plan_path(code: str, plan_uid: str) -> str:
    """Return the address of a plan's page; a plan_uid has no sign that an address would not take."""
    return f"/console/merchants/{code}/plans/one/{plan_uid}"


@get("/merchants/{code:str}/plans", opt=SEE)
async def plans(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """List plans, the newest first."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    query = request.query_params
    status, word = query.get("status", ""), query.get("word", "").replace("\0", "").strip()[:WORD_CHARS_MAX]
    wanted = PlanFilter(PlanStatus(status) if status in set(PlanStatus) else None, word=word, after=_place(query))
    page = await visit.reading.store.plans.page(code, wanted, ROWS)
    following = page.go_on and (page.go_on[0].isoformat(), page.go_on[1])

    def link(**changes: str) -> str:
        values = {"status": wanted.status or "", "word": word} | changes
        return f"{request.url.path}?{urlencode({name: value for name, value in values.items() if value})}"

    return render(
        visit,
        "plans/list.html",
        merchant=merchant,
        found=page.plans,
        wanted=wanted,
        statuses=list(PlanStatus),
        link=link,
        go_on=link(after=following[0], uid=following[1]) if following else "",
        one=lambda plan: plan_path(code, plan.plan_uid),
        day_name=lambda day: day_name(visit, day),
    )


def _place(query: Mapping[str, str]) -> tuple[datetime, str] | None:
    try:
        at = datetime.fromisoformat(query.get("after", ""))
    except ValueError:
        return None
    fine = at.tzinfo is not None and FIRST.year <= at.year <= LAST.year
    return (at, query.get("uid", "").replace("\0", "")) if fine else None


@get("/merchants/{code:str}/plans/one/{plan_uid:str}", opt=SEE)
async def plan(request: AnyRequest, code: FromPath[str], plan_uid: FromPath[str]) -> Response[str]:
    """Show a plan: what is agreed, its next days, those that were, the consents, and what can be done."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    return await _page(visit, await find_plan(visit.services, code, plan_uid))


async def _page(visit: Visit, found: Plan, problem: Mapping[str, str] | None = None) -> Response[str]:
    code, store, day = found.merchant_id, visit.services.store, today(visit)
    merchant = await merchant_of(visit, code)
    consents = await store.plans.consents(code, found.plan_uid, CONSENTS_MAX)
    keys = await store.billing_keys.living(code, [found.customer_uid])
    behind = await store.plans.occurrences(code, found.plan_uid, None, DAYS_BEHIND + 1)
    return render(
        visit,
        "plans/plan.html",
        status=422 if problem else 200,
        merchant=merchant,
        plan=found,
        key=keys[0] if keys else None,
        ahead=ahead(found, DAYS_AHEAD, consents, await rule_of(visit.services, code), day),
        behind=[one for one in behind if one.on < found.next_on][:DAYS_BEHIND],
        consents=consents,
        consent_kinds=list(ConsentKind),
        audit_entries=await store.audit.about(code, found.plan_uid, AUDIT_ENTRIES_MAX),
        here=plan_path(code, found.plan_uid),
        schedule_of=lambda on: schedule_path(code, found.merchant_uid(on)),
        day_name=lambda on: day_name(visit, on),
        known_until=known_until(),
        typed={name: visit.value(name) if problem else "" for name in FIELDS},
        problem=problem,
        today=day,
    )


@post("/merchants/{code:str}/plans/one/{plan_uid:str}", opt=CHANGE)
async def act(request: AnyRequest, code: FromPath[str], plan_uid: FromPath[str]) -> Response[str]:
    """Do to a plan what the form asks for."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    found = await find_plan(visit.services, code, plan_uid)
    name = visit.value("act")
    try:
        if name not in ACTS:
            raise InvalidParameter("act", "choose what to do")
        await ACTS[name](visit, found)
    except GatewayError as error:
        return await _page(visit, await find_plan(visit.services, code, plan_uid), problem_of(visit, error))
    return redirect(visit, plan_path(code, plan_uid), visit.t(*DONE[name]))


def _who(visit: Visit) -> str:
    return visit.present.operator.name


def _reason(visit: Visit) -> str:
    return visit.value("reason") or "-"


async def _change(visit: Visit, found: Plan) -> None:
    if not visit.value("name"):
        raise InvalidParameter("name", "name must be a text of 1 to 40 printable characters")
    change = PlanChange(
        name=visit.value("name")[:40],
        not_before=typed_hour(visit, "not_before"),
        moves_to_business_day=visit.value("business_day") == "on",
        sets_end=True,
        ends_on=typed_day(visit, "ends_on"),
    )
    await change_plan(visit.services, found.merchant_id, found.plan_uid, change, who=_who(visit))


async def _pause(visit: Visit, found: Plan) -> None:
    until = typed_day(visit, "resumes_on")
    await pause_plan(visit.services, found.merchant_id, found.plan_uid, until, who=_who(visit), reason=_reason(visit))


async def _resume(visit: Visit, found: Plan) -> None:
    await resume_plan(visit.services, found.merchant_id, found.plan_uid, who=_who(visit))


async def _skip(visit: Visit, found: Plan) -> None:
    # The form names the day that was shown: sent twice, it skips no second one.
    on = needed_day(visit, "on")
    await skip_occurrence(visit.services, found.merchant_id, found.plan_uid, on, who=_who(visit), reason=_reason(visit))


async def _amount(visit: Visit, found: Plan) -> None:
    await change_amount(
        visit.services,
        found.merchant_id,
        found.plan_uid,
        needed_day(visit, "from_on"),
        typed_price(visit),
        who=_who(visit),
        reason=_reason(visit),
    )


async def _drop_amount(visit: Visit, found: Plan) -> None:
    await change_amount(
        visit.services, found.merchant_id, found.plan_uid, needed_day(visit, "from_on"), None, who=_who(visit)
    )


async def _consent(visit: Visit, found: Plan) -> None:
    amount = typed_number(visit, "amount")
    if amount is None or not 0 < amount <= AMOUNT_MAX:
        raise InvalidParameter("amount", "amount must be greater than 0")
    agreed_at = moment_of(visit.value("agreed_at"))
    if agreed_at is None:
        raise InvalidParameter("agreed_at", "give a day and a time")
    await keep_consent(
        visit.services,
        found.merchant_id,
        found.plan_uid,
        visit.value("kind"),
        amount,
        agreed_at,
        visit.value("proof"),
        who=_who(visit),
    )


async def _end(visit: Visit, found: Plan) -> None:
    require_confirmation(visit)
    await end_plan(visit.services, found.merchant_id, found.plan_uid, who=_who(visit), reason=_reason(visit))


ACTS: Mapping[str, Callable[[Visit, Plan], Awaitable[None]]] = {
    "change": _change,
    "pause": _pause,
    "resume": _resume,
    "skip": _skip,
    "amount": _amount,
    "drop_amount": _drop_amount,
    "consent": _consent,
    "end": _end,
}
DONE = {
    "change": ("저장했습니다. 다음 회차부터 적용됩니다.", "Saved, from the next occurrence on."),
    "pause": ("일시정지했습니다. 예약된 회차를 철회했습니다.", "Paused. What was scheduled is taken back."),
    "resume": ("다시 시작했습니다.", "It goes on."),
    "skip": ("이 회차를 건너뜁니다.", "This day is skipped."),
    "amount": ("금액 변경을 저장했습니다.", "The change of the amount is saved."),
    "drop_amount": ("예정된 금액 변경을 취소했습니다.", "The change of the amount is taken back."),
    "consent": ("동의를 기록했습니다.", "The consent is recorded."),
    "end": ("종료했습니다. 더 결제하지 않습니다.", "Ended. Nothing more is charged."),
}
HANDLERS = [plans, plan, act]
