"""From a clean `make up`, in the browser alone: a shop is set up, sells by the month, and is looked after.

Each step leaves a picture in build/tour, which is there to be looked at.
"""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.cli.test_dev import dev, three_free_ports

from .browsers import PATIENCE_MILLISECONDS

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("browser-tour")]

PICTURES = Path(__file__).parents[2] / "build" / "tour"
HERE = {"locale": "ko-KR", "timezone_id": "Asia/Seoul"}
OF = "/console/merchants/imp00000000"


class Tour:
    """Somebody at the console, with the shop in a second tab and the buyer's phone beside; every step is pictured."""

    def __init__(self, chromium: Browser, port: int, password: str) -> None:
        self.gateway, self.sandbox, self.shop = (f"http://127.0.0.1:{port + n}" for n in range(3))
        self.password = password
        self.computer = chromium.new_context(
            viewport={"width": 1280, "height": 900}, base_url=self.gateway, accept_downloads=True, **HERE
        )
        self.phone = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, **HERE)
        self.complaints: list[str] = []
        for context in (self.computer, self.phone):
            context.set_default_timeout(PATIENCE_MILLISECONDS)
            context.on("console", self.keep_message)
            context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.console = self.computer.new_page()
        self.taken = 0

    def keep_message(self, message: ConsoleMessage) -> None:
        self.complaints += [f"{message.text} {message.page and message.page.url}"] * (
            message.type in {"error", "warning"}
        )

    def picture(self, name: str, page: Page | None = None) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.taken += 1
        page = page or self.console
        page.mouse.move(0, 0)
        # Hiding the caret would write styles into the page, which its content policy refuses.
        page.screenshot(path=PICTURES / f"{self.taken:02}-{name}.png", full_page=True, caret="initial")

    def sign_in(self) -> None:
        self.console.goto("/console")
        self.picture("sign-in")
        self.console.get_by_label("이름").fill("owner")
        self.console.get_by_label("비밀번호").fill(self.password)
        self.console.get_by_role("button", name="로그인").click()
        expect(self.console.get_by_role("heading", name="홈")).to_be_visible()
        self.picture("home-of-a-new-merchant")

    def set_the_channel(self) -> None:
        page = self.console
        page.get_by_role("link", name="채널", exact=True).click()
        page.get_by_role("link", name="채널 추가").click()
        expect(page.get_by_label("카카오페이", exact=True)).to_be_checked()
        page.get_by_label("ON", exact=True).check()
        page.get_by_label("가맹점코드 (CID)").fill("TCSUBSCRIP")
        page.get_by_label("채널 이름").fill("매달 원두 정기결제")
        self.picture("channel-form")
        page.get_by_test_id("save").click()
        expect(page.get_by_test_id("note")).to_have_text("채널을 추가했습니다.")
        page.get_by_test_id("check").click()
        expect(page.locator("#check").get_by_test_id("note")).to_contain_text("정기결제(빌링키 발급)를 할 수 있습니다")
        self.picture("channel-checked")

    def issue_a_key(self) -> Page:
        shop = self.computer.new_page()
        shop.goto(f"{self.shop}/?lang=ko")
        shop.get_by_test_id("register").click()
        link = shop.frame_locator("iframe.imp-frame").get_by_test_id("phone-open")
        expect(link).to_be_visible()
        self.picture("shop-window", shop)
        phone = self.phone.new_page()
        phone.goto(self.sandbox + str(link.get_attribute("href")))
        phone.get_by_test_id("method-MONEY").check()
        for consent in phone.get_by_test_id("consent").all():
            consent.check()
        self.picture("phone", phone)
        phone.get_by_test_id("next").click()
        for digit in "123456":
            phone.get_by_role("button", name=f"숫자 {digit}", exact=True).click()
        expect(phone.get_by_test_id("done")).to_be_visible()
        self.picture("phone-done", phone)
        expect(shop.get_by_test_id("result")).to_have_attribute("data-status", "registered")
        return shop

    def charge_and_plan(self, shop: Page) -> None:
        shop.get_by_test_id("again-amount").fill("12000")
        shop.get_by_test_id("charge-again").click()
        expect(shop.get_by_test_id("result")).to_have_attribute("data-status", "paid")
        shop.get_by_test_id("again-amount").fill("9900")
        shop.get_by_test_id("plan-monthly").click()
        expect(shop.get_by_test_id("next-charge")).to_contain_text("9,900원")
        self.picture("shop-planned", shop)

    def look_ahead(self) -> None:
        self.console.goto(f"{OF}/schedules")
        expect(self.console.get_by_role("main")).to_contain_text("9,900원")
        self.picture("schedules")
        self.console.goto(f"{OF}/billing-keys")
        self.picture("billing-keys")

    def travel_a_month(self) -> str:
        """Travel, and give the planned payment's imp_uid."""
        page = self.console
        page.goto("/console")
        page.get_by_role("button", name="+1달").click()
        expect(page.get_by_test_id("travel")).to_contain_text("일")
        self.picture("home-a-month-later")
        page.goto(f"{OF}/payments?use=payment.scheduled")
        self.picture("payments")
        page.get_by_role("link", name="이달의 원두 정기배송").first.click()
        expect(page.get_by_role("heading", name="이달의 원두 정기배송")).to_be_visible()
        expect(page.get_by_text("결제완료").first).to_be_visible()
        self.picture("payment")
        return page.url.rpartition("/")[2]

    def cancel_half(self) -> None:
        page = self.console
        page.get_by_text("전액 또는 일부 취소").click()
        page.get_by_label("취소할 금액 (원)").fill("4950")
        page.get_by_label("사유").fill("반만 보냈어요")
        page.get_by_role("checkbox").check()
        self.picture("cancel-form")
        page.get_by_test_id("cancel").click()
        expect(page.get_by_test_id("note")).to_have_text("취소했습니다.")
        expect(page.get_by_text("부분취소").first).to_be_visible()
        self.picture("cancelled-half")

    def resend_the_webhook(self, imp_uid: str) -> None:
        page = self.console
        page.goto(f"{OF}/webhook-log?word={imp_uid}")
        entries = page.get_by_test_id("webhook")
        expect(entries).to_have_count(1)
        entries.first.locator("summary").click()
        self.picture("webhook-log")
        entries.first.get_by_role("link", name="이것 다시 보내기").click()
        page.get_by_role("checkbox").check()
        self.picture("webhook-resend")
        page.get_by_test_id("resend").click()
        expect(page.get_by_test_id("note")).to_be_visible()
        page.goto(f"{OF}/webhook-log?word={imp_uid}")
        deadline = time.monotonic() + PATIENCE_MILLISECONDS / 1000
        while "시도 2번" not in entries.first.inner_text():
            assert time.monotonic() < deadline, "it was not sent again"
            page.reload()
        expect(entries.first).to_contain_text("전달됨")
        self.picture("webhook-sent-again")

    def export_the_list(self) -> list[dict[str, str]]:
        page = self.console
        page.goto(f"{OF}/payments?span=all")
        page.get_by_role("link", name="내려받기").click()
        page.get_by_label("CSV").check()
        self.picture("export")
        with page.expect_download() as downloading:
            page.get_by_test_id("export").click()
        text = Path(downloading.value.path()).read_text(encoding="utf-8-sig")
        return list(csv.DictReader(io.StringIO(text)))

    def look_around(self) -> None:
        """Picture every page once more, now that there is something on each; dark and narrow too."""
        page = self.console
        links = page.locator(".side .menu a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
        assert len(links) > 10
        for look, size in (("light", (1280, 900)), ("dark", (360, 780))):
            page.goto(f"/console/look?theme={look}&back=/console")
            page.set_viewport_size({"width": size[0], "height": size[1]})
            for link in links:
                page.goto(link)
                expect(page.get_by_role("main")).to_be_visible()
                assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, link
                self.picture(
                    f"{look}-{re.sub(r'[^a-z]+', '-', link.rpartition('imp00000000')[2]).strip('-') or 'home'}"
                )


@pytest.fixture
def tour(chromium: Browser, tmp_path: Path) -> Iterator[Tour]:
    port, log = three_free_ports(), tmp_path / "log"
    with dev(port, tmp_path / "data", log):
        password = re.search(r"shown once +(\S{23})$", log.read_text(), re.MULTILINE)
        assert password is not None
        tour = Tour(chromium, port, password[1])
        yield tour
        tour.computer.close()
        tour.phone.close()


def test_a_shop_is_set_up_sells_by_the_month_and_is_looked_after_in_the_browser_alone(tour: Tour) -> None:
    tour.sign_in()
    tour.set_the_channel()
    shop = tour.issue_a_key()
    tour.charge_and_plan(shop)
    tour.look_ahead()
    imp_uid = tour.travel_a_month()
    tour.cancel_half()
    tour.resend_the_webhook(imp_uid)
    rows = tour.export_the_list()
    assert {"4950"} & {cell.replace(",", "") for row in rows for cell in row.values()}
    assert imp_uid in {cell for row in rows for cell in row.values()}
    assert len(rows) == 3  # the key, the charge, and the planned one
    shop.bring_to_front()
    shop.reload()
    expect(shop.get_by_test_id("subscription-total")).to_be_visible()
    tour.picture("shop-a-month-later", shop)
    tour.look_around()
    assert tour.complaints == []
