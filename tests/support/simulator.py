"""KakaoPay's simulator inside the test's own process, on the test's own clock: a whole year passes in a minute."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from kakaopay_sandbox.app import create_app
from kakaopay_sandbox.settings import Settings
from maedal.clock import Clock
from maedal.pg.driver import AnswerLost, NotSent, PgReply, PgRequest
from tests.support.asgi import ask

ORIGIN = "http://kakaopay.test"


class Simulator:
    """Is the gateway's way to the PG, the buyer, and the simulator's control."""

    def __init__(self, clock: Clock, **settings: Any) -> None:
        self.app = create_app(Settings(wall=clock.now, public_url=ORIGIN, **settings))
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=ORIGIN)
        self.unsent: list[str] = []
        """Operations whose next call is never sent."""

    async def close(self) -> None:
        await self.http.aclose()
        self.app.state.sandbox.close()

    async def send(self, request: PgRequest) -> PgReply:
        address = urlsplit(request.url)
        operation = address.path.rpartition("/")[2]
        target = address.path + (f"?{address.query}" if address.query else "")
        if operation in self.unsent:
            self.unsent.remove(operation)
            raise NotSent("nobody listens")
        try:
            headers = {"host": address.netloc, **request.headers}
            status, content = await ask(self.app, request.method, target, headers.items(), request.body)
        except ConnectionResetError as error:
            raise AnswerLost("the connection broke") from error
        return PgReply(status, content)

    async def log(self) -> list[dict[str, Any]]:
        """Return what `GET /_sim/log` gives, without the way there: it is read after each step of a state machine."""
        reply: list[dict[str, Any]] = self.app.state.sandbox.call_log.read({}, after=0, limit=-1)
        return reply

    async def fault(self, operation: str, kind: str, **more: Any) -> None:
        body = {"operation": operation, "kind": kind, "times": 1} | more
        (await self.http.post("/_sim/faults", json=body)).raise_for_status()

    async def no_faults(self) -> None:
        self.unsent.clear()
        await self.http.delete("/_sim/faults")

    async def agree(self, tid: str, method: str = "MONEY") -> str | None:
        """Let the buyer agree on the phone; gives the token that comes back with the browser, or None."""
        address = f"/_sim/orders/{tid}/authenticate"
        reply = (await self.http.post(address, json={"payment_method_type": method})).json()
        if "approval_url" not in reply:
            return None
        return parse_qs(urlsplit(reply["approval_url"]).query)["pg_token"][0]

    async def end_by_buyer(self, sid: str) -> None:
        await self.http.post(f"/_sim/sids/{sid}/end-by-buyer")
