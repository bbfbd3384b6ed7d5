"""The style and scripts of the pages, served from here so that the content policy needs no other host."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from litestar import Response, get
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from maedal.console.frame.admission import requires
from maedal.operators.role import Permission

ASSETS = Path(__file__).parent / "assets"
STATIC = {
    "console.css": "text/css",
    "icon.svg": "image/svg+xml",
    "choose.js": "text/javascript",
    "copy.js": "text/javascript",
    "find.js": "text/javascript",
    "htmx-2.0.11.min.js": "text/javascript",
    "uplot-1.6.32.min.js": "text/javascript",
    "uplot-1.6.32.css": "text/css",
    "plots.js": "text/javascript",
    "lost.js": "text/javascript",
    "passkeys.js": "text/javascript",
}


@cache
def _static(name: str) -> bytes:
    return (ASSETS / name).read_bytes()


@get("/static/{name:str}", opt=requires(Permission.ANYBODY), sync_to_thread=False)
def static_file(name: FromPath[str]) -> Response[bytes]:
    """Serve the pages' style and script."""
    if name not in STATIC:
        raise HTTPException(status_code=404)
    headers = {"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}
    return Response(_static(name), media_type=STATIC[name], headers=headers)


HANDLERS = [static_file]
