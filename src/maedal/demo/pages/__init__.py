"""The shop's pages: templates, texts in two languages, headers, and its own source code for reading."""

import json
import secrets
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from ..orders import Order  # noqa: TID252 - the sample code is copied as a folder, under any name
from ..snippet import Snippet  # noqa: TID252

HERE = Path(__file__).parent
TEXTS: dict[str, dict[str, str]] = json.loads((HERE / "texts.json").read_text(encoding="utf-8"))
ASSETS = {
    "pay.js": "text/javascript",
    "panel.js": "text/javascript",
    "shop.css": "text/css",
    "icon.svg": "image/svg+xml",
}
SOURCES = {
    "app.py": HERE.parent,
    "shop.py": HERE.parent,
    "portone.py": HERE.parent,
    "orders.py": HERE.parent,
    "journal.py": HERE.parent,
    "snippet.py": HERE.parent,
    "pay.js": HERE,
    "panel.js": HERE,
    "home.html": HERE,
    "outcome.html": HERE,
    "shop.css": HERE,
}
# The payment window goes on to KakaoPay's own pages, inside its frame.
KAKAOPAY_PAGES = "https://*.kakaopay.com https://*.kakao.com"

templates = Environment(
    loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
templates.filters["won"] = lambda amount: f"{amount:,}"


def language(request: Request[Any, Any, Any]) -> str:
    """Korean, unless the reader chose English (`?lang=en`, kept in a cookie)."""
    chosen = request.query_params.get("lang") or request.cookies.get("lang")
    return chosen if chosen in TEXTS else "ko"


def sentence(lang: str, name: str) -> str:
    return TEXTS[lang].get(f"error_{name}", TEXTS[lang]["error_unexpected"])


def page(lang: str, template: str, gateway_url: str = "", sandbox_url: str = "", **facts: Any) -> Response[str]:
    """One page with its security headers. The SDK puts one <style> of its own in, with our nonce."""
    nonce = secrets.token_urlsafe(12)
    text = templates.get_template(template).render(
        lang=lang, t=TEXTS[lang], nonce=nonce, gateway_url=gateway_url, sandbox_url=sandbox_url, **facts
    )
    csp = [
        "default-src 'none'",
        f"script-src 'self' {gateway_url}",
        f"connect-src 'self' {gateway_url}",
        f"frame-src {gateway_url} {sandbox_url or KAKAOPAY_PAGES}" if gateway_url else "frame-src 'none'",
        f"style-src 'self' 'nonce-{nonce}'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
    headers = {
        "Content-Security-Policy": "; ".join(rule.strip() for rule in csp),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }
    answer = Response(text, media_type="text/html", headers=headers)
    answer.set_cookie("lang", lang, max_age=31_536_000, samesite="lax", httponly=True)
    return answer


def home(lang: str, *, gateway_url: str, sandbox_url: str, prices: dict[str, int], shop: Any) -> Response[str]:
    facts = {"shop": shop | {"lang": lang, "texts": TEXTS[lang]}, "prices": prices}
    return page(lang, "home.html", gateway_url, sandbox_url, **facts)


def snippet(lang: str, shown: Snippet, gateway_url: str) -> Response[str]:
    manual_url = f"{gateway_url}/manual/{lang}/index"
    return page(lang, "snippet.html", gateway_url, snippet=shown, manual_url=manual_url)


def outcome(lang: str, order: Order | None, error: str = "") -> Response[str]:
    """What became of an order, for a phone that comes back; works without any script."""
    return page(lang, "outcome.html", order=order, error=error and sentence(lang, error))


@get("/assets/{name:str}")
async def asset(name: FromPath[str]) -> Response[bytes]:
    if name not in ASSETS:
        raise NotFoundException
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return Response((HERE / name).read_bytes(), media_type=ASSETS[name], headers=headers)


@get("/source")
async def sources(request: Request[Any, Any, Any]) -> Response[str]:
    texts = [(name, (folder / name).read_text(encoding="utf-8")) for name, folder in SOURCES.items()]
    return page(language(request), "source.html", files=texts)


@get("/source/{name:str}")
async def source(name: FromPath[str]) -> Response[str]:
    """One file of this shop, to read and to copy."""
    if name not in SOURCES:
        raise NotFoundException
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
    text = (SOURCES[name] / name).read_text(encoding="utf-8")
    return Response(text, media_type="text/plain", headers=headers)
