"""The browser SDK as the gateway serves it: `window.IMP` for script tags, `import IMP` for modules."""

import json
import re
from functools import cache
from importlib.resources import files
from typing import Literal

from maedal import web_address

__all__ = ["Kind", "script", "source"]

Kind = Literal["classic", "esm", "v2", "v2.esm"]
_HERE = re.compile(r"/\* (\w+\.js) \*/")
# A block of types on lines of its own; it may not reach over its own end.
_TYPES = re.compile(r"^[ \t]*/\*\*(?:(?!\*/).)*\*/[ \t]*\n", re.MULTILINE | re.DOTALL)
_COMMENTS = re.compile(r"^[ \t]*//(?! @ts-check).*\n", re.MULTILINE)
_SERVED_BY = 'const SERVED_BY = "";'
_NEVER = 'const NEVER = "javascript|data|vbscript";'


def source(kind: Kind) -> str:
    """A script with the one it is a frame for: `classic.js` and `esm.js` differ only in how a page gets hold of it."""
    room = files(__name__)
    before, name, after = _HERE.split(room.joinpath(f"{kind}.js").read_text("utf-8"), maxsplit=1)
    return before + room.joinpath(name).read_text("utf-8").strip() + after


@cache
def script(kind: Kind, gateway: str = "") -> bytes:
    """What a browser gets, as UTF-8: the source without its types and comments, which are for those who work on it.

    `classic` belongs to `/v1/iamport.js` and `/js/iamport.payment*.js`, `esm` to `/v1/iamport.esm.js`, the other two to
    `/v2/browser-sdk.js` and `.esm.js`. `gateway` is the public address of who serves it, for pages that load it in a
    way that does not tell it its own.
    """
    text = _COMMENTS.sub("", _TYPES.sub("", source(kind)))
    # One table of schemes for both: what the script takes for an address is one for the server too.
    text = text.replace(_NEVER, f"const NEVER = {json.dumps(web_address.NEVER)};")
    return text.replace(_SERVED_BY, f"const SERVED_BY = {json.dumps(gateway)};").encode()
