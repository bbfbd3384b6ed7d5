"""What pages give to `request_pay`: 150 values, each a window that ends in a callback and a redirect, or a known refusal.

Seen in public shops, SDKs of apps and tutorials, and what JavaScript makes of a variable that has nothing in it.
"""

from __future__ import annotations

import itertools

import pytest

from maedal.checkout.errors import TEXTS

WINDOW = "window"
PHONE = {"device": "mobile", "presentation": "redirect"}
PAGE = {"page": {"origin": "https://shop.test", "url": "https://shop.test/pay"}}
KEY = {"amount": 0, "customer_uid": "c_{n}"}
_numbers = itertools.count()

VALUES = [
    # pg and channelKey
    ({"pg": "kakaopay"}, WINDOW),
    ({"pg": "kakaopay.TC0ONETIME"}, WINDOW),
    ({"pg": "kakaopay.TCSUBSCRIP"}, WINDOW),
    ({"pg": "kakaopay.TCSUBSCRIP"} | KEY, WINDOW),
    ({"pg": "kakaopay"} | KEY, WINDOW),
    ({"pg": "KAKAOPAY"}, WINDOW),
    ({"pg": "KakaoPay.tcsubscrip"} | KEY, WINDOW),
    ({"pg": "kakao"}, WINDOW),
    ({"pg": " kakaopay"}, WINDOW),
    ({"pg": "kakaopay."}, WINDOW),
    ({"pg": "kakaopay.undefined"}, WINDOW),
    ({"pg": "kakaopay.CA12345678"}, WINDOW),
    ({"pg": ""}, WINDOW),
    ({"pg": None}, WINDOW),
    ({"pg": False}, WINDOW),
    ({"pg": "  "}, WINDOW),
    ({"pg": "", "channelKey": ""}, WINDOW),
    ({"channelKey": False}, WINDOW),
    ({"channelKey": "channel-key-00000000-0000-0000-0000-000000000000"}, "F1001"),
    ({"channelKey": "{콘솔 내 연동 정보의 채널키}"}, "F1001"),
    ({"pg": "html5_inicis"}, "F1001"),
    ({"pg": "{PG사 코드}.{상점 ID}"}, "F1001"),
    ({"pg": "kakaopay.TC0ONETIME"} | KEY, "CHANNEL_MISCONFIGURED"),
    ({"pg": ["kakaopay"]}, "INVALID_PARAMETER"),
    ({"pg": {"kakaopay": "TCSUBSCRIP"}}, "INVALID_PARAMETER"),
    # pay_method
    ({"pay_method": "card"}, WINDOW),
    ({"pay_method": "kakaopay"}, WINDOW),
    ({"pay_method": "EASY_PAY"}, WINDOW),
    ({"pay_method": ""}, WINDOW),
    ({"pay_method": ["card"]}, WINDOW),
    # merchant_uid
    ({"merchant_uid": "merchant_{n}"}, WINDOW),
    ({"merchant_uid": "주문-{n}"}, WINDOW),
    ({"merchant_uid": "ORD/2026#{n}?a=1&b"}, WINDOW),
    ({"merchant_uid": "order {n} 100%"}, WINDOW),
    ({"merchant_uid": "🎂{n}"}, WINDOW),
    ({"merchant_uid": "{n}".ljust(40, "x")}, WINDOW),
    ({"merchant_uid": "x" * 41}, "INVALID_MERCHANT_UID"),
    ({"merchant_uid": 20_260_000_000}, WINDOW),
    ({"merchant_uid": ""}, "INVALID_MERCHANT_UID"),
    ({"merchant_uid": " "}, "INVALID_MERCHANT_UID"),
    ({"merchant_uid": None}, "INVALID_MERCHANT_UID"),
    ({"merchant_uid": False}, "INVALID_MERCHANT_UID"),
    ({"merchant_uid": {"id": 1}}, "INVALID_MERCHANT_UID"),
    # name
    ({"name": "노르웨이 회전 의자"}, WINDOW),
    ({"name": "주문명:결제테스트"}, WINDOW),
    ({"name": "가" * 100}, WINDOW),
    ({"name": "<b>\"원두\"</b> & 'coffee' 1kg"}, WINDOW),
    ({"name": ""}, WINDOW),
    ({"name": "   "}, WINDOW),
    ({"name": None}, WINDOW),
    ({"name": False}, WINDOW),
    ({"name": 12}, WINDOW),
    ({"name": "undefined"}, WINDOW),
    ({"name": ["a", "b"]}, "INVALID_PARAMETER"),
    # amount
    ({"amount": 100}, WINDOW),
    ({"amount": "100"}, WINDOW),
    ({"amount": " 100 "}, WINDOW),
    ({"amount": 100.0}, WINDOW),
    ({"amount": "000100"}, WINDOW),
    ({"amount": "1,000"}, "INVALID_AMOUNT"),
    ({"amount": "1000원"}, "INVALID_AMOUNT"),
    ({"amount": "１０００"}, "INVALID_AMOUNT"),
    ({"amount": "١٠٠"}, "INVALID_AMOUNT"),
    ({"amount": 100.5}, "INVALID_AMOUNT"),
    ({"amount": -100}, "INVALID_AMOUNT"),
    ({"amount": "1e3"}, "INVALID_AMOUNT"),
    ({"amount": None}, "INVALID_AMOUNT"),
    ({"amount": False}, "INVALID_AMOUNT"),
    ({"amount": True}, "INVALID_AMOUNT"),
    ({"amount": ""}, "INVALID_AMOUNT"),
    ({"amount": 0}, "INVALID_AMOUNT"),
    ({"amount": [100]}, "INVALID_AMOUNT"),
    # customer_uid and customer_id
    ({"customer_uid": "gildong_0001_1234-{n}"} | {"amount": 0}, WINDOW),
    ({"customer_uid": "홍길동 {n}", "amount": 0}, WINDOW),
    ({"customer_uid": "a@b.c/{n}+?#%", "amount": 500}, WINDOW),
    ({"customer_uid": 7, "amount": 0}, WINDOW),
    ({"customer_uid": "", "amount": 500}, WINDOW),
    ({"customer_uid": False, "amount": 500}, WINDOW),
    ({"customer_uid": None, "amount": 500}, WINDOW),
    ({"customer_uid": " ", "amount": 500}, WINDOW),
    ({"customer_uid": " ", "amount": 0}, "INVALID_AMOUNT"),
    ({"customer_uid": "", "amount": 0}, "INVALID_AMOUNT"),
    ({"customer_uid": False, "amount": 0}, "INVALID_AMOUNT"),
    ({"customer_uid": "x" * 81, "amount": 0}, "INVALID_PARAMETER"),
    ({"customer_uid": True, "amount": 0}, "INVALID_PARAMETER"),
    ({"customer_id": "회원 1"}, WINDOW),
    ({"customer_id": 42}, WINDOW),
    ({"customer_id": ""}, WINDOW),
    ({"customer_id": " "}, WINDOW),
    ({"customer_id": False}, WINDOW),
    # money beside the amount
    ({"tax_free": 0}, WINDOW),
    ({"tax_free": 400}, WINDOW),
    ({"tax_free": "400"}, WINDOW),
    ({"tax_free": None}, WINDOW),
    ({"tax_free": False}, WINDOW),
    ({"tax_free": 1_001}, "INVALID_PARAMETER"),
    ({"tax_free": "４００"}, "INVALID_PARAMETER"),
    ({"vat": 90, "vat_amount": 90}, WINDOW),
    ({"currency": "KRW"}, WINDOW),
    ({"currency": "krw"}, WINDOW),
    ({"currency": "CURRENCY_KRW"}, WINDOW),
    ({"currency": ""}, WINDOW),
    ({"currency": False}, WINDOW),
    ({"currency": "USD"}, "CURRENCY_NOT_SUPPORTED"),
    ({"currency": "원"}, "CURRENCY_NOT_SUPPORTED"),
    # the buyer
    ({"buyer_name": "홍길동", "buyer_tel": "010-1234-5678", "buyer_email": "a@b.c"}, WINDOW),
    ({"buyer_name": "", "buyer_tel": "", "buyer_addr": "", "buyer_postcode": "", "buyer_email": ""}, WINDOW),
    ({"buyer_name": None, "buyer_tel": None}, WINDOW),
    ({"buyer_name": False, "buyer_postcode": False}, WINDOW),
    ({"buyer_tel": 1_012_345_678, "buyer_postcode": 6018}, WINDOW),
    ({"buyer_addr": "서울특별시 강남구 신사동 661-16 " * 9}, WINDOW),
    ({"buyer_email": "undefined"}, WINDOW),
    ({"buyer_name": {"first": "길동"}}, "INVALID_PARAMETER"),
    # what comes back as it was given
    ({"custom_data": {"a": [1, None, "둘"]}}, WINDOW),
    ({"custom_data": "text"}, WINDOW),
    ({"custom_data": False}, WINDOW),
    ({"custom_data": []}, WINDOW),
    ({"custom_data": 0}, WINDOW),
    # addresses that the gateway calls
    ({"notice_url": "https://hook.invalid/"}, WINDOW),
    ({"notice_url": ["https://hook.invalid/", "https://other.invalid/"]}, WINDOW),
    ({"notice_url": "https://hook.invalid/웹훅 "}, WINDOW),
    ({"notice_url": "/hook"}, WINDOW),
    ({"notice_url": "{웹훅 수신 주소}"}, WINDOW),
    ({"notice_url": ""}, WINDOW),
    ({"notice_url": " "}, WINDOW),
    ({"notice_url": False}, WINDOW),
    ({"notice_url": None}, WINDOW),
    ({"notice_url": []}, WINDOW),
    ({"notice_url": [False, None, ""]}, WINDOW),
    ({"notice_url": {}}, "INVALID_PARAMETER"),
    ({"notice_url": True}, "INVALID_PARAMETER"),
    ({"confirm_url": False}, WINDOW),
    ({"confirm_url": ""}, WINDOW),
    ({"confirm_url": " "}, WINDOW),
    # the window
    ({"language": "ko"}, WINDOW),
    ({"language": "zz"}, WINDOW),
    ({"popup": True}, WINDOW),
    ({"popup": "false"}, WINDOW),
    ({"app_scheme": "myapp"}, WINDOW),
    ({"app_scheme": "myapp://"}, WINDOW),
    ({"app_scheme": "내앱"}, WINDOW),
    ({"kakaopayMobileAsPC": False}, WINDOW),
    ({"display": {"card_quota": []}}, WINDOW),
    ({"display": {"card_quota": [6]}, "amount": 60_000}, WINDOW),
    ({"display": {"card_quota": [2, 3]}}, WINDOW),
    ({"display": False}, WINDOW),
    ({"card": {"detail": [{"card_code": "*", "enabled": False}, {"card_code": "366", "enabled": True}]}}, WINDOW),
    ({"card": None}, WINDOW),
    ({"bypass": {"kakaopay": {"payment_method_type": "MONEY"}}}, WINDOW),
    ({"bypass": {"kakaopay": {"payment_method_type": "money"}}}, WINDOW),
    ({"bypass": {"kakaopay": {"custom_message": "안내"}}}, WINDOW),
    ({"bypass": False}, WINDOW),
    # of other PGs
    ({"escrow": True, "digital": True, "vbank_due": "202612312359", "biz_num": "1234567890"}, WINDOW),
    ({"naverProducts": [{"categoryType": "BOOK"}], "products": [], "period": {"from": "20260101", "to": "20261231"}}, WINDOW),
    ({"period": False, "products": False, "escrow": False, "unheard_of": {"a": 1}}, WINDOW),
]  # fmt: skip


def order(change):
    """Return an ordinary order with what the page gives instead; `{n}` makes a value one of its own."""
    number = next(_numbers)
    params = {"pg": "kakaopay", "merchant_uid": "page_{n}", "name": "월간 이용권", "amount": 1_000} | change
    own = {
        name: value.replace("{n}", str(number)) if isinstance(value, str) else value for name, value in params.items()
    }
    if type(own["merchant_uid"]) is int:
        own["merchant_uid"] += number
    return own


def name_of(value):
    change, _ = value
    return repr(change).strip("{}")[:50]


def opened(running, change, **call):
    params = order(change)
    return running.open_window(params.pop("merchant_uid"), params.pop("amount"), call=PAGE | call, **params)


def test_there_are_a_hundred_and_fifty():
    assert len(VALUES) >= 150


@pytest.mark.parametrize(("change", "expected"), VALUES, ids=map(name_of, VALUES))
def test_a_page_gets_a_window_and_its_callback_or_the_refusal_that_is_written_down(running, change, expected):
    message = opened(running, change)
    if expected != WINDOW:
        assert message["error_code"] == expected
        assert message["imp_uid"] is None
        assert message["error_msg"]
        return
    assert message.get("next", {}).get("kind") == "frame", message
    result = running.finish(message)["result"]
    assert result["success"] is True, result
    assert result["imp_uid"] == message["imp_uid"]


@pytest.mark.parametrize(("change", "expected"), VALUES, ids=map(name_of, VALUES))
def test_on_a_phone_it_gets_its_redirect(running, change, expected):
    message = opened(running, change | {"m_redirect_url": "/done?plan=1"}, ios=False, **PHONE)
    if expected != WINDOW:
        assert (message["error_code"], message["imp_uid"]) == (expected, None)
        return
    answer = running.http.get(running.agree(message))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"https://shop.test/done?plan=1&imp_uid={message['imp_uid']}&")
    assert answer.headers["location"].endswith("&imp_success=true")


def test_every_code_of_a_refusal_is_in_the_manual():
    known = {code for code, _ in TEXTS.values()} | {"INVALID_MERCHANT_UID"}
    assert {expected for _, expected in VALUES} - {WINDOW} <= known


@pytest.mark.parametrize("code", ["iamport", " iamport ", ["iamport"]])
def test_the_code_of_the_old_manual_is_the_demo_merchants_in_dev(running, code):
    message = running.open_window(f"iamport_{next(_numbers)}", 1_000, call={"user_code": code})
    assert running.finish(message)["result"]["success"] is True
    assert running.payment(message["imp_uid"])["pg_id"] == "TC0ONETIME"


@pytest.mark.parametrize("code", ["imp99999999", "TC0ONETIME", "가맹점 식별코드", "{message}"])
def test_a_code_that_nobody_has_is_named_in_the_refusal(running, code):
    message = running.open_window(f"nobody_{next(_numbers)}", 1_000, call={"user_code": code})
    assert message["error_code"] == "F500"
    assert message["error_msg"] == (
        f"결제 창 호출에 실패했습니다. 스토어 정보를 조회하는데 실패하였습니다. (가맹점 식별코드: {code})"
    )


def test_a_key_under_a_blank_name_is_refused_as_the_rest_api_refuses_to_charge_it(running):
    assert opened(running, {"customer_uid": " ", "amount": 0})["error_code"] == "INVALID_AMOUNT"
    assert running.again(" ", f"blank_{next(_numbers)}")["code"] == 1
