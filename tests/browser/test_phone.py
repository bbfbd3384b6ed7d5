"""On a phone: the whole page goes to KakaoPay and comes back to `m_redirect_url`, once and exactly as specified."""

from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from .people import (
    BY_CARD,
    CALLS_HOME,
    GAVE_UP,
    WITHOUT_CALLBACK,
    Visit,
    choose,
    enter_wrong_pins,
    is_return,
    success,
)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-phone")]

GAVE_UP_QUERY = f"imp_success=false&error_code=CANCELED_BY_USER&error_msg={quote(GAVE_UP, safe='')}"


@pytest.mark.parametrize(("method", "seen"), [("MONEY", "point"), ("hyundai", "card")])
def test_a_key_is_issued_without_money(phone: Visit, method: str, seen: str) -> None:
    phone.open(onclick=CALLS_HOME).tap()
    phone.agree_on_the_phone(method)
    phone.returned("imp_success=true")
    payment = phone.is_paid("mobile")
    assert (payment["pay_method"], payment["receipt_url"]) == (seen, None)
    assert phone.errors == []


@pytest.mark.parametrize(("method", "seen"), [("MONEY", "point"), ("hyundai", "card")])
def test_a_key_is_issued_and_the_first_month_paid(phone: Visit, method: str, seen: str) -> None:
    phone.open(onclick=CALLS_HOME, amount=9_900).tap()
    phone.agree_on_the_phone(method)
    phone.returned("imp_success=true")
    payment = phone.is_paid("mobile")
    assert payment["pay_method"] == seen
    assert "/m/" in payment["receipt_url"]
    month = f"{phone.params['customer_uid']}_2"
    assert phone.everything.again(phone.params["customer_uid"], month, 500)["response"]["pay_method"] == seen


def test_the_page_goes_as_a_navigation_through_the_gateway_to_kakaopay(phone: Visit) -> None:
    went: list[Any] = []
    phone.page.on("request", lambda request: went.extend([request] * request.is_navigation_request()))
    phone.open().tap()
    expect(phone.page.get_by_test_id("open-app")).to_be_visible()
    _, gateway, kakaopay = went
    assert (gateway.method, kakaopay.method) == ("GET", "GET")
    assert gateway.url.startswith(f"{phone.everything.gateway}/checkout/")
    assert kakaopay.url.startswith(f"{phone.everything.sandbox}/mockup/bridge/mobile-web/")
    assert {request.frame.parent_frame for request in went} == {None}


def test_the_buyer_who_cancels_while_waiting_is_sent_back(phone: Visit) -> None:
    phone.open(onclick=CALLS_HOME).tap()
    answer = phone.back(lambda: phone.page.get_by_test_id("cancel").tap())
    assert (answer.status, answer.headers["cache-control"]) == (303, "no-store")
    phone.returned(GAVE_UP_QUERY)
    phone.is_not_paid(GAVE_UP)


def test_the_buyer_who_quits_in_the_app_is_sent_back(iphone: Visit) -> None:
    iphone.open(onclick=CALLS_HOME, amount=9_900).tap()
    iphone.page.get_by_test_id("open-app").tap()
    choose(iphone.page)
    iphone.page.get_by_test_id("quit").tap()
    iphone.returned(GAVE_UP_QUERY)
    iphone.is_not_paid(GAVE_UP)


def test_too_many_wrong_pins_end_the_payment(iphone: Visit) -> None:
    iphone.open(onclick=CALLS_HOME, amount=9_900).tap()
    iphone.page.get_by_test_id("open-app").tap()
    choose(iphone.page)
    enter_wrong_pins(iphone.page)
    text = "비밀번호 인증에 실패하여 결제를 중단합니다."
    iphone.returned(f"imp_success=false&error_code=FAIL_AUTH_PASSWORD&error_msg={quote(text, safe='')}")
    iphone.is_not_paid(text)


def test_what_kakaopay_declines_is_told_in_its_words_without_signs_that_tear(iphone: Visit) -> None:
    iphone.everything.fault("approve", "decline", method_result_code="LACK_BALANCE")
    iphone.open(onclick=CALLS_HOME, amount=9_900).tap()
    iphone.agree_on_the_phone()
    iphone.page.wait_for_url(f"{iphone.merchant.url}/done?*")
    reason = iphone.payment()["fail_reason"]
    assert "-780" in reason
    iphone.returned(f"imp_success=false&error_code=-780&error_msg={quote(reason, safe='')}")
    assert iphone.merchant.webhooks_of(iphone.params) == []


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("/done", "/done?", ""),
        ("/done#top", "/done?", "#top"),
        ("/done?", "/done?", ""),
        ("/done?a=1&b=%ED%95%9C", "/done?a=1&b=%ED%95%9C&", ""),
    ],
)
def test_the_shops_query_and_fragment_stay(
    visit: Any, android: dict[str, Any], path: str, before: str, after: str
) -> None:
    phone = visit(**android)
    phone.open(onclick=CALLS_HOME, m_redirect_url=f"{phone.merchant.url}{path}").tap()
    phone.page.get_by_test_id("cancel").tap()
    phone.returned(GAVE_UP_QUERY, before=before, after=after)


@pytest.mark.parametrize(
    ("address", "before", "after"),
    [
        ("myapp://pay/done?x=1#y", "myapp://pay/done?x=1&", "#y"),
        ("http://detectchangingwebview/iamport/rn", "http://detectchangingwebview/iamport/rn?", ""),
    ],
)
def test_an_app_finds_its_own_address_in_the_redirect(phone: Visit, address: str, before: str, after: str) -> None:
    """Both lead nowhere; the app's view sees where the browser is about to go, and ends there."""
    # Nothing in this browser takes myapp:, so Playwright's own events know nothing of that redirect.
    answers: list[tuple[int, str]] = []
    devtools = phone.context.new_cdp_session(phone.page)
    devtools.on(
        "Network.responseReceivedExtraInfo",
        lambda event: answers.append((event["statusCode"], _header(event, "location"))),
    )
    phone.open(onclick=WITHOUT_CALLBACK, m_redirect_url=address).tap()
    expect(phone.page.get_by_test_id("open-app")).to_be_visible()
    devtools.send("Network.enable")
    phone.agree_on_the_phone()
    payment = phone.is_paid("mobile")
    query = f"imp_uid={payment['imp_uid']}&merchant_uid={phone.params['merchant_uid']}&imp_success=true"
    phone.page.wait_for_timeout(300)
    assert [answer for answer in answers if answer[1].startswith(before)] == [(303, before + query + after)]


def _header(event: dict[str, Any], name: str) -> str:
    return {key.lower(): value for key, value in event["headers"].items()}.get(name, "")


def test_without_a_return_address_the_gateway_says_how_it_ended(phone: Visit) -> None:
    phone.open(onclick=WITHOUT_CALLBACK, m_redirect_url=None).tap()
    phone.agree_on_the_phone()
    expect(phone.page.get_by_role("heading")).to_have_text("정기결제 등록이 완료되었습니다.")
    phone.is_paid("mobile")
    phone.page.get_by_role("link", name="쇼핑몰로 돌아가기").tap()
    phone.page.wait_for_url(phone.address)


def test_without_a_return_address_the_gateway_says_that_the_buyer_stopped(iphone: Visit) -> None:
    iphone.open(onclick=WITHOUT_CALLBACK, m_redirect_url=None, amount=9_900).tap()
    iphone.page.get_by_test_id("cancel").tap()
    expect(iphone.page.get_by_role("heading")).to_have_text("결제를 취소하셨습니다.")
    iphone.is_not_paid(GAVE_UP)


def test_a_second_return_shows_the_stored_result_and_approves_nothing(iphone: Visit) -> None:
    iphone.open(amount=9_900).tap()
    first = iphone.back(iphone.agree_on_the_phone)
    iphone.returned("imp_success=true")
    again = iphone.back(lambda: iphone.page.goto(first.url))
    assert (again.status, again.headers["location"]) == (303, first.headers["location"])
    assert len(iphone.approvals()) == 1
    assert len(iphone.webhooks_received()) == 1


def test_the_way_back_through_the_browsers_history_ends_at_the_shop(iphone: Visit) -> None:
    iphone.open(amount=9_900).tap()
    iphone.agree_on_the_phone()
    iphone.returned("imp_success=true")
    iphone.page.go_back()
    iphone.page.wait_for_url(lambda url: not is_return(url))
    iphone.page.goto(iphone.address)
    iphone.tap()
    iphone.page.wait_for_function("window.calls.length > 0")
    assert iphone.page.evaluate("window.calls[0].error_code") == "F1002"
    assert len(iphone.approvals()) == 1


def test_a_failure_before_the_window_goes_to_the_callback(iphone: Visit) -> None:
    iphone.open(pg="html5_inicis").tap()
    result = iphone.result()
    assert (result["error_code"], result["imp_uid"]) == ("F1001", None)
    assert iphone.page.url == iphone.address


def test_a_failure_before_the_window_without_a_callback_goes_to_the_return_address(iphone: Visit) -> None:
    iphone.open(onclick=WITHOUT_CALLBACK, pg="html5_inicis").tap()
    iphone.page.wait_for_url(f"{iphone.merchant.url}/done?*")
    reply = iphone.page.url.removeprefix(f"{iphone.merchant.url}/done?plan=1&")
    assert reply.startswith(
        f"merchant_uid={iphone.params['merchant_uid']}&imp_success=false&error_code=F1001&error_msg=%EB"
    )
    assert reply.endswith("#result")


def test_a_failure_before_the_window_with_nowhere_to_go_is_told_by_the_gateway(iphone: Visit) -> None:
    iphone.open(onclick=WITHOUT_CALLBACK, pg="html5_inicis", m_redirect_url=None).tap()
    iphone.page.wait_for_url(f"{iphone.everything.gateway}/checkout/failure?code=F1001")
    expect(iphone.page.get_by_text("등록되지 않은 PG모듈 정보입니다.")).to_be_visible()


def test_a_phone_that_asks_for_the_pc_window_gets_the_layer_and_the_callback(phone: Visit) -> None:
    phone.open(kakaopayMobileAsPC=True, amount=9_900).tap()
    phone.window.get_by_test_id("phone-here").tap()
    choose(phone.window, "hyundai")
    [phone.window.get_by_role("button", name=f"숫자 {digit}", exact=True).tap() for digit in "123456"]
    assert phone.result() == success(phone.params, **BY_CARD | {"receipt_url": phone.payment()["receipt_url"]})
    assert phone.page.url == phone.address


def test_without_scripts_in_the_app_the_way_still_ends_at_the_shop(visit: Any, android: dict[str, Any]) -> None:
    """The gateway's own pages need no script: an app's view may refuse them after the shop's page."""
    started = visit(**android).open(amount=9_900)
    with started.page.expect_request(lambda request: "/checkout/" in request.url) as left:
        started.tap()
    started.page.close()
    plain = visit(**android, java_script_enabled=False)
    plain.params = started.params
    plain.page.goto(left.value.url)
    plain.page.get_by_test_id("open-app").tap()
    plain.page.get_by_test_id("method-MONEY").check()
    plain.page.get_by_test_id("consent").check()
    plain.page.get_by_test_id("next").tap()
    plain.page.get_by_test_id("pin").fill("123456")
    plain.page.get_by_role("button", name="확인").tap()
    plain.page.get_by_test_id("home").tap()
    plain.returned("imp_success=true")
