"""The manual's pages at `/manual`: for everybody, as the description of the API at the root is."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape
from litestar import Request, Response, Router, get
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from litestar.response import Redirect

from maedal.manual.contents import NAMES, PARTS
from maedal.manual.pages import PAGES
from maedal.manual.rendering import page
from maedal.manual.search import WORDS_MAX, search
from maedal.manual.words import EN, KO, LANGUAGES, say

FILES = Path(__file__).parent / "static"
PICTURES = {"png": "image/png", "svg": "image/svg+xml"}
# No script at all, nothing from elsewhere, and nobody may frame it.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
}
_templates = Environment(loader=FileSystemLoader(FILES), autoescape=select_autoescape(), trim_blocks=True)
AnyRequest = Request[Any, Any, Any]


@get("/", sync_to_thread=False)
def front(request: AnyRequest) -> Redirect:
    """Lead to the first page, in the language that the reader's browser asks for."""
    asked = request.headers.get("accept-language", "")
    return _first(EN if asked.lower().startswith("en") else KO)


@get("/{language:str}", sync_to_thread=False)
def front_in(language: FromPath[str]) -> Redirect:
    """Lead to the first page in a language."""
    _check(language)
    return _first(language)


@get("/{language:str}/search")
async def found(request: AnyRequest, language: FromPath[str]) -> Response[str]:
    """Show the sections that have the words of `?q=`."""
    _check(language)
    query = request.query_params.get("q", "")[:WORDS_MAX].strip()
    hits = await asyncio.to_thread(search, query, language)
    title = say(language, ("검색", "Search"))
    return await asyncio.to_thread(_shown, language, "search", title=title, hits=hits, query=query)


@get("/{language:str}/{name:str}")
async def one(language: FromPath[str], name: FromPath[str]) -> Response[str]:
    """Show a page."""
    _check(language, name)
    # The first reader of a page waits for it to be made, and nobody else meanwhile.
    return await asyncio.to_thread(_page, language, name)


@get("/images/{name:str}", sync_to_thread=False)
def picture(name: FromPath[str]) -> Response[bytes]:
    """Serve a picture."""
    kind = PICTURES.get(name.rpartition(".")[2])
    if kind is None or name not in _pictures():
        raise HTTPException(status_code=404)
    return _file(PAGES / "images" / name, kind)


@get("/static/manual.css", sync_to_thread=False)
def sheet() -> Response[bytes]:
    """Serve the pages' style."""
    return _file(FILES / "manual.css", "text/css")


def _first(language: str) -> Redirect:
    return Redirect(f"/manual/{language}/{NAMES[0]}", headers={"Cache-Control": "no-cache", "Vary": "Accept-Language"})


def _check(language: str, name: str = NAMES[0]) -> None:
    if language not in LANGUAGES or name not in NAMES:
        raise HTTPException(status_code=404)


@cache
def _pictures() -> frozenset[str]:
    return frozenset(file.name for file in (PAGES / "images").iterdir())


@cache
def _bytes(path: Path) -> bytes:
    return path.read_bytes()


def _file(path: Path, kind: str) -> Response[bytes]:
    headers = {"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}
    return Response(_bytes(path), media_type=kind, headers=headers)


def _page(language: str, name: str) -> Response[str]:
    return _shown(language, name, title=page(name, language).title, page=page(name, language))


def _shown(language: str, name: str, **more: Any) -> Response[str]:
    parts = [
        (say(language, titles), [(other, page(other, language).title) for other in names]) for titles, names in PARTS
    ]
    other = EN if language == KO else KO
    place = NAMES.index(name) if name in NAMES else -1
    beside = {
        "before": NAMES[place - 1] if place > 0 else None,
        "after": NAMES[place + 1] if 0 <= place < len(NAMES) - 1 else None,
    }
    titles = {each: title for _, listed in parts for each, title in listed}
    text = _templates.get_template("page.html").render(
        t=lambda ko, en: say(language, (ko, en)),
        language=language,
        other=other,
        name=name,
        parts=parts,
        titles=titles,
        **{"query": "", "page": None, "hits": None} | beside | more,
    )
    return Response(text, media_type="text/html", headers=HEADERS)


router = Router(path="/manual", route_handlers=[front, front_in, found, one, picture, sheet])
