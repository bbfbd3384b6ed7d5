"""The buyer's screens in a real Chromium: scanning, paying, giving up, running out of time."""

import io
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import httpx
import pytest
import zxingcpp
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.sandbox.conftest import StartShop
from tests.sandbox.support import SINGLE, Shop, code_of
from tests.support.chromium import QUIET
from tools import provide

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-sandbox")]

PATIENCE_MILLISECONDS = 30_000
"""Only a machine at its limit comes near it."""
WINDOW = {"width": 1280, "height": 860}
FRAME = {"width": 426, "height": 550}
PHONE = {"width": 390, "height": 844}
SLOW_SECONDS = 2.5
"""Longer than two turns of the page that waits and asks."""


class ShopPages(BaseHTTPRequestHandler):
    """A shop on another origin: says where the browser has come to, or frames what it is told to."""

    visits: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.visits.append(self.path)
        if self.path.endswith("slow"):
            time.sleep(SLOW_SECONDS)
        body = b"<!doctype html><title>shop</title><h1>shop</h1>"
        if self.path.startswith("/frame?"):
            url = self.path.removeprefix("/frame?")
            body += f'<iframe src="{url}" width="426" height="550" title="pay"></iframe>'.encode()
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MILLISECONDS)
        chromium = playwright.chromium.launch(executable_path=provide.headless_shell(), args=list(QUIET))
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def shop_origin() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), ShopPages)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def live(start_shop: StartShop) -> Shop:
    from kakaopay_sandbox.clock import wall_clock

    return start_shop(wall=wall_clock)


def order_of(shop: Shop, shop_origin: str, **changes: Any) -> dict[str, Any]:
    urls = {f"{name}_url": f"{shop_origin}/{name}?o=1" for name in ("approval", "cancel", "fail")}
    return shop.ready_order(**urls | changes)


def open_page(browser: Browser, size: dict[str, int], url: str, **options: Any) -> Page:
    page = browser.new_context(viewport=size, **options).new_page()
    page.goto(url)
    return page


def token_in(page: Page) -> str:
    return str(httpx.URL(page.url).params["pg_token"])


def pay_on(phone: Any, method: str = "MONEY") -> None:
    """The screens from the choice to the PIN, tapped."""
    phone.get_by_test_id(f"method-{method}").check()
    phone.get_by_test_id("consent").check()
    phone.get_by_test_id("next").click()
    for digit in "123456":
        phone.get_by_role("button", name=f"숫자 {digit}", exact=True).click()


def type_pin(page: Page, pin: str) -> None:
    """On the keyboard, into the field that has the focus by itself."""
    page.wait_for_load_state()
    expect(page.get_by_test_id("pin")).to_be_focused()
    page.keyboard.type(pin)


def test_the_code_on_the_pc_page_can_be_scanned_and_leads_to_the_phone(
    browser: Browser, live: Shop, shop_origin: str
) -> None:
    order = order_of(live, shop_origin)
    pc = open_page(browser, FRAME, order["next_redirect_pc_url"])
    screenshot = Image.open(io.BytesIO(pc.screenshot()))
    (code,) = zxingcpp.read_barcodes(screenshot)
    assert code.text == order["ios_app_scheme"].partition("url=")[2]

    phone = open_page(browser, PHONE, code.text, is_mobile=True, has_touch=True)
    pay_on(phone)
    expect(phone.get_by_test_id("done")).to_contain_text("주문중이던 앱/웹브라우저로 이동하면")
    pc.wait_for_url(f"{shop_origin}/approval?o=1&pg_token=*")
    assert live.approve(order["tid"], token_in(pc)).json()["payment_method_type"] == "MONEY"


def test_in_a_wide_window_the_phone_lies_beside_the_code(browser: Browser, live: Shop, shop_origin: str) -> None:
    order = order_of(live, shop_origin)
    pc = open_page(browser, WINDOW, order["next_redirect_pc_url"] + "?kpayTid=x")
    phone = pc.frame_locator("[data-testid=phone]")
    expect(phone.get_by_test_id("notice")).to_be_visible()
    assert live.order(order["tid"]).json()["status"] == "READY"
    phone.get_by_test_id("notice").click()
    pay_on(phone, "hyundai")
    pc.wait_for_url(f"{shop_origin}/approval?o=1&pg_token=*")
    assert live.approve(order["tid"], token_in(pc)).json()["payment_method_type"] == "CARD"


def test_in_a_shops_small_frame_the_phone_shows_in_the_frame(browser: Browser, live: Shop, shop_origin: str) -> None:
    order = order_of(live, shop_origin)
    page = open_page(browser, WINDOW, f"{shop_origin}/frame?{order['next_redirect_pc_url']}")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_test_id("phone")).to_be_hidden()
    frame.get_by_test_id("phone-here").click()
    pay_on(frame)
    expect(frame.get_by_role("heading", name="shop")).to_be_visible()
    inner = page.frames[1]
    assert inner.url.startswith(f"{shop_origin}/approval?o=1&pg_token=")


def test_the_mobile_way_leads_to_the_app_and_back(browser: Browser, live: Shop, shop_origin: str) -> None:
    order = order_of(live, shop_origin, total_amount=0)
    page = open_page(browser, PHONE, order["next_redirect_mobile_url"], is_mobile=True, has_touch=True)
    page.get_by_test_id("completed").tap()
    expect(page.get_by_test_id("not-yet")).to_be_visible()
    page.get_by_test_id("open-app").tap()
    expect(page.get_by_test_id("next")).to_have_text("등록하기")
    pay_on(page)
    page.get_by_test_id("home").tap()
    page.wait_for_url(f"{shop_origin}/approval?o=1&pg_token=*")
    assert live.approve(order["tid"], token_in(page)).json()["amount"]["total"] == 0


def test_a_wrong_pin_is_told_and_the_keyboard_works(browser: Browser, live: Shop, shop_origin: str) -> None:
    order = order_of(live.under(SINGLE), shop_origin, cid=SINGLE)
    page = open_page(browser, PHONE, order["next_redirect_app_url"])
    page.get_by_test_id("open-app").click()
    page.get_by_test_id("next").click()
    type_pin(page, "000000")
    expect(page.get_by_test_id("wrong-pin")).to_contain_text("남은 횟수: 4")
    type_pin(page, "123456")
    expect(page.get_by_test_id("done")).to_be_visible()


def test_five_wrong_pins_lead_to_fail_url(browser: Browser, live: Shop, shop_origin: str) -> None:
    order = order_of(live, shop_origin)
    pc = open_page(browser, FRAME, order["next_redirect_pc_url"])
    pc.get_by_test_id("phone-here").click()
    pc.get_by_test_id("consent").check()
    pc.get_by_test_id("next").click()
    for left in (4, 3, 2, 1):
        type_pin(pc, "999999")
        expect(pc.get_by_test_id("wrong-pin")).to_contain_text(f"남은 횟수: {left}")
    type_pin(pc, "999999")
    pc.wait_for_url(f"{shop_origin}/fail?o=1")


@pytest.mark.parametrize("button", ["cancel", "quit"])
def test_giving_up_leads_to_cancel_url(browser: Browser, live: Shop, shop_origin: str, button: str) -> None:
    order = order_of(live, shop_origin)
    pc = open_page(browser, WINDOW, order["next_redirect_pc_url"])
    phone = pc.frame_locator("[data-testid=phone]")
    phone.get_by_test_id("notice").click()
    {"cancel": pc, "quit": phone}[button].get_by_test_id(button).click()
    pc.wait_for_url(f"{shop_origin}/cancel?o=1")
    assert code_of(live.approve(order["tid"], "x")) == -783


@pytest.mark.parametrize("url", ["next_redirect_pc_url", "next_redirect_mobile_url"])
def test_a_slow_shop_is_gone_to_once(browser: Browser, live: Shop, shop_origin: str, url: str) -> None:
    slow = f"/cancel?o={url}.slow"
    order = order_of(live, shop_origin, cancel_url=f"{shop_origin}{slow}")
    page = open_page(browser, PHONE, order[url])
    page.get_by_test_id("cancel").click()
    page.wait_for_url(f"{shop_origin}{slow}")
    assert ShopPages.visits.count(slow) == 1


def test_when_the_time_is_up_the_page_goes_to_fail_url(browser: Browser, live: Shop, shop_origin: str) -> None:
    order = order_of(live, shop_origin)
    pc = open_page(browser, FRAME, order["next_redirect_pc_url"])
    live.advance(890)
    expect(pc.get_by_test_id("countdown")).to_contain_text("00:0")
    live.advance(10)
    pc.wait_for_url(f"{shop_origin}/fail?o=1")
    assert code_of(live.approve(order["tid"], "x")) == -723


def test_without_scripts_the_buyer_still_gets_there(browser: Browser, live: Shop, shop_origin: str) -> None:
    order = order_of(live, shop_origin)
    page = open_page(browser, PHONE, order["next_redirect_mobile_url"], java_script_enabled=False)
    page.get_by_test_id("open-app").click()
    page.get_by_test_id("consent").check()
    page.get_by_test_id("next").click()
    page.get_by_test_id("pin").fill("123456")
    page.get_by_role("button", name="확인").click()
    page.get_by_test_id("home").click()
    page.wait_for_url(f"{shop_origin}/approval?o=1&pg_token=*")


def test_no_page_scrolls_sideways_on_a_phone(browser: Browser, live: Shop, shop_origin: str) -> None:
    sid = live.pay("CARD", item_name="아주 " * 20)["sid"]
    live.fault("subscription", "error_500_after", sid=sid, times=2)
    live.charge(sid)
    order = order_of(live, shop_origin)
    page = browser.new_context(viewport={"width": 320, "height": 640}).new_page()
    wide = []
    for path in (
        order["next_redirect_pc_url"],
        order["next_redirect_mobile_url"],
        order["ios_app_scheme"].partition("url=")[2],
        *(
            str(live.http.base_url.join(path))
            for path in ("/account", "/faults", "/faults?lang=en", "/", "/log", "/nowhere")
        ),
    ):
        page.goto(path)
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        wide += [path] * (overflow > 0)
    assert wide == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_hinders_anyone(browser: Browser, live: Shop, shop_origin: str, scheme: Any) -> None:
    paid = live.pay("CARD")
    live.fault("subscription", "error_500_after", sid=paid["sid"], times=2)
    live.charge(paid["sid"])
    order, other = order_of(live, shop_origin), order_of(live, shop_origin)
    phone = order["ios_app_scheme"].partition("url=")[2]
    pin = other["ios_app_scheme"].partition("url=")[2]
    live.http.post(pin + "/method", data={"method": "kb", "consent": "on"})
    page = browser.new_context(viewport=PHONE, color_scheme=scheme).new_page()
    found = {}
    for url in (
        order["next_redirect_pc_url"],
        order["next_redirect_pc_url"] + "?way=message",
        order["next_redirect_mobile_url"],
        phone + "/lock",
        phone,
        pin,
        *(
            str(live.http.base_url.join(path))
            for path in ("/account", "/faults", "/faults?lang=en", "/", "/log", "/nowhere")
        ),
    ):
        page.goto(url)
        violations = Axe().run(page).response["violations"]
        found[url] = [(one["id"], one["nodes"][0]["html"]) for one in violations]
    assert {url: faults for url, faults in found.items() if faults} == {}


def open_faults(browser: Browser, shop: Shop, size: dict[str, int] = WINDOW, **options: Any) -> Page:
    return open_page(browser, size, str(shop.http.base_url.join("/faults")), **options)


def test_a_fault_is_armed_without_leaving_the_place_and_tells_by_itself_what_it_did(
    browser: Browser, live: Shop
) -> None:
    sid = live.pay("CARD")["sid"]
    page = open_faults(browser, live)
    page.get_by_test_id("sid").select_option(sid)
    page.get_by_test_id("times").fill("2")
    page.get_by_test_id("arm-error_500_after").click()
    expect(page.get_by_test_id("armed-error_500_after")).to_contain_text("앞으로 2번")
    expect(page.get_by_test_id("said")).to_contain_text("걸었습니다")
    assert page.get_by_test_id("times").input_value() == "2"
    expect(page.locator("#arm-error_500_after")).to_be_focused()
    assert live.charge(sid).status_code == 500
    expect(page.get_by_test_id("events")).to_contain_text("HTTP 500")
    expect(page.get_by_test_id("armed-error_500_after")).to_contain_text("지금까지 1번")
    page.get_by_role("button", name="빼기").click()
    expect(page.get_by_test_id("nothing-armed")).to_be_visible()
    # What had the focus is gone; it goes on where it was.
    expect(page.locator("#armed-title")).to_be_focused()
    assert live.charge(sid).status_code == 200


def test_the_keyboard_arms_a_fault_and_enter_in_a_field_arms_none(browser: Browser, live: Shop) -> None:
    page = open_faults(browser, live)
    page.get_by_test_id("times").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_test_id("arm-drop_after")).to_be_focused()
    assert live.control("GET", "/faults") == []
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("armed-drop_after")).to_be_visible()


def test_a_mistake_is_told_where_it_is_made(browser: Browser, live: Shop) -> None:
    page = open_faults(browser, live)
    page.get_by_test_id("operation").select_option("order")
    page.get_by_test_id("arm-decline").click()
    expect(page.get_by_test_id("problem")).to_contain_text("고른 호출에는 걸 수 없습니다")
    expect(page.get_by_test_id("problem")).to_be_in_viewport()


def test_on_a_phone_without_scripts_faults_can_be_armed_and_removed(browser: Browser, live: Shop) -> None:
    page = open_faults(browser, live, PHONE, java_script_enabled=False, is_mobile=True, has_touch=True)
    page.get_by_test_id("arm-drop_before").tap()
    expect(page.get_by_test_id("armed-drop_before")).to_be_visible()
    page.get_by_test_id("clear").tap()
    expect(page.get_by_test_id("nothing-armed")).to_be_visible()


def test_a_refund_is_made_where_the_payment_stands(browser: Browser, live: Shop) -> None:
    tid = live.pay()["tid"]
    page = open_faults(browser, live)
    row = page.locator("#refunds li").first
    row.get_by_role("textbox").fill("2,000")
    row.get_by_test_id("refund").click()
    expect(row).to_contain_text("남은 금액 7,900원")
    expect(page.get_by_test_id("events")).to_contain_text("카카오페이에서 환불")
    assert live.order(tid).json()["canceled_amount"]["total"] == 2000
