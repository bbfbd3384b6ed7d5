"""What is promised to a shop while answers get lost, the crowd is large, the database falls over and processes end."""

from __future__ import annotations

import itertools
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from maedal.storage.migrate import migrate
from tests.support.postgres import TemporaryPostgres
from tests.support.processes import serving
from tests.support.rows import fetch, let_keys_settle
from tests.support.world import world

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TRIES = 100
PAID_AT_LEAST = 95
ANSWERED_WITHIN_SECONDS = 20
CROWD = 200
FALLS = 5


@pytest.fixture
def running(database_url, tmp_path):
    with world(database_url, tmp_path, monthly_limit=1_000) as everything:
        # A crowd needs as many connections.
        with httpx.Client(timeout=60, limits=httpx.Limits(max_connections=CROWD)) as everything.http:
            yield everything


def test_a_single_call_whose_answer_is_lost_says_paid_within_twenty_seconds(running, database_url):
    customers = [f"c_{n}" for n in range(TRIES)]
    for customer in customers:
        running.issue_key(customer)
    running.fault("subscription", "drop_after", times=TRIES)
    let_keys_settle(database_url)

    def charge(customer):
        begun = time.monotonic()
        return running.again(customer, f"m_{customer}", settles=False), time.monotonic() - begun

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(charge, customers))
    said_paid = [seconds for answer, seconds in answers if answer["code"] == 0 and seconds < ANSWERED_WITHIN_SECONDS]
    assert len(said_paid) >= PAID_AT_LEAST, answers
    assert {answer["response"]["status"] for answer, _ in answers if answer["code"] == 0} == {"paid"}
    approved = running.log(operation="subscription", outcome="approved")
    assert len(approved) == TRIES == len({line["sid"] for line in approved})


def test_a_single_call_that_got_lost_on_its_way_is_never_both_charged_and_failed(running):
    for n in range(20):
        running.issue_key(f"c_{n}")
    running.fault("subscription", "drop_before", times=20)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: running.again(f"c_{n}", f"m_{n}"), range(20)))
    for answer in answers:
        # It may be asked again about, or it failed with proof; it is not paid.
        assert answer["code"] == -1 or answer["response"]["status"] == "failed", answer
    assert running.log(operation="subscription", outcome="approved") == []
    for n in range(20):
        found = running.call("GET", f"/payments/find/m_{n}").json()["response"]
        assert found["status"] in {"ready", "failed"}


def test_two_hundred_charges_of_one_key_at_once_are_made_one_by_one_and_each_is_answered(running, database_url):
    running.issue_key("c_1")
    running.fault("subscription", "delay", times=CROWD, delay_seconds=0.1)
    running.token()
    with ThreadPoolExecutor(CROWD) as pool:
        answers = list(pool.map(lambda n: running.again("c_1", f"m_{n}"), range(CROWD)))
    paid = [answer["response"]["merchant_uid"] for answer in answers if answer["code"] == 0]
    busy = [answer for answer in answers if answer["code"] != 0]
    assert all(answer["code"] == -1 and "다른 결제가 진행 중" in answer["message"] for answer in busy), busy[:3]
    # Each waits until the approval before has settled: the first few have their turn in time, and the others are told.
    assert len(paid) >= 3
    assert len(running.log(operation="subscription")) == len(paid)
    rows = fetch(
        database_url,
        "SELECT a.begun_at, a.recorded_at, p.merchant_uid, p.status FROM attempts a"
        " JOIN payments p ON p.imp_uid = a.imp_uid WHERE a.verb = 'charge' ORDER BY a.begun_at",
    )
    assert sorted(row["merchant_uid"] for row in rows if row["status"] == "paid") == sorted(paid)
    for earlier, later in itertools.pairwise(rows):
        assert earlier["recorded_at"] <= later["begun_at"]


def test_what_was_answered_paid_outlives_every_fall_of_the_database(tmp_path):
    """PostgreSQL is shut down at once, five times, while two gateways charge; nothing is lost on either side."""
    customers = 12
    with TemporaryPostgres() as server:
        url = server.create_database("falls")
        migrate(url)
        with serving(url, tmp_path, nodes=2, busy_wait_seconds=20, clarify_wait_seconds=5) as both:
            for n in range(customers):
                both.issue_key(f"c_{n}")
            ending = threading.Event()
            reported_paid: list[dict] = []

            def shop(number):
                node = both.worlds[number % 2]
                for count in itertools.count():
                    if ending.is_set():
                        return
                    try:
                        answer = node.again(f"c_{number}", f"m_{number}_{count}")
                    except (httpx.HTTPError, ValueError):
                        continue
                    # On a busy machine one may be too late to be sent, and is answered as failed.
                    if answer["code"] == 0 and answer["response"]["status"] == "paid":
                        reported_paid.append(answer["response"])

            with ThreadPoolExecutor(customers) as pool:
                shops = [pool.submit(shop, number) for number in range(customers)]
                for _ in range(FALLS):
                    time.sleep(2.5)
                    server.restart("immediate")
                time.sleep(2.5)
                ending.set()
                for done in shops:
                    done.result()
            assert len(reported_paid) > FALLS * 3
            log = both.worlds[0].log(operation="subscription", outcome="approved")
            approved = {line["partner_order_id"] for line in log}
            assert len(approved) == len(log)
            rows = _charges_once_they_are_clear(url, approved)
    kept = {row["imp_uid"]: row["status"] for row in rows}
    assert {kept.get(payment["imp_uid"]) for payment in reported_paid} == {"paid"}
    assert {row["order_id"] for row in rows if row["status"] == "paid"} == approved


def _charges_once_they_are_clear(url, approved):
    """Return every charge once nobody is calling and what was approved is known; what never arrived takes longer."""
    deadline = time.monotonic() + 150
    while True:
        rows = fetch(
            url,
            "SELECT a.order_id, p.imp_uid, p.status FROM attempts a JOIN payments p ON p.imp_uid = a.imp_uid"
            " WHERE a.verb = 'charge'",
        )
        paid = {row["order_id"] for row in rows if row["status"] == "paid"}
        clear = approved <= paid and all(row["status"] != "calling" for row in rows)
        if clear or time.monotonic() > deadline:
            assert clear, [row for row in rows if row["status"] != "paid"]
            return rows
        time.sleep(0.5)


def test_a_gateway_that_is_told_to_end_records_the_charge_that_is_under_way_and_ends_well(database_url, tmp_path):
    with serving(database_url, tmp_path) as one:
        node = one.worlds[0]
        one.issue_key("c_1")
        node.fault("subscription", "delay", delay_seconds=4)
        with ThreadPoolExecutor(1) as pool:
            charging = pool.submit(node.again, "c_1", "m_1")
            _wait_until(lambda: bool(fetch(database_url, "SELECT id FROM attempts WHERE verb = 'charge'")))
            begun = time.monotonic()
            one.processes[0].popen.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            # No new work is taken.
            with pytest.raises(httpx.HTTPError):
                httpx.get(f"{node.gateway}/healthz", timeout=2)
            assert one.processes[0].popen.wait(30) == 0
            assert time.monotonic() - begun < 25
            assert charging.result()["response"]["status"] == "paid"
    rows = fetch(database_url, "SELECT status FROM payments WHERE merchant_uid = 'm_1'")
    assert [row["status"] for row in rows] == ["paid"]


def _wait_until(so):
    deadline = time.monotonic() + 60
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
