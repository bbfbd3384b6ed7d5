"""What must never be is told within a minute by the real processes, in the log and in the figures."""

from __future__ import annotations

import json
import time

import httpx
import pytest

from tests.support import rows
from tests.support.processes import serving, started
from tests.support.world import free_port

pytestmark = pytest.mark.slow

TOLD_SECONDS_MAX = 60


def plant(database_url, imp_uid):
    """Take the evidence of a paid payment away behind the gateway's back."""

    rows.fetch(database_url, f"UPDATE attempts SET outcome = 'declined' WHERE imp_uid = '{imp_uid}' RETURNING id")


def figures(address):
    return httpx.get(address).raise_for_status().text


def wait_for(line, address):
    """Wait until the figures show a line; return how long it took."""
    began = time.monotonic()
    while line not in figures(address):
        assert time.monotonic() - began < TOLD_SECONDS_MAX, f"{line} was not told"
        time.sleep(0.5)
    return time.monotonic() - began


def test_a_payment_without_evidence_is_told_within_a_minute_by_every_process(database_url, tmp_path):
    with serving(database_url, tmp_path) as served:
        opened = served.open_window("once", 9_900)
        assert served.worlds[0].finish(opened)["result"]["success"]
        plant(database_url, opened["imp_uid"])
        wait_for('maedal_invariants_violated{invariant="paid_has_proof"} 1.0', f"{served.worlds[0].gateway}/metrics")
        told = [
            json.loads(line) for line in served.processes[0].err + served.processes[0].out if "invariant_broken" in line
        ]
    assert [(entry["invariant"], entry["subject"]) for entry in told] == [("paid_has_proof", opened["imp_uid"])]


def test_a_worker_of_its_own_shows_its_figures(all_databases, tmp_path):
    url, port = all_databases.url("postgresql"), free_port()
    with serving(url, tmp_path) as served:
        opened = served.open_window("alone", 9_900)
        assert served.worlds[0].finish(opened)["result"]["success"]
        plant(url, opened["imp_uid"])
        with started("worker", "--metrics-port", str(port), **served.values) as worker:
            worker.wait_until_it_says("maedal worker ready")
            wait_for('maedal_invariants_violated{invariant="paid_has_proof"} 1.0', f"http://127.0.0.1:{port}/metrics")
