"""Signing in and out, and how the pages look before and after."""

from __future__ import annotations

from urllib.parse import quote

from litestar import Response, get, post

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.days import when
from maedal.console.frame.page import keep_mode, keep_preference, redirect, render, signed_in, signed_out
from maedal.console.frame.visit import LANGUAGES, MODES, THEMES, AnyRequest, Visit, console_path
from maedal.flows import sign_in as flow
from maedal.flows.limit_requests import admit
from maedal.merchants.request_limit import Limited
from maedal.operators.operator import Owed
from maedal.operators.role import Permission


@get("/sign-in", opt=requires(Permission.ANYBODY), sync_to_thread=False)
def sign_in_form(request: AnyRequest) -> Response[str]:
    """Ask for name and password."""
    return render(visit_of(request), "operators/sign_in.html", name="", problem=None, next=_next(request))


@post("/sign-in", opt=requires(Permission.ANYBODY))
async def sign_in(request: AnyRequest) -> Response[str]:
    """Begin a session, or say that name and password do not fit."""
    visit = visit_of(request)
    await _admit(visit)
    name, goal = visit.value("name"), console_path(visit.value("next"))
    answer = await flow.sign_in(visit.services, name, visit.secret("password"), visit.browser)
    if isinstance(answer, flow.NotSignedIn):
        problem = _problem(visit, answer, visit.t("이름이나 비밀번호가 맞지 않습니다.", "Name or password is wrong."))
        return render(visit, "operators/sign_in.html", status=422, name=name, problem=problem, next=goal)
    if visit.who is not None:
        # The session that this browser had before would otherwise live on without anybody who holds it.
        await flow.sign_out(visit.services, visit.who)
    return signed_in(visit, answer, f"/console/code?next={quote(goal, safe='/')}" if answer.session.half else goal)


@get("/code", opt=requires(Permission.HALF_SIGNED_IN), sync_to_thread=False)
def code_form(request: AnyRequest) -> Response[str]:
    """Ask for the code of the second step."""
    return render(visit_of(request), "operators/sign_in_code.html", problem=None, next=_next(request))


@post("/code", opt=requires(Permission.HALF_SIGNED_IN))
async def check_code(request: AnyRequest) -> Response[str]:
    """Begin a whole session, or say that the code does not fit."""
    visit = visit_of(request)
    await _admit(visit)
    goal = console_path(visit.value("next"))
    signed = visit.value("passkey")
    answer = await flow.second_step(visit.services, visit.present, visit.value("code"), visit.browser, answer=signed)
    if isinstance(answer, flow.NotSignedIn):
        wrong = visit.t("코드가 맞지 않거나 이미 쓴 코드입니다.", "The code is wrong, or was used before.")
        if signed:
            wrong = visit.t("패스키를 확인하지 못했습니다.", "The passkey was not accepted.")
        return render(
            visit, "operators/sign_in_code.html", status=422, problem=_problem(visit, answer, wrong), next=goal
        )
    return signed_in(visit, answer, goal)


@post("/sign-out", opt=requires(Permission.OWN_ACCOUNT, even_owing=frozenset(Owed)))
async def sign_out(request: AnyRequest) -> Response[str]:
    """End this session."""
    visit = visit_of(request)
    await flow.sign_out(visit.services, visit.present)
    return signed_out(visit)


@get("/look", opt=requires(Permission.ANYBODY), sync_to_thread=False)
def change_preference(request: AnyRequest) -> Response[str]:
    """Keep the language or the theme that a link names, and go back to where it stood."""
    visit, query = visit_of(request), request.query_params
    back = console_path(query.get("back", ""))
    if query.get("theme") in THEMES:
        return keep_preference(visit, back, "maedal_theme", query["theme"])
    if query.get("shortcuts") in {"on", "off"}:
        return keep_preference(visit, back, "maedal_shortcuts", query["shortcuts"])
    if query.get("language") in LANGUAGES:
        return keep_preference(visit, back, "maedal_language", query["language"])
    return redirect(visit, back)


@post("/mode", opt=requires(Permission.OWN_ACCOUNT))
async def change_mode(request: AnyRequest) -> Response[str]:
    """Restrict whatever the console shows in this session to live or test channels, or show all again."""
    visit = visit_of(request)
    mode = visit.value("mode")
    return keep_mode(visit, console_path(visit.value("back")), mode if mode in MODES else "")


async def _admit(visit: Visit) -> None:
    """Count a try, unless the browser is somebody's who is signed in. Raises TooManyRequests."""
    if visit.who is None or visit.who.session.half:
        await admit(visit.services, Limited.SIGN_IN, visit.browser.address)


def _next(request: AnyRequest) -> str:
    return console_path(request.query_params.get("next", ""))


def _problem(visit: Visit, answer: flow.NotSignedIn, wrong: str) -> str:
    if answer.next_try_at is None:
        return wrong
    at = when(answer.next_try_at)[11:]
    return visit.t(
        f"실패가 많아 잠시 막았습니다. {at} 이후에 다시 시도해 주세요.",
        f"Too many failures. Try again after {at} (Korean time).",
    )


HANDLERS = [sign_in_form, sign_in, code_form, check_code, sign_out, change_preference, change_mode]
