"""The simulator's own pages: what it is, its log, its style and scripts."""

from importlib import resources
from typing import Any

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from kakaopay_sandbox.hangup import AnyRequest
from kakaopay_sandbox.pages.page import Page
from kakaopay_sandbox.sandbox import Sandbox

LOG_LENGTH = 200
_ASSETS = {
    name: (resources.files("kakaopay_sandbox.pages").joinpath("assets", name).read_bytes(), media_type)
    for name, media_type in (
        ("style.css", "text/css; charset=utf-8"),
        ("bridge.js", "text/javascript; charset=utf-8"),
        ("phone.js", "text/javascript; charset=utf-8"),
        ("faults.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    )
}


def site_handlers(sandbox: Sandbox) -> list[HTTPRouteHandler]:
    @get("/")
    async def index(request: AnyRequest) -> Response[Any]:
        with sandbox.database.transaction():
            orders = sandbox.orders.latest(8, sandbox.clock.now())
        return Page(request).show("index.html", settings=sandbox.settings, orders=orders, now=sandbox.clock.now())

    @get("/log")
    async def log(request: AnyRequest) -> Response[Any]:
        lines = sandbox.call_log.read({}, limit=LOG_LENGTH, newest_first=True)
        return Page(request).show("log.html", lines=lines)

    @get("/assets/{name:str}")
    async def asset(request: AnyRequest, name: FromPath[str]) -> Response[Any]:
        if name not in _ASSETS:
            return Page(request).lost()
        content, media_type = _ASSETS[name]
        return Response(
            content,
            media_type=media_type,
            headers={"cache-control": "no-cache", "x-content-type-options": "nosniff"},
        )

    return [index, log, asset]
