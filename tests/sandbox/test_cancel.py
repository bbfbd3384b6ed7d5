"""Cancelling: docs/wire/kakaopay.md, section 7.5."""

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kakaopay_sandbox.amounts import Amount, default_cancel_vat, default_vat
from tests.sandbox.support import Shop, code_of


def test_a_partial_cancel_tells_payment_part_sum_and_rest(shop: Shop) -> None:
    paid = shop.pay()
    shop.advance(5)
    reply = shop.cancel(paid["tid"], 1100, cancel_available_amount=9900, payload="p").json()
    assert list(reply) == [
        "tid",
        "cid",
        "status",
        "partner_order_id",
        "partner_user_id",
        "payment_method_type",
        "item_name",
        "aid",
        "quantity",
        "amount",
        "canceled_amount",
        "cancel_available_amount",
        "approved_cancel_amount",
        "created_at",
        "approved_at",
        "canceled_at",
        "payload",
    ]
    assert reply["status"] == "PART_CANCEL_PAYMENT"
    assert [reply[name]["vat"] for name in ("amount", "approved_cancel_amount", "cancel_available_amount")] == [
        900,
        100,
        800,
    ]
    assert reply["canceled_at"] == "2026-11-23T12:00:05"


def test_the_legacy_family_begins_with_the_aid(shop: Shop) -> None:
    legacy = shop.as_legacy()
    reply = legacy.cancel(legacy.pay()["tid"], 1100).json()
    assert list(reply)[:3] == ["aid", "tid", "cid"]
    assert list(reply).index("approved_cancel_amount") < list(reply).index("canceled_amount")


@pytest.mark.parametrize("method", ["MONEY", "CARD"])
def test_no_field_of_a_cancel_is_null(shop: Shop, method: str) -> None:
    paid = shop.pay(method)
    assert None not in shop.cancel(paid["tid"], 1100).json().values()
    assert None not in shop.as_legacy().cancel(paid["tid"], 1100).json().values()


@pytest.mark.parametrize("parts", [[(9900, 0)], [(5000, 0), (4900, 0)], [(5000, 900), (4900, 0)], [(9899, 0), (1, 0)]])
def test_after_a_whole_cancel_no_vat_is_left_whatever_was_stated(shop: Shop, parts: list[tuple[int, int]]) -> None:
    tid = shop.pay()["tid"]
    replies = [shop.cancel(tid, amount, cancel_vat_amount=vat).json() for amount, vat in parts]
    assert set(replies[-1]["cancel_available_amount"].values()) == {0}
    assert sum(reply["approved_cancel_amount"]["vat"] for reply in replies) == 900
    assert replies[-1]["canceled_amount"] == replies[-1]["amount"]


def test_no_more_vat_is_left_than_there_is_money_left(shop: Shop) -> None:
    tid = shop.pay()["tid"]
    left = shop.cancel(tid, 9500, cancel_vat_amount=0).json()["cancel_available_amount"]
    assert (left["total"], left["vat"]) == (400, 400)


def test_several_partial_cancels_make_a_whole_one(shop: Shop) -> None:
    before = shop.balance()
    tid = shop.pay(total_amount=1000)["tid"]
    parts = [shop.cancel(tid, 250).json() for _ in range(4)]
    assert [part["approved_cancel_amount"]["vat"] for part in parts] == [23, 23, 23, 22]
    assert [part["status"] for part in parts] == ["PART_CANCEL_PAYMENT"] * 3 + ["CANCEL_PAYMENT"]
    assert shop.balance() == before
    details = [action["payment_detail_action_type"] for action in shop.control("GET", f"/orders/{tid}")["actions"]]
    assert details == ["PAYMENT_ISSUE_SID", "PART_CANCELED", "PART_CANCELED", "PART_CANCELED", "ALL_PART_CANCELED"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": 9901}, -711),
        ({"amount": 0}, -722),
        ({"amount": -5}, -722),
        ({"amount": 100, "cancel_available_amount": 9899}, -722),
        ({"amount": 100, "cancel_tax_free_amount": 1}, -722),
        ({"amount": 100, "cancel_vat_amount": 901}, -722),
        ({"amount": 100, "cancel_vat_amount": -1}, -722),
        ({"amount": 100, "cancel_vat_amount": 101}, -722),
        ({"amount": 100, "tid": "T0000000000000000000"}, -721),
        ({"amount": 100, "cid": "TC0ONETIME"}, -731),
    ],
)
def test_what_a_cancel_refuses(shop: Shop, changes: dict[str, Any], code: int) -> None:
    tid = shop.pay()["tid"]
    reply = shop.cancel(**({"tid": tid} | changes))
    assert (reply.status_code, code_of(reply)) == (400, code)
    assert shop.order(tid).json()["status"] == "SUCCESS_PAYMENT"


def test_more_than_what_is_left_is_minus_710(shop: Shop) -> None:
    tid = shop.pay()["tid"]
    shop.cancel(tid, 5000)
    assert code_of(shop.cancel(tid, 4901)) == -710


def test_nothing_left_and_never_approved_are_minus_784(shop: Shop) -> None:
    tid = shop.pay()["tid"]
    shop.cancel(tid, 9900)
    assert code_of(shop.cancel(tid, 9900)) == -784
    assert code_of(shop.cancel(shop.ready_order()["tid"], 100)) == -784
    assert code_of(shop.cancel(shop.pay(total_amount=0)["tid"], 100)) == -784


def test_the_available_amount_works_as_a_compare_and_swap(shop: Shop) -> None:
    tid = shop.pay()["tid"]
    assert shop.cancel(tid, 1000, cancel_available_amount=9900).status_code == 200
    assert code_of(shop.cancel(tid, 1000, cancel_available_amount=9900)) == -722


def test_tax_free_and_taxed_parts_are_kept_apart(shop: Shop) -> None:
    tid = shop.pay(total_amount=10_000, tax_free_amount=4000)["tid"]
    assert code_of(shop.cancel(tid, 5000, cancel_tax_free_amount=4001)) == -722
    assert code_of(shop.cancel(tid, 7000, cancel_tax_free_amount=0)) == -722
    reply = shop.cancel(tid, 5000, cancel_tax_free_amount=4000).json()
    assert reply["cancel_available_amount"]["tax_free"] == 0
    assert reply["approved_cancel_amount"]["vat"] == 91


def test_a_green_deposit_forbids_partial_cancels(shop: Shop) -> None:
    tid = shop.pay(green_deposit=300)["tid"]
    assert code_of(shop.cancel(tid, 100)) == -784
    assert shop.cancel(tid, 9900).json()["canceled_amount"]["green_deposit"] == 300


def test_a_method_that_refuses_is_minus_781_code_first_in_legacy(shop: Shop) -> None:
    tid = shop.pay("CARD")["tid"]
    shop.fault("cancel", "decline")
    reply = shop.as_legacy().cancel(tid, 9900)
    assert reply.text == (
        '{"code":-781,"msg":"cancel failure!",'
        '"extras":{"method_result_code":"6666","method_result_message":"원거래없음"}}'
    )
    assert shop.cancel(tid, 9900).status_code == 200


def test_two_cancels_at_once_are_minus_785(shop: Shop) -> None:
    tid = shop.pay()["tid"]
    shop.fault("cancel", "delay", delay_seconds=1)
    first = threading.Thread(target=shop.cancel, args=(tid, 100))
    first.start()
    shop.until_faults_are_taken()
    assert code_of(shop.cancel(tid, 100)) == -785
    first.join()
    assert shop.order(tid).json()["canceled_amount"]["total"] == 100


def test_cards_can_be_cancelled_for_a_year_and_money_for_five(shop: Shop) -> None:
    card, money = shop.pay("CARD")["tid"], shop.pay("MONEY")["tid"]
    shop.advance(366 * 24 * 3600)
    assert code_of(shop.cancel(card, 100)) == -784
    assert shop.cancel(money, 100).status_code == 200
    shop.advance(5 * 366 * 24 * 3600)
    assert code_of(shop.cancel(money, 100)) == -784


@pytest.mark.parametrize(("total", "vat"), [(2200, 200), (1000, 91), (60_000, 5455), (9900, 900), (0, 0)])
def test_vat_is_a_rounded_eleventh(total: int, vat: int) -> None:
    assert default_vat(total, 0) == vat


@given(st.integers(1, 10_000_000), st.lists(st.integers(1, 5_000_000), max_size=12))
def test_default_vat_of_cancels_sums_to_the_vat_of_the_payment(total: int, parts: list[int]) -> None:
    left = Amount(total, 0, default_vat(total, 0))
    for requested in [*parts, total]:
        part = min(requested, left.total)
        if part == 0:
            break
        vat = default_cancel_vat(part, 0, left)
        assert 0 <= vat <= left.vat
        left = left.minus(Amount(part, 0, vat))
    assert left.total > 0 or left.vat == 0
