"""People with a browser without JavaScript: what they see is HTML, what they do is forms."""

from __future__ import annotations

import asyncio
import html
import re
import threading
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, ClassVar

import httpx

from maedal.app import open_gateway
from maedal.flows.manage_operators import create_operator
from maedal.operators.actor import Actor
from maedal.operators.role import Role
from tests.support.world import World

CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def in_a_thread(work: Any) -> Any:
    """Run a coroutine on a loop of its own, also when the test itself runs in one."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(work)))
    thread.start()
    thread.join()
    return found[0]


def make_operator(world: World, name: str, role: Role, *, to_be_changed: bool = False) -> str:
    """Make an operator as `maedal user create` does, but for a password that need not be changed; gives the password."""

    async def work() -> str:
        async with open_gateway(world.settings, serving=False) as gateway:
            made = await create_operator(gateway.services, name, role, Actor("test"), to_be_changed=to_be_changed)
            return made.password

    return in_a_thread(work())


def asked(world: World, question: Any) -> Any:
    """Ask the store something: `asked(world, lambda store: store.audit.entries(...))`."""

    async def work() -> Any:
        async with open_gateway(world.settings, serving=False) as gateway:
            return await question(gateway.store)

    return in_a_thread(work())


class Fields(HTMLParser):
    """Reads what a form would send if nobody touched it."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action, self.inside, self.found = action, False, {}
        self.select: str | None = None
        self.area: str | None = None

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        a = dict(attrs)
        if tag == "form":
            self.inside = a.get("action") == self.action
        if not self.inside:
            return
        if tag == "input" and a.get("name") and "disabled" not in a:
            if a.get("type") not in {"radio", "checkbox"} or "checked" in a:
                self.found[a["name"]] = a.get("value") or ""
        elif tag == "select":
            self.select = a["name"]
        elif tag == "option" and self.select and ("selected" in a or self.select not in self.found):
            self.found[self.select] = a["value"]
        elif tag == "textarea":
            self.area = a["name"]
            self.found[self.area] = ""

    def handle_data(self, data: str) -> None:
        if self.inside and self.area:
            self.found[self.area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        if tag == "select":
            self.select = None
        if tag == "textarea":
            self.area = None


@dataclass
class Person:
    """Somebody at a browser."""

    browsers: ClassVar[list[httpx.Client]] = []
    """Every one that was opened, to be closed in the end."""
    world: World
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.world.gateway, timeout=60)
        self.browsers.append(self.http)

    @property
    def origin(self) -> str:
        return self.world.gateway

    def open(self, path: str = "/console", **more: Any) -> httpx.Response:
        return self.http.get(path, **more)

    def see(self, path: str = "/console") -> str:
        answer = self.http.get(path, follow_redirects=True)
        assert answer.status_code == 200, (answer.status_code, path)
        return answer.text

    def send(
        self, path: str, page: str | None = None, follow: bool = True, headers: Any = None, **fields: Any
    ) -> httpx.Response:
        """Fill in the form that a page has for this address and send it, as a browser does."""
        form = Fields(path)
        form.feed(self.http.get(page or path).text)
        assert form.found, f"{page or path} has no form for {path}"
        supplied = {name: value for name, value in (form.found | fields).items() if value is not None}
        headers = {"Origin": self.origin} if headers is None else headers
        answer = self.http.post(path, data=supplied, headers=headers)
        if follow and answer.status_code == 303:
            return self.http.get(answer.headers["location"], headers={"Referer": self.origin})
        return answer

    def token(self, page: str = "/console/account") -> str:
        return re.search(r'name="form_token" value="([0-9a-f]+)"', self.http.get(page).text)[1]

    def sign_in(self, name: str, password: str, **more: Any) -> httpx.Response:
        return self.send("/console/sign-in", name=name, password=password, **more)


def text_of(page: str) -> str:
    """Return what a page says, without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def once(page: str) -> list[str]:
    """Return what a page shows only once."""
    found = re.search(r'data-testid="shown-once">(.*?)</div>', page, re.DOTALL)
    return re.findall(r"<code>(.*?)</code>", found[1]) if found else []
