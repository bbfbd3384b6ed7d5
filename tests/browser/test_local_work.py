"""Work on a shop on one's own machine: Chromium's rules for local addresses are on, and KakaoPay's page is of the internet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, Playwright, expect

from tests.support.world import World

from .browsers import launch
from .people import Merchant, Visit, given_up, success

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-local-work")]

GUARDED = (
    "결제 서버가 이 컴퓨터나 같은 네트워크에 있어 브라우저가 결제 화면을 막았습니다. "
    "로컬 네트워크 접근을 허용하거나 새 창에서 열어주세요."
)
LOCAL = ["local-network-access"]


def address_of(url: str) -> str:
    return urlsplit(url).netloc.replace("localhost", "127.0.0.1")


@pytest.fixture(scope="module")
def with_kakaopay_far_away(playwright: Playwright, everything: World) -> Iterator[Browser]:
    """KakaoPay's page is of the internet; shop and gateway are on this machine."""
    browser = launch(playwright, on_the_internet=f"{address_of(everything.sandbox)}=public")
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def with_the_shop_far_away(playwright: Playwright, everything: World, merchant: Merchant) -> Iterator[Browser]:
    """The shop's page is of the internet too, as behind a tunnel; the gateway alone is on this machine."""
    port = urlsplit(merchant.url).port
    moved = f"{address_of(everything.sandbox)}=public,127.0.0.1:{port}=public"
    browser = launch(playwright, on_the_internet=moved)
    yield browser
    browser.close()


def test_a_developer_who_allows_it_gets_the_callback(
    visit: Callable[..., Visit], with_kakaopay_far_away: Browser
) -> None:
    wide = visit(browser=with_kakaopay_far_away)
    wide.context.grant_permissions(LOCAL)
    wide.open(amount=9_900).click()
    wide.agree_on_another_device()
    result = wide.result()
    assert result == success(wide.params)
    wide.is_paid_as_reported(result)


def test_a_developer_who_does_not_allow_it_pays_in_a_window_of_its_own(
    visit: Callable[..., Visit], with_kakaopay_far_away: Browser
) -> None:
    wide = visit(browser=with_kakaopay_far_away)
    wide.open(amount=9_900).click()
    expect(wide.window.get_by_test_id("qr")).to_be_visible()
    with wide.context.expect_page() as opened:
        wide.layer.get_by_role("link", name="새 창에서 열기").click()
    expect(opened.value.get_by_test_id("qr")).to_be_visible()
    address = f"{wide.everything.sandbox}/_sim/orders/{wide.payment()['pg_tid']}/authenticate"
    wide.everything.http.post(address, json={"payment_method_type": "MONEY"}).raise_for_status()
    result = wide.result()
    assert result == success(wide.params)
    wide.is_paid_as_reported(result)


def test_a_page_of_the_internet_says_why_the_frame_is_empty_and_pays_in_a_window_of_its_own(
    visit: Callable[..., Visit], with_the_shop_far_away: Browser
) -> None:
    """The script and its calls were let through, as a browser may remember; the frame was not."""
    wide = visit(browser=with_the_shop_far_away)
    far = f"{wide.everything.gateway}/"
    wide.context.route(
        lambda url: url.startswith(far) and "/checkout/" not in url,
        lambda route: route.fulfill(response=route.fetch()),
    )
    wide.open(amount=9_900)
    wide.page.goto(wide.address.replace("localhost", "shop.test"))
    wide.click()
    expect(wide.page.get_by_role("status")).to_have_text(GUARDED)
    with wide.context.expect_page() as opened:
        wide.page.get_by_role("button", name="새 창에서 열기").click()
    opened.value.get_by_test_id("cancel").click()
    assert wide.result() == given_up(wide.params)


def test_a_page_that_may_not_ask_its_gateway_is_told_what_may_be_wrong(
    visit: Callable[..., Visit], everything: World
) -> None:
    wide = visit()
    wide.open(amount=9_900)
    html = wide.merchant.pages[urlsplit(wide.address).path]
    script = everything.http.get(f"{everything.gateway}/v1/iamport.js").text
    html = html.replace(wide.script, f"<script>{script}</script>")
    wide.page.goto("data:text/html;charset=utf-8," + quote(html))
    wide.click()
    wide.page.wait_for_function("window.calls.length > 0")
    assert wide.page.evaluate("window.calls[0].error_code") == "NETWORK_ERROR"
    assert any("로컬 네트워크 접근을 허용해주세요" in line for line in wide.errors)
