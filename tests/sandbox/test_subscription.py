"""Charging a SID, ending it, reading it: docs/wire/kakaopay.md, sections 7.1 to 7.3."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kakaopay_sandbox.settings import TEST_CIDS, Cid, CidKind
from tests.sandbox.conftest import StartShop
from tests.sandbox.support import SINGLE, Shop, code_of

DAY = 24 * 3600


def test_a_charge_answers_like_approve_with_a_new_tid(shop: Shop) -> None:
    first = shop.pay("MONEY")
    shop.advance(60)
    charge = shop.charge(first["sid"], payload="p", item_code="c").json()
    assert list(charge) == list(first)
    assert (charge["payload"], charge["item_code"]) == ("p", "c")
    assert charge["tid"] != first["tid"]
    assert charge["aid"] != first["aid"]
    assert charge["created_at"] == charge["approved_at"] == "2026-11-23T12:01:00"
    assert charge["item_name"] == "월간 구독"


def test_the_method_of_the_first_payment_stays(shop: Shop) -> None:
    sid = shop.pay("CARD")["sid"]
    charge = shop.charge(sid).json()
    assert charge["payment_method_type"] == "CARD"
    assert charge["card_info"]["bin"] == "111111"


def test_a_repeated_partner_order_id_charges_again(shop: Shop) -> None:
    sid = shop.seed_sid()
    before = shop.balance()
    replies = [shop.charge(sid, partner_order_id="the-same") for _ in range(3)]
    assert len({reply.json()["tid"] for reply in replies}) == 3
    assert shop.balance() == before - 3 * 9900
    assert len(shop.log(partner_order_id="the-same", outcome="approved")) == 3


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sid": "S0000000000000000000"}, -750),
        ({"cid": SINGLE}, -750),
        ({"cid": "TCNOSUCH"}, -731),
        ({"partner_user_id": "another"}, -753),
        ({"total_amount": 0}, -722),
        ({"total_amount": -1}, -722),
        ({"tax_free_amount": 9901}, -722),
        ({"quantity": 0}, -2),
    ],
)
def test_what_a_charge_refuses(shop: Shop, changes: dict[str, Any], code: int) -> None:
    sid = shop.seed_sid()
    reply = shop.charge(**({"sid": sid} | changes))
    assert (reply.status_code, code_of(reply)) == (400, code)
    assert shop.log(outcome="approved") == []


def test_the_sid_of_another_recurring_cid_is_unknown(start_shop: StartShop) -> None:
    shop = start_shop(cids=(*TEST_CIDS, Cid("TCSECOND01", CidKind.RECURRING)))
    assert code_of(shop.under("TCSECOND01").charge(shop.seed_sid())) == -750


def test_above_the_one_time_limit_is_minus_797(start_shop: StartShop) -> None:
    shop = start_shop(one_time_limit=9000)
    assert code_of(shop.charge(shop.seed_sid())) == -797


def test_less_than_100_won_is_refused_as_a_wrong_total(shop: Shop) -> None:
    sid = shop.seed_sid()
    assert code_of(shop.charge(sid, total_amount=99)) == -725
    assert shop.charge(sid, total_amount=100).status_code == 200
    assert len(shop.log(outcome="approved")) == 1


def test_more_than_two_million_won_by_money_is_declined(shop: Shop) -> None:
    by_money, by_card = shop.seed_sid(), shop.seed_sid(payment_method_type="CARD")
    declined = shop.charge(by_money, total_amount=2_000_001)
    assert (code_of(declined), declined.json()["extras"]["method_result_code"]) == (-782, "LIMIT_ONE_TIME")
    assert shop.charge(by_money, total_amount=2_000_000).status_code == 200
    assert shop.charge(by_card, total_amount=5_000_000).status_code == 200


def test_the_limits_of_one_payment_are_settings(start_shop: StartShop) -> None:
    shop = start_shop(least_amount=1, money_limit=10_000_000)
    sid = shop.seed_sid()
    assert [shop.charge(sid, total_amount=won).status_code for won in (1, 5_000_000)] == [200, 200]


def test_a_decline_is_minus_782_with_the_methods_words(shop: Shop) -> None:
    sid = shop.seed_sid(payment_method_type="CARD", card="hyundai")
    shop.control("POST", "/buyer", {"card": "hyundai", "decline_code": "0002"})
    reply = shop.charge(sid)
    assert reply.status_code == 400
    assert reply.json()["error_code"] == -782
    assert reply.json()["extras"] == {"method_result_code": "0002", "method_result_message": "지급한도초과"}
    assert "last_approved_at" not in shop.status(sid).json()
    shop.control("POST", "/buyer", {"card": "hyundai", "decline_code": None})
    assert shop.charge(sid).status_code == 200


def test_too_little_money_declines_unless_it_tops_up(shop: Shop) -> None:
    sid = shop.seed_sid()
    shop.control("POST", "/buyer", {"balance": 100})
    assert shop.charge(sid).json()["extras"]["method_result_code"] == "NOT_ENOUGH_BALANCE"
    shop.control("POST", "/buyer", {"auto_top_up": True})
    assert shop.charge(sid).status_code == 200
    assert shop.balance() == 0


def test_two_charges_at_once_lock_the_buyer(shop: Shop) -> None:
    sid = shop.seed_sid()
    shop.fault("subscription", "delay", delay_seconds=1)
    replies = []
    first = threading.Thread(target=lambda: replies.append(shop.charge(sid)))
    first.start()
    shop.until_faults_are_taken()
    second = shop.charge(sid)
    other = shop.charge(shop.seed_sid())
    first.join()
    assert (second.status_code, code_of(second)) == (400, -782)
    assert second.json()["extras"]["method_result_code"] == "USER_LOCKED"
    assert other.status_code == 200
    assert replies[0].status_code == 200
    assert len(shop.log(sid=sid, outcome="approved")) == 1


def test_charges_from_all_sides_take_exactly_what_there_is(shop: Shop) -> None:
    sids = shop.control("POST", "/sids", {"cid": "TCSUBSCRIP", "partner_user_id": "minji", "count": 40})["sids"]
    shop.control("POST", "/buyer", {"balance": 25 * 9900 + 50})
    with ThreadPoolExecutor(8) as pool:
        statuses = [reply.status_code for reply in pool.map(shop.charge, sids)]
    assert sorted(statuses) == [200] * 25 + [400] * 15
    assert shop.balance() == 50
    assert len(shop.log(operation="subscription", outcome="approved")) == 25


def test_the_monthly_count_is_kept_by_the_korean_calendar(start_shop: StartShop) -> None:
    shop = start_shop(monthly_limit=2)
    sid = shop.pay()["sid"]
    assert shop.charge(sid).status_code == 200
    assert shop.status(sid).json()["available"] is True
    assert shop.charge(sid).status_code == 200
    assert shop.status(sid).json()["available"] is False
    assert shop.status(sid).json()["status"] == "ACTIVE"
    assert code_of(shop.charge(sid)) == -752
    # 23 November noon; the first second of December in Korea is 7 days and 12 hours away.
    shop.advance(7 * DAY + 12 * 3600 - 1)
    assert code_of(shop.charge(sid)) == -752
    shop.advance(1)
    assert shop.status(sid).json()["available"] is True
    assert shop.charge(sid).status_code == 200


def test_a_declined_charge_does_not_count(start_shop: StartShop) -> None:
    shop = start_shop(monthly_limit=1)
    sid = shop.seed_sid()
    shop.fault("subscription", "decline")
    assert code_of(shop.charge(sid)) == -782
    assert shop.charge(sid).status_code == 200


def test_status_tells_the_first_payment_and_then_each_charge(shop: Shop) -> None:
    first = shop.pay()
    sid = first["sid"]
    assert shop.status(sid).json() == {
        "available": True,
        "cid": "TCSUBSCRIP",
        "sid": sid,
        "status": "ACTIVE",
        "payment_method_type": "MONEY",
        "item_name": "월간 구독",
        "created_at": "2026-11-23T12:00:00",
        "last_approved_at": "2026-11-23T12:00:00",
    }
    shop.advance(30)
    tid = shop.charge(sid).json()["tid"]
    assert shop.status(sid).json()["last_approved_at"] == "2026-11-23T12:00:30"
    shop.advance(30)
    shop.cancel(tid, 9900)
    assert shop.status(sid).json()["last_approved_at"] == "2026-11-23T12:00:30"


def test_after_a_0_won_issue_there_is_no_last_approval(shop: Shop) -> None:
    sid = shop.pay(total_amount=0)["sid"]
    assert "last_approved_at" not in shop.status(sid).json()
    shop.charge(sid)
    assert shop.status(sid).json()["last_approved_at"] == "2026-11-23T12:00:00"


def test_the_merchant_ends_a_sid_once_and_for_all(shop: Shop) -> None:
    first = shop.pay()
    sid = first["sid"]
    shop.advance(10)
    ended = shop.deactivate(sid).json()
    assert ended == {
        "cid": "TCSUBSCRIP",
        "sid": sid,
        "status": "INACTIVE",
        "created_at": "2026-11-23T12:00:00",
        "last_approved_at": "2026-11-23T12:00:00",
        "inactivated_at": "2026-11-23T12:00:10",
    }
    shop.advance(10)
    assert shop.deactivate(sid).json() == ended
    assert code_of(shop.charge(sid)) == -751
    status = shop.status(sid).json()
    assert (status["available"], status["status"], status["inactivated_at"]) == (
        False,
        "INACTIVE",
        "2026-11-23T12:00:10",
    )
    assert shop.cancel(first["tid"], 9900).status_code == 200


def test_the_buyer_ends_a_sid_and_nobody_is_told(shop: Shop) -> None:
    sid = shop.pay()["sid"]
    shop.control("POST", f"/sids/{sid}/end-by-buyer")
    assert code_of(shop.charge(sid)) == -751
    assert shop.status(sid).json()["status"] == "INACTIVE"


def test_unknown_sids_are_minus_750_everywhere(shop: Shop) -> None:
    unknown = "S0000000000000000000"
    assert [code_of(reply) for reply in (shop.status(unknown), shop.deactivate(unknown))] == [-750, -750]
