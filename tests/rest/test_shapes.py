"""The payment and customer objects of every kind of payment, against the value table (docs/wire/portone-v1-rest.md 3.2)."""

from __future__ import annotations

import re
import time

import pytest

from tests.support import shapes

UA = {"User-Agent": "python-requests/2.31.0"}
BUYER = {
    "buyer_name": "홍길동",
    "buyer_email": "h@example.com",
    "buyer_tel": "010-1234-5678",
    "buyer_addr": "서울시 강남구",
    "buyer_postcode": "06000",
}
NOTHING_CANCELLED = {
    "cancel_amount": 0,
    "cancel_history": [],
    "cancel_reason": None,
    "cancel_receipt_urls": [],
    "cancelled_at": 0,
}
ALWAYS = NOTHING_CANCELLED | {
    "bank_code": None,
    "cash_receipt_issued": False,
    "currency": "KRW",
    "deposit_history": [],
    "emb_pg_provider": None,
    "escrow": False,
    "pg_provider": "kakaopay",
    "promotion": None,
    "sandbox": True,
    "vbank_date": 0,
    "vbank_issued_at": 0,
}
MONEY = {"pay_method": "point", "card_code": None, "card_name": None, "card_quota": 0, "card_type": None}
NOT_PAID = {"paid_at": 0, "receipt_url": None}
FINE = {"fail_reason": None, "failed_at": 0, "status": "paid"}
RECEIPT = re.compile(r"https?://[^/]+/v1/confirmation/[pm]/T[0-9a-f]{19}/[0-9a-f]{64}")


@pytest.fixture(scope="module")
def world_of_keys(running):
    running.issue_key("money")
    running.issue_key("card", method="CARD")
    return running


def holds(payment, **expected):
    """Return the payment after comparing every value that the table names."""
    shapes.check(payment, shapes.PAYMENT)
    expected = ALWAYS | expected
    assert {key: payment[key] for key in expected} == expected
    assert abs(payment["started_at"] - time.time()) < 60
    return payment


def fetched(running, opened):
    return shapes.answered(running.call("GET", f"/payments/{opened['imp_uid']}"))


def bought(running, merchant_uid, amount, method, **more):
    opened = running.open_window(merchant_uid, amount, **more)
    assert running.finish(opened, method)["result"]["success"]
    return fetched(running, opened)


def again(running, customer_uid, merchant_uid, **more):
    body = {"customer_uid": customer_uid, "merchant_uid": merchant_uid, "amount": 3_000} | more
    return shapes.answered(running.call("POST", "/subscribe/payments/again", json=body, headers=UA))


def test_a_ready_payment(running):
    opened = running.open_window("ready", 9_900)
    payment = holds(
        fetched(running, opened), **NOT_PAID, status="ready", amount=9_900, channel="pc", pg_id="TC0ONETIME",
        failed_at=0, fail_reason=None, pay_method=None, customer_uid=None, customer_uid_usage=None, apply_num=None,
        card_quota=0, name="Monthly plan",
    )  # fmt: skip
    assert re.fullmatch(r"imp_\d{12}", payment["imp_uid"])
    assert running.http.headers["user-agent"] == payment["user_agent"]


def test_a_one_time_payment_with_money(running):
    payment = bought(running, "one-time money", 9_900, "MONEY", **BUYER)
    holds(
        payment, **FINE, **MONEY, **BUYER, amount=9_900, channel="pc", pg_id="TC0ONETIME", apply_num="",
        customer_uid=None, customer_uid_usage=None,
    )  # fmt: skip
    assert payment["paid_at"] >= payment["started_at"]
    assert re.fullmatch(r"T[0-9a-f]{19}", payment["pg_tid"])
    assert RECEIPT.fullmatch(payment["receipt_url"])
    assert f"/p/{payment['pg_tid']}/" in payment["receipt_url"]


def test_a_payment_on_a_phone(running):
    opened = running.open_window(
        "phone", 9_900, m_redirect_url="http://shop.test/", call={"device": "mobile", "presentation": "redirect"}
    )
    running.http.get(running.agree(opened))
    payment = holds(fetched(running, opened), **FINE, **MONEY, channel="mobile")
    assert f"/m/{payment['pg_tid']}/" in payment["receipt_url"]


def test_a_one_time_payment_with_a_card(running):
    payment = bought(running, "one-time card", 60_000, "CARD")
    holds(payment, **FINE, pay_method="card", amount=60_000, pg_id="TC0ONETIME", customer_uid=None)
    assert payment["apply_num"].isdigit()
    assert payment["card_name"]
    assert payment["card_type"] in {0, 1}


def test_a_key_issued_without_money(running):
    payment = bought(running, "issue 0", 0, "MONEY", customer_uid="k_0", **BUYER)
    holds(
        payment, **FINE, **MONEY, **BUYER, amount=0, channel="pc", pg_id="TCSUBSCRIP", apply_num="",
        customer_uid="k_0", customer_uid_usage="issue",
    )  # fmt: skip
    assert payment["paid_at"] > 0
    assert payment["imp_uid"].startswith("imp_")


@pytest.mark.parametrize(("method", "pay_method"), [("MONEY", "point"), ("CARD", "card")])
def test_a_key_issued_with_a_first_payment(running, method, pay_method):
    payment = bought(running, f"issue {method}", 12_000, method, customer_uid=f"k_{method}")
    holds(
        payment, **FINE, amount=12_000, pay_method=pay_method, pg_id="TCSUBSCRIP", customer_uid=f"k_{method}",
        customer_uid_usage="issue", card_quota=0,
    )  # fmt: skip
    assert payment["receipt_url"]


def test_a_key_charged_again_with_money(world_of_keys):
    payment = holds(
        again(world_of_keys, "money", "again money", name="월간 이용권", custom_data="kept", **BUYER), **FINE, **MONEY,
        **BUYER, amount=3_000, channel="api", pg_id="TCSUBSCRIP", apply_num=None, customer_uid="money",
        customer_uid_usage="payment", user_agent=UA["User-Agent"], name="월간 이용권", custom_data="kept",
    )  # fmt: skip
    assert re.fullmatch(r"imps_\d{12}", payment["imp_uid"])
    assert abs(payment["paid_at"] - payment["started_at"]) <= 1
    assert RECEIPT.fullmatch(payment["receipt_url"])


def test_a_key_charged_again_with_a_card(world_of_keys):
    payment = again(world_of_keys, "card", "again card")
    holds(payment, **FINE, pay_method="card", channel="api", customer_uid_usage="payment", card_quota=0)
    assert payment["apply_num"].isdigit()
    assert payment["card_name"]


def test_a_declined_charge(world_of_keys):
    world_of_keys.fault("subscription", "decline", method_result_code="NOT_ENOUGH_BALANCE")
    payment = again(world_of_keys, "money", "declined")
    holds(payment, **NOT_PAID, status="failed", pg_tid=None, apply_num=None, channel="api", customer_uid="money")
    assert payment["failed_at"] >= payment["started_at"]
    assert payment["fail_reason"].startswith("[-782]")
    assert payment["imp_uid"].startswith("imps_")


def test_a_window_that_the_buyer_closed(running):
    opened = running.open_window("closed", 9_900)
    running.http.post(f"{running.gateway}/sdk/payments/{opened['imp_uid']}/close", json={"token": opened["token"]})
    payment = holds(fetched(running, opened), **NOT_PAID, status="failed", pg_tid=None)
    assert payment["fail_reason"] == "[결제포기] 사용자가 결제를 취소하셨습니다"
    assert payment["failed_at"] >= payment["started_at"]


def test_a_payment_cancelled_in_parts(running):
    payment = bought(running, "in parts", 9_900, "MONEY")
    for amount, reason in ((900, "조금"), (None, None)):
        body = {"imp_uid": payment["imp_uid"], "amount": amount, "reason": reason}
        cancelled = shapes.answered(running.call("POST", "/payments/cancel", json=body))
    shapes.check(cancelled, shapes.PAYMENT)
    assert (cancelled["status"], cancelled["amount"], cancelled["cancel_amount"]) == ("cancelled", 9_900, 9_900)
    assert cancelled["cancelled_at"] >= payment["paid_at"] == cancelled["paid_at"]
    history = [shapes.check(entry, shapes.CANCELLATION) for entry in cancelled["cancel_history"]]
    assert [(entry["amount"], entry["reason"]) for entry in history] == [(900, "조금"), (9_000, "취소요청api")]
    assert {entry["pg_tid"] for entry in history} == {payment["pg_tid"]}
    assert cancelled["cancel_reason"] == "취소요청api"
    assert cancelled["cancel_receipt_urls"] == [payment["receipt_url"]] * 2


def test_every_payment_of_every_list_has_the_same_shape(world_of_keys):
    world_of_keys.open_window("listed", 1_000)
    again(world_of_keys, "card", "listed")
    for path in ("/payments/status/all?limit=1000", "/payments/findAll/listed", "/subscribe/customers/card/payments"):
        page = shapes.check(shapes.answered(world_of_keys.call("GET", path)), shapes.PAGE)
        assert page["total"] == len(page["list"]) >= 2
        for payment in page["list"]:
            shapes.check(payment, shapes.PAYMENT)
    several = shapes.answered(world_of_keys.call("GET", "/payments?merchant_uid[]=listed"))
    assert [shapes.check(payment, shapes.PAYMENT)["merchant_uid"] for payment in several] == ["listed", "listed"]
    keys = shapes.answered(world_of_keys.call("GET", "/subscribe/customers?customer_uid[]=card&customer_uid[]=money"))
    assert [shapes.check(key, shapes.CUSTOMER)["customer_uid"] for key in keys] == ["card", "money"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("text", "text"),
        ({"a": 1, "b": ["월", None]}, '{"a":1,"b":["월",null]}'),
        ([1, 2], "[1,2]"),
        (5, "5"),
        (False, "false"),
        ("", None),
        (None, None),
    ],
)
def test_custom_data_comes_back_as_a_text(running, sent, kept):
    opened = running.open_window(f"custom {sent!r}"[:40], 1_000, custom_data=sent)
    assert fetched(running, opened)["custom_data"] == kept


def test_the_customer_object_of_a_money_key(running):
    bought(running, "issue for customer", 0, "MONEY", customer_uid="k_c", customer_id="member-7", **BUYER)
    customer = shapes.check(shapes.answered(running.call("GET", "/subscribe/customers/k_c")), shapes.CUSTOMER)
    expected = {
        "customer_uid": "k_c", "customer_id": "member-7", "pg_provider": "kakaopay", "pg_id": "TCSUBSCRIP",
        "sandbox": True, "card_name": "카카오페이머니", "card_code": None, "card_type": None,
        "customer_name": "홍길동", "customer_email": "h@example.com", "customer_tel": "010-1234-5678",
        "customer_addr": "서울시 강남구", "customer_postcode": "06000",
    }  # fmt: skip
    assert {key: customer[key] for key in expected} == expected
    assert customer["inserted"] == customer["updated"] > 0


def test_the_customer_object_of_a_card_key(world_of_keys):
    customer = shapes.check(shapes.answered(world_of_keys.call("GET", "/subscribe/customers/card")), shapes.CUSTOMER)
    assert customer["card_name"]
    assert customer["customer_name"] is None


def test_a_reissued_key_keeps_its_first_time_and_changes_its_last(running):
    bought(running, "first issue", 0, "MONEY", customer_uid="k_twice")
    first = shapes.answered(running.call("GET", "/subscribe/customers/k_twice"))
    time.sleep(1.1)
    bought(running, "second issue", 0, "CARD", customer_uid="k_twice")
    second = shapes.check(shapes.answered(running.call("GET", "/subscribe/customers/k_twice")), shapes.CUSTOMER)
    assert second["inserted"] == first["inserted"]
    assert second["updated"] > first["updated"]
    assert second["card_name"] != first["card_name"]


def test_the_channels(running):
    channels = shapes.answered(running.call("GET", "/users/pg"))
    assert [shapes.check(channel, shapes.CHANNEL)["pg_id"] for channel in channels] == ["TC0ONETIME", "TCSUBSCRIP"]
    assert {channel["type"] for channel in channels} == {"payment"}
    assert all(re.fullmatch(r"channel-key-[0-9a-f-]{36}", channel["channel_key"]) for channel in channels)
