"""Answers that get lost: never failed, never repeated, resolved by asking."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from maedal.flows.resolve_unknown import KEY_LOST, KEY_LOST_TEXT
from maedal.flows.undo_lost_key import REASON, undo_due
from maedal.merchants.merchant import DEMO_CODE
from maedal.storage.webhooks.reads import DeliveryFilter
from maedal.webhooks.webhook import DeliveryState
from tests.e2e.test_ended_keys import in_gateway
from tests.support.world import world

# Lost answers, settling keys and workers are waited for in real time.
pytestmark = pytest.mark.slow


@pytest.fixture
def running(database_url, tmp_path):
    with world(database_url, tmp_path, clarify_wait_seconds=1.5, busy_wait_seconds=5.0) as everything:
        yield everything


@pytest.mark.parametrize("kind", ["drop_after", "error_500_after", "garbled_after"])
def test_a_charge_whose_answer_is_lost_is_paid_after_all(running, kind):
    running.issue_key("c_1")
    running.fault("subscription", kind)
    answer = running.again("c_1", "m_1")
    assert (answer["code"], answer["response"]["status"], answer["response"]["pg_tid"]) == (0, "paid", None)
    assert len(running.log(operation="subscription", outcome="approved")) == 1


@pytest.mark.parametrize("kind", ["drop_before", "error_500_before"])
def test_a_charge_that_may_not_have_happened_stays_open_and_is_not_repeated(running, kind):
    running.issue_key("c_1")
    running.fault("subscription", kind)
    answer = running.again("c_1", "m_1")
    assert (answer["code"], answer["response"]) == (-1, None)
    assert "확인하고 있습니다" in answer["message"]
    found = running.call("GET", "/payments/find/m_1").json()["response"]
    assert (found["status"], found["fail_reason"]) == ("ready", None)
    # Neither the same order nor another one of this key is charged while nobody knows.
    assert running.again("c_1", "m_1")["code"] == -1
    assert running.again("c_1", "m_2")["code"] == -1
    assert running.log(operation="subscription", outcome="approved") == []


def test_an_approval_whose_answer_is_lost_is_looked_up(running):
    opened = running.open_window("m_1", 9_900)
    running.fault("approve", "drop_after")
    result = running.finish(opened)["result"]
    assert (result["success"], result["pay_method"]) == (True, "point")
    assert len(running.log(operation="approve", outcome="approved")) == 1


def lose_the_key(running, merchant_uid, amount):
    """Let a buyer agree to a key whose issuing answer is lost; return the opened window and its result."""
    opened = running.open_window(merchant_uid, amount, customer_uid=f"c_{merchant_uid}")
    running.fault("approve", "drop_after")
    page = running.http.get(running.agree(opened)).text
    assert "결제수단을 등록하지 못했습니다." in page or KEY_LOST_TEXT in page
    state = running.state(opened)
    assert state["state"] == "done"
    return opened, state["result"]


def test_a_free_key_that_is_lost_with_the_answer_has_failed(running):
    opened, result = lose_the_key(running, "free", 0)
    assert (result["success"], result["error_code"]) == (False, KEY_LOST)
    assert result["error_msg"] == f"[{KEY_LOST}] {KEY_LOST_TEXT}"
    payment = running.payment(opened["imp_uid"])
    assert (payment["status"], payment["fail_reason"]) == ("failed", result["error_msg"])
    assert running.again("c_free", "no key")["code"] == 1
    # The same order may begin anew.
    running.issue_key("c_free")
    assert running.again("c_free", "a key")["response"]["status"] == "paid"


def wait_for_log(running, **wanted):
    deadline = time.monotonic() + 60
    while not running.log(**wanted) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(0.5)


def test_money_for_a_key_that_is_lost_with_the_answer_is_given_back(running):
    opened = running.open_window("first", 9_900, customer_uid="c_first", notice_url="http://shop.test/told")
    running.fault("approve", "drop_after")
    running.fault("cancel", "decline")
    running.http.get(running.agree(opened))
    result = running.state(opened)["result"]
    assert (result["success"], result["error_code"]) == (False, KEY_LOST)
    payment = running.payment(opened["imp_uid"])
    assert payment["status"] == "paid"
    wait_for_log(running, operation="cancel")
    # The refused cancel is tried again a minute later.
    assert in_gateway(running, lambda gateway: undo_due(gateway.services), ahead_seconds=30) == 0
    assert in_gateway(running, lambda gateway: undo_due(gateway.services), ahead_seconds=90) == 1
    cancelled = running.payment(opened["imp_uid"])
    assert (cancelled["cancel_amount"], cancelled["cancel_reason"]) == (9_900, REASON)
    assert running.state(opened)["result"] == result
    assert len(running.log(operation="approve", outcome="approved")) == 1
    assert len(running.log(operation="cancel", outcome="cancelled")) == 1
    # The merchant never hears that it was paid.
    [delivery_log] = in_gateway(
        running, lambda gateway: gateway.store.webhooks.deliveries(DEMO_CODE, DeliveryFilter(10))
    )
    assert (delivery_log.delivery.url, json.loads(delivery_log.delivery.body)["status"]) == (
        "http://shop.test/told",
        "cancelled",
    )
    assert delivery_log.state is DeliveryState.WAITING
    assert running.again("c_first", "no key")["code"] == 1


def test_a_slow_answer_is_waited_for(running):
    running.issue_key("c_1")
    running.fault("subscription", "delay", delay_seconds=2)
    assert running.again("c_1", "m_1")["response"]["status"] == "paid"


def test_a_buyer_who_reloads_while_the_approval_runs_sees_its_end_both_times(running):
    opened = running.open_window("m_1", 9_900, customer_uid="c_1")
    address = running.agree(opened)
    running.fault("approve", "delay", delay_seconds=0.7)
    with ThreadPoolExecutor(2) as buyer:
        pages = [buyer.submit(running.http.get, address) for _ in range(2)]
    assert ["결제가 완료되었습니다." in page.result().text for page in pages] == [True, True]
    assert len(running.log(operation="approve")) == 1
