"""The browser SDK as the gateway serves it: `window.IMP` for script tags, `import IMP` for modules."""

import re
from functools import cache
from importlib.resources import files
from typing import Literal

__all__ = ["script", "source"]

_HERE = "/* iamport.js */"
# A block of types on lines of its own; it may not reach over its own end.
_TYPES = re.compile(r"^[ \t]*/\*\*(?:(?!\*/).)*\*/[ \t]*\n", re.MULTILINE | re.DOTALL)


def source(kind: Literal["classic", "esm"]) -> str:
    """`iamport.js` set into `classic.js` or `esm.js`, which differ only in how a page gets hold of it."""
    room = files(__name__)
    before, here, after = room.joinpath(f"{kind}.js").read_text("utf-8").partition(_HERE)
    assert here, f"{kind}.js does not say where iamport.js goes"
    return before + room.joinpath("iamport.js").read_text("utf-8").strip() + after


@cache
def script(kind: Literal["classic", "esm"]) -> bytes:
    """What a browser gets, as UTF-8: the source without its type blocks, which are for the type checker alone.

    `classic` belongs to `/v1/iamport.js` and `/js/iamport.payment*.js`, `esm` to `/v1/iamport.esm.js`.
    """
    return _TYPES.sub("", source(kind)).encode()
