"""What must never be is told within a minute by the real processes, in the log and in the figures."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from maedal.storage.invariants.reads import Invariant
from tests.support import rows
from tests.support.processes import serving, started
from tests.support.world import free_port

pytestmark = pytest.mark.slow

REPORTED_SECONDS_MAX = 60

SEEN_OVER_TIME = {Invariant.LOGS_CHAINED}
"""Those that no single look can tell."""
UNGUARDED = {
    "sqlite": "DROP TRIGGER payment_events_no_update",
    "postgresql": "ALTER TABLE payment_events DISABLE TRIGGER payment_events_append_only",
}
NEVER_TAKEN = {
    "sqlite": ["CREATE TRIGGER never_taken BEFORE UPDATE OF lease_id ON schedules BEGIN SELECT RAISE(IGNORE); END"],
    "postgresql": [
        "CREATE FUNCTION never_taken() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER never_taken BEFORE UPDATE OF lease_id ON schedules FOR EACH ROW EXECUTE FUNCTION never_taken()",
    ],
}
"""From then on no worker gets hold of a scheduled charge."""


def plant(database_url, imp_uid):
    """Take the evidence of a paid payment away behind the gateway's back."""
    rows.fetch(database_url, f"UPDATE attempts SET outcome = 'declined' WHERE imp_uid = '{imp_uid}' RETURNING id")


def plant_each(served, database_url):
    """Break every invariant once behind the gateway's back, each with something of its own; returns what broke which."""
    world, now = served.worlds[0], datetime.now(UTC)

    def paid(merchant_uid):
        opened = served.open_window(merchant_uid, 9_900)
        assert world.finish(opened)["result"]["success"]
        return opened["imp_uid"]

    no_proof, no_event, over_cancelled, unknown, unanswered, unfiled, rewritten = [paid(f"paid_{n}") for n in range(7)]
    world.fault("approve", "decline", method_result_code="NOT_ENOUGH_BALANCE")
    opened = served.open_window("declined", 9_900)
    assert not world.finish(opened)["result"]["success"]
    cancelled = world.call("POST", "/payments/cancel", json={"imp_uid": over_cancelled, "amount": 1_000}).json()
    assert cancelled["code"] == 0, cancelled
    served.issue_key("left")
    at = int((now + timedelta(days=1)).timestamp())
    asked = {"customer_uid": "left", "schedules": [{"merchant_uid": "due", "schedule_at": at, "amount": 1_000}]}
    planned = world.call("POST", "/subscribe/payments/schedule", json=asked).json()
    assert planned["code"] == 0, planned
    served.issue_key("moved")
    plant(database_url, no_proof)
    with rows.reading(database_url) as planted:

        def change(sql, *values):
            assert planted.fetch(sql + " RETURNING 1 AS one", *values), sql

        change("UPDATE attempts SET outcome = 'approved' WHERE imp_uid = $1 AND verb = 'approve'", opened["imp_uid"])
        change("UPDATE billing_keys SET customer_uid = 'thief' WHERE customer_uid = 'moved'")
        change("UPDATE payments SET version = version + 1 WHERE imp_uid = $1", no_event)
        change("UPDATE payments SET cancelled_amount = 2000 WHERE imp_uid = $1", over_cancelled)
        second_call = (
            "INSERT INTO attempts (merchant_id, id, verb, order_id, imp_uid, amount, begun_at, outcome, proof,"
            " recorded_at, look_at) SELECT merchant_id, imp_uid, verb, imp_uid, imp_uid, amount, {values}"
            " FROM attempts WHERE imp_uid = $1 AND verb = 'approve'"
        )
        # Both are of payments that are paid already, which no worker asks about any more.
        change(second_call.format(values="$2, 'unknown', 'lost', $2, $3"), unknown, now - timedelta(hours=1), now)
        change(second_call.format(values="$2, NULL, NULL, NULL, NULL"), unanswered, now - timedelta(minutes=10))
        for sql in NEVER_TAKEN[database_url.partition(":")[0]]:
            planted.fetch(sql)
        # Longer than any charge may stand in line, should the PG have been closed a while ago.
        change("UPDATE schedules SET schedule_at = $1 WHERE merchant_uid = 'due'", now - timedelta(days=2))
        [payment] = planted.fetch("SELECT merchant_id, channel_id FROM payments WHERE imp_uid = $1", unfiled)
        merchant_id, channel_id, day = payment["merchant_id"], payment["channel_id"], "2026-11-24"
        change(
            "INSERT INTO findings (merchant_id, id, kind, subject, channel_id, day, order_id, imp_uid, amount_here,"
            " found_at) VALUES ($1, 'f_1', 'charged_here', $2, $3, $4, $2, $2, 9900, $5)",
            merchant_id, unfiled, channel_id, day, now,
        )  # fmt: skip
        change(
            "INSERT INTO settlement_days (merchant_id, channel_id, day, tries, due_at, done_at, complete, taken_there,"
            " taken_here, cancelled_there, cancelled_here) VALUES ($1, $2, $3, 1, $4, $4, FALSE, 0, 9900, 0, 0)",
            merchant_id, channel_id, day, now,
        )  # fmt: skip
        began = time.monotonic()
        while planted.fetch("SELECT 1 FROM log_rows_to_chain LIMIT 1"):
            assert time.monotonic() - began < REPORTED_SECONDS_MAX, "the worker makes no blocks"
            time.sleep(0.2)
        planted.fetch(UNGUARDED[database_url.partition(":")[0]])
        change("UPDATE payment_events SET proof = 'person' WHERE imp_uid = $1 AND version = 2", rewritten)
    return {
        Invariant.PAID_HAS_PROOF: no_proof,
        Invariant.FAILED_HAS_PROOF: opened["imp_uid"],
        Invariant.STATUS_HAS_EVENT: no_event,
        Invariant.CANCELLED_IS_THE_SUM: over_cancelled,
        Invariant.UNKNOWN_ENDS: unknown,
        Invariant.ATTEMPT_HAS_OWNER: unanswered,
        Invariant.SCHEDULE_HAS_OWNER: "due",
        Invariant.SEALED_IN_PLACE: "billing_keys.sealed_pg_key thief",
        Invariant.FILE_AGREES: f"{channel_id} {day}",
        Invariant.LOGS_UNCHANGED: f"row changed: payment_events {rewritten} version 2",
    }


def figures(address):
    return httpx.get(address).raise_for_status().text


def wait_for(address, *invariants):
    """Wait until the figures show each of these broken once."""
    began = time.monotonic()
    lines = {f'maedal_invariants_violated{{invariant="{invariant}"}} 1.0' for invariant in invariants}
    while missing := lines - set(figures(address).splitlines()):
        assert time.monotonic() - began < REPORTED_SECONDS_MAX, f"{missing} was not told"
        time.sleep(0.5)


def test_whatever_breaks_an_invariant_is_told_within_a_minute(database_url, tmp_path):
    with serving(database_url, tmp_path) as served:
        planted = plant_each(served, database_url)
        assert set(planted) | SEEN_OVER_TIME == set(Invariant)
        wait_for(f"{served.worlds[0].gateway}/metrics", *planted)
    lines = served.processes[0].err + served.processes[0].out
    reported = [json.loads(line) for line in lines if "invariant_broken" in line]
    # Each once, and nothing else.
    assert sorted((entry["invariant"], entry["subject"]) for entry in reported) == sorted(planted.items())


def test_a_worker_of_its_own_shows_its_figures(all_databases, tmp_path):
    url, port = all_databases.url("postgresql"), free_port()
    with serving(url, tmp_path) as served:
        opened = served.open_window("alone", 9_900)
        assert served.worlds[0].finish(opened)["result"]["success"]
        plant(url, opened["imp_uid"])
        with started("worker", "--metrics-port", str(port), **served.values) as worker:
            worker.wait_until_it_says("maedal worker ready")
            wait_for(f"http://127.0.0.1:{port}/metrics", Invariant.PAID_HAS_PROOF)
