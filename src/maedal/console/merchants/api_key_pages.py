"""The identification code and the REST API keys."""

from __future__ import annotations

from datetime import timedelta

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.once import require_confirmation
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.errors import GatewayError
from maedal.flows.manage_api_keys import (
    create_api_key,
    end_api_key,
    end_old_api_secret,
    name_api_key,
    renew_api_secret,
    set_scopes,
)
from maedal.merchants.merchant import API_KEYS_MAX
from maedal.merchants.scope import Scope
from maedal.operators.role import Permission
from maedal.payments.errors import InvalidParameter

CHANGE = requires(Permission.CHANGE_SETTINGS)
OVERLAPS = (
    (0, "바로 끝냄", "is void at once"),
    (1, "1시간 더 유효", "is good for an hour"),
    (24, "1일 더 유효", "is good for a day"),
    (72, "3일 더 유효", "is good for 3 days"),
    (168, "7일 더 유효", "is good for 7 days"),
)
"""Hours that an old secret stays good, to choose from."""
ENDED_SHOWN_MAX = 20


@get("/merchants/{code:str}/keys", opt=requires(Permission.SEE_SETTINGS))
async def keys(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show what a shop's page and server are given; secrets are kept nowhere, so there is none to show."""
    return await _page(visit_of(request), code)


@post("/merchants/{code:str}/keys", opt=CHANGE)
async def renew(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Draw a new secret for a key, shown once."""
    visit = visit_of(request)
    api_key, hours = visit.value("api_key"), visit.value("overlap")
    if visit.value("sure") != "on":
        text = visit.t(
            "확인란에 표시해 주세요. 아무것도 바뀌지 않았습니다.", "Tick the box first. Nothing was changed."
        )
        return redirect(visit, _address(code), text, tone="problem")
    overlap = timedelta(hours=int(hours) if hours in {str(choice) for choice, _, _ in OVERLAPS} else 0)
    try:
        secret = await renew_api_secret(visit.services, code, api_key, overlap=overlap, who=visit.present.operator.name)
    except InvalidParameter as error:
        return await _page(visit, code, error)
    if overlap:
        text = visit.t(
            "새 secret을 발급했습니다. 이전 secret이 끝나기 전에 서버의 설정을 바꾸세요.",
            "A new secret. Change your servers' settings before the old one ends.",
        )
    else:
        text = visit.t(
            "새 secret을 발급했습니다. 서버의 설정을 지금 바꾸세요.",
            "A new secret. Change your server's settings now.",
        )
    return redirect(visit, _address(code), text, secrets=[["REST API key", api_key], ["REST API secret", secret]])


@post("/merchants/{code:str}/keys/end-old", opt=CHANGE)
async def end_old(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """End the old secret of a key before its time."""
    visit = visit_of(request)
    try:
        await end_old_api_secret(visit.services, code, visit.value("api_key"), who=visit.present.operator.name)
    except InvalidParameter as error:
        return await _page(visit, code, error)
    return redirect(visit, _address(code), visit.t("이제 새 secret만 통합니다.", "Only the new secret is good now."))


@post("/merchants/{code:str}/keys/name", opt=CHANGE)
async def rename(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Call a key by a name."""
    visit = visit_of(request)
    try:
        who = visit.present.operator.name
        await name_api_key(visit.services, code, visit.value("api_key"), visit.value("name"), who=who)
    except InvalidParameter as error:
        return await _page(visit, code, error)
    return redirect(visit, _address(code), visit.t("저장했습니다.", "Saved."))


@post("/merchants/{code:str}/keys/new", opt=CHANGE)
async def add(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Make another key; its secret is shown once."""
    visit = visit_of(request)
    try:
        who = visit.present.operator.name
        made = await create_api_key(visit.services, code, visit.value("name"), _chosen(visit), who=who)
    except InvalidParameter as error:
        return await _page(visit, code, error)
    text = visit.t("API 키를 추가했습니다.", "The API key was added.")
    secrets = [["REST API key", made.api_key], ["REST API secret", made.api_secret]]
    return redirect(visit, _address(code), text, secrets=secrets)


@post("/merchants/{code:str}/keys/scopes", opt=CHANGE)
async def change_scopes(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Say what a key may be used for."""
    visit = visit_of(request)
    try:
        who = visit.present.operator.name
        await set_scopes(visit.services, code, visit.value("api_key"), _chosen(visit), who=who)
    except InvalidParameter as error:
        return await _page(visit, code, error)
    text = visit.t("권한을 바꿨습니다. 지금 쓰는 토큰에도 적용됩니다.", "Changed, also for tokens that are in use.")
    return redirect(visit, _address(code), text)


@post("/merchants/{code:str}/keys/end", opt=CHANGE)
async def end(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """End a key and its tokens, for good."""
    visit = visit_of(request)
    try:
        require_confirmation(visit)
        await end_api_key(visit.services, code, visit.value("api_key"), who=visit.present.operator.name)
    except InvalidParameter as error:
        return await _page(visit, code, error)
    text = visit.t("API 키를 폐기했습니다. 그 키의 토큰도 끝났습니다.", "The API key and its tokens have ended.")
    return redirect(visit, _address(code), text)


def _chosen(visit: Visit) -> list[str] | None:
    """Return the scopes of a form; None for all there are."""
    return None if visit.value("access") == "all" else visit.form.get("scope", [])


async def _page(visit: Visit, code: str, error: GatewayError | None = None) -> Response[str]:
    merchant = await merchant_of(visit, code)
    every = await visit.services.store.merchants.api_keys(code)
    api_keys = [key for key in every if key.ended_at is None]
    asked = visit.value("api_key")
    adding = visit.request.url.path.endswith("/new")
    return render(
        visit,
        "merchants/api_keys.html",
        status=422 if error else 200,
        merchant=merchant,
        api_keys=api_keys,
        ended=[key for key in reversed(every) if key.ended_at is not None][:ENDED_SHOWN_MAX],
        most=API_KEYS_MAX,
        scopes=list(Scope),
        typed={"name": visit.value("name"), "access": visit.value("access"), "scope": visit.form.get("scope", [])}
        if error is not None and adding
        else {"name": "", "access": "some", "scope": []},
        overlaps=OVERLAPS,
        now=visit.services.clock.now(),
        gateway=visit.settings.public_url,
        # A key that is not this merchant's has no card of its own to say so in.
        problem=None
        if error is None
        else problem_of(visit, error)
        | {"key": "new" if adding else asked if asked in {key.api_key for key in api_keys} else api_keys[0].api_key},
    )


def _address(code: str) -> str:
    return f"/console/merchants/{code}/keys"


HANDLERS = [keys, renew, end_old, rename, add, change_scopes, end]
