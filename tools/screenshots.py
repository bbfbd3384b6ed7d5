"""Take the pictures of docs/screens.md: start everything, be merchant and buyer, and write PNGs to docs/images/.

    .venv/bin/python -m tools.screenshots          every picture anew, in about a minute

The pictures show Korean, so a Korean font has to be installed (tools/provide.py sees to that).
"""

from __future__ import annotations

import io
import random
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tools import provide

IMAGES = Path(__file__).parents[1] / "docs" / "images"
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
        print(f"{path.relative_to(IMAGES.parents[1])}  {path.stat().st_size // 1000} kB", flush=True)


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
            said = list(takewhile(lambda line: not line.startswith("maedal ready"), running.stdout or ()))
            password = next((line.split()[-1] for line in said if "shown once" in line), None)
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


def beside(desk: bytes, phone: bytes) -> Image.Image:
    """Lay a phone in front of a desktop window, at its right edge."""
    back = Image.open(io.BytesIO(desk)).convert("RGB")
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


def at_a_desk(browser: Browser, album: Album, sandbox: str, shop: str) -> None:
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
    page.get_by_role("button", name="계속 결제하기").click()
    with page.expect_request("**/approve?*") as returned:
        enter_pin(phone, PIN[3:])
        expect(phone.get_by_test_id("done")).to_be_visible()
        album.take("phone-done", phone)
    phone.context.close()
    expect(result).to_have_attribute("data-status", "paid")
    expect(page.get_by_test_id("subscription").first).to_be_visible()
    page.get_by_test_id("again-amount").first.fill("3000")
    page.get_by_test_id("charge-again").first.click()
    expect(page.get_by_test_id("subscription-total").first).to_contain_text("2")
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


def main() -> None:
    """Take every picture."""
    album = Album(IMAGES)
    with everything() as (gateway, sandbox, shop, password), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=provide.chromium(), args=["--no-sandbox", "--disable-gpu"])
        at_a_desk(browser, album, sandbox, shop)
        on_a_phone(browser, album, sandbox, shop)
        api_document(browser, album, gateway)
        console(browser, album, gateway, password)
        browser.close()


if __name__ == "__main__":
    main()
