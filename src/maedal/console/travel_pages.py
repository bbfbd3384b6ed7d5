"""Time travel: only in `maedal dev`, which alone adds these routes and keeps a traveller."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, time, timedelta

from litestar import Response, Router, get, post

from maedal.console.admission import admit, asks, checked, visit_of
from maedal.console.page import HEADERS, KOREA, go, show
from maedal.console.router import EXCEPTION_HANDLERS
from maedal.console.sentences import told
from maedal.console.visit import AnyRequest, inside
from maedal.errors import GatewayError
from maedal.flows.time_travel import Traveller
from maedal.operators.role import Permission
from maedal.payments.errors import InvalidParameter

STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


@post("/travel", opt=asks(Permission.CHANGE_SETTINGS), sync_to_thread=False)
def set_out(request: AnyRequest) -> Response[str]:
    """Let the gateway, the simulator and the demo shop travel together."""
    visit = visit_of(request)
    traveller: Traveller = request.app.state["traveller"]
    back = inside(visit.value("back"))
    try:
        traveller.set_out(goal_of(traveller.now, visit.value("step"), visit.value("date")))
    except GatewayError as error:
        return go(visit, back, told(visit, error.message), tone="problem")
    return go(visit, back)


@post("/travel/stop", opt=asks(Permission.CHANGE_SETTINGS), sync_to_thread=False)
def stop(request: AnyRequest) -> Response[str]:
    """End the journey where it is."""
    visit = visit_of(request)
    traveller: Traveller = request.app.state["traveller"]
    traveller.stop()
    return go(visit, inside(visit.value("back")))


@get("/travel", opt=asks(Permission.SEE_SETTINGS), sync_to_thread=False)
def progress(request: AnyRequest) -> Response[str]:
    """Show how far the journey has come; a page that waits for its end is then loaded anew."""
    visit = visit_of(request)
    traveller: Traveller = request.app.state["traveller"]
    back = inside(request.query_params.get("back", ""))
    if "hx-request" in request.headers and not traveller.travels:
        return Response("", headers={**HEADERS, "HX-Refresh": "true"})
    return show(visit, "travel.html", back=back)


def goal_of(now: datetime, step: str, day: str) -> datetime:
    """Return where a button leads from `now`, or the same time of a day in Korea. Raises InvalidParameter."""
    here = now.astimezone(KOREA)
    if step in STEPS:
        return now + STEPS[step]
    if step == "month":
        following = date(here.year + here.month // 12, here.month % 12 + 1, 1)
        last = monthrange(following.year, following.month)[1]
        return here.replace(year=following.year, month=following.month, day=min(here.day, last))
    try:
        return datetime.combine(date.fromisoformat(day), time(here.hour, here.minute, here.second), KOREA)
    except ValueError as error:
        raise InvalidParameter("date", "choose a date") from error


router = Router(
    path="/console/dev",
    guards=[admit],
    route_handlers=checked([set_out, stop, progress]),
    exception_handlers=EXCEPTION_HANDLERS,
)
