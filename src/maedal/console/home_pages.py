"""New merchants, and the files of the pages."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from litestar import Response, get, post
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from maedal.console.admission import asks, visit_of
from maedal.console.page import go, show
from maedal.console.visit import AnyRequest
from maedal.flows.set_up_merchant import create_merchant
from maedal.operators.role import Permission

NAME_CHARS_MAX = 60
ASSETS = Path(__file__).parent / "assets"
STATIC = {
    "console.css": "text/css",
    "icon.svg": "image/svg+xml",
    "copy.js": "text/javascript",
    "htmx-2.0.11.min.js": "text/javascript",
    "uplot-1.6.32.min.js": "text/javascript",
    "uplot-1.6.32.css": "text/css",
    "plots.js": "text/javascript",
    "lost.js": "text/javascript",
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


@get("/merchants/new", opt=asks(Permission.ADD_MERCHANTS), sync_to_thread=False)
def new_merchant(request: AnyRequest) -> Response[str]:
    """Ask for the name of a new merchant."""
    return show(visit_of(request), "merchant.html", name="", problem=None)


@post("/merchants/new", opt=asks(Permission.ADD_MERCHANTS))
async def add_merchant(request: AnyRequest) -> Response[str]:
    """Make a merchant; its API secret is shown once."""
    visit = visit_of(request)
    name = " ".join(visit.value("name").split())
    if not 0 < len(name) <= NAME_CHARS_MAX or not name.isprintable():
        problem = visit.t("이름을 입력해 주세요.", "Type a name.")
        return show(visit, "merchant.html", status=422, name=name, problem=problem)
    made = await create_merchant(visit.parts, name, who=visit.present.user.name)
    return go(
        visit,
        f"/console/merchants/{made.merchant.code}/keys",
        visit.t("가맹점을 추가했습니다. 다음은 채널입니다.", "The merchant was added. Its channel comes next."),
        secrets=[
            [visit.t("가맹점 식별코드", "Identification code"), made.merchant.code],
            ["REST API key", made.api_key],
            ["REST API secret", made.api_secret],
        ],
    )


@get("/{rest:path}", opt=asks(Permission.ANYBODY), sync_to_thread=False)
def lost(rest: FromPath[str]) -> Response[str]:  # noqa: ARG001 - whatever it is
    """Say, in the console's own page, that nothing is here."""
    raise HTTPException(status_code=404)


HANDLERS = [static_file, new_merchant, add_merchant, lost]
