"""At a desk: the layer, KakaoPay's waiting page in it, the phone beside it, and the callback, once and as specified."""

from typing import Any

import pytest
from playwright.sync_api import expect

from .people import (
    BY_CARD,
    GAVE_UP,
    WITHOUT_CALLBACK,
    Visit,
    agree,
    choose,
    enter_pin,
    enter_wrong_pins,
    failure,
    given_up,
    success,
)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-desktop")]


def test_a_key_is_issued_without_money_by_money(desktop: Visit) -> None:
    desktop.open().click()
    desktop.agree("MONEY")
    result = desktop.result()
    assert result == success(desktop.params, receipt_url=None)
    desktop.is_paid_as_reported(result)
    assert desktop.errors == []


def test_a_key_is_issued_without_money_by_card(desktop: Visit) -> None:
    desktop.open().click()
    desktop.agree("hyundai")
    result = desktop.result()
    assert result == success(desktop.params, receipt_url=None, **BY_CARD | {"apply_num": ""})
    desktop.is_paid_as_reported(result)


@pytest.mark.parametrize(("method", "seen"), [("MONEY", {}), ("hyundai", BY_CARD)])
def test_a_key_is_issued_and_the_first_month_paid(desktop: Visit, method: str, seen: dict[str, Any]) -> None:
    desktop.open(amount=9_900).click()
    desktop.agree(method)
    result = desktop.result()
    assert result == success(desktop.params, **seen)
    desktop.is_paid_as_reported(result)
    again = desktop.everything.again(desktop.params["customer_uid"], f"month_2_{method}", 12_300)["response"]
    assert (again["status"], again["amount"], again["pay_method"]) == ("paid", 12_300, result["pay_method"])


@pytest.mark.parametrize(("method", "seen"), [("MONEY", {}), ("hyundai", BY_CARD)])
def test_a_single_payment_issues_no_key(desktop: Visit, method: str, seen: dict[str, Any]) -> None:
    desktop.open(pg="kakaopay", amount=55_000, customer_uid=None).click()
    desktop.agree(method)
    result = desktop.result()
    assert result == success(desktop.params, **seen)
    desktop.is_paid_as_reported(result)


def test_the_layer_is_where_shops_expect_it(desktop: Visit) -> None:
    desktop.open().click()
    expect(desktop.window.get_by_test_id("qr")).to_be_visible()
    expect(desktop.page.locator(".imp-dialog.customizable.payment-kakaopay.pc")).to_be_visible()
    box = desktop.page.locator("iframe.imp-frame.imp-frame-pc.imp-frame-kakaopay").bounding_box()
    assert (box["width"], box["height"]) == (426, 550)
    assert desktop.page.frames[1].url.startswith(desktop.everything.sandbox)


def test_the_code_in_the_layer_can_be_scanned(desktop: Visit) -> None:
    desktop.open().click()
    phone = desktop.context.new_page()
    phone.goto(desktop.scan())
    agree(phone)
    expect(phone.get_by_test_id("done")).to_contain_text("주문중이던 앱/웹브라우저로 이동하면")
    assert desktop.result() == success(desktop.params, receipt_url=None)


def test_the_buyer_may_stay_in_the_layer(desktop: Visit) -> None:
    desktop.open().click()
    desktop.window.get_by_test_id("phone-here").click()
    agree(desktop.window, "hyundai")
    assert desktop.result()["pay_method"] == "card"


def test_the_buyer_may_take_a_window_of_its_own(desktop: Visit) -> None:
    desktop.open().click()
    with desktop.context.expect_page() as opened:
        desktop.layer.get_by_role("link", name="새 창에서 열기").click()
    waiting = opened.value
    expect(desktop.page.locator("iframe.imp-frame")).to_have_count(0)
    phone = desktop.phone(waiting)
    agree(phone)
    assert desktop.result() == success(desktop.params, receipt_url=None)
    assert waiting.is_closed()
    phone.context.close()


@pytest.mark.parametrize("where", ["cancel on the waiting page", "quit on the phone", "quit at the PIN"])
def test_a_buyer_who_stops_is_told_so_in_the_exact_words(desktop: Visit, where: str) -> None:
    desktop.open(amount=9_900).click()
    phone = desktop.phone()
    {
        "cancel on the waiting page": lambda: desktop.window.get_by_test_id("cancel").click(),
        "quit on the phone": lambda: phone.get_by_test_id("quit").click(),
        "quit at the PIN": lambda: (choose(phone), phone.get_by_test_id("quit").click()),
    }[where]()
    result = desktop.result()
    assert result == given_up(desktop.params)
    assert result["error_msg"] == "[결제포기] 사용자가 결제를 취소하셨습니다"
    desktop.is_not_paid(result["error_msg"])
    phone.context.close()


def test_one_wrong_pin_is_no_end(desktop: Visit) -> None:
    desktop.open().click()
    phone = desktop.phone()
    choose(phone)
    enter_pin(phone, "000000")
    expect(phone.get_by_test_id("wrong-pin")).to_be_visible()
    enter_pin(phone)
    assert desktop.result()["success"] is True
    phone.context.close()


def test_too_many_wrong_pins_end_the_payment(desktop: Visit) -> None:
    desktop.open(amount=9_900).click()
    phone = desktop.phone()
    choose(phone)
    enter_wrong_pins(phone)
    result = desktop.result()
    assert result == failure(desktop.params, "FAIL_AUTH_PASSWORD", "비밀번호 인증에 실패하여 결제를 중단합니다.")
    desktop.is_not_paid(result["error_msg"])
    phone.context.close()


def test_a_closed_layer_is_a_stopped_payment(desktop: Visit) -> None:
    desktop.open().click()
    phone = desktop.phone()
    desktop.close_layer()
    result = desktop.result()
    assert result == given_up(desktop.params)
    # The phone is still there. It can agree, but nobody waits any more, so nothing is paid.
    agree(phone)
    expect(phone.get_by_test_id("done")).to_be_visible()
    desktop.page.wait_for_timeout(1_500)
    desktop.is_not_paid(result["error_msg"])
    assert desktop.page.evaluate("window.calls.length") == 1
    phone.context.close()


def test_the_question_before_closing_can_be_answered_with_no(desktop: Visit) -> None:
    desktop.open().click()
    expect(desktop.window.get_by_test_id("qr")).to_be_visible()
    desktop.page.keyboard.press("Escape")
    question = desktop.page.get_by_role("alertdialog", name="정기결제 등록을 취소하시겠습니까?")
    question.get_by_role("button", name="계속 등록하기").click()
    expect(question).to_have_count(0)
    desktop.agree()
    assert desktop.result()["success"] is True


def test_what_kakaopay_declines_is_told_in_its_words(desktop: Visit) -> None:
    desktop.everything.fault("approve", "decline", method_result_code="LACK_BALANCE")
    desktop.open(amount=9_900).click()
    desktop.agree()
    result = desktop.result()
    assert result == failure(desktop.params, "-780", result["error_msg"])
    assert "-780" in result["error_msg"]
    payment = desktop.everything.payment(result["imp_uid"])
    assert (payment["status"], payment["fail_reason"]) == ("failed", result["error_msg"])
    assert desktop.merchant.webhooks_of(desktop.params) == []


def test_a_second_payment_needs_no_reload_even_after_a_callback_that_throws(desktop: Visit) -> None:
    onclick = """function () {
      IMP.init("imp00000000");
      IMP.request_pay(params, function (rsp) { window.calls.push(rsp); throw new Error("the page's own mistake"); });
    }"""
    desktop.open(onclick=onclick).click()
    desktop.agree()
    assert desktop.result()["success"] is True
    first = desktop.params
    desktop.params = desktop.merchant.order(amount=3_000)
    desktop.page.evaluate("next => { window.calls.length = 0; params = next; }", desktop.params)
    desktop.click()
    desktop.agree("hyundai")
    assert desktop.result() == success(desktop.params, **BY_CARD)
    assert [error.partition("\n")[0] for error in desktop.errors] == ["the page's own mistake"] * 2
    assert desktop.merchant.webhooks_of(first)[0]["status"] == "paid"


def test_a_double_click_opens_one_window(desktop: Visit) -> None:
    desktop.open()
    asked = []
    desktop.page.on("request", lambda request: asked.extend([request.url] * request.url.endswith("/sdk/payments")))
    # Two clicks before the layer covers the button, as a nervous hand makes them.
    desktop.page.evaluate("() => { const pay = document.getElementById('pay'); pay.click(); pay.click(); }")
    expect(desktop.window.get_by_test_id("qr")).to_be_visible()
    expect(desktop.layer).to_have_count(1)
    assert len([url for url in asked if url.endswith("/sdk/payments")]) == 1
    # The second click is the first one's: nobody is told of it.
    assert desktop.page.evaluate("window.calls") == []
    desktop.agree()
    assert desktop.result()["success"] is True


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"pg": "html5_inicis"}, "F1001", "등록되지 않은 PG모듈 정보입니다. 아임포트 관리자페이지에서 PG모듈 정보를 설정하신 후 다시 시도해주세요."),
        ({"amount": 0, "customer_uid": None}, "INVALID_AMOUNT", "결제금액이 올바르지 않습니다."),
    ],
)  # fmt: skip
def test_what_is_refused_before_the_window_says_why(
    desktop: Visit, changes: dict[str, Any], code: str, text: str
) -> None:
    desktop.open(**changes).click()
    assert desktop.result() == {
        "success": False,
        "imp_success": False,
        "imp_uid": None,
        "merchant_uid": desktop.params["merchant_uid"],
        "error_code": code,
        "error_msg": text,
    }


def test_a_paid_order_is_refused_in_the_words_that_shops_compare(desktop: Visit) -> None:
    desktop.open(amount=1_000).click()
    desktop.agree()
    desktop.result()
    desktop.page.evaluate("window.calls.length = 0")
    desktop.click()
    result = desktop.result()
    assert (result["error_code"], result["error_msg"]) == ("F1002", "이미 결제가 이루어진 거래건입니다.")
    assert result["merchant_uid"] == desktop.params["merchant_uid"]
    assert len(desktop.approvals()) == 1


def test_digits_as_text_are_an_amount(desktop: Visit) -> None:
    desktop.open(amount="1000").click()
    desktop.agree()
    assert desktop.result()["paid_amount"] == 1000


def test_without_a_callback_a_failure_is_shown_to_the_buyer(desktop: Visit) -> None:
    alerts = []
    desktop.page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.accept()))
    desktop.open(onclick=WITHOUT_CALLBACK).click()
    desktop.window.get_by_test_id("cancel").click()
    expect(desktop.layer).to_have_count(0)
    desktop.page.wait_for_timeout(100)
    assert alerts == [GAVE_UP]
