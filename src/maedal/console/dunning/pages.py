"""What buyers are told of unpaid charges, and which of them are open."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.dunning.unpaid import DAYS_MAX, read_days
from maedal.errors import GatewayError
from maedal.flows.dunning import USUAL_DAYS, set_dunning
from maedal.operators.role import Permission

OPEN_MAX = 100


@get("/merchants/{code:str}/dunning", opt=requires(Permission.SEE_SETTINGS))
async def dunning(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show the rules, and what is unpaid."""
    return await _page(visit_of(request), code)


@post("/merchants/{code:str}/dunning", opt=requires(Permission.CHANGE_SETTINGS))
async def change(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Set the rules."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    try:
        await set_dunning(
            visit.services,
            code,
            by_mail=visit.value("by_mail") == "on",
            by_shop=visit.value("by_shop") == "on",
            link_days=read_days(visit.value("link_days")),
            language="en" if visit.value("language") == "en" else "ko",
            who=visit.present.operator.name,
        )
    except GatewayError as error:
        return await _page(visit, code, error)
    return redirect(visit, f"/console/merchants/{code}/dunning", visit.t("저장했습니다.", "Saved."))


async def _page(visit: Visit, code: str, error: GatewayError | None = None) -> Response[str]:
    merchant = await merchant_of(visit, code)
    rules = await visit.services.store.dunning.rules(code)
    typed: dict[str, Any] = {"by_mail": False, "by_shop": False, "link_days": USUAL_DAYS, "language": "ko"}
    if rules is not None:
        typed = {name: getattr(rules, name) for name in typed}
    if error is not None:
        typed = {
            "by_mail": visit.value("by_mail") == "on",
            "by_shop": visit.value("by_shop") == "on",
            "link_days": visit.value("link_days"),
            "language": visit.value("language"),
        }
    return render(
        visit,
        "dunning/dunning.html",
        status=422 if error else 200,
        merchant=merchant,
        rules=rules,
        typed=typed,
        days_max=DAYS_MAX,
        server=await visit.services.store.messages.mail_server(code),
        unpaid=await visit.services.store.dunning.open(code, OPEN_MAX),
        problem=None if error is None else problem_of(visit, error),
    )


HANDLERS = [dunning, change]
