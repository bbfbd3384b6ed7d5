"""Order lookup and the life of an order: docs/wire/kakaopay.md, sections 4.3 and 7.4."""

from typing import Any

import pytest

from kakaopay_sandbox.orders import APPROVED, NEXT, OPEN, Status
from tests.sandbox.support import SINGLE, Shop, code_of


def test_the_whole_reply_of_a_partly_cancelled_charge(shop: Shop) -> None:
    sid = shop.seed_sid()
    charge = shop.charge(sid).json()
    shop.advance(60)
    cancel = shop.cancel(charge["tid"], 1100, payload="why").json()
    zeros = {"point": 0, "discount": 0, "green_deposit": 0}
    assert shop.order(charge["tid"]).json() == {
        "tid": charge["tid"],
        "cid": "TCSUBSCRIP",
        "status": "PART_CANCEL_PAYMENT",
        "partner_order_id": "charge-1",
        "partner_user_id": "minji",
        "payment_method_type": "MONEY",
        "item_name": "월간 구독",
        "quantity": 1,
        "amount": {"total": 9900, "tax_free": 0, "vat": 900} | zeros,
        "canceled_amount": {"total": 1100, "tax_free": 0, "vat": 100} | zeros,
        "cancel_available_amount": {"total": 8800, "tax_free": 0, "vat": 800} | zeros,
        "created_at": "2026-11-23T12:00:00",
        "approved_at": "2026-11-23T12:00:00",
        "canceled_at": "2026-11-23T12:01:00",
        "payment_action_details": [
            {
                "aid": charge["aid"],
                "approved_at": "2026-11-23T12:00:00",
                "amount": 9900,
                "point_amount": 0,
                "discount_amount": 0,
                "green_deposit": 0,
                "payment_action_type": "PAYMENT",
                "payment_method_type": "MONEY",
            },
            {
                "aid": cancel["aid"],
                "approved_at": "2026-11-23T12:01:00",
                "amount": 1100,
                "point_amount": 0,
                "discount_amount": 0,
                "green_deposit": 0,
                "payment_action_type": "CANCEL",
                "payment_method_type": "MONEY",
                "payload": "why",
            },
        ],
    }


def test_the_legacy_lookup_has_the_fields_of_a_capture_in_its_order(shop: Shop) -> None:
    legacy = shop.as_legacy()
    order = legacy.order(legacy.under(SINGLE).pay(cid=SINGLE)["tid"], cid=SINGLE).json()
    assert list(order) == [
        "tid",
        "cid",
        "status",
        "partner_order_id",
        "partner_user_id",
        "payment_method_type",
        "item_name",
        "quantity",
        "amount",
        "cancel_available_amount",
        "canceled_amount",
        "created_at",
        "approved_at",
        "payment_action_details",
    ]
    (detail,) = order["payment_action_details"]
    assert list(detail) == ["aid", "approved_at", "point_amount", "discount_amount", "payment_action_type"]


def test_no_sid_appears_anywhere(shop: Shop) -> None:
    paid = shop.pay("CARD")
    assert paid["sid"] not in shop.order(paid["tid"]).text
    assert '"sid"' not in shop.order(paid["tid"]).text


def test_a_card_is_told_with_install_month_as_a_number(shop: Shop) -> None:
    assert shop.order(shop.pay("CARD")["tid"]).json()["selected_card_info"] == {
        "card_bin": "111111",
        "install_month": 0,
        "installment_type": "CARD_INSTALLMENT",
        "card_corp_name": "신한",
        "interest_free_install": "N",
    }


def test_before_a_method_is_chosen_it_is_left_out(shop: Shop) -> None:
    order = shop.order(shop.ready_order()["tid"]).json()
    assert order["status"] == "READY"
    for absent in ("payment_method_type", "approved_at", "canceled_at", "payment_action_details", "item_code"):
        assert absent not in order
    assert order["cancel_available_amount"]["total"] == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"tid": "T0000000000000000000"}, -721), ({"cid": SINGLE}, -731), ({"cid": "TCNOSUCH"}, -731)],
)
def test_what_the_lookup_refuses(shop: Shop, changes: dict[str, Any], code: int) -> None:
    tid = shop.ready_order()["tid"]
    assert code_of(shop.order(**({"tid": tid} | changes))) == code


def test_an_order_authenticated_through_the_control_api_has_gone_the_whole_way(shop: Shop) -> None:
    tid = shop.ready_order()["tid"]
    shop.authenticate(tid)
    way = [step["status"] for step in shop.control("GET", f"/orders/{tid}")["way"]]
    assert way == ["READY", "OPEN_PAYMENT", "SELECT_METHOD", "AUTH_PASSWORD"]


def test_an_expired_order_shows_fail_payment(shop: Shop) -> None:
    tid = shop.ready_order()["tid"]
    shop.advance(900)
    assert shop.order(tid).json()["status"] == "FAIL_PAYMENT"


def test_the_table_of_moves_names_every_status_and_leaves_none_behind() -> None:
    assert set(NEXT) == set(Status)
    reached = {status for following in NEXT.values() for status in following}
    assert reached == set(Status) - {Status.READY}
    assert OPEN.isdisjoint(APPROVED)
    assert all(not NEXT[status] & OPEN for status in APPROVED)
