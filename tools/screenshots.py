"""Take the pictures of docs/screens.md and of the manual: start everything, be merchant and buyer, and write PNGs.

    .venv/bin/python -m tools.screenshots            every picture anew, in some minutes
    .venv/bin/python -m tools.screenshots manual     those of the manual alone, in docs/manual/images/
    .venv/bin/python -m tools.screenshots screens    those of docs/screens.md alone, in docs/images/

The pictures show Korean, so a Korean font has to be installed (tools/provide.py sees to that).
"""

from __future__ import annotations

import contextlib
import io
import random
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFilter, ImageOps
from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as NoPatience

from maedal.merchants.merchant import DEMO_API_KEY, DEMO_API_SECRET
from tools import provide

DOCS = Path(__file__).parents[1] / "docs"
IMAGES = DOCS / "images"
MANUAL_IMAGES = DOCS / "manual" / "images"
IN_THE_TUTORIAL = {"tutorial-window": "hero", "tutorial-channel": "console-channel-wide"}
"""Each picture in Korean, NAME.png, and in English, NAME.en.png: the manual takes that of its language."""
BYTES_MAX = 150_000
HERE = {"locale": "ko-KR", "timezone_id": "Asia/Seoul"}
WIDE = {"viewport": {"width": 1280, "height": 860}} | HERE
TALL = {"width": 1280, "height": 1330}
NARROW = {
    "viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True
} | HERE  # fmt: skip
PHONE_AGENT = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36"
PIN = "123456"


class Album:
    """Writes pictures with few colours, and refuses one that became too big."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def take(self, name: str, page: Page, **options: Any) -> None:
        # A pointer that hovers and a caret that blinks would make every run another picture.
        page.mouse.move(0, 0)
        page.wait_for_timeout(400)
        self.keep(name, Image.open(io.BytesIO(page.screenshot(caret="hide", **options))))

    def keep(self, name: str, picture: Image.Image) -> None:
        path = self.folder / f"{name}.png"
        whole = picture.convert("RGB")
        whole.save(path, optimize=True)
        if path.stat().st_size > BYTES_MAX:
            whole.quantize(256, kmeans=2, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size > BYTES_MAX:
            raise SystemExit(f"{path} has more than {BYTES_MAX} bytes")
        print(f"{path.relative_to(DOCS.parent)}  {path.stat().st_size // 1000} kB", flush=True)


def free_port() -> int:
    """Return the first of three neighbouring ports that nobody listens on."""
    for port in random.sample(range(20_000, 30_000, 10), 100):
        try:
            for near in range(3):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port + near))
        except OSError:
            continue
        return port
    raise SystemExit("no three free ports in a row")


@contextmanager
def everything() -> Iterator[tuple[str, str, str, str]]:
    """Run `maedal dev` on an empty folder; gives the addresses of gateway, simulator and shop, and a password."""
    port = free_port()
    program = Path(sys.executable).with_name("maedal")
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log.txt").open("w+") as log:
        command = [str(program), "dev", "--port", str(port), "--data-dir", folder]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            message = list(takewhile(lambda line: not line.startswith("maedal ready"), running.stdout or ()))
            password = next((line.split()[-1] for line in message if "shown once" in line), None)
            if running.poll() is not None or password is None:
                raise SystemExit(f"maedal dev did not start:\n{Path(log.name).read_text()}")
            gateway, sandbox, shop = (f"http://127.0.0.1:{port + n}" for n in range(3))
            yield gateway, sandbox, shop, password
        finally:
            running.terminate()
            running.communicate(timeout=30)


def choose(phone: Page, method: str) -> None:
    phone.get_by_test_id(f"method-{method}").check()
    for consent in phone.get_by_test_id("consent").all():
        consent.check()


def enter_pin(phone: Page, digits: str = PIN) -> None:
    for digit in digits:
        phone.get_by_role("button", name=f"숫자 {digit}", exact=True).click()


def phone_beside(browser: Browser, page: Page, sandbox: str) -> Page:
    """Open the layer's payment on a phone."""
    link = page.frame_locator("iframe.imp-frame").get_by_test_id("phone-open")
    phone = browser.new_context(**NARROW).new_page()
    phone.goto(sandbox + str(link.get_attribute("href")))
    return phone


def beside(computer: bytes, phone: bytes) -> Image.Image:
    """Lay a phone in front of a desktop window, at its right edge."""
    back = Image.open(io.BytesIO(computer)).convert("RGB")
    screen = Image.open(io.BytesIO(phone)).convert("RGB")
    height = back.height - 120
    screen = screen.resize((round(screen.width * height / screen.height), height), Image.Resampling.LANCZOS)
    rim, corner = 9, 40
    size = (screen.width + 2 * rim, screen.height + 2 * rim)
    # Drawn four times as large and made small again, so that the corners are smooth.
    masks = []
    for inset in (0, rim):
        mask = Image.new("L", (size[0] * 4, size[1] * 4))
        box = [inset * 4, inset * 4, (size[0] - inset) * 4 - 1, (size[1] - inset) * 4 - 1]
        ImageDraw.Draw(mask).rounded_rectangle(box, radius=(corner - inset) * 4, fill=255)
        masks.append(mask.resize(size, Image.Resampling.LANCZOS))
    body, glass = masks
    at = (back.width - size[0] - 40, (back.height - size[1]) // 2)
    shadow = Image.new("L", back.size)
    shadow.paste(body, (at[0], at[1] + 14))
    shadow = shadow.filter(ImageFilter.GaussianBlur(22)).point(lambda light: light // 2)
    back.paste((0, 0, 0), mask=shadow)
    back.paste((22, 24, 29), at, body)
    inside = Image.new("RGB", size)
    inside.paste(screen, (rim, rim))
    back.paste(inside, at, glass)
    return back


def on_a_computer(browser: Browser, album: Album, sandbox: str, shop: str) -> None:
    page = browser.new_context(**WIDE).new_page()
    layer = page.frame_locator("iframe.imp-frame")
    result = page.get_by_test_id("result")
    page.goto(f"{shop}/?lang=ko")
    album.take("shop-wide", page)

    page.get_by_test_id("subscribe").click()
    expect(layer.get_by_test_id("qr")).to_be_visible()
    album.take("layer-wide", page)
    waiting = browser.new_context(**WIDE).new_page()
    waiting.goto(page.frames[1].url)
    expect(waiting.frame_locator("[data-testid=phone]").get_by_test_id("notice")).to_be_visible()
    album.take("waiting-wide", waiting)
    waiting.context.close()

    phone = phone_beside(browser, page, sandbox)
    choose(phone, "hyundai")
    page.wait_for_timeout(1_200)
    album.keep("hero", beside(page.screenshot(), phone.screenshot()))
    album.take("phone-choose", phone)
    phone.get_by_test_id("next").click()
    enter_pin(phone, PIN[:3])
    album.take("phone-pin", phone)
    page.get_by_role("button", name="결제창 닫기").click()
    album.take("layer-question-wide", page)
    page.locator(".imp-keep").click()
    with page.expect_request("**/approve?*") as returned:
        enter_pin(phone, PIN[3:])
        expect(phone.get_by_test_id("done")).to_be_visible()
        album.take("phone-done", phone)
    phone.context.close()
    expect(result).to_have_attribute("data-status", "paid")
    expect(page.get_by_test_id("subscription").first).to_be_visible()
    page.get_by_test_id("again-amount").first.fill("3000")
    page.get_by_test_id("charge-again").first.click()
    # The gateway lets some seconds pass between two charges of one key.
    expect(page.get_by_test_id("subscription-total").first).to_contain_text("2", timeout=30_000)
    page.set_viewport_size(TALL)
    page.evaluate("scrollTo(0, 0)")
    album.take("shop-charged-wide", page)
    page.set_viewport_size(WIDE["viewport"])
    page.goto(returned.value.url)
    album.take("end-done-wide", page)
    page.goto(f"{sandbox}/account?lang=ko")
    album.take("account-wide", page)
    page.context.close()


def on_a_phone(browser: Browser, album: Album, sandbox: str, shop: str) -> None:
    page = browser.new_context(**NARROW, user_agent=PHONE_AGENT).new_page()
    page.goto(f"{shop}/?lang=ko")
    album.take("shop-narrow", page)

    page.get_by_test_id("subscribe").tap()
    expect(page.get_by_test_id("open-app")).to_be_visible()
    album.take("waiting-narrow", page)
    page.get_by_test_id("open-app").tap()
    choose(page, "MONEY")
    page.get_by_test_id("next").tap()
    enter_pin(page)
    page.get_by_test_id("home").tap()
    expect(page.get_by_test_id("result")).to_have_attribute("data-status", "paid")
    album.take("shop-back-narrow", page)
    page.get_by_test_id("to-shop").tap()
    expect(page.get_by_test_id("subscription").first).to_be_visible()
    page.evaluate("scrollBy(0, document.querySelector('[data-testid=subscription]').getBoundingClientRect().top - 64)")
    album.take("shop-charged-narrow", page)

    # Without a way back to the shop the gateway itself says how it ended.
    buy = """order => { IMP.init("imp00000000"); IMP.request_pay(order); }"""
    order = {"pg": "kakaopay", "name": "이달의 원두 한 봉지", "amount": 12_000, "merchant_uid": "screens_1"}
    page.evaluate(buy, order)
    page.get_by_test_id("open-app").tap()
    choose(page, "MONEY")
    page.get_by_test_id("next").tap()
    enter_pin(page)
    page.get_by_test_id("home").tap()
    expect(page.get_by_role("heading", name="결제가 완료되었습니다.")).to_be_visible()
    album.take("end-done-narrow", page)
    page.goto(f"{shop}/?lang=ko")
    page.evaluate(buy, order | {"merchant_uid": "screens_2"})
    page.get_by_test_id("cancel").tap()
    expect(page.get_by_role("heading", name="결제를 취소하셨습니다.")).to_be_visible()
    album.take("end-stopped-narrow", page)
    refusal = {"operation": "approve", "kind": "decline", "times": 1, "method_result_code": "LACK_BALANCE"}
    page.request.post(f"{sandbox}/_sim/faults", data=refusal)
    page.goto(f"{shop}/?lang=ko")
    page.evaluate(buy, order | {"merchant_uid": "screens_3"})
    page.get_by_test_id("open-app").tap()
    choose(page, "MONEY")
    page.get_by_test_id("next").tap()
    enter_pin(page)
    page.get_by_test_id("home").tap()
    expect(page.get_by_role("heading", name="결제에 실패하였습니다.")).to_be_visible()
    album.take("end-failed-narrow", page)
    page.goto(f"{sandbox}/account?lang=ko")
    album.take("account-narrow", page)
    page.context.close()


def api_document(browser: Browser, album: Album, gateway: str) -> None:
    for name, device in (("api-wide", WIDE), ("api-narrow", NARROW)):
        page = browser.new_context(**device).new_page()
        page.goto(gateway)
        call = page.locator(".opblock-post", has=page.locator("[data-path='/users/getToken']"))
        call.locator(".opblock-summary-control").click()
        expect(call.locator(".opblock-body")).to_be_visible()
        page.evaluate("document.querySelector('.opblock-tag-section').scrollIntoView()")
        album.take(name, page)
        page.context.close()


def console(browser: Browser, album: Album, gateway: str, password: str) -> None:
    """Take the console's pages, after whatever the others have bought."""
    of = f"{gateway}/console/merchants/imp00000000"
    signed_in = None
    for suffix, device in (("wide", WIDE), ("narrow", NARROW)):
        context = browser.new_context(**device, storage_state=signed_in)
        page = context.new_page()
        page.goto(f"{gateway}/console")
        if signed_in is None:
            page.get_by_label("이름").fill("owner")
            page.get_by_label("비밀번호").fill(password)
            page.get_by_role("button", name="로그인").click()
            expect(page.get_by_role("heading", name="홈")).to_be_visible()
            signed_in = context.storage_state()
        page.goto(of)
        expect(page.locator("canvas").first).to_be_visible()
        album.take(f"console-home-{suffix}", page)
        page.goto(f"{of}/channels/new")
        album.take(f"console-channel-{suffix}", page)
        page.goto(f"{of}/payments")
        album.take(f"console-payments-{suffix}", page)
        page.locator("tbody a").first.click()
        expect(page.get_by_role("heading", name="진행 기록")).to_be_visible()
        page.get_by_role("heading", name="진행 기록").scroll_into_view_if_needed()
        album.take(f"console-payment-{suffix}", page)
        context.close()


KINDS_SHOWN = (
    "drop_after",
    "drop_before",
    "delay",
    "error_500_after",
    "error_500_before",
    "garbled_after",
    "decline",
    "refuse",
    "refuse_after",
    "empty_401",
)
GROUND, ARROW = (242, 244, 248), (90, 100, 120)
SHARP = {"viewport": {"width": 1280, "height": 900}, "device_scale_factor": 2} | HERE


class Customer:
    """Somebody whose billing key the merchant charges by the gateway's REST API."""

    def __init__(self, page: Page, gateway: str, sandbox: str, number: int) -> None:
        """Let them register a key in the payment window, which `page` of the shop opens."""
        self._page, self._gateway = page, gateway
        self.uid = f"customer_{number}"
        order = {"pg": "kakaopay.TCSUBSCRIP", "name": "매달 원두 한 봉지", "amount": 0, "customer_uid": self.uid}
        page.evaluate(
            """order => { IMP.init("imp00000000"); IMP.request_pay(order, () => {}); }""",
            order | {"merchant_uid": f"issue_{number}"},
        )
        expect(page.frame_locator("iframe.imp-frame").get_by_test_id("qr")).to_be_visible()
        (open_order,) = [one for one in page.request.get(f"{sandbox}/_sim/orders").json() if one["status"] == "READY"]
        page.request.post(f"{sandbox}/_sim/orders/{open_order['tid']}/authenticate", data={})
        expect(page.locator("iframe.imp-frame")).to_have_count(0, timeout=30_000)
        self.sid = page.request.get(f"{sandbox}/_sim/sids").json()[-1]["sid"]

    def charge(self, merchant_uid: str, wait_seconds: int = 60) -> None:
        """Ask the gateway for 9,900 won; whoever has no patience leaves it to the gateway to find out."""
        pair = {"imp_key": DEMO_API_KEY, "imp_secret": DEMO_API_SECRET}
        token = self._page.request.post(f"{self._gateway}/users/getToken", data=pair).json()["response"]["access_token"]
        body = {"customer_uid": self.uid, "merchant_uid": merchant_uid, "amount": 9_900, "name": "매달 원두 한 봉지"}
        with contextlib.suppress(NoPatience):
            self._page.request.post(
                f"{self._gateway}/subscribe/payments/again",
                headers={"Authorization": token},
                data=body,
                timeout=wait_seconds * 1000,
            )


def margin(picture: bytes) -> bytes:
    """Give a part of a sheet some of the sheet around it."""
    whole = io.BytesIO()
    ImageOps.expand(Image.open(io.BytesIO(picture)).convert("RGB"), 28, "white").save(whole, "PNG")
    return whole.getvalue()


def led_to(*pictures: bytes) -> Image.Image:
    """Put pictures side by side, each with an arrow to the next."""
    each = [Image.open(io.BytesIO(picture)).convert("RGB") for picture in pictures]
    pad, gap = 32, 96
    width = sum(one.width for one in each) + gap * (len(each) - 1) + 2 * pad
    height = max(one.height for one in each) + 2 * pad
    whole = Image.new("RGB", (width, height), GROUND)
    at = pad
    for one in each:
        if at > pad:
            middle = height // 2
            tip = [(at - 60, middle - 16), (at - 60, middle + 16), (at - 32, middle)]
            ImageDraw.Draw(whole).polygon(tip, fill=ARROW)
        whole.paste(one, (at, (height - one.height) // 2))
        at += one.width + gap
    return whole


def manual(browser: Browser, gateway: str, sandbox: str, shop: str) -> None:
    """Take the pictures of the manual's page about testing: every failure, as a developer brings it about."""
    album = Album(MANUAL_IMAGES)
    languages = {"": "ko", ".en": "en"}
    pages = {suffix: browser.new_context(**SHARP).new_page() for suffix in languages}
    shop_page = browser.new_context(**WIDE).new_page()
    shop_page.goto(f"{shop}/?lang=ko")
    customers = {kind: Customer(shop_page, gateway, sandbox, n) for n, kind in enumerate(KINDS_SHOWN)}

    def look(path: str = "/faults") -> None:
        for suffix, page in pages.items():
            page.goto(f"{sandbox}{path}{'&' if '?' in path else '?'}lang={languages[suffix]}")

    for kind, customer in customers.items():
        look(f"/faults?sid={customer.sid}")
        cards = {suffix: page.locator(f"section.kind:has([value={kind}])") for suffix, page in pages.items()}
        before = {suffix: card.screenshot(caret="hide") for suffix, card in cards.items()}
        if kind == KINDS_SHOWN[0]:
            pages[""].get_by_test_id(f"arm-{kind}").click()
            expect(pages[""].get_by_test_id(f"armed-{kind}")).to_be_visible()
            look(f"/faults?sid={customer.sid}")
            for suffix, page in pages.items():
                album.take(f"testing-page{suffix}", page)
        else:
            pages[""].get_by_test_id(f"arm-{kind}").click()
            expect(pages[""].get_by_test_id(f"armed-{kind}")).to_be_visible()
        customer.charge(f"order_{kind}", wait_seconds=30 if kind == "delay" else 8)
        look()
        for suffix, page in pages.items():
            event = page.get_by_test_id("events").locator("li").first
            expect(event).to_contain_text("9,900")
            album.keep(f"testing-{kind}{suffix}", led_to(before[suffix], margin(event.screenshot())))

    pages[""].request.post(f"{sandbox}/_sim/buyer", data={"points": 2_000, "discount": 500})
    look()
    for suffix, page in pages.items():
        for name in ("times", "points"):
            album.keep(
                f"testing-{name}{suffix}", led_to(page.locator(f"section[aria-labelledby={name}-title]").screenshot())
            )
    phone = browser.new_context(**NARROW).new_page()
    ready = {
        "cid": "TCSUBSCRIP", "partner_order_id": "o-1", "partner_user_id": "u-1", "item_name": "매달 원두 한 봉지",
        "quantity": 1, "total_amount": 9_900, "tax_free_amount": 0,
        **dict.fromkeys(("approval_url", "cancel_url", "fail_url"), f"{shop}/"),
    }  # fmt: skip
    key = {"Authorization": "SECRET_KEY DEV0000000000000000000000000000000000000"}
    order = phone.request.post(f"{sandbox}/online/v1/payment/ready", headers=key, data=ready).json()
    address = order["ios_app_scheme"].partition("url=")[2]
    for suffix, language in languages.items():
        phone.goto(f"{address}?lang={language}")
        album.take(f"testing-points-phone{suffix}", phone)
    pages[""].goto(f"{sandbox}/faults")
    row = pages[""].locator("#refunds li").first
    row.get_by_role("textbox").fill("2000")
    row.get_by_test_id("refund").click()
    expect(pages[""].get_by_test_id("events").locator("li").first).to_contain_text("환불")
    look()
    for suffix, page in pages.items():
        event = page.get_by_test_id("events").locator("li").first
        parts = (page.locator("#refunds li").first.screenshot(), event.screenshot())
        album.keep(f"testing-refund{suffix}", led_to(*(margin(part) for part in parts)))
    for suffix, language in languages.items():
        phone.goto(f"{sandbox}/faults?lang={language}")
        album.take(f"testing-phone{suffix}", phone)


def main() -> None:
    """Take the pictures that are asked for."""
    wanted = set(sys.argv[1:]) or {"screens", "manual"}
    with everything() as (gateway, sandbox, shop, password), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=provide.chromium(), args=["--no-sandbox", "--disable-gpu"])
        if "screens" in wanted:
            album = Album(IMAGES)
            on_a_computer(browser, album, sandbox, shop)
            on_a_phone(browser, album, sandbox, shop)
            api_document(browser, album, gateway)
            console(browser, album, gateway, password)
            for name, source in IN_THE_TUTORIAL.items():
                shutil.copy(IMAGES / f"{source}.png", MANUAL_IMAGES / f"{name}.png")
        if "manual" in wanted:
            manual(browser, gateway, sandbox, shop)
        browser.close()


if __name__ == "__main__":
    main()
