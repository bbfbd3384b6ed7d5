"""Holidays: the country's, and those that this merchant's operators add or take away."""

from __future__ import annotations

import re

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.days import day_name, today
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.console.plans.forms import needed_day
from maedal.errors import GatewayError
from maedal.flows.korean_holidays import AS_OF, holidays_of, known_until
from maedal.flows.set_holidays import drop_holiday, set_holiday
from maedal.operators.role import Permission
from maedal.plans.holiday import NAME_MAX

YEARS = (2024, 2099)


@get("/merchants/{code:str}/holidays", opt=requires(Permission.SEE_PAYMENTS))
async def holidays(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show the holidays of a year."""
    return await _page(visit_of(request), code)


@post("/merchants/{code:str}/holidays", opt=requires(Permission.CHANGE_SCHEDULES))
async def change(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Set a day, or forget what was set."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    who = visit.present.operator.name
    try:
        on = needed_day(visit, "on")
        if visit.value("act") == "drop":
            await drop_holiday(visit.services, code, on, who=who)
        else:
            closed = visit.value("closed") != "no"
            await set_holiday(visit.services, code, on, visit.value("name"), closed=closed, who=who)
    except GatewayError as error:
        return await _page(visit, code, error)
    text = visit.t(
        "저장했습니다. 결제일이 바뀌는 예약은 곧 옮겨집니다.", "Saved. What is scheduled moves within moments."
    )
    return redirect(visit, f"/console/merchants/{code}/holidays?year={on.year}", text)


async def _page(visit: Visit, code: str, error: GatewayError | None = None) -> Response[str]:
    merchant = await merchant_of(visit, code)
    text = visit.request.query_params.get("year", "")
    year = int(text) if re.fullmatch(r"20[0-9]{2}", text) else today(visit).year
    year = min(max(year, YEARS[0]), YEARS[1])
    own = await visit.services.store.plans.holidays(code)
    return render(
        visit,
        "plans/holidays.html",
        status=422 if error else 200,
        merchant=merchant,
        year=year,
        found=holidays_of(year, own, "en_US" if visit.english else "ko"),
        as_of=AS_OF,
        known_until=known_until(),
        today=today(visit),
        day_name=lambda on: day_name(visit, on),
        name_max=NAME_MAX,
        typed={name: visit.value(name) if error else "" for name in ("on", "name", "closed")},
        problem=None if error is None else problem_of(visit, error),
    )


HANDLERS = [holidays, change]
