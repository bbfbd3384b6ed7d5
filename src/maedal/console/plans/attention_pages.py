"""What of plans waits for somebody: buyers who must be asked, and keys that nothing will charge."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.days import day_name, day_of, today
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.page import render
from maedal.console.frame.visit import AnyRequest
from maedal.console.plans.pages import plan_path
from maedal.operators.role import Permission
from maedal.plans.terms import CONSENT_DAYS

ROWS = 50
LOOKED_THROUGH = 1_000
_UID = re.compile(r"[A-Za-z0-9._-]{1,40}", re.ASCII)


@get("/merchants/{code:str}/plans/attention", opt=requires(Permission.SEE_PAYMENTS))
async def attention(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show both lists."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    query, store = request.query_params, visit.reading.store
    live = query.get("mode", "live") != "test"
    day, uid = day_of(query.get("day", "")), query.get("uid", "")
    place = (day, uid) if day is not None and _UID.fullmatch(uid) else None
    until = today(visit) + timedelta(days=CONSENT_DAYS)
    found = await store.plans.lacking_consent(code, until, place, ROWS)
    after = query.get("after", "").replace("\0", "")[:80]
    keys = await store.plans.keys_without_charge(code, after, LOOKED_THROUGH, test_mode=not live)

    def link(**changes: str) -> str:
        values = {"mode": "live" if live else "test"} | changes
        return f"{request.url.path}?{urlencode(values)}"

    last = found[-1] if len(found) == ROWS else None
    return render(
        visit,
        "plans/attention.html",
        merchant=merchant,
        found=found,
        further=link(day=str(last.needs_consent_on), uid=last.plan_uid) if last else "",
        keys=keys.keys,
        keys_further=link(after=keys.go_on) if keys.go_on else "",
        live=live,
        link=link,
        one=lambda plan: plan_path(code, plan.plan_uid),
        day_name=lambda on: day_name(visit, on),
    )


HANDLERS = [attention]
