"""What a test can make go wrong: docs/wire/kakaopay.md, section 14.12."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from kakaopay_sandbox.faults import OPERATION_NAMES
from tests.sandbox.support import Shop, code_of, wait_until

# One call of each operation on a paid order and its SID.
CALLS: dict[str, Callable[[Shop, dict[str, Any]], httpx.Response]] = {
    "ready": lambda shop, _: shop.ready(),
    "approve": lambda shop, paid: shop.approve(paid["tid"], "x"),
    "subscription": lambda shop, paid: shop.charge(paid["sid"]),
    "inactive": lambda shop, paid: shop.deactivate(paid["sid"]),
    "status": lambda shop, paid: shop.status(paid["sid"]),
    "order": lambda shop, paid: shop.order(paid["tid"]),
    "cancel": lambda shop, paid: shop.cancel(paid["tid"], 100),
}


def test_every_operation_has_a_call_here() -> None:
    assert tuple(CALLS) == OPERATION_NAMES


@pytest.mark.parametrize("operation", CALLS)
def test_a_dropped_call_looks_like_a_broken_connection(shop: Shop, operation: str) -> None:
    paid = shop.pay()
    shop.fault(operation, "drop_before")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        CALLS[operation](shop, paid)
    assert shop.log()[-1]["outcome"] == "not_performed"
    assert CALLS[operation](shop, paid).status_code in {200, 400}


def test_dropped_after_charging_the_money_is_gone(shop: Shop) -> None:
    sid, before = shop.seed_sid(), shop.balance()
    shop.fault("subscription", "drop_after")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        shop.charge(sid)
    assert shop.balance() == before - 9900
    (line,) = shop.log(operation="subscription")
    assert (line["outcome"], line["fault"], line["amount"]) == ("approved", "drop_after", 9900)
    assert shop.status(sid).json()["last_approved_at"] == "2026-11-23T12:00:00"


@pytest.mark.parametrize(("kind", "is_charged"), [("error_500_before", False), ("error_500_after", True)])
def test_a_500_tells_nothing_about_the_money(shop: Shop, kind: str, is_charged: bool) -> None:
    sid = shop.seed_sid()
    shop.fault("subscription", kind)
    reply = shop.charge(sid)
    assert (reply.status_code, code_of(reply)) == (500, -500)
    assert bool(shop.log(outcome="approved")) is is_charged


def test_legacy_calls_an_internal_error_minus_1(shop: Shop) -> None:
    shop.fault("order", "error_500_before")
    reply = shop.as_legacy().order("T0")
    assert (reply.status_code, code_of(reply)) == (500, -1)


def test_a_garbled_reply_is_half_a_json(shop: Shop) -> None:
    sid = shop.seed_sid()
    shop.fault("subscription", "garbled_after")
    reply = shop.charge(sid)
    assert reply.status_code == 200
    with pytest.raises(ValueError):
        reply.json()
    assert len(shop.log(outcome="approved")) == 1


def test_an_empty_401_has_no_body(shop: Shop) -> None:
    shop.fault("status", "empty_401")
    reply = shop.status(shop.seed_sid())
    assert (reply.status_code, reply.content) == (401, b"")


@pytest.mark.parametrize(("code", "http_status"), [(-785, 400), (-429, 429), (-503, 503), (-798, 400)])
def test_any_refusal_can_be_arranged(shop: Shop, code: int, http_status: int) -> None:
    shop.fault("ready", "refuse", error_code=code)
    reply = shop.ready()
    assert (reply.status_code, code_of(reply)) == (http_status, code)


def test_a_decline_takes_the_named_code(shop: Shop) -> None:
    sid = shop.seed_sid()
    shop.fault("subscription", "decline", method_result_code="BANK_FIRM_UNKNOWN")
    extras = shop.charge(sid).json()["extras"]
    assert extras["method_result_code"] == "BANK_FIRM_UNKNOWN"
    assert "약 20분" in extras["method_result_message"]
    assert shop.charge(sid).status_code == 200


def test_a_decline_waits_for_a_call_that_asks_the_method(shop: Shop) -> None:
    sid = shop.seed_sid()
    shop.fault("subscription", "decline")
    assert code_of(shop.charge(sid, partner_user_id="another")) == -753
    assert code_of(shop.charge(sid)) == -782


def test_a_fault_of_one_sid_spares_the_others(shop: Shop) -> None:
    struck, spared = shop.seed_sid(), shop.seed_sid()
    shop.fault("subscription", "decline", sid=struck, times=2)
    outcomes = [shop.charge(sid).status_code for sid in (spared, struck, spared, struck, struck)]
    assert outcomes == [200, 400, 200, 400, 200]


def test_an_order_is_found_by_the_sid_it_belongs_to(shop: Shop) -> None:
    paid = shop.pay()
    shop.fault("cancel", "error_500_before", sid=paid["sid"])
    assert shop.cancel(shop.pay()["tid"], 100).status_code == 200
    assert shop.cancel(paid["tid"], 100).status_code == 500


def test_faults_are_taken_in_the_order_they_were_arranged(shop: Shop) -> None:
    sid = shop.seed_sid()
    shop.fault("subscription", "error_500_before")
    shop.fault("subscription", "decline")
    assert [shop.charge(sid).status_code for _ in range(3)] == [500, 400, 200]


def test_a_delay_combines_with_another_fault_and_can_hold_the_answer_alone(shop: Shop) -> None:
    sid = shop.seed_sid()
    shop.fault("subscription", "delay", delay_seconds=1, delay_at="after")
    shop.fault("subscription", "error_500_after")
    impatient = httpx.Client(base_url=shop.http.base_url, timeout=0.3, trust_env=False)
    with impatient, pytest.raises(httpx.ReadTimeout):
        Shop(impatient).charge(sid)
    wait_until(lambda: shop.log(operation="subscription") != [])
    (line,) = shop.log(operation="subscription")
    assert (line["outcome"], line["fault"]) == ("approved", "delay+error_500_after")


def test_a_delayed_charge_happens_although_nobody_waits_any_more(shop: Shop) -> None:
    sid = shop.seed_sid()
    shop.fault("subscription", "delay", delay_seconds=1.5)
    impatient = httpx.Client(base_url=shop.http.base_url, timeout=0.2, trust_env=False)
    with impatient, pytest.raises(httpx.ReadTimeout):
        Shop(impatient).charge(sid)
    shop.until_faults_are_taken()
    assert "last_approved_at" not in shop.status(sid).json()
    wait_until(lambda: "last_approved_at" in shop.status(sid).json())


def test_arranged_faults_are_listed_and_forgotten(shop: Shop) -> None:
    shop.fault("subscription", "decline", times=3)
    assert [fault["times"] for fault in shop.control("GET", "/faults")] == [3]
    assert shop.control("DELETE", "/faults") == {"cleared": 1}
    assert shop.charge(shop.seed_sid()).status_code == 200
