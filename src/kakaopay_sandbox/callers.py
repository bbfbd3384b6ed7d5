"""Whom the simulator answers: nobody who was brought here under another site's name, and no page of another site.

A page in a browser on the same machine reaches whatever listens there. By DNS rebinding it does so under its own
site's name, and may then read every answer; by a plain form it may send, whatever the content type, without reading.
"""

import hmac
from ipaddress import ip_address
from urllib.parse import urlsplit

from litestar import Response
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from kakaopay_sandbox.hangup import AnyRequest
from kakaopay_sandbox.settings import Settings

CONTROL = "/_sim"
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


def callers_only(settings: Settings, app: ASGIApp) -> ASGIApp:
    """Return the app behind this door; a refusal is `{"error": "…"}` with 403."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        request = AnyRequest(scope)
        refusal = _refusal(request, settings)
        if refusal is None:
            await app(scope, receive, send)
            return
        answer: Response[dict[str, str]] = Response({"error": refusal}, status_code=403)
        await answer.to_asgi_response(app=None, request=request)(scope, receive, send)

    return guarded


def _refusal(request: AnyRequest, settings: Settings) -> str | None:
    host = request.headers.get("host", "")
    if settings.names is not None and host and not is_our_name(host, settings.names, dotless=settings.dotless_names):
        return f"Host: {host[:100]!r} is no name of this simulator; --allowed-host NAME makes it one"
    is_control = request.url.path.startswith(CONTROL)
    if (is_control or request.method not in _READS) and not _is_own_page(request, host, settings):
        return "Origin: a page of another site may not do this"
    if is_control and settings.control_key is not None and not _may_control(request, settings.control_key):
        return "Authorization: from another machine the control takes `Bearer KEY`, told at the simulator's start"
    return None


def is_our_name(host: str, names: frozenset[str], *, dotless: bool) -> bool:
    """Return whether a Host header names us: an address (no DNS stands behind it), `localhost`, a given name."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    try:
        ip_address(name)
    except ValueError:
        return name == "localhost" or name.endswith(".localhost") or name in names or (dotless and "." not in name)
    return True


def _is_own_page(request: AnyRequest, host: str, settings: Settings) -> bool:
    """Return whether the browser says that a page of ours asks; a program says nothing of the kind."""
    origin = request.headers.get("origin")
    if origin is not None:
        own = urlsplit(settings.public_url or "").netloc
        parts = origin.partition("://")
        return parts[0] in {"http", "https"} and parts[2] in {host, own} - {""}
    # What no form can do, reading by a script or an image, has no Origin; browsers name the site all the same.
    return request.headers.get("sec-fetch-site", "none") in {"none", "same-origin"}


def _may_control(request: AnyRequest, key: str) -> bool:
    client = request.client
    if client is not None and is_loopback(client.host):
        return True
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(token.encode(), key.encode())


def is_loopback(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_loopback or (mapped is not None and mapped.is_loopback)
