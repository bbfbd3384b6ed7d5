"""One's own account: the password, the second step, and where one is signed in."""

from __future__ import annotations

import base64
import binascii
from io import BytesIO

import segno
from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.page import problem_of, redirect, render, signed_in_anew
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.console.operators.browsers import browser_of
from maedal.flows import manage_operators
from maedal.flows.sign_in import renew
from maedal.operators.actor import Actor
from maedal.operators.operator import PASSWORD_CHARS_MIN, Owed
from maedal.operators.role import Permission
from maedal.payments.errors import InvalidParameter

OWN_ACCOUNT = requires(Permission.OWN_ACCOUNT)
NEW_PASSWORD = requires(Permission.OWN_ACCOUNT, even_owing=frozenset({Owed.PASSWORD}))
NEW_SECOND_STEP = requires(Permission.OWN_ACCOUNT, even_owing=frozenset({Owed.SECOND_STEP}))
PAGE = "/console/account"


@get("/account", opt=NEW_PASSWORD)
async def account(request: AnyRequest) -> Response[str]:
    """Show the account."""
    return await account_page(visit_of(request))


@post("/account/password", opt=NEW_PASSWORD)
async def change_password(request: AnyRequest) -> Response[str]:
    """Change the password; every other browser is signed out."""
    visit = visit_of(request)
    who, new = visit.present, visit.secret("password")
    if new != visit.secret("again"):
        return await account_page(visit, InvalidParameter("again", "the two new passwords differ"), form="password")
    try:
        operator = await manage_operators.change_password(
            visit.services, who.operator, who.session, visit.secret("current"), new
        )
    except InvalidParameter as error:
        return await account_page(visit, error, form="password")
    done = visit.t(
        "비밀번호를 바꾸었습니다. 다른 기기는 로그아웃되었습니다.", "Password changed; other browsers are signed out."
    )
    return signed_in_anew(visit, await renew(visit.services, who, operator, visit.browser), PAGE, done)


@get("/account/two-steps", opt=NEW_SECOND_STEP, sync_to_thread=False)
def set_up_two_steps(request: AnyRequest) -> Response[str]:
    """Show a new secret as a QR code for an authenticator app."""
    visit = visit_of(request)
    if visit.present.operator.has_app:
        return redirect(visit, PAGE)
    return _set_up(visit, *manage_operators.draw_second_step(visit.services, visit.present.operator))


@post("/account/two-steps", opt=NEW_SECOND_STEP)
async def turn_two_steps_on(request: AnyRequest) -> Response[str]:
    """Ask for a code from now on; the recovery codes are shown once."""
    visit = visit_of(request)
    who = visit.present
    try:
        sealed = base64.urlsafe_b64decode(visit.value("drawn"))
    except (binascii.Error, ValueError):
        return redirect(visit, f"{PAGE}/two-steps")
    try:
        operator, codes = await manage_operators.turn_two_steps_on(
            visit.services, who.operator, who.session, sealed, visit.secret("current"), visit.value("code")
        )
    except InvalidParameter as error:
        try:
            secret = manage_operators.open_second_step(visit.services, who.operator, sealed)
        except InvalidParameter:
            return redirect(visit, f"{PAGE}/two-steps")
        address = visit.services.second_step.address(secret, who.operator.name)
        return _set_up(visit, secret, address, sealed, error)
    text = visit.t("2단계 인증을 켰습니다.", "The second step is on.")
    return signed_in_anew(visit, await renew(visit.services, who, operator, visit.browser), PAGE, text, codes=codes)


@post("/account/recovery-codes", opt=OWN_ACCOUNT)
async def new_recovery_codes(request: AnyRequest) -> Response[str]:
    """Draw new recovery codes, shown once."""
    visit = visit_of(request)
    try:
        codes = await manage_operators.new_recovery_codes(
            visit.services,
            visit.present.operator,
            visit.present.session,
            visit.secret("current"),
            visit.value("code"),
            visit.value("passkey"),
        )
    except InvalidParameter as error:
        return await account_page(visit, error, form="two_steps")
    text = visit.t(
        "새 복구 코드를 만들었습니다. 전의 코드는 쓸 수 없습니다.", "New recovery codes; the old ones are void."
    )
    return redirect(visit, PAGE, text, codes=codes)


@post("/account/two-steps/off", opt=OWN_ACCOUNT)
async def turn_two_steps_off(request: AnyRequest) -> Response[str]:
    """Ask for the password alone from now on."""
    visit = visit_of(request)
    try:
        operator = await manage_operators.turn_two_steps_off(
            visit.services,
            visit.present.operator,
            visit.present.session,
            visit.secret("current"),
            visit.value("code"),
            visit.value("passkey"),
        )
    except InvalidParameter as error:
        return await account_page(visit, error, form="two_steps")
    begun = await renew(visit.services, visit.present, operator, visit.browser)
    return signed_in_anew(visit, begun, PAGE, visit.t("인증 앱을 껐습니다.", "The authenticator app is off."))


@post("/account/sessions/{session_id:str}/end", opt=OWN_ACCOUNT)
async def end_session(request: AnyRequest, session_id: FromPath[str]) -> Response[str]:
    """Sign another browser out."""
    visit = visit_of(request)
    operator = visit.present.operator
    await manage_operators.end_sessions(visit.services, operator, session_id, Actor(operator.name, operator.role))
    return redirect(visit, PAGE, visit.t("로그아웃했습니다.", "Signed out."))


async def account_page(visit: Visit, error: InvalidParameter | None = None, form: str = "") -> Response[str]:
    """Return the page, with what is wrong about one of its forms."""
    now = visit.services.people_clock.now()
    operator = visit.present.operator
    sessions = [s for s in await visit.services.store.operators.sessions(operator.id) if s.lives(now) and not s.half]
    return render(
        visit,
        "operators/account.html",
        status=422 if error else 200,
        operator=operator,
        sessions=sessions,
        browser_of=browser_of,
        here=visit.present.session.id,
        codes_left=await visit.services.store.operators.recovery_codes_left(operator.id),
        passkeys=[
            one for one in await visit.services.store.operators.passkeys(operator.id) if one.id in operator.passkey_ids
        ],
        passkeys_work=visit.services.passkeys.available,
        shortest=PASSWORD_CHARS_MIN,
        problem=None if error is None else problem_of(visit, error) | {"form": form},
    )


def _set_up(
    visit: Visit, secret: str, address: str, sealed: bytes, error: InvalidParameter | None = None
) -> Response[str]:
    drawing = BytesIO()
    segno.make(address, error="m").save(drawing, kind="svg", xmldecl=False, svgns=True, scale=5, border=2, dark="#000")
    return render(
        visit,
        "operators/two_steps.html",
        status=422 if error else 200,
        secret=" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        qr=drawing.getvalue().decode(),
        drawn=base64.urlsafe_b64encode(sealed).decode(),
        passkeys_work=visit.services.passkeys.available,
        problem=None if error is None else problem_of(visit, error),
    )


HANDLERS = [
    account,
    change_password,
    set_up_two_steps,
    turn_two_steps_on,
    new_recovery_codes,
    turn_two_steps_off,
    end_session,
]
