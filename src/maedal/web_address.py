"""Addresses that pages and merchants name, taken as a browser takes them: by the WHATWG URL standard.

The browser script does the same with the browser's own `URL`, so that both mean one address. What comes out is ASCII:
names in other scripts are turned into their IDNA form, everything else is percent-encoded. The addresses that we call
ourselves are not taken here: the guarded client takes them apart with the parser that it calls them by.
"""

from __future__ import annotations

from ada_url import URL

RUNS_CODE = frozenset({"javascript:", "data:", "vbscript:"})
GOES_NOWHERE = frozenset({"blob:", "file:", "filesystem:", "about:", "view-source:"})
WEB = frozenset({"http:", "https:"})


def destination(address: str, base: str = "") -> str | None:
    """Return where a browser goes that is sent to `address` from a page at `base`; apps have schemes of their own.

    None when that is nowhere: no address, a relative one without a base, one that runs code, or one that only a page
    may open. Code that a browser runs because we sent it there runs as ours.
    """
    url = _read(address, base)
    if url is None or url.protocol in RUNS_CODE | GOES_NOWHERE:
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


def _read(address: str, base: str) -> URL | None:
    for context in (base, None):  # the page's own address may be none that another can be relative to
        try:
            return URL(address, context) if context else URL(address)
        except ValueError:  # also text that is no UTF-8
            continue
    return None
