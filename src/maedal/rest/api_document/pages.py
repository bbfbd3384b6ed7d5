"""The document itself, and the page at the gateway's root on which people read and try it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec
from jinja2 import Environment, FileSystemLoader, select_autoescape
from litestar import Response, Router, get
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from maedal.rest.api_document.document import document
from maedal.rest.api_document.words import Language
from maedal.rest.auth import AnyRequest

FILES = Path(__file__).parent / "static"
STATIC = {
    "swagger-ui.css": "text/css",
    "page.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "page.js": "text/javascript",
}
# Swagger UI sets styles on its elements and shows its icons as data: images. No script runs but those two files.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_templates = Environment(loader=FileSystemLoader(FILES), autoescape=select_autoescape(), trim_blocks=True)


def _language(request: AnyRequest) -> Language:
    return Language.ENGLISH if request.query_params.get("lang") == Language.ENGLISH else Language.KOREAN


@cache
def _encoded(language: Language) -> bytes:
    return msgspec.json.encode(document(language))


@cache
def _static(name: str) -> bytes:
    return (FILES / name).read_bytes()


@get("/openapi.json", sync_to_thread=False)
def openapi(request: AnyRequest) -> Response[bytes]:
    """Give the document, in Korean or with `?lang=en` in English."""
    # Tools on other origins read it, and it is the same for everybody.
    headers = {"Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"}
    return Response(_encoded(_language(request)), media_type="application/json", headers=headers)


@get("/", sync_to_thread=False)
def page(request: AnyRequest) -> Response[str]:
    """Show the document."""
    text = _templates.get_template("page.html").render(language=_language(request).value)
    headers = {
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    }
    return Response(text, media_type="text/html", headers=headers)


@get("/openapi/static/{name:str}", sync_to_thread=False)
def static_file(name: FromPath[str]) -> Response[bytes]:
    """Serve the page's styles and scripts."""
    if name not in STATIC:
        raise HTTPException(status_code=404)
    headers = {"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}
    return Response(_static(name), media_type=STATIC[name], headers=headers)


router = Router(path="/", route_handlers=[openapi, page, static_file])
