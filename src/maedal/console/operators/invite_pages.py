"""What an invite leads to: choosing a password of one's own, once."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.flows.invite_operator import accept, invited
from maedal.operators.operator import PASSWORD_CHARS_MIN, Operator
from maedal.operators.role import Permission
from maedal.payments.errors import InvalidParameter

ANYBODY = requires(Permission.ANYBODY)


@get("/invite/{token:str}", opt=ANYBODY)
async def invite_form(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    """Ask for a password, or say that the link is good no more. Whoever looks only uses nothing up."""
    visit = visit_of(request)
    return _page(visit, token, await invited(visit.services, token))


@post("/invite/{token:str}", opt=ANYBODY)
async def choose_password(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    """Keep the password and use the link up; who has one signs in with it."""
    visit = visit_of(request)
    operator = await invited(visit.services, token)
    if operator is None:
        return _page(visit, token, None)
    password = visit.secret("password")
    if password != visit.secret("again"):
        return _page(visit, token, operator, InvalidParameter("again", "the two new passwords differ"))
    try:
        await accept(visit.services, operator, token, password)
    except InvalidParameter as error:
        return _page(visit, token, operator, error)
    return redirect(
        visit,
        "/console/sign-in",
        visit.t("비밀번호를 정했습니다. 이제 로그인하세요.", "Your password is kept. Now sign in."),
    )


def _page(visit: Visit, token: str, operator: Operator | None, error: InvalidParameter | None = None) -> Response[str]:
    return render(
        visit,
        "operators/invite.html",
        status=404 if operator is None else 422 if error else 200,
        token=token,
        operator=operator,
        shortest=PASSWORD_CHARS_MIN,
        problem=None if error is None else problem_of(visit, error),
    )


HANDLERS = [invite_form, choose_password]
