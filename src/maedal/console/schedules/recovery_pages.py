"""Recovery: when scheduled charges that failed are tried again, and what is planned."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.errors import GatewayError
from maedal.flows.recovery import set_rule
from maedal.operators.role import Permission
from maedal.payments.attempt import DeclineReason
from maedal.schedules.recovery import NEVER, read_waits, written

SHOWN_MAX = 50


@get("/merchants/{code:str}/recovery", opt=requires(Permission.SEE_SETTINGS))
async def recovery(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show the rules, and the tries that are planned."""
    return await _page(visit_of(request), code)


@post("/merchants/{code:str}/recovery", opt=requires(Permission.CHANGE_SETTINGS))
async def change(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Set the rule of one reason."""
    visit = visit_of(request)
    try:
        waits = read_waits(visit.value("after") or NEVER)
        await set_rule(visit.services, code, visit.value("reason"), waits, who=visit.present.operator.name)
    except GatewayError as error:
        return await _page(visit, code, error)
    return redirect(visit, f"/console/merchants/{code}/recovery", visit.t("저장했습니다.", "Saved."))


async def _page(visit: Visit, code: str, error: GatewayError | None = None) -> Response[str]:
    merchant = await merchant_of(visit, code)
    rules = {reason: written(waits) for reason in DeclineReason if (waits := merchant.recovery.get(reason))}
    typed = {} if error is None else {visit.value("reason"): visit.value("after")}
    return render(
        visit,
        "schedules/recovery.html",
        status=422 if error else 200,
        merchant=merchant,
        reasons=list(DeclineReason),
        rules=rules | typed,
        planned=await visit.services.store.schedules.next_tries(code, SHOWN_MAX),
        problem=None if error is None else problem_of(visit, error) | {"reason": visit.value("reason")},
    )


HANDLERS = [recovery, change]
