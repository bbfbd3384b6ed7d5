"""The file API: docs/wire/kakaopay.md, section 12 and 14.14."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from kakaopay_sandbox.settings import BUCKET_ID, DEPOSIT_BUCKET_ID, FILE_KEY, SETTLEMENT_BUCKET_ID
from tests.sandbox.conftest import StartShop
from tests.sandbox.support import SINGLE, Shop

DAY = "20261123"
UNTIL_EIGHT = 20 * 3600
"""From noon, when these tests begin, to the next morning's 08:00."""
A_DAY = 24 * 3600
KEY = {"Authorization": f"PG_BIZAPI_KEY {FILE_KEY}"}


BUCKETS = {"payments": BUCKET_ID, "settlements": SETTLEMENT_BUCKET_ID, "deposits": DEPOSIT_BUCKET_ID}


def ask(
    shop: Shop,
    day: str = DAY,
    bucket_id: str | None = None,
    headers: dict[str, str] = KEY,
    kind: str = "payments",
) -> httpx.Response:
    params = {"target_date": day, "bucket_id": BUCKETS[kind] if bucket_id is None else bucket_id}
    return shop.http.get(f"/files/v1/{kind}/history", params=params, headers=headers)


def file_of(shop: Shop, day: str = DAY, kind: str = "payments") -> dict[str, Any]:
    answer = ask(shop, day, kind=kind)
    assert answer.status_code == 200, answer.text
    return dict(shop.http.get(answer.json()["url"], headers=KEY).json())


def test_the_file_of_a_day_tells_every_payment_cancel_and_sid_issue(shop: Shop) -> None:
    issued = shop.pay(total_amount=0, quantity=0, partner_order_id="issue-1")
    first = shop.pay("CARD", partner_order_id="first-1")
    charged = shop.charge(issued["sid"], partner_order_id="charge-1", total_amount=3000).json()
    shop.advance(60)
    cancelled = shop.cancel(charged["tid"], 1000).json()
    shop.cancel(first["tid"], 9900)
    single = shop.under(SINGLE).pay(partner_order_id="single-1")
    shop.charge(issued["sid"], partner_user_id="somebody else")
    shop.advance(UNTIL_EIGHT)

    found = file_of(shop)

    rows = [
        (r["payment_action_type"], r["payment_detail_action_type"], r["partner_order_id"], r["amount"])
        for r in found["data"]
    ]
    assert rows == [
        ("ISSUED_SID", "ISSUE_SID", "issue-1", 0),
        ("PAYMENT", "PAYMENT_ISSUE_SID", "first-1", 9900),
        ("PAYMENT", "PAYMENT_SUBSCRIPTION", "charge-1", 3000),
        ("CANCEL", "PART_CANCELED", "charge-1", 1000),
        ("CANCEL", "ALL_CANCELED", "first-1", 9900),
        ("PAYMENT", "PAYMENT_LUMP_SUM", "single-1", 9900),
    ]
    assert found["statistics"] == {
        "payment": {"count": 3, "amount": 9900 + 3000 + 9900},
        "cancel": {"count": 2, "amount": 1000 + 9900},
    }
    assert (found["bucket_id"], found["target_date"]) == (BUCKET_ID, DAY)
    assert found["file_created_at"] == "2026-11-24T07:30:00"
    by_aid = {row["aid"]: row for row in found["data"]}
    assert by_aid[cancelled["aid"]] == {
        "cid": "TCSUBSCRIP",
        "tid": charged["tid"],
        "aid": cancelled["aid"],
        "approved_at": "2026-11-23T12:01:00",
        "partner_order_id": "charge-1",
        "payment_method_type": "MONEY",
        "payment_action_type": "CANCEL",
        "payment_detail_action_type": "PART_CANCELED",
        "currency": "KRW",
        "amount": 1000,
        "point_amount": 0,
        "discount_amount": 0,
        "green_deposit": 0,
    }
    assert by_aid[single["aid"]]["cid"] == SINGLE


def test_a_day_ends_at_midnight_in_korea(shop: Shop) -> None:
    sid = shop.seed_sid()
    shop.advance(12 * 3600 - 1)
    shop.charge(sid, partner_order_id="before midnight")
    shop.advance(1)
    shop.charge(sid, partner_order_id="after midnight")
    shop.advance(A_DAY + 8 * 3600)
    assert [row["partner_order_id"] for row in file_of(shop)["data"]] == ["before midnight"]
    assert [row["partner_order_id"] for row in file_of(shop, "20261124")["data"]] == ["after midnight"]


@pytest.mark.parametrize(
    ("seconds", "is_there"),
    [
        (0, False),
        (UNTIL_EIGHT - 1, False),
        (UNTIL_EIGHT, True),
        (UNTIL_EIGHT + 5 * A_DAY - 1, True),
        (UNTIL_EIGHT + 5 * A_DAY, False),
    ],
)
def test_a_file_is_there_from_eight_the_next_morning_for_five_days(shop: Shop, seconds: int, is_there: bool) -> None:
    shop.advance(seconds)
    answer = ask(shop)
    assert (answer.status_code == 200) is is_there
    assert ("no uploaded file!" in answer.text) is not is_there


def test_a_day_on_which_nothing_happened_has_an_empty_file(shop: Shop) -> None:
    shop.advance(UNTIL_EIGHT)
    found = file_of(shop)
    assert found["data"] == []
    assert found["statistics"]["payment"] == {"count": 0, "amount": 0}


def test_the_address_of_a_file_ends_after_ten_minutes(shop: Shop) -> None:
    shop.advance(UNTIL_EIGHT)
    rows = ask(shop).json()
    assert rows["expires_at"] == "2026-11-24T08:10:00"
    shop.advance(599)
    assert shop.http.get(rows["url"], headers=KEY).status_code == 200
    shop.advance(1)
    assert shop.http.get(rows["url"], headers=KEY).status_code == 403


@pytest.mark.parametrize("headers", [{}, {"Authorization": "PG_BIZAPI_KEY another"}, {"Authorization": FILE_KEY}])
def test_without_the_key_nothing_is_told(shop: Shop, headers: dict[str, str]) -> None:
    shop.advance(UNTIL_EIGHT)
    assert ask(shop, headers=headers).status_code == 401


@pytest.mark.parametrize("headers", [{}, KEY, {"Authorization": "PG_BIZAPI_KEY another"}])
def test_the_address_of_a_file_opens_it_with_the_key_and_without(shop: Shop, headers: dict[str, str]) -> None:
    shop.charge(shop.seed_sid())
    shop.advance(UNTIL_EIGHT)
    url = ask(shop).json()["url"]
    fetched = shop.http.get(url, headers=headers)
    assert (fetched.status_code, len(fetched.json()["data"])) == (200, 1)
    shop.advance(600)
    assert shop.http.get(url, headers=headers).status_code == 403
    assert shop.http.get(url[:-6] + "0.json", headers=headers).status_code == 403


@pytest.mark.parametrize("kind", BUCKETS)
def test_each_kind_of_file_has_a_bucket_of_its_own(shop: Shop, kind: str) -> None:
    shop.advance(UNTIL_EIGHT)
    assert {name for name, bucket in BUCKETS.items() if ask(shop, bucket_id=bucket, kind=kind).status_code == 200} == {
        kind
    }
    assert file_of(shop, kind=kind)["bucket_id"] == BUCKETS[kind]
    assert ask(shop, headers={}, kind=kind).status_code == 401


def test_no_other_kind_of_file_exists(shop: Shop) -> None:
    assert shop.http.get("/files/v1/refunds/history", headers=KEY).status_code == 404


def test_merchants_that_ask_at_half_past_seven_find_settlements_and_deposits(shop: Shop) -> None:
    shop.advance(UNTIL_EIGHT - 30 * 60 - 1)
    assert [ask(shop, kind="settlements").status_code, ask(shop, "20261124", kind="deposits").status_code] == [404, 404]
    shop.advance(1)
    assert [ask(shop, kind="settlements").status_code, ask(shop, "20261124", kind="deposits").status_code] == [200, 200]
    assert ask(shop).status_code == 404


def test_a_settlement_row_tells_the_fee_and_what_is_paid_out_when(shop: Shop) -> None:
    paid = shop.pay(total_amount=10_000)
    shop.advance(UNTIL_EIGHT)
    (row,) = file_of(shop, kind="settlements")["data"]
    (payment,) = file_of(shop)["data"]
    assert row == payment | {
        "fee": 300,
        "fee_vat": 30,
        "interest_free_fee": 0,
        "interest_free_fee_vat": 0,
        "amount_payable": 9_670,
        "deposit_date": "2026-11-25",
    }
    shop.advance(A_DAY)
    deposits = file_of(shop, "20261125", kind="deposits")
    assert (deposits["target_date"], [one["data"] for one in deposits["deposit_details"]]) == ("20261125", [[row]])
    assert (deposits["deposit_details"][0]["from_date"], row["tid"]) == ("2026-11-23", paid["tid"])
    assert file_of(shop, "20261124", kind="deposits")["deposit_details"] == []


def test_what_is_paid_over_a_weekend_is_paid_out_on_tuesday(shop: Shop) -> None:
    sid = shop.seed_sid()
    # 23 November 2026 is a Monday.
    shop.advance(4 * A_DAY)
    for day in ("fri", "sat", "sun"):
        shop.charge(sid, partner_order_id=day)
        shop.advance(A_DAY)
    shop.advance(A_DAY)
    details = file_of(shop, "20261201", kind="deposits")["deposit_details"]
    assert [(one["from_date"], [row["partner_order_id"] for row in one["data"]]) for one in details] == [
        ("2026-11-27", ["fri"]),
        ("2026-11-28", ["sat"]),
        ("2026-11-29", ["sun"]),
    ]


def test_parts_that_are_given_back_take_the_whole_fee_back(shop: Shop) -> None:
    tid = shop.pay(total_amount=10_001)["tid"]
    shop.advance(A_DAY)
    for part in (3_333, 3_333, 3_335):
        shop.cancel(tid, part)
    shop.advance(UNTIL_EIGHT)
    (paid,) = file_of(shop, kind="settlements")["data"]
    parts = file_of(shop, "20261124", kind="settlements")["data"]
    assert len(parts) == 3
    for name in ("amount", "fee", "fee_vat", "amount_payable"):
        assert sum(part[name] for part in parts) == paid[name]


def test_what_is_wholly_given_back_on_its_own_day_is_not_settled(shop: Shop) -> None:
    gone, stays = shop.pay(), shop.pay()
    shop.cancel(gone["tid"], 5000)
    shop.cancel(gone["tid"], 4900)
    shop.cancel(stays["tid"], 1000)
    shop.pay(total_amount=0, quantity=0)
    shop.advance(UNTIL_EIGHT)
    assert {row["tid"] for row in file_of(shop, kind="settlements")["data"]} == {stays["tid"]}
    assert {row["tid"] for row in file_of(shop)["data"]} > {gone["tid"], stays["tid"]}


def test_interest_that_the_merchant_shares_costs_a_fee(shop: Shop) -> None:
    single = shop.under(SINGLE)
    tid = single.ready_order(total_amount=60_000, install_month=3, use_share_installment="Y")["tid"]
    single.approve(tid, single.authenticate(tid, "CARD"))
    shop.advance(UNTIL_EIGHT)
    (row,) = file_of(shop, kind="settlements")["data"]
    assert (row["fee"], row["interest_free_fee"], row["interest_free_fee_vat"]) == (1800, 600, 60)
    assert row["amount_payable"] == 60_000 - 1800 - 180 - 600 - 60


def test_another_bucket_has_no_file(shop: Shop) -> None:
    shop.advance(UNTIL_EIGHT)
    assert "no uploaded file!" in ask(shop, bucket_id="B999999999").text


@pytest.mark.parametrize("day", ["", "2026-11-23", "20261399", "yesterday", "２０２６１１２３"])
def test_a_date_that_is_none_is_400(shop: Shop, day: str) -> None:
    assert ask(shop, day).status_code == 400


def test_key_and_bucket_are_configured(start_shop: StartShop, tmp_path: Path) -> None:
    shop = start_shop(file_key="of this test", bucket_id="B1", data_file=tmp_path / "sandbox.db")
    shop.advance(UNTIL_EIGHT)
    assert ask(shop).status_code == 401
    headers = {"Authorization": "PG_BIZAPI_KEY of this test"}
    assert ask(shop, bucket_id="B1", headers=headers).status_code == 200


def test_faults_reach_the_file_too(shop: Shop) -> None:
    shop.charge(shop.seed_sid())
    shop.advance(UNTIL_EIGHT)
    url = ask(shop).json()["url"]
    shop.fault("files", "drop_after")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        ask(shop)
    shop.fault("files", "error_500_before")
    assert ask(shop).status_code == 500
    shop.fault("file", "garbled_after")
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        shop.http.get(url, headers=KEY).json()
    refused = shop.http.post("/_sim/faults", json={"operation": "file", "kind": "decline"})
    assert refused.status_code == 400
    assert [line["operation"] for line in shop.log()][-4:] == ["files", "files", "files", "file"]
