"""Addresses that pages and merchants name, taken as a browser takes them: by the WHATWG URL standard.

The browser script does the same with the browser's own `URL`, so that both mean one address. What comes out is ASCII:
names in other scripts are turned into their IDNA form, everything else is percent-encoded. The addresses that we call
ourselves are not taken here: the guarded client takes them apart with the parser that it calls them by.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from ada_url import URL

NEVER = (
    # Runs what stands in it, as ours.
    "javascript|vbscript|data"
    # Only a page or the browser itself may open it.
    "|blob|file|filesystem|about|view-source|jar|content|resource|chrome|chrome-.+|edge|opera|moz-extension"
    # Names another address, or an app by itself, inside the address.
    "|intent|android-app|wyciwyg|feed"
    # Calls, writes, installs, or speaks to the system.
    "|tel|sms|smsto|mmsto|mailto|callto|facetime.*|market|itms.*|ms-.+|search-ms|shell|x-apple.*|prefs|app-prefs"
    # Other protocols of the web: no page and no app.
    "|ftp|ws|wss"
)
"""Schemes to which nobody is ever sent, as a regular expression that Python and the browser's script read alike."""
WEB = frozenset({"http:", "https:"})
NO_ORIGIN = "null"
"""What browsers name the origin of a page that has none, such as an app's own."""
_NEVER = re.compile(f"({NEVER}):")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,79}")
# By these names a shop's pages are found too; the shop is the name behind it.
_DOORS = ("www.", "m.")


def destination(address: str, base: str = "") -> str | None:
    """Return where a browser goes that is sent to `address` from a page at `base`; apps have schemes of their own.

    None when that is nowhere: no address, a relative one without a base, or one of a scheme that is never gone to
    (`NEVER`). Code that a browser runs because we sent it there runs as ours.
    """
    url = _read(address, base)
    if url is None or _NEVER.fullmatch(url.protocol):
        return None
    # A browser strips tabs and line ends, and encodes the rest; what does not fit into a header is nowhere.
    return url.href if url.href.isascii() and url.href.isprintable() else None


def page_address(address: str) -> str | None:
    """Return the address of a web page, or None when `address` is none that a link may point to."""
    url = _read(address, "")
    return url.href if url is not None and url.protocol in WEB else None


def origin(address: str) -> str | None:
    """Return the origin of an http(s) address as a browser names it in `window.origin`, or None."""
    url = _read(address, "")
    return url.origin if url is not None and url.protocol in WEB else None


def may_return(address: str, page_origin: str, origins: Collection[str], schemes: Collection[str]) -> bool:
    """Return whether a browser may be sent to `address` at the end of a window that a page of `page_origin` opened.

    `origins` and `schemes` are what the merchant lists. With neither, the page's own host and those below it are good,
    and what only an app can mean: its own scheme, or a host of one word, which no site of the internet has. With
    origins listed, only these are, and only the schemes that are listed; with schemes alone, these and the page's host.
    """
    url = _read(address, "")
    if url is None or _NEVER.fullmatch(url.protocol):
        return False
    if url.protocol not in WEB:
        return url.protocol.removesuffix(":") in schemes or not (origins or schemes)
    if origins:
        return url.origin in {origin(listed) for listed in origins}
    page = _read(page_origin, "")
    one_word = not {".", ":"} & set(url.hostname)
    return one_word or (page is not None and page.protocol in WEB and _is_below(url.hostname, page.hostname))


def app_scheme(text: str) -> str | None:
    """Return the scheme of an app as browsers write it, from `myapp`, `myapp:` or `myapp://`; None when it is none."""
    scheme = text.strip().lower().removesuffix("//").removesuffix(":")
    known = _SCHEME.fullmatch(scheme) and f"{scheme}:" not in WEB and not _NEVER.fullmatch(f"{scheme}:")
    return scheme if known else None


def _is_below(host: str, page_host: str) -> bool:
    shop = page_host
    for door in _DOORS:
        # `m.kr` is a name of its own.
        shop = shop.removeprefix(door) if "." in shop.removeprefix(door) else shop
    return host in {page_host, shop} or (host.endswith(f".{shop}") and _is_name(shop))


def _is_name(host: str) -> bool:
    """Return whether others can stand below it: an address of numbers has none."""
    return not host.startswith("[") and not host.replace(".", "").isdigit()


def _read(address: str, base: str) -> URL | None:
    for context in (base, None):  # the page's own address may be none that another can be relative to
        try:
            return URL(address, context) if context else URL(address)
        except ValueError:  # also text that is no UTF-8
            continue
    return None
