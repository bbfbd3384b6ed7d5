"""Two `maedal serve` processes on one PostgreSQL: whatever one begins, the other can go on with."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support import shapes
from tests.support.processes import get_token, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def two(all_databases, tmp_path_factory):
    with serving(all_databases.url("postgresql"), tmp_path_factory.mktemp("two"), nodes=2) as both:
        yield both


def test_the_token_of_one_is_the_token_of_the_other(two):
    tokens = {get_token(node, two.merchant) for node in two.worlds for _ in range(3)}
    assert len(tokens) == 1
    for node in two.worlds:
        shapes.answered(node.call("GET", "/users/pg"))


def test_a_window_opened_on_one_is_approved_on_the_other(two):
    first, second = two.worlds
    opened = two.open_window("across", 9_900)
    other_address = first.agree(opened).replace(first.gateway, second.gateway)
    assert other_address.startswith(second.gateway)
    assert first.http.get(other_address).status_code == 200
    states = [node.state(opened) for node in two.worlds]
    assert states[0] == states[1]
    assert (states[0]["state"], states[0]["result"]["status"]) == ("done", "paid")


def test_both_returns_at_once_approve_once(two):
    first, second = two.worlds
    opened = two.open_window("twice at once", 9_900)
    here = first.agree(opened)
    with ThreadPoolExecutor(10) as pool:
        addresses = [here, here.replace(first.gateway, second.gateway)] * 5
        assert {answer.status_code for answer in pool.map(first.http.get, addresses)} == {200}
    tid = first.payment(opened["imp_uid"])["pg_tid"]
    assert len(first.log(operation="approve", tid=tid)) == 1
    assert first.state(opened)["result"]["success"]


def test_a_key_issued_on_one_is_charged_found_and_ended_on_the_other(two):
    first, second = two.worlds
    two.issue_key("c_across")
    payment = second.again("c_across", "charged there")["response"]
    assert payment["status"] == "paid"
    assert first.payment(payment["imp_uid"]) == payment
    assert shapes.answered(second.call("DELETE", "/subscribe/customers/c_across"))["customer_uid"] == "c_across"
    assert first.again("c_across", "too late")["code"] == 1


def test_fifty_at_once_over_both_charge_once(two):
    two.issue_key("c_fifty")
    before = len(two.worlds[0].log(operation="subscription"))
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda n: two.worlds[n % 2].again("c_fifty", "fifty"), range(50)))
    assert [a["response"]["status"] for a in answers if a["code"] == 0] == ["paid"]
    assert sum(a["code"] == -1 for a in answers) == 49
    assert len(two.worlds[0].log(operation="subscription")) == before + 1


def test_many_orders_of_one_key_over_both_are_each_charged_once(two):
    two.issue_key("c_many")
    # Each waits until the approval before has settled; more of them would wait longer than a charge does.
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda n: two.worlds[n % 2].again("c_many", f"many_{n}"), range(3)))
    assert [(a["code"], a["message"]) for a in answers] == [(0, None)] * 3
    assert [a["response"]["status"] for a in answers] == ["paid"] * 3
    assert len({a["response"]["pg_tid"] for a in answers}) == 3


def test_planned_charges_are_made_once_whichever_node_is_quicker(two):
    first, second = two.worlds
    before = len(first.log(operation="subscription"))
    schedule_at = int(time.time()) + 3
    for n in range(12):
        two.issue_key(f"c_plan_{n}")
        entry = {"merchant_uid": f"planned_{n}", "schedule_at": max(schedule_at, int(time.time()) + 5), "amount": 1_000}
        body = {"customer_uid": f"c_plan_{n}", "schedules": [entry]}
        shapes.answered(first.call("POST", "/subscribe/payments/schedule", json=body))
    deadline = time.monotonic() + 60
    page = {"from": schedule_at - 60, "to": schedule_at + 600}
    outcomes = []
    while outcomes != ["paid"] * 12 and time.monotonic() < deadline:
        time.sleep(0.2)
        listed = shapes.answered(second.call("GET", "/subscribe/payments/schedule", params=page))
        outcomes = [s["payment_status"] for s in listed["list"]]
    assert outcomes == ["paid"] * 12
    assert len(first.log(operation="subscription")) == before + 12


def test_both_end_well_when_told(two):
    for process in two.processes:
        assert process.popen.poll() is None
        assert process.end() == 0
