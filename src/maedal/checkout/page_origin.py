"""Whose page asks: what the browser says of it, and not what the page says of itself."""

from __future__ import annotations

from maedal import web_address
from maedal.checkout.context import AnyRequest


def page_origin(request: AnyRequest, own_address: str) -> str | None:
    """Return the origin of the page that a request comes from, as its browser names it.

    `null` for a page without one (of an app, or in a sandboxed frame); None when the browser does not say. Scripts
    cannot change these headers; programs that are no browsers send what they like.
    """
    sent = request.headers.get("origin")
    if sent is not None:
        return web_address.origin(sent) or web_address.NO_ORIGIN
    # Old browsers leave it out where a form is sent in a window of its own.
    referrer = web_address.origin(request.headers.get("referer", ""))
    if referrer is not None:
        return referrer
    return web_address.origin(own_address) if request.headers.get("sec-fetch-site") == "same-origin" else None
