"""A gateway that keeps `docs/wire/sdk-endpoints.md` to the letter and does what a test tells it, and a shop to pay in.

Both are real servers on ports of their own, so the shop's pages and the gateway have different origins, as in life.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from playwright.async_api import Frame, Page, expect

from maedal.checkout.sdk import script

IMP_UID = "imp_123456789012"
TOKEN = "t0ken_of-this.payment"
CANCELLED = "[결제포기] 사용자가 결제를 취소하셨습니다"
RETURN_QUERY = f"imp_uid={IMP_UID}&merchant_uid=order_7"

FRAME_PAGE = """<!doctype html><title>window</title><body style="margin:0;font:14px sans-serif">payment window
<script>
  const tell = (said, to = "*") => (window.opener || window.parent).postMessage(said, to);
  tell({ from: "imp-gateway", type: "shown" });
</script>"""


def paid(**fields: Any) -> dict[str, Any]:
    result = {
        "success": True, "imp_success": True, "imp_uid": IMP_UID, "merchant_uid": "order_7",
        "pay_method": "point", "paid_amount": 9900, "status": "paid", "pg_provider": "kakaopay",
    }  # fmt: skip
    return result | fields


def failed(code: str, sentence: str, **fields: Any) -> dict[str, Any]:
    result = {
        "success": False, "imp_success": False, "imp_uid": IMP_UID, "merchant_uid": "order_7",
        "error_code": code, "error_msg": sentence, "status": "failed",
    }  # fmt: skip
    return result | fields


def cancelled() -> dict[str, Any]:
    return failed("CANCELED_BY_USER", CANCELLED)


async def listen(app: web.Application) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    return runner, f"http://{host}:{port}"


@dataclass
class Gateway:
    """What the test wants answered is assigned before; what the SDK asked is read afterwards."""

    url: str = ""
    opened: list[dict[str, Any]] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)
    closes: list[dict[str, Any]] = field(default_factory=list)
    close_types: list[str] = field(default_factory=list)
    polls: int = 0

    refusal: dict[str, Any] | None = None
    next_kind: str = "frame"
    expires_in: int = 900
    state: str = "open"
    result: dict[str, Any] | None = None
    on_close: dict[str, Any] = field(default_factory=lambda: {"state": "done", "result": cancelled()})
    broken: set[str] = field(default_factory=set)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._cors])
        app.add_routes([
            web.get("/v1/iamport.js", self._classic),
            web.get("/js/{name}", self._classic),
            web.get("/below/a/path/v1/iamport.js", self._classic),
            web.get("/v1/iamport.esm.js", self._esm),
            web.post("/sdk/payments", self._open),
            web.post("/below/a/path/sdk/payments", self._open),
            web.get("/sdk/payments/{imp_uid}", self._state),
            web.post("/sdk/payments/{imp_uid}/close", self._close),
            web.get("/checkout/{page}", self._page),
        ])  # fmt: skip
        return app

    def finish(self, result: dict[str, Any]) -> None:
        self.state, self.result = "done", result

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of the latest call, as they reached the gateway."""
        return self.opened[-1]["params"]

    @web.middleware
    async def _cors(self, request: web.Request, handler: Any) -> web.StreamResponse:
        headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if request.method == "OPTIONS":
            return web.Response(headers=headers | {"Access-Control-Allow-Headers": "authorization, content-type"})
        response = await handler(request)
        response.headers.update(headers)
        return response

    async def _classic(self, _: web.Request) -> web.Response:
        return web.Response(body=script("classic", self.url), content_type="text/javascript", charset="utf-8")

    async def _esm(self, _: web.Request) -> web.Response:
        return web.Response(body=script("esm", self.url), content_type="text/javascript", charset="utf-8")

    async def _page(self, _: web.Request) -> web.Response:
        return web.Response(text=FRAME_PAGE, content_type="text/html")

    async def _open(self, request: web.Request) -> web.Response:
        if "open" in self.broken:
            return web.Response(status=502, text="<h1>bad gateway</h1>")
        body = await request.json()
        self.opened.append(body)
        self.origins.append(request.headers["Origin"])
        if self.refusal is not None:
            return web.json_response(self.refusal)
        return web.json_response(
            {
                "imp_uid": IMP_UID,
                "merchant_uid": body["params"]["merchant_uid"],
                "token": TOKEN,
                "next": {"kind": self.next_kind, "url": f"{self.url}/checkout/window"},
                "expires_in": self.expires_in,
            }
        )

    def _answer(self) -> web.Response:
        return web.json_response(
            {"imp_uid": IMP_UID, "merchant_uid": "order_7", "state": self.state, "result": self.result}
        )

    async def _state(self, request: web.Request) -> web.Response:
        if request.query_string or request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({}, status=404)
        self.polls += 1
        if "state" in self.broken:
            return web.Response(status=503, text="later")
        return self._answer()

    async def _close(self, request: web.Request) -> web.Response:
        if "close" in self.broken:
            return web.Response(status=503, text="later")
        body = json.loads(await request.text())
        self.closes.append(body)
        self.close_types.append(request.content_type)
        if body["reason"] == "closed":
            self.state, self.result = self.on_close["state"], self.on_close.get("result")
        return self._answer()


@dataclass
class Shop:
    """One page of a shop in one tab, with the SDK in it and the callback's results collected in `results`."""

    page: Page
    gateway: Gateway
    url: str
    served: dict[str, web.Response]
    alerts: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    def serve(self, path: str, html: str, **headers: str) -> str:
        self.served[path] = (html, headers)
        return self.url + path

    @property
    def tag(self) -> str:
        return f'<script src="{self.gateway.url}/v1/iamport.js"></script>'

    def html(self, head: str = "", body: str = "") -> str:
        return f"""<!doctype html><meta charset="utf-8"><title>shop</title>
            <style>body {{ margin: 0; height: 3000px }}</style>{head}
            <script>var results = [], keep = (rsp) => results.push(rsp);</script>
            <body><button id="pay">9,900원 결제하기</button>{body}"""

    async def open(self, head: str | None = None, body: str = "") -> Page:
        html = self.html(self.tag if head is None else head, body)
        await self.page.goto(self.serve("/pay", html))
        return self.page

    async def pay(self, *, callback: bool = True, init: bool = True, **params: Any) -> None:
        """`IMP.request_pay` as the shop's button calls it; what the scenario leaves out is an ordinary order."""
        order = {"pg": "kakaopay", "merchant_uid": "order_7", "name": "월 구독", "amount": 9900} | params
        await self.page.evaluate(
            """([order, callback, init]) => {
                document.querySelector("#pay")?.focus();
                if (init) IMP.init("imp00000000");
                callback ? IMP.request_pay(order, keep) : IMP.request_pay(order);
            }""",
            [order, callback, init],
        )

    async def window(self) -> Frame:
        """The page inside the layer, loaded."""
        await expect(self.page.locator(".imp-status")).to_be_hidden()
        frame = self.page.frame(url=f"{self.gateway.url}/checkout/window")
        assert frame
        return frame

    def message(self, **fields: Any) -> dict[str, Any]:
        nonce = self.gateway.opened[-1]["nonce"]
        output = {"from": "imp-gateway", "type": "result", "nonce": nonce, "imp_uid": IMP_UID, "result": paid()}
        return output | fields

    async def tell(self, **fields: Any) -> None:
        """The window's last page says the result."""
        frame = await self.window()
        await frame.evaluate("([said, to]) => tell(said, to)", [self.message(**fields), self.url])

    async def results(self, count: int = 1) -> list[dict[str, Any]]:
        await self.page.wait_for_function("count => results.length >= count", arg=count)
        return await self.page.evaluate("results")

    async def result(self) -> dict[str, Any]:
        [result] = await self.results()
        return result

    async def ask_to_close(self) -> None:
        await self.page.locator(".imp-close").click()
        await expect(self.page.locator(".imp-ask")).to_be_visible()

    async def close(self) -> None:
        await self.ask_to_close()
        await self.page.get_by_role("button", name="결제 취소").click()

    async def is_gone(self) -> None:
        await expect(self.page.locator(".imp-dialog")).to_have_count(0)
