"""Recovery: when scheduled charges that failed are tried again, presets with what they would have done, and plans."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.filters import FilterReader, QueryFilters
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.errors import GatewayError
from maedal.flows.preview_recovery import SPAN, preview_recovery
from maedal.flows.recovery import set_rule, set_rules
from maedal.operators.role import Permission
from maedal.payments.attempt import DeclineReason
from maedal.payments.errors import InvalidParameter
from maedal.schedules.presets import PAY_DAY, Preset, rules_of
from maedal.schedules.recovery import NEVER, RecoveryRules, read_waits, written

SHOWN_MAX = 50
WORD_CHARS_MAX = 20


@dataclass(frozen=True, slots=True)
class PresetQuery(QueryFilters):
    """Which preset an address asks to be shown."""

    preset: str = ""
    day: str = str(PAY_DAY)
    others: str = ""


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


@post("/merchants/{code:str}/recovery/preset", opt=requires(Permission.CHANGE_SETTINGS))
async def use_preset(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Set the rules of all reasons as a preset says."""
    visit = visit_of(request)
    wanted = PresetQuery(visit.value("preset"), visit.value("day"), visit.value("others"))
    try:
        await set_rules(visit.services, code, _rules_of(wanted), who=visit.present.operator.name)
    except InvalidParameter as error:
        text = problem_of(visit, error)["text"]
        return redirect(visit, f"/console/merchants/{code}/recovery", text, tone="problem")
    text = visit.t(
        "규칙을 바꿨습니다. 앞으로 실패하는 예약에 적용됩니다.", "Changed, for charges that fail from now on."
    )
    return redirect(visit, f"/console/merchants/{code}/recovery", text)


def _rules_of(wanted: PresetQuery) -> RecoveryRules:
    """Return the rules of a preset as it was asked for. Raises InvalidParameter."""
    day = int(wanted.day) if re.fullmatch(r"[0-9]{1,2}", wanted.day, re.ASCII) else 0
    return rules_of(wanted.preset, pay_day=day, others=wanted.others == "on")


async def _preview(visit: Visit, code: str, wanted: PresetQuery) -> dict[str, Any] | None:
    """Return what a preset would have done, if one was asked for."""
    if not wanted.preset:
        return None
    rules = _rules_of(wanted)
    found = await preview_recovery(visit.reading, code, rules)
    return {
        "rules": {reason: written(rules.get(reason, ())) for reason in DeclineReason},
        "found": found,
        "shown": found.failures[:SHOWN_MAX],
        "now": await preview_recovery(visit.reading, code, (await merchant_of(visit, code)).recovery),
    }


async def _page(visit: Visit, code: str, error: GatewayError | None = None) -> Response[str]:
    merchant = await merchant_of(visit, code)
    read = FilterReader(visit.request, WORD_CHARS_MAX)
    day = read.text("day")
    wanted = PresetQuery(
        read.one_of("preset", list(Preset)),
        day if re.fullmatch(r"[1-9]|[12][0-9]|3[01]", day, re.ASCII) else str(PAY_DAY),
        read.one_of("others", ("on",)),
    )
    rules = {reason: written(waits) for reason in DeclineReason if (waits := merchant.recovery.get(reason))}
    typed = {} if error is None else {visit.value("reason"): visit.value("after")}
    return render(
        visit,
        "schedules/recovery.html",
        status=422 if error else 200,
        merchant=merchant,
        reasons=list(DeclineReason),
        rules=rules | typed,
        presets=list(Preset),
        wanted=wanted,
        preview=await _preview(visit, code, wanted),
        span=SPAN.days,
        planned=await visit.services.store.schedules.next_tries(code, SHOWN_MAX),
        problem=None if error is None else problem_of(visit, error) | {"reason": visit.value("reason")},
    )


HANDLERS = [recovery, change, use_preset]
