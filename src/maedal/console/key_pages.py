"""The identification code and the REST API keys."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.admission import asks, visit_of
from maedal.console.page import go, show
from maedal.console.visit import AnyRequest
from maedal.console.whose import merchant_of
from maedal.flows.set_up_merchant import renew_api_secret
from maedal.operators.role import Permission


@get("/merchants/{code:str}/keys", opt=asks(Permission.SEE_SETTINGS))
async def keys(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show what a shop's page and server are given; secrets are kept nowhere, so there is none to show."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    api_keys = await visit.parts.store.api_keys(code)
    return show(visit, "keys.html", merchant=merchant, api_keys=api_keys, gateway=visit.settings.public_url)


@post("/merchants/{code:str}/keys", opt=asks(Permission.CHANGE_SETTINGS))
async def renew(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Draw a new secret for a key, shown once."""
    visit = visit_of(request)
    api_key, page = visit.value("api_key"), f"/console/merchants/{code}/keys"
    if visit.value("sure") != "on":
        text = visit.t(
            "확인란에 표시해 주세요. 아무것도 바뀌지 않았습니다.", "Tick the box first. Nothing was changed."
        )
        return go(visit, page, text, tone="problem")
    secret = await renew_api_secret(visit.parts, code, api_key, who=visit.present.user.name)
    text = visit.t(
        "새 secret을 발급했습니다. 서버의 설정을 지금 바꾸세요.", "A new secret. Change your server's settings now."
    )
    return go(visit, page, text, secrets=[["REST API key", api_key], ["REST API secret", secret]])


HANDLERS = [keys, renew]
