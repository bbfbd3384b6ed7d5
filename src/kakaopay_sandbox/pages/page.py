"""How every page is made: one Jinja environment, two languages, one strict content policy."""

from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import MediaType, Response
from litestar.response import Redirect

from kakaopay_sandbox.clock import zoned_time
from kakaopay_sandbox.hangup import AnyRequest
from kakaopay_sandbox.orders import Order

# Any shop may frame these pages, as it may KakaoPay's; `frame-ancestors *` would leave out those without an origin.
# `form-action` is left open because a form that quits ends, by redirects, at the shop's own address.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "cache-control": "no-store",
    # Not `no-referrer`: with that a browser keeps the Origin of our own forms to itself, too.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}

_TEMPLATES = Environment(
    loader=PackageLoader("kakaopay_sandbox.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

# Which page the phone was opened from: the way back depends on it.
CAME_FROM = ("panel", "frame", "mobile-web", "mobile-app")


class Page:
    """What one request says about how to show a page: its language and where the buyer came from."""

    def __init__(self, request: AnyRequest) -> None:
        query = request.query_params
        self.path = request.url.path
        self.is_english = query.get("lang") == "en"
        came_from = query.get("from", "")
        self.came_from = came_from if came_from in CAME_FROM else ""

    def t(self, korean: str, english: str) -> str:
        return english if self.is_english else korean

    def u(self, path: str, **query: str) -> str:
        """A link within the simulator that keeps language and way back."""
        kept: dict[str, str] = {"lang": "en"} if self.is_english else {}
        if self.came_from:
            kept["from"] = self.came_from
        kept |= query
        return f"{path}?{urlencode(kept)}" if kept else path

    def other_language(self) -> str:
        kept = {} if self.is_english else {"lang": "en"}
        if self.came_from:
            kept["from"] = self.came_from
        return f"{self.path}?{urlencode(kept)}" if kept else self.path

    def won(self, amount: int) -> str:
        return self.t(f"{amount:,}원", f"₩{amount:,}")

    def show(self, template: str, *, status_code: int = 200, **values: Any) -> Response[Any]:
        body = _TEMPLATES.get_template(template).render(
            page=self,
            t=self.t,
            u=self.u,
            won=self.won,
            when=when,
            merchant=self.merchant,
            **values,
        )
        return Response(body, status_code=status_code, media_type=MediaType.HTML, headers=HEADERS)

    def go(self, path: str, **query: str) -> Response[Any]:
        """See another page of the simulator, after a form."""
        return away(self.u(path, **query), status_code=303)

    def merchant(self, cid: str) -> str:
        return self.t(f"모의 가맹점 {cid}", f"Pretend merchant {cid}")

    def lost(self) -> Response[Any]:
        return self.show("lost.html", status_code=404)


def away(url: str, status_code: Literal[302, 303] = 302) -> Response[Any]:
    return Redirect(url, status_code=status_code, headers={"cache-control": "no-store"})


def when(at: int | None) -> str:
    """`2026-11-23 12:34:56`, Korean time."""
    return "" if at is None else zoned_time(at)[:19].replace("T", " ")


async def form_of(request: AnyRequest) -> dict[str, str]:
    """The fields of a plain form; `callers` has seen to it that the page is ours."""
    raw = await request.body()
    return dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=50))


def seconds_left(order: Order, now: int) -> int:
    return max((order.expires_at or now) - now, 0)


OriginOf = Callable[[AnyRequest], str]
