"""On a phone the whole page goes to the gateway, and the result comes back in the address."""

import pytest
from playwright.async_api import Browser, expect

from .contract import CANCELLED, IMP_UID, Shop, cancelled, failed, paid

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("browser-sdk"),
]

F1002 = failed("F1002", "이미 결제가 이루어진 거래건입니다.", imp_uid=None)
F1002_QUERY = (
    "merchant_uid=order_7&imp_success=false&error_code=F1002&error_msg=%EC%9D%B4%EB%AF%B8%20%EA%B2%B0%EC%A0%9C%EA%B0%80"
    "%20%EC%9D%B4%EB%A3%A8%EC%96%B4%EC%A7%84%20%EA%B1%B0%EB%9E%98%EA%B1%B4%EC%9E%85%EB%8B%88%EB%8B%A4."
)

USER_AGENTS = {
    "iphone": ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148", "mobile", True),
    "android": ("Mozilla/5.0 (Linux; Android 15; SM-S921N) Chrome/140.0 Mobile Safari/537.36", "mobile", False),
    "android tablet": ("Mozilla/5.0 (Linux; Android 15; SM-X710) Chrome/140.0 Safari/537.36", "mobile", False),
    "kakaotalk": ("Mozilla/5.0 (Linux; Android 15; wv) Mobile KAKAOTALK/11.0.0 (INAPP)", "mobile", False),
    "mac": ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Safari/605.1.15", "pc", False),
    "windows": ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36", "pc", False),
}


@pytest.mark.parametrize("name", USER_AGENTS)
async def test_the_user_agent_decides_the_device(chromium: Browser, shop: Shop, name: str) -> None:
    user_agent, device, ios = USER_AGENTS[name]
    context = await chromium.new_context(user_agent=user_agent)
    shop.page = await context.new_page()
    await shop.open()
    async with shop.page.expect_response("**/sdk/payments"):
        await shop.pay()
    asked = shop.gateway.opened[0]
    assert (asked["device"], asked["ios"]) == (device, ios)
    await context.close()


async def test_a_mac_with_a_touch_screen_is_an_ipad(shop: Shop) -> None:
    await shop.page.add_init_script("""
        Object.defineProperty(navigator, "userAgent", {value: "Mozilla/5.0 (Macintosh) Safari/605.1.15"});
        Object.defineProperty(navigator, "maxTouchPoints", {value: 5});
    """)
    await shop.open()
    async with shop.page.expect_response("**/sdk/payments"):
        await shop.pay()
    assert (shop.gateway.opened[0]["device"], shop.gateway.opened[0]["ios"]) == ("mobile", True)


async def test_the_whole_page_goes_to_the_gateway(phone: Shop) -> None:
    await phone.pay()
    await phone.page.wait_for_url(f"{phone.gateway.url}/checkout/window")
    assert phone.gateway.opened[0]["presentation"] == "redirect"
    assert phone.gateway.closes == []


async def test_while_it_goes_the_buyer_is_asked_to_wait(phone: Shop) -> None:
    await phone.page.route("**/sdk/payments", lambda _: None)
    await phone.pay()
    await expect(phone.page.locator(".imp-dialog.mobile.ios")).to_contain_text("잠시만 기다려주세요…")
    await expect(phone.page.locator("body.imp-payment-progress")).to_have_count(1)


async def test_an_app_that_swallows_the_navigation_gets_its_page_back(phone: Shop) -> None:
    await phone.page.clock.install()
    await phone.page.route("**/checkout/window", lambda route: route.abort("aborted"))
    async with phone.page.expect_event("requestfailed"):
        await phone.pay()
    await phone.page.clock.fast_forward(11_000)
    await phone.is_gone()
    await phone.pay(merchant_uid="order_8")
    await expect(phone.page.locator(".imp-dialog")).to_have_count(1)


async def test_the_back_button_finds_a_page_that_can_pay_again(phone: Shop) -> None:
    await phone.pay()
    await phone.page.wait_for_url("**/checkout/window")
    await phone.page.go_back()
    await phone.is_gone()
    await phone.pay(merchant_uid="order_8")
    await phone.page.wait_for_url("**/checkout/window")


async def test_a_failure_before_the_window_goes_to_the_callback(phone: Shop) -> None:
    phone.gateway.refusal = F1002
    await phone.pay(m_redirect_url=f"{phone.url}/done")
    assert await phone.result() == F1002
    assert phone.page.url == f"{phone.url}/pay"


@pytest.mark.parametrize(
    ("value", "gone_to"),
    [
        ("/done", f"/done?{F1002_QUERY}"),
        ("/done?orderId=7", f"/done?orderId=7&{F1002_QUERY}"),
        ("/done?", f"/done?{F1002_QUERY}"),
        ("/done#result", f"/done?{F1002_QUERY}#result"),
        ("/done?orderId=7#result?x=1", f"/done?orderId=7&{F1002_QUERY}#result?x=1"),
    ],
)
async def test_without_a_callback_it_goes_to_the_shop_keeping_query_and_fragment(
    phone: Shop, value: str, gone_to: str
) -> None:
    phone.gateway.refusal = F1002
    await phone.pay(callback=False, m_redirect_url=phone.url + value)
    await phone.page.wait_for_url("**/done**")
    assert phone.page.url == phone.url + gone_to


async def test_a_sentence_survives_those_who_decode_the_whole_address(phone: Shop) -> None:
    phone.gateway.refusal = failed("X", "100% & #1 + \ud800끝")
    await phone.pay(callback=False, m_redirect_url=f"{phone.url}/done", merchant_uid="a&b+1")
    await phone.page.wait_for_url("**/done**")
    twice = await phone.page.evaluate(
        "new URLSearchParams(decodeURIComponent(location.search)).get('error_msg').replace('\\ufffd', '?')"
    )
    assert twice == "100％ ＆ ＃1 ＋ ?끝"
    assert await phone.page.evaluate("new URLSearchParams(location.search).get('merchant_uid')") == "a&b+1"


async def test_an_unknown_shape_of_address_is_left_as_the_app_wrote_it(phone: Shop) -> None:
    phone.gateway.refusal = F1002
    await phone.page.route("http://detectchangingwebview/**", lambda route: route.fulfill(body="app"))
    await phone.pay(callback=False, m_redirect_url="http://detectchangingwebview/iamport/rn")
    await phone.page.wait_for_url("http://detectchangingwebview/**")
    assert phone.page.url == f"http://detectchangingwebview/iamport/rn?{F1002_QUERY}"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "javascript:results.push(1)",
        " JavaScript:results.push(1)",
        "java\nscript:results.push(1)",
        "data:text/html,x",
        "http://",
    ],
)
async def test_without_an_address_to_go_to_the_gateway_shows_the_failure(phone: Shop, address: str) -> None:
    phone.gateway.refusal = F1002
    await phone.pay(callback=False, m_redirect_url=address)
    await phone.page.wait_for_url(f"{phone.gateway.url}/checkout/failure?code=F1002")


async def test_a_bad_amount_without_a_callback_goes_to_the_shop_too(phone: Shop) -> None:
    await phone.pay(callback=False, m_redirect_url=f"{phone.url}/done", amount="1,000")
    await phone.page.wait_for_url("**/done?merchant_uid=order_7&imp_success=false&error_code=INVALID_AMOUNT&**")


# kakaopayMobileAsPC


async def test_a_phone_may_be_treated_as_a_pc_and_then_has_a_callback(phone: Shop) -> None:
    phone.gateway.next_kind = "frame"
    await phone.pay(kakaopayMobileAsPC=True)
    await phone.tell()
    assert (await phone.result())["success"] is True
    asked = phone.gateway.opened[0]
    assert (asked["device"], asked["presentation"]) == ("mobile", "frame")


async def test_the_layer_fills_a_phone(phone: Shop) -> None:
    phone.gateway.next_kind = "frame"
    await phone.pay(kakaopayMobileAsPC=True)
    await phone.window()
    size = await phone.page.locator(".imp-panel").evaluate("(panel) => [panel.offsetWidth, panel.offsetHeight]")
    assert size == [390, 844]


async def test_a_phone_treated_as_a_pc_without_a_callback_goes_to_the_shop(phone: Shop) -> None:
    phone.gateway.next_kind = "frame"
    await phone.pay(callback=False, kakaopayMobileAsPC=True, m_redirect_url=f"{phone.url}/done?a=1")
    await phone.tell(result=paid())
    await phone.page.wait_for_url("**/done**")
    assert phone.page.url == f"{phone.url}/done?a=1&imp_uid={IMP_UID}&merchant_uid=order_7&imp_success=true"


async def test_a_cancel_in_the_address_is_the_sentence_that_shops_compare(phone: Shop) -> None:
    phone.gateway.next_kind = "frame"
    await phone.pay(callback=False, kakaopayMobileAsPC=True, m_redirect_url=f"{phone.url}/done")
    await phone.tell(result=cancelled())
    await phone.page.wait_for_url("**/done**")
    assert await phone.page.evaluate("new URLSearchParams(location.search).get('error_msg')") == CANCELLED


# certification


async def test_a_certification_on_a_phone_goes_back_to_the_shop_as_failed(phone: Shop) -> None:
    await phone.page.evaluate(
        "(to) => IMP.certification({merchant_uid: 'c_7', m_redirect_url: to})", f"{phone.url}/done"
    )
    await phone.page.wait_for_url("**/done?merchant_uid=c_7&imp_success=false&success=false&error_code=F1001&**")
