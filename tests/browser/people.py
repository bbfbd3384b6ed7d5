"""Who takes part: a merchant with a page of their own, a buyer with a phone, and what each of them must see.

The merchant's page lives on a fourth origin, beside gateway, simulator and demo shop. It is what any page written for
PortOne V1 looks like, and it keeps every call of its callback in `window.calls`.
"""

from __future__ import annotations

import io
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

import zxingcpp
from PIL import Image
from playwright.sync_api import BrowserContext, FrameLocator, Page, Response, expect

from tests.support.world import World

GAVE_UP = "[결제포기] 사용자가 결제를 취소하셨습니다"
PIN = "123456"
SCAN_SECONDS_MAX = 30

_numbers = count(1)


# -- what must be so


@dataclass(frozen=True, eq=False)
class Like:
    """Equal to any text that the pattern matches wholly."""

    pattern: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and re.fullmatch(self.pattern, other) is not None

    __hash__ = None


class JustNow:
    """Equal to any whole number of seconds of the last two minutes."""

    def __eq__(self, other: object) -> bool:
        return type(other) is int and abs(time.time() - other) < 120

    def __repr__(self) -> str:
        return "just now"

    __hash__ = None


IMP_UID = Like(r"imp_\d{12}")
TID = Like(r"T[0-9a-f]{19}")


def success(params: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return what the callback gets, key by key (docs/wire/portone-browser-sdk.md 2.1 and 2.2); Money by default."""
    key = {"customer_uid": params["customer_uid"]} if "customer_uid" in params else {}
    return {
        "success": True,
        "imp_success": True,
        "imp_uid": IMP_UID,
        "pay_method": "point",
        "merchant_uid": params["merchant_uid"],
        "name": params["name"],
        "paid_amount": params["amount"],
        "currency": "KRW",
        "pg_provider": "kakaopay",
        "pg_type": "payment",
        "pg_tid": TID,
        "apply_num": "",
        "buyer_name": params["buyer_name"],
        "buyer_email": params["buyer_email"],
        "buyer_tel": params["buyer_tel"],
        "buyer_addr": params["buyer_addr"],
        "buyer_postcode": params["buyer_postcode"],
        "custom_data": json.dumps(params["custom_data"], ensure_ascii=False, separators=(",", ":")),
        "status": "paid",
        "paid_at": JustNow(),
        "receipt_url": Like(r"http://127\.0\.0\.1:\d+/\S+/p/\S+"),
        "card_name": None,
        "bank_name": None,
        "card_quota": 0,
        "card_number": "",
    } | key | changes  # fmt: skip


BY_CARD = {"pay_method": "card", "apply_num": Like(r"\d+"), "card_name": "현대카드"}


def failure(params: dict[str, Any], code: str, text: str) -> dict[str, Any]:
    """Return what the callback gets when nothing was paid (docs/wire/portone-browser-sdk.md 2.3)."""
    return {
        "success": False,
        "imp_success": False,
        "imp_uid": IMP_UID,
        "merchant_uid": params["merchant_uid"],
        "error_code": code,
        "error_msg": text,
        "pay_method": "card",
        "pg_provider": "kakaopay",
        "pg_type": "payment",
        "status": "failed",
    }


def given_up(params: dict[str, Any]) -> dict[str, Any]:
    return failure(params, "CANCELED_BY_USER", GAVE_UP)


# -- the merchant


PAGE = """<!doctype html><html lang="ko"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>상점</title>
<link rel="icon" href="data:,">
{head}
</head><body><h1>원두 정기구독</h1><p>매달 1일에 볶은 원두를 보내드립니다.</p><button id="pay">구독하기</button>
{script}
<script>
  window.calls = [];
  var params = {params};
  document.getElementById("pay").onclick = {onclick};
</script></body></html>"""
ONCLICK = """function () {
    var IMP = window.IMP;
    IMP.init("imp00000000");
    IMP.request_pay(params, function (rsp) { window.calls.push(rsp); });
  }"""
WITHOUT_CALLBACK = 'function () { IMP.init("imp00000000"); IMP.request_pay(params); }'
# A phone leaves the page, so a callback that runs after all has to be told to somebody.
CALLS_HOME = """function () {
    IMP.init("imp00000000");
    IMP.request_pay(params, function (rsp) {
      window.calls.push(rsp);
      navigator.sendBeacon("/called", JSON.stringify(rsp));
    });
  }"""


class _Handler(BaseHTTPRequestHandler):
    merchant: Merchant

    def do_GET(self) -> None:
        self.merchant.visits.append(self.path)
        html = self.merchant.pages.get(self.path.partition("?")[0], "<!doctype html><title>상점</title><h1>도착</h1>")
        self._answer("text/html; charset=utf-8", html.encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.merchant.received.append((self.path, json.loads(body)))
        self._answer("text/plain", b"ok")

    def _answer(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class Merchant:
    """A merchant's own server: pages, a return address, an ear for webhooks and for what the page calls home."""

    url: str
    pages: dict[str, str] = field(default_factory=dict)
    visits: list[str] = field(default_factory=list)
    received: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def order(self, **changes: Any) -> dict[str, Any]:
        """Return parameters for `request_pay`: a key without money, if nothing is changed. None takes one away."""
        number = next(_numbers)
        params = {
            "pg": "kakaopay.TCSUBSCRIP",
            "pay_method": "card",
            "merchant_uid": f"issue_{number}",
            "name": "월간 이용권",
            "amount": 0,
            "customer_uid": f"gildong_{number}",
            "buyer_name": "홍길동",
            "buyer_email": "gildong@example.com",
            "buyer_tel": "010-1234-5678",
            "buyer_addr": "서울특별시 강남구 신사동",
            "buyer_postcode": "06018",
            "custom_data": {"plan": "basic", "months": 1},
            "notice_url": f"{self.url}/webhook",
            "m_redirect_url": f"{self.url}/done?plan=1#result",
        } | changes
        return {name: value for name, value in params.items() if value is not None}

    def page(self, script: str, params: dict[str, Any], *, head: str = "", onclick: str = ONCLICK) -> str:
        """Publish a page with that script tag and return its address."""
        path = f"/pay-{next(_numbers)}"
        reply = json.dumps(params, ensure_ascii=False)
        self.pages[path] = PAGE.format(head=head, script=script, params=reply, onclick=onclick)
        return self.url + path

    def webhooks_of(self, params: dict[str, Any]) -> list[dict[str, Any]]:
        return self._received("/webhook", params)

    def calls_of(self, params: dict[str, Any]) -> list[dict[str, Any]]:
        return self._received("/called", params)

    def returns_of(self, params: dict[str, Any]) -> list[str]:
        """Return the addresses that browsers came back to with this order, without their fragments."""
        return [path for path in self.visits if f"merchant_uid={params['merchant_uid']}&" in path]

    def _received(self, path: str, params: dict[str, Any]) -> list[dict[str, Any]]:
        return [reply for at, reply in self.received if at == path and reply["merchant_uid"] == params["merchant_uid"]]


@contextmanager
def merchant_server() -> Iterator[Merchant]:
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    # Another name than the others', so that it is another site for the browser as well as another origin.
    handler.merchant = Merchant(f"http://localhost:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield handler.merchant
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# -- the buyer's phone


def choose(phone: Page | FrameLocator, method: str = "MONEY") -> None:
    """Choose Money or a card, agree to automatic payment if it is asked for, and go on."""
    phone.get_by_test_id(f"method-{method}").check()
    for consent in phone.get_by_test_id("consent").all():
        consent.check()
    phone.get_by_test_id("next").click()


def enter_pin(phone: Page | FrameLocator, pin: str = PIN) -> None:
    for digit in pin:
        phone.get_by_role("button", name=f"숫자 {digit}", exact=True).click()


def agree(phone: Page | FrameLocator, method: str = "MONEY") -> None:
    choose(phone, method)
    enter_pin(phone)


def enter_wrong_pins(phone: Page | FrameLocator) -> None:
    """As often as it takes until KakaoPay has enough."""
    for left in (4, 3, 2, 1):
        enter_pin(phone, "999999")
        expect(phone.get_by_test_id("wrong-pin")).to_contain_text(f"남은 횟수: {left}")
    enter_pin(phone, "999999")


# -- the page, with the buyer in front of it


class Visit:
    """A buyer's browser on the merchant's page; what the browser complained of is in `errors`."""

    def __init__(self, context: BrowserContext, everything: World, merchant: Merchant) -> None:
        self.context, self.everything, self.merchant = context, everything, merchant
        self.page: Page = context.new_page()
        self.errors: list[str] = []
        self.params: dict[str, Any] = {}
        self.address = ""
        context.on("console", lambda line: self.errors.extend([f"{line.type}: {line.text}"] * (line.type == "error")))
        context.on("weberror", lambda error: self.errors.append(str(error.error)))

    @property
    def script(self) -> str:
        return f'<script src="{self.everything.gateway}/v1/iamport.js"></script>'

    def open(self, *, script: str | None = None, head: str = "", onclick: str = ONCLICK, **order: Any) -> Visit:
        """Open a page that sells one order."""
        self.params = self.merchant.order(**order)
        self.address = self.merchant.page(script or self.script, self.params, head=head, onclick=onclick)
        self.page.goto(self.address)
        return self

    def click(self) -> Visit:
        self.page.click("#pay")
        return self

    # on a desktop

    @property
    def layer(self):
        return self.page.get_by_role("dialog", name=re.compile("카카오페이 (결제|정기결제 등록)"))

    @property
    def window(self) -> FrameLocator:
        """The frame in the layer: KakaoPay's waiting page, until the gateway's page ends it."""
        return self.page.frame_locator("iframe.imp-frame")

    def phone(self, waiting: Page | None = None) -> Page:
        """Open the payment on a phone of its own, by the waiting page's link."""
        link = (waiting or self.window).get_by_test_id("phone-open")
        # A buyer takes up the phone once the waiting page is seen, while it is still in the foreground.
        expect(link).to_be_visible()
        path = link.get_attribute("href")
        phone = self.context.browser.new_context(viewport={"width": 390, "height": 844}).new_page()
        phone.goto(self.everything.sandbox + path)
        return phone

    def scan(self) -> str:
        """Hold a phone's camera before the screen until it reads the code there, and return the address in it."""
        expect(self.window.get_by_test_id("qr")).to_be_visible()
        # The layer fades in, and on a busy machine it is painted later than its page is ready: a camera looks on.
        deadline = time.monotonic() + SCAN_SECONDS_MAX
        while not (codes := zxingcpp.read_barcodes(Image.open(io.BytesIO(self.page.screenshot())))):
            assert time.monotonic() < deadline, "no code can be read on the screen"
        (code,) = codes
        return code.text

    def agree(self, method: str = "MONEY") -> None:
        phone = self.phone()
        agree(phone, method)
        phone.context.close()

    def agree_on_another_device(self) -> None:
        """Let the buyer agree by Money without their screens, where these are not the point."""
        expect(self.window.get_by_test_id("qr")).to_be_visible()
        address = f"{self.everything.sandbox}/_sim/orders/{self.payment()['pg_tid']}/authenticate"
        self.everything.http.post(address, json={"payment_method_type": "MONEY"}).raise_for_status()

    def close_layer(self) -> None:
        self.layer.get_by_role("button", name="결제창 닫기").click()
        self.page.get_by_role("alertdialog").locator(".imp-cancel").click()

    def result(self) -> dict[str, Any]:
        """Return what the callback got, once and only once, however long one waits."""
        self.page.wait_for_function("window.calls.length > 0")
        expect(self.layer).to_have_count(0)
        self.page.wait_for_timeout(150)
        calls = self.page.evaluate("window.calls")
        assert len(calls) == 1, calls
        return calls[0]

    # on a phone

    def tap(self) -> Visit:
        self.page.tap("#pay")
        return self

    def back(self, act: Callable[[], object]) -> Response:
        """Return the gateway's answer that ends the window, while `act` leads to it."""
        with self.page.expect_response(lambda answer: is_return(answer.url)) as returned:
            act()
        return returned.value

    def agree_on_the_phone(self, method: str = "MONEY") -> None:
        """From the waiting page into the app, which goes back to the waiting page by itself."""
        self.page.get_by_test_id("open-app").tap()
        agree(self.page, method)

    def returned(self, query: str, *, before: str = "/done?plan=1&", after: str = "#result") -> str:
        """Return the imp_uid with which the browser has come back, to exactly that address and once."""
        self.page.wait_for_url(f"{self.merchant.url}/done?*")
        imp_uid = self.payment()["imp_uid"]
        reply = f"imp_uid={imp_uid}&merchant_uid={self.params['merchant_uid']}&{query}"
        assert self.page.url == f"{self.merchant.url}{before}{reply}{after}"
        assert self.merchant.returns_of(self.params) == [before + reply]
        assert self.merchant.calls_of(self.params) == []
        return imp_uid

    # at the merchant's server

    def payment(self) -> dict[str, Any]:
        answer = self.everything.call("GET", f"/payments/find/{self.params['merchant_uid']}")
        return answer.json()["response"]

    def payment_once(self, status: str) -> dict[str, Any]:
        """Return the payment as soon as it has this status; fail when it does not get there in time."""
        deadline = time.monotonic() + 60
        while (payment := self.payment())["status"] != status:
            assert time.monotonic() < deadline, payment
            time.sleep(0.1)
        return payment

    def approvals(self) -> list[dict[str, Any]]:
        """Return every approval that KakaoPay was asked for."""
        tid = self.payment()["pg_tid"]
        return [line for line in self.everything.log(operation="approve") if line["tid"] == tid]

    def webhooks_received(self) -> list[dict[str, Any]]:
        """Return the webhooks for this order, once there is one."""
        deadline = time.monotonic() + 60
        while not self.merchant.webhooks_of(self.params) and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.merchant.webhooks_of(self.params)

    def is_paid_as_reported(self, result: dict[str, Any]) -> None:
        """Assert that REST, the webhook and KakaoPay agree with what the page was told."""
        payment = self.everything.payment(result["imp_uid"])
        # `card_number` is "" for a callback and null in REST (docs/wire/portone-v1-rest.md 3.1).
        shared = set(result) & set(payment) - {"card_number"}
        assert {name: payment[name] for name in shared} == {name: result[name] for name in shared}
        assert payment["amount"] == result["paid_amount"]
        self.is_paid("pc")

    def is_paid(self, channel: str) -> dict[str, Any]:
        """Assert that the webhook, REST and KakaoPay know of one payment; return it."""
        reply = self.webhooks_received()
        payment = self.payment()
        assert (payment["status"], payment["channel"], payment["amount"]) == ("paid", channel, self.params["amount"])
        usage = {True: "issue", False: None}["customer_uid" in self.params]
        assert (payment["customer_uid"], payment["customer_uid_usage"]) == (self.params.get("customer_uid"), usage)
        assert reply == [{"imp_uid": payment["imp_uid"], "merchant_uid": self.params["merchant_uid"], "status": "paid"}]
        assert [line["outcome"] for line in self.approvals()] == [{0: "issued"}.get(payment["amount"], "approved")]
        return payment

    def is_not_paid(self, reason: str) -> None:
        """Assert that REST gives that reason, that KakaoPay was never asked for money and that no webhook went out."""
        payment = self.payment()
        assert (payment["status"], payment["fail_reason"]) == ("failed", reason)
        assert self.approvals() == []
        assert self.merchant.webhooks_of(self.params) == []


def is_return(url: str) -> bool:
    return re.search(r"/checkout/[^/]+/(approve|cancel|fail)", url) is not None
