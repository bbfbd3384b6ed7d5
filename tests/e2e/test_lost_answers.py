"""Answers that get lost: never failed, never repeated, resolved by asking."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

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


def test_a_lost_approval_that_issued_a_key_stays_unknown(running):
    opened = running.open_window("m_1", 9_900, customer_uid="c_1")
    running.fault("approve", "drop_after")
    running.http.get(running.agree(opened))
    assert running.payment(opened["imp_uid"])["status"] == "ready"
    import time

    time.sleep(1.6)
    state = running.state(opened)
    assert (state["state"], state["result"]["error_code"]) == ("done", "UNKNOWN")
    assert state["result"]["imp_uid"] == opened["imp_uid"]


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
