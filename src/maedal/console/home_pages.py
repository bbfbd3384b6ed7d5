"""Where the console begins, and the files of its pages."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from litestar import Response, get
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from maedal.console.admission import asks, visit_of
from maedal.console.page import show
from maedal.console.visit import AnyRequest
from maedal.operators.role import Permission

ASSETS = Path(__file__).parent / "assets"
STATIC = {
    "console.css": "text/css",
    "icon.svg": "image/svg+xml",
    "htmx-2.0.11.min.js": "text/javascript",
}


@cache
def _static(name: str) -> bytes:
    return (ASSETS / name).read_bytes()


@get("/static/{name:str}", opt=asks(Permission.ANYBODY), sync_to_thread=False)
def static_file(name: FromPath[str]) -> Response[bytes]:
    """Serve the pages' style and script."""
    if name not in STATIC:
        raise HTTPException(status_code=404)
    headers = {"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}
    return Response(_static(name), media_type=STATIC[name], headers=headers)


@get("/", opt=asks(Permission.SEE_SETTINGS))
async def home(request: AnyRequest) -> Response[str]:
    """Show the merchants, each with its channels and the next thing to do."""
    visit = visit_of(request)
    rows = [(merchant, await visit.parts.store.channels(merchant.code)) for merchant in visit.merchants]
    return show(visit, "home.html", rows=rows)


@get("/{rest:path}", opt=asks(Permission.ANYBODY), sync_to_thread=False)
def lost(rest: FromPath[str]) -> Response[str]:  # noqa: ARG001 - whatever it is
    """Say, in the console's own page, that nothing is here."""
    raise HTTPException(status_code=404)


HANDLERS = [static_file, home, lost]
