"""One request to the console: who asks, in which language, and the two proofs that a form is ours."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from litestar import Request

from maedal.flows.services import Services
from maedal.flows.sign_in import Browser, Present
from maedal.merchants.merchant import Merchant
from maedal.operators.role import Permission
from maedal.percent_encoding import decoded
from maedal.settings import Settings
from maedal.storage.replica import Reading, Replica
from maedal.storage.unknown_outcomes.reads import OpenCounts

AnyRequest = Request[Any, Any, Any]

WROTE_COOKIE = "maedal_wrote"
"""Says for a few seconds that this browser has sent a form, on whichever node."""
MODE_COOKIE = "maedal_mode"
"""To which channels this browser's session restricts what it is shown; none, or another value: to all."""
MODES = ("live", "test")
FORM_PURPOSE = "console.form"
FORM_FIELD = "form_token"
FIELDS_MAX = 60
FORM_BYTES_MAX = 64 * 1024
"""Anybody may send one to the sign-in page. The largest of ours has sixty fields, the longest of them a few hundred
letters, of nine bytes each as they are sent."""
LANGUAGES = ("ko", "en")
THEMES = ("auto", "light", "dark")


@dataclass(slots=True)
class Visit:
    """What the guard found out about a request; handlers are given this and nothing else of it."""

    request: AnyRequest
    services: Services
    settings: Settings
    who: Present | None
    form: dict[str, list[str]] = field(default_factory=dict)
    merchants: Sequence[Merchant] = ()
    open_items: OpenCounts = field(default_factory=OpenCounts)
    """What is open on the desk of the merchant that the page is about."""
    pre_session: str = ""
    """Stands for the session in forms of people who have none yet."""
    read_from: Reading | None = None
    """The replica, once something of the page was to be read from it."""

    @property
    def replica(self) -> Replica | None:
        replica: Replica | None = self.request.app.state.get("replica")
        return replica

    @property
    def reading(self) -> Services:
        """Services whose store is read from a replica, if there is one: for lists, searches, figures and exports.

        What they show may be some seconds old. Never for what decides about money or signs in; and whoever has just
        changed something is shown the primary's, so that the change is there.
        """
        if self.replica is None or self.request.cookies.get(WROTE_COOKIE):
            return self.services
        if self.read_from is None:
            self.read_from = self.replica.reading()
        return replace(self.services, store=self.read_from.store)

    @property
    def secure(self) -> bool:
        """Whether browsers reach us encrypted, so that cookies must not go any other way."""
        return self.settings.public_url.startswith("https://")

    @property
    def present(self) -> Present:
        """Return who is there; only for pages that ask for somebody."""
        assert self.who is not None, "the guard lets nobody else through"
        return self.who

    @property
    def browser(self) -> Browser:
        client = self.request.client
        kept = self.request.cookies.get(device_cookie(secure=self.secure))
        return Browser(client.host if client else "-", self.request.headers.get("user-agent", ""), kept)

    @property
    def english(self) -> bool:
        return self.request.cookies.get("maedal_language") == "en"

    @property
    def theme(self) -> str:
        chosen = self.request.cookies.get("maedal_theme", "auto")
        return chosen if chosen in THEMES else "auto"

    @property
    def mode(self) -> str:
        """To which channels whatever is shown is restricted: `live`, `test`, or "" for all."""
        chosen = self.request.cookies.get(MODE_COOKIE, "")
        return chosen if chosen in MODES else ""

    @property
    def test_mode(self) -> bool | None:
        """The same as the store is asked; None for all."""
        return {"live": False, "test": True}.get(self.mode)

    def mode_of(self, asked: bool | None) -> bool | None:
        """Return to which channels a list is restricted whose address asks for some: the switch comes first."""
        return asked if self.test_mode is None else self.test_mode

    @property
    def here(self) -> str:
        """The address of this page without its place in a list, to come back to."""
        if self.request.method != "GET":
            code = self.request.path_params.get("code")
            return "/console" if code is None else f"/console/merchants/{code}"
        url = self.request.url
        pairs = [(name, value) for name, value in parse_qsl(url.query) if name not in {"page", "after", "before"}]
        return f"{url.path}?{urlencode(pairs)}" if pairs else url.path

    @property
    def shortcuts(self) -> bool:
        """Whether single letters do something, which people who dictate switch off."""
        return self.request.cookies.get("maedal_shortcuts") != "off"

    def t(self, korean: str, english: str) -> str:
        return english if self.english else korean

    def may(self, permission: Permission) -> bool:
        if self.who is None or self.who.session.half or self.who.operator.owes() is not None:
            return False
        return self.who.operator.may(permission)

    def value(self, name: str) -> str:
        """Return a field of the form, without the space around it."""
        return self.form.get(name, [""])[-1].strip()

    def secret(self, name: str) -> str:
        """Return a field of the form as it was typed."""
        return self.form.get(name, [""])[-1]

    def form_token(self) -> str:
        """Return what this browser's forms carry: made of its session, so that it is good in no other."""
        return self.services.vault.digest(FORM_PURPOSE, self._bound_to()).hex()

    def form_is_ours(self) -> bool:
        """Return whether the form carries this browser's token."""
        try:
            supplied = bytes.fromhex(self.value(FORM_FIELD))
        except ValueError:
            return False
        return bool(self._bound_to()) and self.services.vault.matches(FORM_PURPOSE, self._bound_to(), supplied)

    def _bound_to(self) -> str:
        if self.who is not None:
            return self.request.cookies.get(session_cookie(secure=self.secure), "")
        return self.pre_session


def session_cookie(*, secure: bool) -> str:
    """Return the cookie's name; the prefix keeps other hosts of the same domain from setting it."""
    return "__Host-maedal_session" if secure else "maedal_session"


def pre_session_cookie(*, secure: bool) -> str:
    """Return the name of the cookie that stands for a session before there is one."""
    return "__Host-maedal_door" if secure else "maedal_door"


def device_cookie(*, secure: bool) -> str:
    """Return the name of the cookie by which a browser is known again that somebody signed in with."""
    return "__Host-maedal_device" if secure else "maedal_device"


def new_pre_session() -> str:
    """Return a value for it."""
    return secrets.token_urlsafe(24)


def is_same_origin(request: AnyRequest, public_url: str) -> bool:
    """Return whether a form was sent by a page of ours, as the browser says; one that says nothing is not believed."""
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site") == "same-origin"
    return origin == public_url or (
        urlsplit(origin).scheme in {"http", "https"} and urlsplit(origin).netloc == request.headers.get("host")
    )


async def read_form(request: AnyRequest) -> dict[str, list[str]]:
    """Return the fields of a plain form; nothing when it is none, or has more of them than any page of ours."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    body = await request.body()
    if body.count(b"&") >= FIELDS_MAX:
        return {}
    fields: dict[str, list[str]] = {}
    for pair in filter(None, body.split(b"&")):
        name, _, value = pair.partition(b"=")
        fields.setdefault(_text(name), []).append(_text(value))
    return fields


def _text(raw: bytes) -> str:
    return decoded(raw.replace(b"+", b" ")).decode("utf-8", "replace").replace("\0", "")


def console_path(target: str) -> str:
    """Return where to go on to after signing in: a page of the console, whatever a link asked for."""
    fine = target.startswith("/console") and target[8:9] in {"", "/", "?"} and target.isascii() and target.isprintable()
    return target if fine and not set(target) & set("\\\"'<> ") and "//" not in target else "/console"
