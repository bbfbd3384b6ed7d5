"""Approve, and approve in the wrong moment: docs/wire/kakaopay.md, sections 4.4 and 6."""

import re
import threading
from typing import Any

import pytest

from kakaopay_sandbox.methods import WALLET_CARDS
from tests.sandbox.support import SINGLE, Shop, code_of

# As a capture of 2024 has them, of a single payment by card without item code and payload.
CURRENT_FIELDS = [
    "aid",
    "tid",
    "cid",
    "sid",
    "partner_order_id",
    "partner_user_id",
    "item_name",
    "item_code",
    "payload",
    "quantity",
    "amount",
    "payment_method_type",
    "card_info",
    "sequential_payment_methods",
    "created_at",
    "approved_at",
]


def test_the_current_family_sends_every_field_null_where_there_is_nothing(shop: Shop) -> None:
    reply = shop.under(SINGLE).pay("CARD")
    assert list(reply) == CURRENT_FIELDS
    nulls = {name for name, value in reply.items() if value is None}
    assert nulls == {"sid", "item_code", "payload", "sequential_payment_methods"}


def test_a_charge_of_a_sid_has_the_same_fields(shop: Shop) -> None:
    reply = shop.charge(shop.seed_sid()).json()
    assert list(reply) == CURRENT_FIELDS
    assert {name for name, value in reply.items() if value is None} == {
        "item_code",
        "payload",
        "card_info",
        "sequential_payment_methods",
    }


@pytest.mark.parametrize("method", ["MONEY", "CARD"])
def test_the_legacy_family_sends_no_null(shop: Shop, method: str) -> None:
    legacy = shop.as_legacy()
    paid = legacy.pay(method)
    replies = [paid, legacy.charge(paid["sid"]).json(), legacy.under(SINGLE).pay(method, cid=SINGLE)]
    assert all(None not in reply.values() for reply in replies)
    assert all("sequential_payment_methods" not in reply for reply in replies)
    assert "sid" not in replies[2]


def test_a_legacy_payment_by_money_has_an_empty_item_code(shop: Shop) -> None:
    legacy = shop.as_legacy()
    assert legacy.pay("MONEY")["item_code"] == ""
    assert "item_code" not in legacy.pay("CARD")


def test_by_money_card_info_is_null(shop: Shop) -> None:
    reply = shop.pay("MONEY")
    assert reply["card_info"] is None
    assert reply["amount"] == {
        "total": 9900,
        "tax_free": 0,
        "vat": 900,
        "point": 0,
        "discount": 0,
        "green_deposit": 0,
    }
    assert re.fullmatch(r"A[0-9a-f]{19}", reply["aid"])
    assert re.fullmatch(r"S[0-9a-f]{19}", reply["sid"])


def test_by_card_the_current_family_tells_only_kakaopay_codes(shop: Shop) -> None:
    card = shop.pay("CARD")["card_info"]
    assert list(card) == [
        "kakaopay_purchase_corp",
        "kakaopay_purchase_corp_code",
        "kakaopay_issuer_corp",
        "kakaopay_issuer_corp_code",
        "bin",
        "card_type",
        "install_month",
        "approved_id",
        "card_mid",
        "interest_free_install",
        "card_item_code",
        "installment_type",
    ]


def test_without_instalments_it_is_card_installment_of_00_months(shop: Shop) -> None:
    paid = shop.pay("CARD")
    assert (paid["card_info"]["install_month"], paid["card_info"]["installment_type"]) == ("00", "CARD_INSTALLMENT")
    assert shop.order(paid["tid"]).json()["selected_card_info"]["installment_type"] == "CARD_INSTALLMENT"
    assert "installment_type" not in shop.as_legacy().pay("CARD")["card_info"]


def test_the_card_of_test_mode_is_the_one_of_every_capture(shop: Shop) -> None:
    assert shop.pay("CARD")["card_info"] == {
        "kakaopay_purchase_corp": "신한",
        "kakaopay_purchase_corp_code": "701",
        "kakaopay_issuer_corp": "신한",
        "kakaopay_issuer_corp_code": "101",
        "bin": "111111",
        "card_type": "신용",
        "install_month": "00",
        "approved_id": "11111111",
        "card_mid": "111111",
        "interest_free_install": "N",
        "card_item_code": "111111",
        "installment_type": "CARD_INSTALLMENT",
    }


def test_no_other_bank_has_the_code_of_that_card(shop: Shop) -> None:
    del shop
    codes = [card.issuer_code for card in WALLET_CARDS]
    assert len(codes) == len(set(codes))


def test_by_card_the_legacy_family_tells_its_own_codes_too(shop: Shop) -> None:
    card = shop.as_legacy().pay("CARD")["card_info"]
    assert (card["purchase_corp_code"], card["issuer_corp_code"], card["issuer_corp"]) == ("05", "05", "신한카드")
    assert card["kakaopay_issuer_corp"] == "신한"


def test_a_single_cid_gives_no_sid(shop: Shop) -> None:
    assert shop.under(SINGLE).pay()["sid"] is None


def test_the_cid_of_sequential_payment_is_known(shop: Shop) -> None:
    paid = shop.under("TCSEQUENCE").pay()
    assert paid["cid"] == "TCSEQUENCE"
    assert paid["sid"]


def test_amount_0_issues_a_sid_and_takes_nothing(shop: Shop) -> None:
    before = shop.balance()
    reply = shop.pay("CARD", total_amount=0, quantity=0)
    assert reply["sid"]
    assert reply["aid"]
    assert reply["amount"]["total"] == 0
    assert set(reply["card_info"]) == {
        "kakaopay_purchase_corp",
        "kakaopay_purchase_corp_code",
        "kakaopay_issuer_corp",
        "kakaopay_issuer_corp_code",
        "bin",
        "card_type",
        "install_month",
    }
    assert shop.order(reply["tid"]).json()["status"] == "ISSUED_SID"
    assert shop.balance() == before
    assert [line["outcome"] for line in shop.log(operation="approve")] == ["issued"]


def test_item_code_and_payload_are_echoed_when_sent(shop: Shop) -> None:
    tid = shop.ready_order(item_code="plan-1")["tid"]
    reply = shop.approve(tid, shop.authenticate(tid), payload="memo").json()
    assert (reply["item_code"], reply["payload"]) == ("plan-1", "memo")


def test_before_the_buyer_authenticated_it_is_minus_701_with_extras(shop: Shop) -> None:
    legacy = shop.as_legacy()
    tid = legacy.ready_order()["tid"]
    assert legacy.approve(tid, "x").json() == {
        "msg": "authentication doesn't complete!",
        "code": -701,
        "extras": {"method_result_code": "9999", "method_result_message": "결제 실패. 잠시 후 재시도 바랍니다."},
    }


def test_a_second_approve_is_minus_702_and_charges_nothing(shop: Shop) -> None:
    tid = shop.ready_order()["tid"]
    token = shop.authenticate(tid)
    assert shop.approve(tid, token).status_code == 200
    after_first = shop.balance()
    assert code_of(shop.approve(tid, token)) == -702
    assert shop.balance() == after_first


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"pg_token": "0" * 20}, -708),
        ({"partner_order_id": "another"}, -706),
        ({"partner_user_id": "another"}, -707),
        ({"total_amount": 9901}, -722),
        ({"tid": "T0000000000000000000"}, -721),
        ({"cid": SINGLE}, -731),
        ({"cid": "TCNOSUCH"}, -731),
    ],
)
def test_what_does_not_match_ready_is_refused(shop: Shop, changes: dict[str, Any], code: int) -> None:
    tid = shop.ready_order()["tid"]
    token = shop.authenticate(tid)
    fields = {"tid": tid, "pg_token": token} | changes
    reply = shop.approve(**fields)
    assert (reply.status_code, code_of(reply)) == (400, code)
    assert shop.approve(tid, token, total_amount=9900).status_code == 200


def test_another_user_gets_the_captured_sentence(shop: Shop) -> None:
    tid = shop.ready_order()["tid"]
    reply = shop.as_legacy().approve(tid, shop.authenticate(tid), partner_user_id="x")
    assert reply.text == '{"msg":"partner user id is different when you ordered!","code":-707}'


def test_an_order_lives_15_minutes(shop: Shop) -> None:
    alive, dead = shop.ready_order()["tid"], shop.ready_order()["tid"]
    tokens = shop.authenticate(alive), shop.authenticate(dead)
    shop.advance(15 * 60 - 1)
    assert shop.approve(alive, tokens[0]).status_code == 200
    shop.advance(1)
    assert code_of(shop.approve(dead, tokens[1])) == -723
    assert shop.order(dead).json()["status"] == "FAIL_PAYMENT"


def test_after_the_buyer_quit_it_is_minus_783(shop: Shop) -> None:
    tid = shop.ready_order()["tid"]
    token = shop.authenticate(tid)
    shop.control("POST", f"/orders/{tid}/quit")
    assert code_of(shop.approve(tid, token)) == -783
    assert shop.order(tid).json()["status"] == "QUIT_PAYMENT"


def test_a_decline_is_minus_780_and_ends_the_order(shop: Shop) -> None:
    shop.control("POST", "/buyer", {"balance": 9899})
    tid = shop.ready_order()["tid"]
    token = shop.authenticate(tid)
    assert shop.approve(tid, token).json() == {
        "error_code": -780,
        "error_message": "approval failure!",
        "extras": {"method_result_code": "NOT_ENOUGH_BALANCE", "method_result_message": "잔액 부족"},
    }
    assert shop.order(tid).json()["status"] == "FAIL_PAYMENT"
    assert code_of(shop.approve(tid, token)) == -783
    assert shop.control("GET", "/sids") == []


def test_more_than_two_million_won_by_money_is_declined(shop: Shop) -> None:
    tid = shop.ready_order(total_amount=5_000_000)["tid"]
    declined = shop.approve(tid, shop.authenticate(tid))
    assert (code_of(declined), declined.json()["extras"]["method_result_code"]) == (-780, "LIMIT_ONE_TIME")
    assert shop.pay("CARD", total_amount=5_000_000)["amount"]["total"] == 5_000_000


def test_the_same_approve_twice_at_once_is_minus_785(shop: Shop) -> None:
    tid = shop.ready_order()["tid"]
    token = shop.authenticate(tid)
    shop.fault("approve", "delay", delay_seconds=1)
    replies = []
    first = threading.Thread(target=lambda: replies.append(shop.approve(tid, token)))
    first.start()
    shop.until_faults_are_taken()
    assert code_of(shop.approve(tid, token)) == -785
    first.join()
    assert replies[0].status_code == 200
