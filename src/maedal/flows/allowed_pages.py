"""Which pages and apps belong to a merchant, as somebody types it: origins and schemes, each known to browsers."""

from __future__ import annotations

from maedal import web_address
from maedal.merchants.errors import ChannelMisconfigured

LISTED_MAX = 100


def read_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    """Return the origins without repetitions; `null` stands for pages without one. Raises ChannelMisconfigured."""
    for origin in origins:
        if origin == web_address.NO_ORIGIN:
            continue
        if (
            not origin.startswith(("http://", "https://"))
            or origin.count("/") != 2
            or any(c in origin for c in " ;,'\"")
        ):
            raise ChannelMisconfigured(f"{origin!r} is no origin; https://shop.example without a path is expected")
    return _few(origins, "origins")


def read_app_schemes(schemes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the schemes as browsers write them, without repetitions. Raises ChannelMisconfigured."""
    for scheme in schemes:
        if web_address.app_scheme(scheme) is None:
            raise ChannelMisconfigured(f"{scheme!r} is no scheme of an app of yours; myapp is expected")
    return _few(tuple(web_address.app_scheme(scheme) or "" for scheme in schemes), "schemes")


def _few(listed: tuple[str, ...], what: str) -> tuple[str, ...]:
    listed = tuple(dict.fromkeys(listed))
    if len(listed) > LISTED_MAX:
        raise ChannelMisconfigured(f"at most {LISTED_MAX} {what} are expected")
    return listed
