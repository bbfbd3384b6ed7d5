"""Keys that ended here end at KakaoPay too: replaced or deleted, whatever becomes of the answer or the process."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from maedal.app import open_gateway
from maedal.flows import record_outcome
from maedal.flows.deactivate_key import end_due_keys
from maedal.flows.set_up_channel import ChannelSettings, change_channel
from maedal.merchants.channel import ReplacedKeys
from maedal.merchants.merchant import DEMO_CODE
from tests.support.clock import HandClock
from tests.support.world import world

NAMED = {"customer_uid": "c_1"}


@pytest.fixture
def running(database_url, tmp_path):
    with world(database_url, tmp_path, clarify_wait_seconds=1.0, gateway_options={"with_worker": False}) as everything:
        yield everything


def in_gateway(running, work, *, ahead_seconds=0):
    """Run `work` on a second gateway over the same database, whose clock is ahead."""

    async def run():
        clock = HandClock(datetime.now(UTC) + timedelta(seconds=ahead_seconds))
        async with open_gateway(running.settings, serving=False, clock=clock) as gateway:
            return await work(gateway)

    return asyncio.run(run())


def worker_turn(running, ahead_seconds):
    return in_gateway(running, lambda gateway: end_due_keys(gateway.services), ahead_seconds=ahead_seconds)


def pending(running):
    return in_gateway(running, lambda gateway: gateway.store.billing_keys.pending_endings(10))


def issue(running, merchant_uid, registered=NAMED):
    """Register a key of c_1, once the shop's server has registered this of the order; gives its SID."""
    if registered is not None:
        body = {"merchant_uid": merchant_uid, "amount": 0} | registered
        assert running.call("POST", "/payments/prepare", json=body).json()["code"] == 0
    opened = running.open_window(merchant_uid, 0, customer_uid="c_1")
    assert running.finish(opened)["result"]["success"]
    return running.log(operation="approve")[-1]["sid"]


def deactivated(running, count=1):
    """Wait for what goes on in the background; gives the SIDs that the simulator was told to end."""
    deadline = time.monotonic() + 60
    while True:
        found = [entry["sid"] for entry in running.log(operation="inactive", outcome="deactivated")]
        if len(found) >= count or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def wait_for_tries(running, count):
    deadline = time.monotonic() + 60
    while len(running.log(operation="inactive")) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    while pending(running)[0].outcome is None and time.monotonic() < deadline:
        time.sleep(0.05)


def test_a_replaced_key_ends_at_kakaopay_and_the_new_one_works(running):
    old, new = issue(running, "i_1"), issue(running, "i_2")
    assert old != new
    assert deactivated(running) == [old]
    assert running.again("c_1", "m_1")["response"]["status"] == "paid"
    assert running.log(operation="subscription")[-1]["sid"] == new
    assert worker_turn(running, 100_000) == 0
    assert pending(running) == []


@pytest.mark.parametrize("registered", [None, {}, {"customer_uid": " "}], ids=["nothing", "an amount", "nobody"])
def test_who_only_knows_a_customer_uid_ends_no_key_of_the_customer_at_kakaopay(running, registered):
    old = issue(running, "i_1")
    stranger = issue(running, "i_2", registered)
    # The newer key is the one that is charged, as with PortOne; the older one lives on at KakaoPay.
    assert running.again("c_1", "m_1")["response"]["status"] == "paid"
    assert running.log(operation="subscription")[-1]["sid"] == stranger != old
    assert worker_turn(running, 100_000) == 0
    assert pending(running) == []
    assert running.log(operation="inactive") == []


@pytest.mark.parametrize("kind", ["error_500_before", "drop_before", "drop_after", "garbled_after"])
def test_a_deactivation_without_an_answer_is_tried_until_kakaopay_confirms(running, kind):
    old = issue(running, "i_1")
    running.fault("inactive", kind, times=2)
    issue(running, "i_2")
    wait_for_tries(running, 1)
    (left,) = pending(running)
    assert (left.customer_uid, left.ended_by, left.outcome, left.charge_open) == ("c_1", "replaced", "unknown", False)
    assert worker_turn(running, 30) == 0, "not before its time"
    assert worker_turn(running, 90) == 1
    if kind.endswith("before"):
        assert [p.ending.tries for p in pending(running)] == [2]
        assert worker_turn(running, 150) == 0, "waits grow"
        assert worker_turn(running, 220) == 1
        assert deactivated(running) == [old]
    else:
        # The first call had taken effect; the status says so, and nothing is sent twice.
        assert len(running.log(operation="inactive")) == 1
    assert len(running.log(operation="status")) >= 1
    assert pending(running) == []


def test_a_kept_key_stays_active_at_kakaopay(running):
    async def keep(gateway):
        for channel in await gateway.store.channels.of_merchant(DEMO_CODE):
            await change_channel(
                gateway.services, DEMO_CODE, channel.id, ChannelSettings(replaced_keys=ReplacedKeys.KEEP)
            )

    in_gateway(running, keep)
    issue(running, "i_1")
    issue(running, "i_2")
    assert worker_turn(running, 100_000) == 0
    assert pending(running) == []
    assert running.log(operation="inactive") == []


def test_a_process_that_died_after_recording_leaves_the_rest_to_the_worker(running, monkeypatch):
    async def died(*_):
        pass

    old = issue(running, "i_1")
    monkeypatch.setattr(record_outcome, "end_at_pg", died)
    issue(running, "i_2")
    assert [(p.outcome, p.ending.tries) for p in pending(running)] == [(None, 0)]
    assert running.log(operation="inactive") == []
    assert worker_turn(running, 10) == 1
    assert deactivated(running) == [old]
    assert pending(running) == []


def test_a_deleted_key_whose_deactivation_failed_is_ended_later(running):
    sid = issue(running, "i_1")
    running.fault("inactive", "error_500_before")
    assert running.call("DELETE", "/subscribe/customers/c_1").json()["code"] == 0
    assert [p.ended_by for p in pending(running)] == ["deleted"]
    assert worker_turn(running, 90) == 1
    assert deactivated(running) == [sid]
    assert pending(running) == []


def test_a_key_is_not_ended_while_a_charge_of_it_is_open(running):
    old = issue(running, "i_1")
    running.fault("subscription", "drop_before")
    assert running.again("c_1", "m_1")["code"] == -1
    issue(running, "i_2")
    assert worker_turn(running, 600) == 0
    assert [(p.charge_open, p.ending.tries) for p in pending(running)] == [(True, 0)]
    assert running.log(operation="inactive") == []

    async def clarify_all(gateway):
        from maedal.flows.resolve_unknown import clarify

        for found in await gateway.store.unknown_outcomes.due(gateway.services.clock.now(), 10):
            assert (await clarify(gateway.services, found)).status == "failed"

    in_gateway(running, clarify_all, ahead_seconds=3_600)
    assert worker_turn(running, 600) == 1
    assert deactivated(running) == [old]
