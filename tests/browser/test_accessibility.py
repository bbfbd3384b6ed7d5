"""Nobody is hindered: axe-core finds nothing serious on any page that a buyer or a merchant's developer sees."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from .people import WITHOUT_CALLBACK, Visit, agree, choose, enter_pin, is_return

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-accessibility")]

GRAVE = ("serious", "critical")


class Eyes:
    """Look at pages one after the other, and say in the end what was found."""

    def __init__(self) -> None:
        self.found: dict[str, list[tuple[str, str]]] = {}
        self.looked_at = 0

    def look(self, name: str, page: Page) -> None:
        violations = Axe().run(page).response["violations"]
        grave = [(one["id"], one["nodes"][0]["html"]) for one in violations if one["impact"] in GRAVE]
        self.found |= {name: grave} if grave else {}
        self.looked_at += 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_at_a_desk(visit: Callable[..., Visit], scheme: Any) -> None:
    eyes = Eyes()
    desktop = visit(viewport={"width": 1280, "height": 860}, color_scheme=scheme, reduced_motion="reduce")
    page, world = desktop.page, desktop.everything
    page.goto(f"{world.shop}/?lang=ko")
    eyes.look("the shop", page)
    page.get_by_test_id("subscribe").click()
    expect(desktop.window.get_by_test_id("qr")).to_be_visible()
    eyes.look("the layer over the shop", page)
    waiting = desktop.context.new_page()
    waiting.goto(page.frames[1].url)
    eyes.look("the waiting page", waiting)
    waiting.get_by_test_id("way-message").click()
    eyes.look("the waiting page, by message", waiting)
    waiting.close()
    page.keyboard.press("Escape")
    expect(page.get_by_role("alertdialog")).to_be_visible()
    eyes.look("the question before closing", page)
    page.locator(".imp-keep").click()
    phone = desktop.phone()
    phone.emulate_media(color_scheme=scheme)
    eyes.look("the choice on the phone", phone)
    choose(phone)
    expect(phone.get_by_test_id("pin")).to_be_attached()
    eyes.look("the PIN on the phone", phone)
    with page.expect_request(lambda request: is_return(request.url)) as returned:
        enter_pin(phone)
    expect(phone.get_by_test_id("done")).to_be_visible()
    eyes.look("the end on the phone", phone)
    phone.context.close()
    expect(page.get_by_test_id("result")).to_have_attribute("data-status", "paid")
    expect(page.get_by_test_id("subscription").first).to_be_visible()
    eyes.look("the shop with a subscription", page)
    page.get_by_test_id("log-entry").first.locator("summary").click()
    eyes.look("the shop's log", page)
    page.get_by_test_id("end-subscription").first.click()
    eyes.look("the question before ending", page)
    for name, address in {
        "the gateway's page at the end": returned.value.url,
        "the gateway's page of a failure": f"{world.gateway}/checkout/failure?code=F1001",
        "the gateway's page of a wrong address": f"{world.gateway}/checkout/nothing",
        "the shop's source": f"{world.shop}/source",
        "the shop in English": f"{world.shop}/?lang=en",
        "the simulator": world.sandbox,
        "the buyer's account": f"{world.sandbox}/account",
        "the simulator's log": f"{world.sandbox}/log",
        "the simulator's faults": f"{world.sandbox}/faults",
    }.items():
        page.goto(address)
        eyes.look(name, page)
    assert eyes.found == {}
    assert eyes.looked_at == 20


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone(visit: Callable[..., Visit], android: dict[str, Any], scheme: Any) -> None:
    eyes = Eyes()
    phone = visit(**android, color_scheme=scheme, reduced_motion="reduce")
    page, world = phone.page, phone.everything
    page.goto(f"{world.shop}/?lang=ko")
    eyes.look("the shop", page)
    # KakaoPay does not answer yet, so that the page on the way to it can be looked at.
    page.route(f"{world.sandbox}/**", lambda route: route.fulfill(status=204))
    phone.open(onclick=WITHOUT_CALLBACK, m_redirect_url=None, amount=9_900).tap()
    page.wait_for_url(f"{world.gateway}/checkout/*")
    expect(page.get_by_role("heading")).to_have_text("잠시만 기다려주세요…")
    eyes.look("the way to KakaoPay", page)
    page.unroute(f"{world.sandbox}/**")
    page.get_by_role("link", name="바로 이동하기").tap()
    expect(page.get_by_test_id("open-app")).to_be_visible()
    eyes.look("the waiting page", page)
    page.get_by_test_id("completed").tap()
    expect(page.get_by_test_id("not-yet")).to_be_visible()
    eyes.look("the waiting page, too early", page)
    page.get_by_test_id("open-app").tap()
    agree(page)
    expect(page.get_by_role("heading")).to_have_text("결제가 완료되었습니다.")
    eyes.look("the gateway's page at the end", page)
    phone.open(onclick=WITHOUT_CALLBACK, m_redirect_url=None, amount=9_900).tap()
    page.get_by_test_id("open-app").tap()
    page.get_by_test_id("quit").tap()
    expect(page.get_by_role("heading")).to_have_text("결제를 취소하셨습니다.")
    eyes.look("the gateway's page after quitting", page)
    page.goto(f"{world.shop}/?lang=ko")
    page.get_by_test_id("pay-once").tap()
    page.get_by_test_id("cancel").tap()
    expect(page.get_by_test_id("result")).to_have_attribute("data-status", "failed")
    eyes.look("the shop's page after coming back", page)
    assert eyes.found == {}
    assert eyes.looked_at == 7


@pytest.mark.parametrize("width", [320, 390, 768])
def test_nothing_scrolls_sideways(visit: Callable[..., Visit], width: int) -> None:
    narrow = visit(viewport={"width": width, "height": 700})
    page, world = narrow.page, narrow.everything
    page.goto(f"{world.shop}/?lang=ko")
    page.get_by_test_id("register").click()
    narrow.agree("hyundai")
    expect(page.get_by_test_id("result")).to_have_attribute("data-status", "registered")
    expect(page.get_by_test_id("subscription").first).to_be_visible()
    wide = {}
    for address in (
        page.url,
        f"{world.shop}/?lang=en",
        f"{world.shop}/source",
        f"{world.gateway}/checkout/failure?code=F1001",
        f"{world.sandbox}/account",
    ):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        wide[address] = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert {address: by for address, by in wide.items() if by > 0} == {}


def test_the_keyboard_alone_is_enough(desktop: Visit) -> None:
    desktop.open(amount=9_900)
    page = desktop.page
    page.get_by_role("button", name="구독하기").focus()
    page.keyboard.press("Enter")
    expect(desktop.window.get_by_test_id("qr")).to_be_visible()
    # Round and round, and never out of the layer.
    inside = "document.querySelector('.imp-dialog').contains(document.activeElement)"
    for _ in range(12):
        page.keyboard.press("Tab")
        page.wait_for_function(inside)
    # What is pressed while the focus is in KakaoPay's page is KakaoPay's, so the way out is the layer's own control.
    page.get_by_role("button", name="결제창 닫기").press("Enter")
    expect(page.get_by_role("button", name="계속 결제하기")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert desktop.result()["error_code"] == "CANCELED_BY_USER"
    expect(page.get_by_role("button", name="구독하기")).to_be_focused()
