"""The disk is full: nothing is charged that could not be written down first, and nothing that was charged is lost."""

from __future__ import annotations

import resource
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.processes import serving
from tests.support.rows import fetch

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
def one(all_databases, tmp_path):
    with serving(all_databases.url("sqlite"), tmp_path) as one:
        one.issue_key("c_1")
        yield one


def fill_the_disk(one):
    """Let the kernel refuse every write to a file of the gateway, as a full disk does; it may still read."""
    resource.prlimit(one.processes[0].popen.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def make_room(one):
    limits = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(one.processes[0].popen.pid, resource.RLIMIT_FSIZE, limits)


def test_a_charge_that_cannot_be_written_down_is_refused_before_anybody_is_called(one):
    node = one.worlds[0]
    fill_the_disk(one)
    body = {"customer_uid": "c_1", "merchant_uid": "m_1", "amount": 3_000}
    refused = node.call("POST", "/subscribe/payments/again", json=body)
    assert (refused.status_code, refused.json()["code"]) == (503, -1)
    assert node.log(operation="subscription") == []
    # What is known can still be read.
    assert node.call("GET", "/subscribe/customers/c_1").json()["code"] == 0
    assert fetch(one.settings.database_url, "SELECT * FROM attempts WHERE verb = 'charge'") == []
    make_room(one)
    assert node.again("c_1", "m_1")["response"]["status"] == "paid"


def test_a_disk_that_fills_up_during_the_call_loses_nothing(one):
    node = one.worlds[0]
    node.fault("subscription", "delay", delay_seconds=2)
    with ThreadPoolExecutor(1) as pool:
        charging = pool.submit(node.again, "c_1", "m_1")
        while not fetch(one.settings.database_url, "SELECT id FROM attempts WHERE verb = 'charge'"):
            time.sleep(0.02)
        fill_the_disk(one)
        while not node.log(operation="subscription"):
            time.sleep(0.02)
        time.sleep(0.5)
        [attempt] = fetch(one.settings.database_url, "SELECT outcome FROM attempts WHERE verb = 'charge'")
        assert attempt["outcome"] is None
        make_room(one)
        assert charging.result()["response"]["status"] == "paid"
    assert len(node.log(operation="subscription")) == 1
