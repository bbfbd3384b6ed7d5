"""`m_redirect_url` as the browser takes it: the script and the server mean one address."""

import pytest

from maedal import web_address
from tests.checkout.test_way_back import OLD, REFUSED, RETURNS

from .contract import Shop, failed

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PAID = failed("F1002", "이미 결제가 이루어진 거래건입니다.", imp_uid=None)


async def test_script_and_server_mean_the_same_address(shop: Shop) -> None:
    shop.gateway.refusal = PAID
    base = shop.page.url
    value = [address for address, _ in RETURNS.values()] + list(REFUSED.values())
    for count, address in enumerate(value, start=1):
        await shop.pay(m_redirect_url=address)
        await shop.results(count)
        sent = shop.gateway.params.get("m_redirect_url")
        meant = web_address.destination(address, base) if isinstance(address, str) and address.strip() else None
        # Chromium reads a blank in a host, which the standard refuses; what it makes of it is refused all the same.
        assert sent == (meant or address) or (not meant and web_address.destination(sent, base) is None), address


async def test_a_relative_address_is_relative_to_what_the_page_says(shop: Shop) -> None:
    shop.gateway.refusal = PAID
    await shop.open(f'<base href="https://shop.test/mall/">{shop.tag}')
    await shop.pay(m_redirect_url="done?a=1")
    await shop.result()
    assert shop.gateway.params["m_redirect_url"] == "https://shop.test/mall/done?a=1"


async def test_a_page_without_an_address_sends_a_relative_one_as_it_is(shop: Shop) -> None:
    shop.gateway.refusal = PAID
    await shop.open(shop.tag)
    # Nothing is relative to the address of such a page.
    made = "html => location.assign(URL.createObjectURL(new Blob([html], {type: 'text/html'})))"
    async with shop.page.expect_navigation():
        await shop.page.evaluate(made, shop.html(shop.tag))
    assert shop.page.url.startswith("blob:")
    await shop.pay(m_redirect_url="/done")
    await shop.result()
    assert shop.gateway.params["m_redirect_url"] == "/done"


@pytest.mark.parametrize(
    ("value", "kept", "after"),
    [
        ("/done", "", ""),
        ("?plan=3&" + OLD, "plan=3&", ""),
        (f"/done?b=2&{OLD}&a=1#tab", "b=2&a=1&", "#tab"),
        ("/완료 화면?이름=홍", "%EC%9D%B4%EB%A6%84=%ED%99%8D&", ""),
    ],
)
async def test_what_fails_before_a_window_goes_there_without_the_result_of_the_try_before(
    phone: Shop, value: str, kept: str, after: str
) -> None:
    phone.gateway.refusal = PAID
    await phone.pay(callback=False, m_redirect_url=value)
    await phone.page.wait_for_url("**merchant_uid=order_7**")
    path = web_address.destination(value.partition("?")[0].partition("#")[0], f"{phone.url}/pay")
    error = "%EC%9D%B4%EB%AF%B8%20%EA%B2%B0%EC%A0%9C%EA%B0%80"
    reply = f"merchant_uid=order_7&imp_success=false&error_code=F1002&error_msg={error}"
    assert phone.page.url.startswith(f"{path}?{kept}{reply}")
    assert phone.page.url.endswith(f".{after}")
