"""What was sent to the team and to buyers, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.filters import FilterReader, QueryFilters, place_text
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.errors import GatewayError
from maedal.flows.set_up_alerts import send_again
from maedal.messages.message import MessageState
from maedal.operators.role import Permission
from maedal.storage.messages.reads import MessageFilter

ROWS = 50
PLACE_CHARS_MAX = 80


@dataclass(frozen=True, slots=True)
class Filters(QueryFilters):
    """What the address of the list holds."""

    state: str = ""


@get("/merchants/{code:str}/messages", opt=requires(Permission.SEE_SETTINGS))
async def messages(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """List messages, newest first."""
    return await _page(visit_of(request), code)


@post("/merchants/{code:str}/messages/{message_id:str}/again", opt=requires(Permission.CHANGE_SETTINGS))
async def again(request: AnyRequest, code: FromPath[str], message_id: FromPath[str]) -> Response[str]:
    """Send one again."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    try:
        await send_again(visit.services, code, message_id, who=visit.present.operator.name)
    except GatewayError as error:
        return await _page(visit, code, error)
    return redirect(visit, f"/console/merchants/{code}/messages", visit.t("다시 보냅니다.", "It is sent again."))


async def _page(visit: Visit, code: str, error: GatewayError | None = None) -> Response[str]:
    merchant = await merchant_of(visit, code)
    reader = FilterReader(visit.request, PLACE_CHARS_MAX)
    state = reader.one_of("state", tuple(MessageState))
    wanted = MessageFilter(ROWS, MessageState(state) if state else None, reader.place(str.isalnum))
    page = await visit.services.store.messages.page(code, wanted)
    receivers = await visit.services.store.messages.receivers(code)
    return render(
        visit,
        "alerts/messages.html",
        status=422 if error else 200,
        merchant=merchant,
        rows=page.rows,
        names={one.id: one.name for one in receivers},
        filters=Filters(state),
        states=list(MessageState),
        next=place_text(page.next),
        problem=None if error is None else problem_of(visit, error),
    )


HANDLERS = [messages, again]
