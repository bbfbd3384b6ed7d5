"""Passkeys: what a browser is asked, for signing in and for what asks for the second step, and adding and removing."""

from __future__ import annotations

import json
from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.page import HEADERS, problem_of, redirect, signed_in_anew
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.console.operators.account_pages import NEW_SECOND_STEP, OWN_ACCOUNT, PAGE, account_page
from maedal.flows import manage_passkeys
from maedal.flows.passkeys import ask_for_passkey
from maedal.flows.sign_in import renew
from maedal.operators.role import Permission
from maedal.payments.errors import InvalidParameter


@post("/code/passkey-options", opt=requires(Permission.HALF_SIGNED_IN))
async def options_to_sign_in(request: AnyRequest) -> Response[dict[str, Any]]:
    """Tell the browser what to ask a passkey for the second step of signing in."""
    return await _options_to_use(visit_of(request))


@post("/account/passkeys/use-options", opt=OWN_ACCOUNT)
async def options_to_use(request: AnyRequest) -> Response[dict[str, Any]]:
    """Tell the browser what to ask a passkey where a page of the account asks for the second step."""
    return await _options_to_use(visit_of(request))


@post("/account/passkeys/options", opt=NEW_SECOND_STEP)
async def options_to_add(request: AnyRequest) -> Response[dict[str, Any]]:
    """Tell the browser what to ask a device for a new passkey, if the password is right."""
    visit = visit_of(request)
    who = visit.present
    try:
        options = await manage_passkeys.ask_to_add(
            visit.services, who.operator, who.session, visit.value("name"), visit.secret("current")
        )
    except InvalidParameter as error:
        return _problem(visit, error)
    return _options(options)


@post("/account/passkeys", opt=NEW_SECOND_STEP)
async def add_passkey(request: AnyRequest) -> Response[str]:
    """Keep a new passkey; with the first second step recovery codes are shown once."""
    visit = visit_of(request)
    who = visit.present
    try:
        operator, codes = await manage_passkeys.add_passkey(
            visit.services, who.operator, who.session, visit.value("name"), visit.value("passkey")
        )
    except InvalidParameter as error:
        back = PAGE if who.operator.owes() is None else f"{PAGE}/two-steps"
        return redirect(visit, back, problem_of(visit, error)["text"], tone="problem")
    done = visit.t("패스키를 추가했습니다.", "The passkey was added.")
    shown = {"codes": codes} if codes else {}
    return signed_in_anew(visit, await renew(visit.services, who, operator, visit.browser), PAGE, done, **shown)


@post("/account/passkeys/{passkey_id:str}/remove", opt=OWN_ACCOUNT)
async def remove_passkey(request: AnyRequest, passkey_id: FromPath[str]) -> Response[str]:
    """Let a passkey open nothing any more."""
    visit = visit_of(request)
    who = visit.present
    try:
        operator = await manage_passkeys.remove_passkey(
            visit.services,
            who.operator,
            who.session,
            passkey_id,
            visit.secret("current"),
            visit.value("code"),
            visit.value("passkey"),
        )
    except InvalidParameter as error:
        return await account_page(visit, error, form="passkeys")
    done = visit.t("패스키를 삭제했습니다.", "The passkey was removed.")
    return signed_in_anew(visit, await renew(visit.services, who, operator, visit.browser), PAGE, done)


async def _options_to_use(visit: Visit) -> Response[dict[str, Any]]:
    try:
        return _options(await ask_for_passkey(visit.services, visit.present.operator, visit.present.session))
    except InvalidParameter as error:
        return _problem(visit, error)


def _options(text: str) -> Response[dict[str, Any]]:
    return Response({"options": json.loads(text)}, status_code=200, headers=HEADERS)


def _problem(visit: Visit, error: InvalidParameter) -> Response[dict[str, Any]]:
    return Response({"problem": problem_of(visit, error)["text"]}, status_code=422, headers=HEADERS)


HANDLERS = [options_to_sign_in, options_to_use, options_to_add, add_passkey, remove_passkey]
