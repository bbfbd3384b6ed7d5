"""The buyer's screens without any script: plain links and forms. docs/wire/kakaopay.md, sections 4, 10 and 13."""

import hashlib
import re
from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import StartShop
from tests.sandbox.support import SINGLE, Shop, code_of


def phone_of(order: dict[str, Any]) -> str:
    return "/pay/mockup/" + order["next_redirect_pc_url"][-64:]


def status_of(shop: Shop, order: dict[str, Any]) -> str:
    return str(shop.order(order["tid"]).json()["status"])


def choose(shop: Shop, order: dict[str, Any], method: str = "MONEY", **more: str) -> httpx.Response:
    fields = {"method": method, "consent": "on"} | more
    return shop.http.post(phone_of(order) + "/method", data=fields, follow_redirects=True)


def enter(shop: Shop, order: dict[str, Any], pin: str = "123456") -> httpx.Response:
    return shop.http.post(phone_of(order) + "/pin", data={"pin": pin}, follow_redirects=True)


def test_the_whole_way_with_forms_alone(shop: Shop) -> None:
    order = shop.ready_order()
    bridge = order["next_redirect_pc_url"] + "?kpayTid=1&anything=else"
    assert shop.http.get(bridge).status_code == 200
    assert status_of(shop, order) == "READY"
    assert shop.http.get(phone_of(order) + "/lock").status_code == 200
    assert status_of(shop, order) == "READY"
    assert "자동결제 이용에 동의" in shop.http.get(phone_of(order)).text
    assert status_of(shop, order) == "OPEN_PAYMENT"
    assert "결제 비밀번호" in choose(shop, order, "hyundai").text
    assert status_of(shop, order) == "SELECT_METHOD"
    done = enter(shop, order)
    assert "주문중이던 앱/웹브라우저로 이동하면 결제가 완료됩니다." in done.text
    assert status_of(shop, order) == "AUTH_PASSWORD"
    away = shop.http.get(bridge)
    assert away.status_code == 302
    token = re.fullmatch(r"http://127\.0\.0\.1:1/ok\?o=1&pg_token=([0-9a-f]{20})", away.headers["location"])
    assert token
    paid = shop.approve(order["tid"], token[1]).json()
    assert paid["card_info"]["kakaopay_issuer_corp_code"] == "106"


def test_the_message_way_passes_send_tms(shop: Shop) -> None:
    order = shop.ready_order()
    bridge = order["next_redirect_pc_url"]
    refused = shop.http.post(bridge + "/message", data={"number": "010-0000-0000"})
    assert "-761" in refused.text
    assert status_of(shop, order) == "READY"
    shop.http.post(bridge + "/message", data={"number": "010-1234-5678"})
    assert status_of(shop, order) == "SEND_TMS"
    shop.http.get(phone_of(order))
    assert status_of(shop, order) == "OPEN_PAYMENT"


def test_without_consent_there_is_no_automatic_payment(shop: Shop) -> None:
    order = shop.ready_order()
    reply = shop.http.post(phone_of(order) + "/method", data={"method": "MONEY"})
    assert (reply.status_code, "자동결제에 동의해 주세요" in reply.text) == (400, True)
    assert status_of(shop, order) == "OPEN_PAYMENT"


def test_a_single_payment_asks_for_no_consent(shop: Shop) -> None:
    order = shop.under(SINGLE).ready_order()
    assert "자동결제 이용에 동의" not in shop.http.get(phone_of(order)).text
    assert "결제 비밀번호" in choose(shop, order, consent="").text


def test_five_wrong_pins_fail_the_order(shop: Shop) -> None:
    order = shop.ready_order()
    choose(shop, order)
    for left in (4, 3, 2, 1):
        assert f"남은 횟수: {left}" in enter(shop, order, "000000").text
    assert "여러 번 틀렸습니다" in enter(shop, order, "000000").text
    assert status_of(shop, order) == "FAIL_AUTH_PASSWORD"
    assert shop.http.get(order["next_redirect_mobile_url"]).headers["location"] == "http://127.0.0.1:1/fail?o=1"
    assert code_of(shop.approve(order["tid"], "x")) == -783


@pytest.mark.parametrize("device", ["pc", "mobile", "app"])
def test_cancelling_on_the_waiting_page_leads_to_cancel_url(shop: Shop, device: str) -> None:
    order = shop.ready_order()
    bridge = order[f"next_redirect_{device}_url"]
    back = shop.http.post(bridge + "/quit")
    assert back.status_code == 303
    assert shop.http.get(back.headers["location"]).headers["location"] == "http://127.0.0.1:1/cancel?o=1"
    assert status_of(shop, order) == "QUIT_PAYMENT"


def test_stopping_on_the_phone_leads_there_too(shop: Shop) -> None:
    order = shop.ready_order()
    choose(shop, order)
    assert "그만두었습니다" in shop.http.post(phone_of(order) + "/quit", follow_redirects=True).text
    state = shop.http.get("/mockup/state/" + phone_of(order)[-64:]).json()
    assert state["next_url"] == "http://127.0.0.1:1/cancel?o=1"


def test_time_runs_out_on_every_page(shop: Shop) -> None:
    order = shop.ready_order()
    shop.advance(899)
    assert "00:01" in shop.http.get(order["next_redirect_pc_url"]).text
    shop.advance(1)
    assert shop.http.get(order["next_redirect_pc_url"]).headers["location"] == "http://127.0.0.1:1/fail?o=1"
    assert "결제 시간이 지났습니다" in shop.http.get(phone_of(order)).text


def test_completed_is_not_believed_before_it_is_true(shop: Shop) -> None:
    order = shop.ready_order()
    bridge = order["next_redirect_mobile_url"]
    reply = shop.http.post(bridge + "/check", follow_redirects=True)
    assert "아직 결제가 완료되지 않았습니다" in reply.text
    shop.authenticate(order["tid"])
    back = shop.http.post(bridge + "/check")
    assert "pg_token=" in shop.http.get(back.headers["location"]).headers["location"]


@pytest.mark.parametrize(
    ("restriction", "offered"),
    [
        ({}, {"MONEY", "bc-suhyup", "hyundai", "shinhan", "kb"}),
        ({"payment_method_type": "MONEY"}, {"MONEY"}),
        ({"payment_method_type": "CARD"}, {"bc-suhyup", "hyundai", "shinhan", "kb"}),
        ({"available_cards": ["KB", "LOTTE"]}, {"MONEY", "kb"}),
        ({"install_month": 3}, {"MONEY", "hyundai", "shinhan"}),
    ],
)
def test_the_merchants_restrictions_are_honoured(shop: Shop, restriction: dict[str, Any], offered: set[str]) -> None:
    order = shop.under(SINGLE).ready_order(total_amount=60_000, **restriction)
    page = shop.http.get(phone_of(order)).text
    assert set(re.findall(r'name="method" value="([^"]+)"', page)) == offered
    for excluded in {"MONEY", "hyundai", "kb"} - offered:
        assert choose(shop, order, excluded).status_code == 400


def test_instalments_reach_the_wire(shop: Shop) -> None:
    single = shop.under(SINGLE)
    order = single.ready_order(total_amount=60_000, use_share_installment="Y")
    choose(single, order, "hyundai", install_month="6")
    enter(single, order)
    paid = single.approve(order["tid"], single.authenticate(order["tid"])).json()
    assert (paid["card_info"]["install_month"], paid["card_info"]["installment_type"]) == ("06", "SHARE_INSTALLMENT")
    assert single.order(order["tid"]).json()["selected_card_info"]["install_month"] == 6


def test_any_shop_may_frame_the_waiting_page_and_no_script_is_inline(shop: Shop) -> None:
    order = shop.ready_order()
    for path in (order["next_redirect_pc_url"], phone_of(order), "/account", "/", "/log"):
        reply = shop.http.get(path)
        policy = reply.headers["content-security-policy"]
        assert "x-frame-options" not in reply.headers
        assert "frame-ancestors" not in policy
        assert "unsafe" not in policy
        assert not re.search(r"<script(?![^>]* src=)|\son\w+=|\sstyle=", reply.text)
        assert "시뮬레이터 · Simulator" in reply.text


def test_what_a_merchant_names_is_text_and_never_markup(shop: Shop) -> None:
    order = shop.ready_order(item_name="<script>alert(1)</script>")
    for path in (order["next_redirect_pc_url"], phone_of(order), "/"):
        assert "<script>alert" not in shop.http.get(path).text


def test_pages_speak_english_on_request_and_keep_speaking_it(shop: Shop) -> None:
    order = shop.ready_order()
    page = shop.http.get(phone_of(order) + "?lang=en")
    assert "Pay with" in page.text
    assert f'action="{phone_of(order)}/method?lang=en"' in page.text


def test_unknown_orders_and_forms_of_other_sites_lead_nowhere(shop: Shop) -> None:
    order = shop.ready_order()
    assert shop.http.get("/pay/mockup/" + "0" * 64).status_code == 404
    assert shop.http.get("/mockup/bridge/tv/pg/one-time/payment/" + phone_of(order)[-64:]).status_code == 404
    foreign = {"sec-fetch-site": "cross-site"}
    assert shop.http.post(phone_of(order) + "/quit", headers=foreign).status_code == 403
    assert shop.http.post("/account/balance", data={"set": "0"}, headers=foreign).status_code == 403
    assert status_of(shop, order) == "READY"


def test_the_buyer_changes_the_account(shop: Shop) -> None:
    sid = shop.pay("CARD", item_name="<책> 구독")["sid"]
    post = shop.http.post
    post("/account/balance", data={"set": "5,000"})
    post("/account/balance", data={"add": "100000"})
    post("/account/balance", data={"set": "lots"})
    assert shop.balance() == 105_000
    post("/account/auto-top-up", data={"on": "yes"})
    assert shop.control("GET", "/buyer")["auto_top_up"] is True
    post("/account/cards/shinhan", data={"decline_code": "0002"})
    assert shop.charge(sid).json()["extras"]["method_result_code"] == "0002"
    post("/account/cards/shinhan", data={"decline_code": ""})
    assert shop.charge(sid).status_code == 200
    assert "&lt;책&gt; 구독" in shop.http.get("/account").text
    post(f"/account/sids/{sid}/end")
    assert code_of(shop.charge(sid)) == -751
    assert "구매자가 해지" in shop.http.get("/account").text


def test_the_receipt_opens_with_the_right_hash_only(shop: Shop) -> None:
    paid = shop.pay("CARD")
    plain = paid["cid"] + paid["tid"] + paid["partner_order_id"] + paid["partner_user_id"]
    by_tid = hashlib.sha256(plain.encode()).hexdigest()
    by_aid = hashlib.sha256((plain + paid["aid"]).encode()).hexdigest()
    assert "9,900원" in shop.http.get(f"/v1/confirmation/p/{paid['tid']}/{by_tid}").text
    assert "9,900원" in shop.http.get(f"/v1/confirmation/m/{paid['aid']}/{by_aid}").text
    assert shop.http.get(f"/v1/confirmation/p/{paid['tid']}/{by_aid}").status_code == 404
    assert shop.http.get("/account").text.count("/v1/confirmation/p/") == 1


def test_the_pin_of_the_buyer_is_a_setting(start_shop: StartShop) -> None:
    shop = start_shop(pin="654321")
    order = shop.ready_order()
    assert "654321" in choose(shop, order).text
    enter(shop, order, "654321")
    assert status_of(shop, order) == "AUTH_PASSWORD"


@pytest.mark.parametrize("page", ["next_redirect_pc_url", "next_redirect_mobile_url"])
def test_an_order_without_money_is_called_a_registration(shop: Shop, page: str) -> None:
    order = shop.ready_order(total_amount=0)
    for address in (order[page], phone_of(order) + "/lock", phone_of(order)):
        text = shop.http.get(address).text
        assert "정기결제 등록" in text
        assert "자동결제" in text or "/lock" in address
        assert ">0원<" not in text
    assert "정기결제 등록" in choose(shop, order).text


def test_the_window_is_light_like_the_sheet_around_it(shop: Shop) -> None:
    order = shop.ready_order()
    framed = shop.http.get(order["next_redirect_pc_url"]).text
    assert '<meta name="color-scheme" content="light">' in framed
    assert '<html lang="ko" class="light">' in framed
    assert '<meta name="color-scheme" content="light">' in shop.http.get(phone_of(order) + "?from=frame").text
    assert '<meta name="color-scheme" content="light dark">' in shop.http.get(phone_of(order)).text


def test_money_has_its_whole_name(shop: Shop) -> None:
    assert "<b>카카오페이머니</b>" in shop.http.get(phone_of(shop.ready_order())).text
