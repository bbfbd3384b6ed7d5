"""Many scheduled charges at once: first a page that lists what will change and what cannot, then one confirmation.

The page carries, sealed, which charges were seen and how each stood, and an id drawn for the whole: what has moved
since is left alone, and a form that is sent again changes nothing twice.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.days import begin_of
from maedal.console.frame.links import schedule_path_of
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.once import require_confirmation, seal, unseal
from maedal.console.frame.page import redirect, render
from maedal.console.frame.sentences import translated
from maedal.console.frame.visit import AnyRequest, Visit, console_path
from maedal.console.schedules.pages import BULK, read_filter
from maedal.errors import GatewayError
from maedal.flows.change_schedules import ChangeRequest, change_schedules, check_request, obstacle_in_the_way
from maedal.operators.role import Permission
from maedal.payments.errors import InvalidParameter
from maedal.schedules.manual_changes import AT_ONCE_MAX, ManualChange, mark_of
from maedal.schedules.schedule import Schedule

CHANGE = requires(Permission.CHANGE_SCHEDULES)
SHOWN_MAX = 100
NAMED_MAX = 100
SEALED_BYTES_MAX = 1 << 20
"""The form carries, sealed, every schedule that was shown."""
PURPOSE = "bulk"
RISKY = (ManualChange.REVOKE, ManualChange.RETRY, ManualChange.MOVE)


@get("/merchants/{code:str}/schedules/preview", opt=CHANGE)
async def preview(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show what a change would do to the ticked scheduled charges, or to all that the filter finds."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    back = console_path(request.query_params.get("back", ""))
    try:
        change_request = _change_request(visit)
        found = await _found(visit, code)
    except GatewayError as error:
        return redirect(visit, back, translated(visit, error.message), tone="problem")
    now = visit.services.clock.now()
    obstacles = [(one, obstacle_in_the_way(change_request, one, now)) for one in found[:AT_ONCE_MAX]]
    able = [one for one, obstacle in obstacles if obstacle is None]
    unable = [(one, obstacle) for one, obstacle in obstacles if obstacle is not None]
    content = {
        "drawn": visit.services.ids.row(now),
        "change": change_request.change,
        "days": change_request.days,
        "seen": [(one.order.merchant_uid, mark_of(one)) for one in able],
    }
    packed = base64.b64encode(zlib.compress(json.dumps(content).encode())).decode()
    return render(
        visit,
        "schedules/bulk_preview.html",
        merchant=merchant,
        change_request=change_request,
        back=back,
        able=able[:SHOWN_MAX],
        count=len(able),
        total=sum(one.order.price.total.amount for one in able),
        moved_to=lambda one: change_request.time_for(one, now),
        reasons=Counter(obstacle for _, obstacle in unable).most_common(),
        unable=unable[:SHOWN_MAX],
        unable_count=len(unable),
        more=len(found) > AT_ONCE_MAX,
        most=AT_ONCE_MAX,
        risky=change_request.change in RISKY,
        sealed=seal(visit, f"{PURPOSE}:{code}", packed) if able else "",
        one=lambda s: schedule_path_of(code, s),
    )


@post("/merchants/{code:str}/schedules/bulk", opt=CHANGE, request_max_body_size=SEALED_BYTES_MAX)
async def confirm(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Do it, once however often the form is sent."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    back = console_path(visit.value("back"))
    try:
        content = json.loads(zlib.decompress(base64.b64decode(unseal(visit, f"{PURPOSE}:{code}", "sealed"))))
        change_request = ChangeRequest(
            ManualChange(content["change"]), visit.present.operator.name, visit.value("reason"), days=content["days"]
        )
        if change_request.change in RISKY:
            require_confirmation(visit)
        seen = [(uid, mark) for uid, mark in content["seen"]]
        changed = await change_schedules(visit.services, code, seen, change_request, content["drawn"])
    except GatewayError as error:
        return redirect(visit, back, translated(visit, error.message), tone="problem")
    left = len(seen) - changed
    text = visit.t(f"{changed:,}건을 바꾸었습니다.", f"{changed:,} changed.")
    if left:
        text += " " + visit.t(
            f"{left:,}건은 그사이 바뀌어 그대로 두었습니다.", f"{left:,} had moved meanwhile and were left alone."
        )
    return redirect(visit, back, text, tone="problem" if left else "done")


def _change_request(visit: Visit) -> ChangeRequest:
    query = visit.request.query_params
    word, days = query.get("change", ""), query.get("days", "").strip() or "1"
    if word not in set(BULK):
        raise InvalidParameter("change", "choose what to do")
    if re.fullmatch(r"[+-]?[0-9]{1,3}", days) is None:
        days = "0"
    change_request = ChangeRequest(
        ManualChange(word), visit.present.operator.name, days=int(days) if word == ManualChange.MOVE else 0
    )
    check_request(change_request)
    return change_request


async def _found(visit: Visit, code: str) -> Sequence[Schedule]:
    """Return the ticked ones, or with `all` everything that the filter of the page before finds, one more at most."""
    query, store = visit.request.query_params, visit.services.store
    if query.get("all") != "1":
        uids = list(dict.fromkeys(uid.replace("\0", "") for uid in query.getall("uid", [])))[:NAMED_MAX]
        if not uids:
            raise InvalidParameter("uid", "tick at least one")
        found = await store.schedules.by_merchant_uids(code, uids)
        return sorted(found, key=lambda one: (one.due_at or one.schedule_at, one.order.merchant_uid))
    wanted = read_filter(visit)
    if query.get("scope") == "ahead":
        since = max(begin_of(wanted.since), visit.services.clock.now())
        return await store.schedules.due_between(
            code, since, begin_of(wanted.until + timedelta(days=1)), AT_ONCE_MAX + 1, test_mode=visit.test_mode
        )
    return await store.schedules.search(code, wanted.search(visit.services), AT_ONCE_MAX + 1)


def preview_address(code: str, **fields: object) -> str:
    """Return the address of the preview of a change."""
    return f"/console/merchants/{code}/schedules/preview?{urlencode(fields)}"


HANDLERS = [preview, confirm]
