"""What happens at KakaoPay without the merchant's server: docs/wire/kakaopay.md, section 14.17 to 14.19."""

from typing import Any

import httpx
import pytest

from tests.sandbox.support import Shop, code_of

SAID, LATER = "2026-11-23T12:00:00", "2026-11-23T12:00:02"
DAY = "20261123"


def offset(shop: Shop, **fields: Any) -> None:
    shop.http.post("/_sim/time-offset", json=fields).raise_for_status()


def refund(shop: Shop, tid: str, **fields: Any) -> httpx.Response:
    return shop.http.post(f"/_sim/orders/{tid}/refund", json=fields)


def file_rows(shop: Shop, day: str = DAY) -> list[dict[str, Any]]:
    headers = {"Authorization": "PG_BIZAPI_KEY " + "5ca1ab1e" * 8}
    query = {"target_date": day, "bucket_id": "B000000001"}
    found = shop.http.get("/files/v1/payments/history", params=query, headers=headers)
    assert found.status_code == 200, found.text
    return list(shop.http.get(httpx.URL(found.json()["url"]).path, headers=headers).json()["data"])


def time_offsets(shop: Shop, paid: dict[str, Any]) -> dict[str, str]:
    order = shop.order(paid["tid"]).json()
    return {
        "status": shop.status(paid["sid"]).json()["last_approved_at"],
        "order": order["approved_at"],
        "cancel": shop.cancel(paid["tid"], 100).json()["approved_at"],
    }


def test_every_later_reply_tells_its_times_off(shop: Shop) -> None:
    offset(shop, seconds=2)
    paid = shop.pay()
    assert paid["approved_at"] == SAID
    assert time_offsets(shop, paid) == dict.fromkeys(("status", "order", "cancel"), LATER)
    details = shop.order(paid["tid"]).json()["payment_action_details"]
    assert [detail["approved_at"] for detail in details] == [LATER, LATER]
    assert shop.deactivate(paid["sid"]).json()["last_approved_at"] == LATER


@pytest.mark.parametrize("place", ["status", "order", "cancel"])
def test_one_place_alone_can_be_off(shop: Shop, place: str) -> None:
    offset(shop, seconds=-1, of=[place])
    paid = shop.pay()
    early = {name: at for name, at in time_offsets(shop, paid).items() if at != SAID}
    assert early == {place: "2026-11-23T11:59:59"}


def test_a_row_lies_in_the_file_of_the_day_that_its_time_tells(shop: Shop) -> None:
    shop.advance(12 * 3600 - 1)
    paid = shop.pay()
    offset(shop, seconds=1)
    shop.advance(2 * 24 * 3600)
    assert file_rows(shop, DAY) == []
    (row,) = file_rows(shop, "20261124")
    assert (row["tid"], row["approved_at"]) == (paid["tid"], "2026-11-24T00:00:00")


def test_a_spread_is_drawn_anew_for_each_reply_and_kept_for_a_row(shop: Shop) -> None:
    offset(shop, spread=2, seed=7)
    paid = shop.pay()
    seen = {shop.status(paid["sid"]).json()["last_approved_at"] for _ in range(60)}
    assert seen == {f"2026-11-23T{at}" for at in ("11:59:58", "11:59:59", "12:00:00", "12:00:01", "12:00:02")}
    shop.advance(24 * 3600)
    assert file_rows(shop) == file_rows(shop)


@pytest.mark.parametrize("wrong", [{"seconds": 11}, {"spread": -1}, {"of": []}, {"of": ["charge"]}, {"second": 1}])
def test_an_offset_that_means_nothing_is_refused(shop: Shop, wrong: dict[str, Any]) -> None:
    reply = shop.http.post("/_sim/time-offset", json=wrong)
    assert reply.status_code == 400
    assert "error" in reply.json()


def test_a_refund_at_the_pg_stands_in_the_order_and_the_file(shop: Shop) -> None:
    paid = shop.pay()
    shop.advance(60)
    made = refund(shop, paid["tid"], amount=2000).json()
    order = shop.order(paid["tid"]).json()
    assert (order["status"], order["canceled_amount"]["total"]) == ("PART_CANCEL_PAYMENT", 2000)
    assert (order["canceled_at"], order["cancel_available_amount"]["total"]) == ("2026-11-23T12:01:00", 7900)
    cancelled = order["payment_action_details"][1]
    assert (cancelled["aid"], cancelled["amount"], cancelled["payment_action_type"]) == (made["aid"], 2000, "CANCEL")
    assert "payload" not in cancelled
    shop.advance(24 * 3600)
    assert [(row["aid"], row["amount"]) for row in file_rows(shop)][1:] == [(made["aid"], 2000)]
    assert shop.log(operation="refund")[0]["aid"] == made["aid"]


def test_a_refund_at_the_pg_changes_what_can_still_be_cancelled(shop: Shop) -> None:
    paid = shop.pay()
    assert refund(shop, paid["tid"], amount=2000).status_code == 200
    assert code_of(shop.cancel(paid["tid"], 1000, cancel_available_amount=9900)) == -722
    assert code_of(shop.cancel(paid["tid"], 8000)) == -710
    assert refund(shop, paid["tid"]).json()["status"] == "CANCEL_PAYMENT"
    assert code_of(shop.cancel(paid["tid"], 1)) == -784


def test_more_than_is_left_cannot_be_refunded_at_the_pg(shop: Shop) -> None:
    paid = shop.pay()
    assert refund(shop, paid["tid"], amount=9901).status_code == 409
    assert refund(shop, "T0", amount=1).status_code == 404
    assert refund(shop, shop.ready_order()["tid"]).status_code == 409
    assert refund(shop, paid["tid"], amount=0).status_code == 400


def test_the_staff_refunds_after_the_period_of_the_api(shop: Shop) -> None:
    paid = shop.pay("CARD")
    shop.advance(366 * 24 * 3600)
    assert code_of(shop.cancel(paid["tid"], 100)) == -784
    assert refund(shop, paid["tid"], amount=100).status_code == 200


@pytest.mark.parametrize(
    ("code", "status"),
    [(-429, 429), (-10, 400), (-401, 401), (-798, 400), (-403, 403), (-503, 503), (-3, 403), (-4, 403), (-603, 400)],
)
def test_a_refusal_at_the_door_has_its_code_and_status(shop: Shop, code: int, status: int) -> None:
    sid = shop.seed_sid()
    shop.fault("any", "refuse", error_code=code, error_message="no")
    reply = shop.charge(sid)
    assert (reply.status_code, reply.json()) == (status, {"error_code": code, "error_message": "no"})
    assert shop.log(outcome="approved") == []


def test_a_call_quota_ends_at_midnight_in_korea(shop: Shop) -> None:
    sid = shop.seed_sid()
    shop.fault("any", "refuse", times=1000, error_code=-429, until_midnight=True)
    shop.advance(12 * 3600 - 1)
    assert [code_of(shop.charge(sid)), code_of(shop.status(sid))] == [-429, -429]
    shop.advance(1)
    assert shop.charge(sid).status_code == 200
    assert shop.http.get("/_sim/faults").json() == []


def test_a_refusal_may_come_after_the_money_was_taken(shop: Shop) -> None:
    sid, before = shop.seed_sid(), shop.balance()
    shop.fault("subscription", "refuse_after", error_code=-782)
    assert code_of(shop.charge(sid)) == -782
    assert shop.balance() == before - 9900


@pytest.mark.parametrize(
    ("extras", "notices"),
    [
        ("absent", {}),
        ("null", {"extras": None}),
        ("empty", {"extras": {}}),
        ("without_code", {"extras": {"method_result_message": "잔액 부족"}}),
        ("empty_code", {"extras": {"method_result_code": "", "method_result_message": "잔액 부족"}}),
    ],
)
def test_a_decline_may_keep_to_itself_what_the_method_said(shop: Shop, extras: str, notices: dict[str, Any]) -> None:
    sid = shop.seed_sid()
    shop.fault("subscription", "decline", method_result_code="NOT_ENOUGH_BALANCE", extras=extras)
    body = shop.charge(sid).json()
    assert body == {"error_code": -782, "error_message": "subscription failure!"} | notices
    assert shop.log(operation="subscription")[0]["method_result_code"] == "NOT_ENOUGH_BALANCE"
