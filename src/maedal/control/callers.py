"""Whom the gateway of a `maedal dev` answers: its API key is public, so a page of another site could do all with it.

By DNS rebinding such a page reaches it under its own site's name, and may read every answer; by a plain form it may
send, whatever the content type, without reading. `maedal serve` has none of this: it stands behind a name of its own,
and whoever calls it shows a token.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from litestar import Request, Response
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

ANY_PAGE = ("/sdk/",)
"""What the browser script calls from shops' pages, whatever their site."""
READS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Names:
    """Under which names it is reached, beside addresses and `localhost`."""

    hosts: frozenset[str]
    without_a_dot: bool = False
    """Also any name without a dot: whoever can answer for one is in the network that it listens to anyway."""

    def include(self, host: str) -> bool:
        """Return whether a Host header names us. An address does: no DNS stands behind it."""
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        try:
            ip_address(name)
        except ValueError:
            dotless = self.without_a_dot and "." not in name
            return name == "localhost" or name.endswith(".localhost") or name in self.hosts or dotless
        return True


def callers_only(names: Names, public_url: str, app: ASGIApp) -> ASGIApp:
    """Return the app behind this door; a refusal is V1's envelope with 403."""
    own = urlsplit(public_url).netloc

    def refusal(request: Request[Any, Any, Any]) -> str | None:
        host = request.headers.get("host", "")
        if host and not names.include(host):
            return f"Host: {host[:100]!r} is no name of this maedal dev; --allowed-host NAME makes it one"
        origin = request.headers.get("origin")
        if request.method in READS or origin is None or request.url.path.startswith(ANY_PAGE):
            return None
        scheme, _, page = origin.partition("://")
        if scheme in {"http", "https"} and page in {host, own}:
            return None
        return "Origin: a page of another site may not do this; only a server calls the REST API"

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            request: Request[Any, Any, Any] = Request(scope)
            problem = refusal(request)
            if problem is not None:
                body = {"code": -1, "message": problem, "response": None}
                await Response(body, status_code=403).to_asgi_response(app=None, request=request)(scope, receive, send)
                return
        await app(scope, receive, send)

    return guarded
