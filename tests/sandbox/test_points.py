"""Points and discounts: docs/wire/kakaopay.md, sections 6, 7.4, 7.5, 12 and 14.20."""

from pathlib import Path
from typing import Any

import pytest

from kakaopay_sandbox.database import Database
from tests.sandbox.conftest import StartShop
from tests.sandbox.support import Shop, code_of
from tests.sandbox.test_files import A_DAY, file_of
from tests.sandbox.test_pages import choose, enter, phone_of


def buyer(shop: Shop, **fields: Any) -> dict[str, Any]:
    return dict(shop.control("POST", "/buyer", fields))


def parts(amount: dict[str, int]) -> tuple[int, int, int]:
    return amount["total"], amount["point"], amount["discount"]


def test_the_total_stays_and_the_method_pays_what_points_and_discount_leave(shop: Shop) -> None:
    buyer(shop, points=2000, use_points=True, discount=500, balance=50_000)
    charged = shop.charge(shop.seed_sid()).json()
    assert parts(charged["amount"]) == (9900, 2000, 500)
    assert charged["amount"]["vat"] == 900
    after = shop.control("GET", "/buyer")
    assert (after["balance"], after["points"], after["discount"]) == (50_000 - 7400, 0, 500)


def test_automatic_payments_leave_points_alone_unless_told_otherwise(shop: Shop) -> None:
    buyer(shop, points=2000)
    assert parts(shop.charge(shop.seed_sid()).json()["amount"]) == (9900, 0, 0)


def test_points_may_pay_all_of_it(shop: Shop) -> None:
    buyer(shop, points=50_000, use_points=True, balance=0)
    assert parts(shop.charge(shop.seed_sid()).json()["amount"]) == (9900, 9900, 0)


def test_a_declined_charge_keeps_the_points(shop: Shop) -> None:
    buyer(shop, points=2000, use_points=True, balance=0)
    assert code_of(shop.charge(shop.seed_sid())) == -782
    assert shop.control("GET", "/buyer")["points"] == 2000


def test_the_limit_of_money_is_of_what_money_pays(shop: Shop) -> None:
    buyer(shop, points=500_000, use_points=True)
    assert shop.charge(shop.seed_sid(), total_amount=2_500_000).status_code == 200


def test_the_buyer_chooses_on_the_phone(shop: Shop) -> None:
    buyer(shop, points=2000, discount=500)
    spends, saves = shop.ready_order(), shop.ready_order()
    page = shop.http.get(phone_of(spends)).text
    assert "포인트 2,000원" in page
    assert "−500원" in page
    choose(shop, saves)
    choose(shop, spends, use_points="on")
    for order, expected in ((saves, (9900, 0, 500)), (spends, (9900, 2000, 500))):
        enter(shop, order)
        paid = shop.approve(order["tid"], shop.authenticate(order["tid"])).json()
        assert parts(paid["amount"]) == expected
    assert "포인트" not in shop.http.get(phone_of(shop.ready_order())).text


def test_the_control_api_chooses_too(shop: Shop) -> None:
    buyer(shop, points=2000)
    tid = shop.ready_order()["tid"]
    body = {"payment_method_type": "CARD", "use_points": True}
    approval_url = shop.control("POST", f"/orders/{tid}/authenticate", body)["approval_url"]
    paid = shop.approve(tid, approval_url.partition("pg_token=")[2]).json()
    assert parts(paid["amount"]) == (9900, 2000, 0)


def test_a_cancel_gives_back_what_the_method_paid_before_points_and_discount(shop: Shop) -> None:
    buyer(shop, points=2000, use_points=True, discount=500, balance=50_000)
    tid = shop.charge(shop.seed_sid()).json()["tid"]
    first = shop.cancel(tid, 7000).json()
    assert parts(first["approved_cancel_amount"]) == (7000, 0, 0)
    second = shop.cancel(tid, 1000).json()
    assert parts(second["approved_cancel_amount"]) == (1000, 600, 0)
    assert parts(second["cancel_available_amount"]) == (1900, 1400, 500)
    last = shop.cancel(tid, 1900).json()
    assert parts(last["approved_cancel_amount"]) == (1900, 1400, 500)
    assert last["canceled_amount"] == last["amount"]
    after = shop.control("GET", "/buyer")
    assert (after["balance"], after["points"]) == (50_000, 2000)


def test_lookup_and_files_tell_points_and_discount(shop: Shop) -> None:
    buyer(shop, points=2000, use_points=True, discount=500)
    tid = shop.charge(shop.seed_sid()).json()["tid"]
    shop.cancel(tid, 8000)
    points = [(2000, 500), (600, 0)]
    for family in (shop, shop.as_legacy()):
        details = family.order(tid).json()["payment_action_details"]
        assert [(one["point_amount"], one["discount_amount"]) for one in details] == points
    shop.advance(A_DAY)
    for kind in ("payments", "settlements"):
        rows = file_of(shop, kind=kind)["data"]
        assert [(row["amount"], row["point_amount"], row["discount_amount"]) for row in rows] == [
            (9900, *points[0]),
            (8000, *points[1]),
        ]


def test_the_account_page_sets_them(shop: Shop) -> None:
    shop.http.post("/account/points", data={"points": "3,000", "discount": "100", "use_points": "on"})
    shop.http.post("/account/points", data={"points": "many", "discount": "1"})
    points = shop.control("GET", "/buyer")
    assert (points["points"], points["discount"], points["use_points"]) == (3000, 100, True)


@pytest.mark.parametrize("wrong", [{"points": -1}, {"discount": "1"}, {"use_points": 1}])
def test_what_cannot_be_is_refused(shop: Shop, wrong: dict[str, Any]) -> None:
    reply = shop.http.post("/_sim/buyer", json=wrong)
    assert (reply.status_code, next(iter(wrong)) in reply.json()["error"]) == (400, True)


def test_a_file_that_was_begun_before_there_were_points_goes_on(start_shop: StartShop, tmp_path: Path) -> None:
    file = tmp_path / "sim.sqlite"
    workbook = Database(file)
    for table, columns in {
        "orders": ("uses_points",),
        "actions": ("point", "discount"),
        "file_addresses": ("kind",),
    }.items():
        for column in columns:
            workbook.run(f"ALTER TABLE {table} DROP COLUMN {column}")
    workbook.close()
    shop = start_shop(data_file=file)
    buyer(shop, points=100, use_points=True)
    assert parts(shop.charge(shop.seed_sid()).json()["amount"]) == (9900, 100, 0)
