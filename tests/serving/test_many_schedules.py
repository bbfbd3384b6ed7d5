"""Ten thousand charges due at one instant, two `maedal worker`, and one of them dies half way.

What the dead worker had begun is never repeated on suspicion: it is looked up, and where KakaoPay shows no charge it is
called failed only after the time in which one could still appear. Then the merchant may retry it.
"""

from __future__ import annotations

import asyncio
import secrets
import signal
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from bench.seed import PutKey

from kakaopay_sandbox.app import create_app as create_sandbox
from kakaopay_sandbox.settings import Settings as SandboxSettings
from maedal.app import open_gateway
from maedal.billing_keys.billing_key import secret_context
from maedal.flows.record_lost_attempts import record_lost_attempts
from maedal.flows.resolve_unknown import UNCLEAR_AT_MOST, clarify
from maedal.flows.run_schedule import claim_due, retry, run_schedule
from maedal.flows.services import Limits
from maedal.flows.set_up_channel import ChannelSettings, add_channel
from maedal.flows.set_up_merchant import create_merchant
from maedal.payments.moves import Status
from maedal.payments.payment import KeyUse
from maedal.schedules.waiting import LONGEST
from maedal.settings import load
from maedal.storage.schedules.writes import AddSchedules
from maedal.vault import create_key_file
from tests.support import rows
from tests.support.builders import a_key, a_schedule
from tests.support.clock import HandClock
from tests.support.processes import environment, started
from tests.support.world import _run_in_thread, free_port, served

COUNT = 10_000
AT_ONCE = 500
AMOUNT = 100
STILL_SECONDS_MAX = 300
"""A slow machine is slow, and moves. The longest that nothing moves is a minute or two: until a lease has run out, or what
was put off is tried again."""
POLL_SECONDS = 1.0
"""Each look reads all of them, on a machine that has other things to do."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3_600)]

STATES = "SELECT s.status AS schedule, p.status AS payment, count(*) AS count FROM schedules s LEFT JOIN payments p \
USING (merchant_id, imp_uid) GROUP BY 1, 2"
TAKEN = "SELECT s.merchant_uid, p.status, p.pg_tid FROM schedules s JOIN payments p USING (merchant_id, imp_uid)"


class Plan:
    """Ten thousand keys, known to the gateway and the simulator alike, and a charge of each for one instant."""

    def __init__(self, url, folder, sandbox_port):
        create_key_file(folder / "keys.json")
        self.sandbox = f"http://127.0.0.1:{sandbox_port}"
        self.values = {
            "database_url": url,
            "key_file": folder / "keys.json",
            "public_url": "http://gateway.test",
            "sandbox_url": self.sandbox,
            "busy_wait_seconds": 1,
        }
        self.settings = load(environment(**self.values))
        self.merchant = ""

    async def make(self, sids, due):
        async with open_gateway(self.settings, serving=False) as gateway:
            self.merchant = (await create_merchant(gateway.services, "A large shop")).merchant.code
            channel = await add_channel(
                gateway.services, self.merchant, ChannelSettings(cid="TCSUBSCRIP", test_mode=True)
            )
            for first in range(0, COUNT, AT_ONCE):
                names = [f"c_{n}" for n in range(first, first + AT_ONCE)]
                owner_ids = {"merchant_id": self.merchant, "channel_id": channel.id}
                keys = []
                for name, sid in zip(names, sids[first : first + AT_ONCE], strict=True):
                    key_id = f"{name}_{secrets.token_hex(6)}"
                    key = a_key(name, id=key_id, **owner_ids)
                    keys.append(replace(key, sealed_pg_key=gateway.services.vault.seal(sid, *secret_context(key))))
                await asyncio.gather(*(gateway.store.engine.write(PutKey(key)) for key in keys))
                order = {"amount": AMOUNT, "key_use": KeyUse.SCHEDULED}
                planned = [a_schedule(f"m_{n}", due, order=order | {"customer_uid": n}, **owner_ids) for n in names]
                assert await gateway.store.write(AddSchedules(tuple(planned))) == []

    async def clarify_and_retry(self):
        """Let the time pass in which a lost charge could still appear, ask about each, and retry what was not made."""
        clock = HandClock(datetime.now(UTC) + UNCLEAR_AT_MOST + timedelta(minutes=1))
        async with open_gateway(self.settings, serving=False, clock=clock) as gateway:
            await record_lost_attempts(gateway.services)
            for found in await gateway.store.unknown_outcomes.due(clock.now(), 1_000):
                await clarify(gateway.services, found)
            # What is proved not to have been made waits, and is made later; the workers have ended by now.
            clock.add(LONGEST.total_seconds())
            for schedule in await claim_due(gateway.services, 1_000):
                await run_schedule(gateway.services, schedule)
            for row in await gateway.store.engine.fetch(f"{TAKEN} WHERE p.status = 'failed'"):
                assert (await retry(gateway.services, self.merchant, row["merchant_uid"])).status is Status.PAID


def charges(plan):
    """Return the order of each approved charge, by its tid, as the simulator's own log has them."""
    log = httpx.get(f"{plan.sandbox}/_sim/log", params={"operation": "subscription"}, timeout=60).json()
    assert {(entry["outcome"], entry["amount"]) for entry in log} == {("approved", AMOUNT)}
    return {entry["tid"]: entry["sid"] for entry in log}


def wait_for(reading, wanted):
    """Look at the schedules until `wanted` holds of {(schedule's status, payment's status): count}."""
    before, moved_at = None, time.monotonic()
    while not wanted(states := {(row["schedule"], row["payment"]): row["count"] for row in reading.fetch(STATES)}):
        if states != before:
            before, moved_at = states, time.monotonic()
        assert time.monotonic() < moved_at + STILL_SECONDS_MAX, states
        time.sleep(POLL_SECONDS)


def paid(states):
    return states.get(("executed", "paid"), 0)


def test_ten_thousand_due_at_once_are_each_charged_once_although_a_worker_dies(all_databases, tmp_path):
    url, port = all_databases.url("postgresql"), free_port()
    plan = Plan(url, tmp_path, port)
    sandbox = SandboxSettings(data_file=tmp_path / "sandbox.db", public_url=plan.sandbox)
    with ExitStack() as stack:
        stack.enter_context(served(create_sandbox(sandbox), port))
        wanted = {"cid": "TCSUBSCRIP", "partner_user_id": "u-1", "count": COUNT}
        sids = httpx.post(f"{plan.sandbox}/_sim/sids", json=wanted, timeout=60).json()["sids"]
        _run_in_thread(plan.make(sids, datetime.now(UTC).replace(microsecond=0)))
        reading = stack.enter_context(rows.reading(url))
        first, second = (stack.enter_context(started("worker", **plan.values)) for _ in range(2))
        wait_for(reading, lambda states: paid(states) >= COUNT // 2)
        first.popen.send_signal(signal.SIGKILL)
        assert first.popen.wait(10) == -signal.SIGKILL
        # The dead worker's claims come back when their leases run out; what it had begun does not.
        wait_for(reading, lambda states: {s for s, _ in states} == {"executed"})
        wait_for(reading, lambda states: not any(p == "calling" for _, p in states))
        unclear = reading.fetch(f"{TAKEN} WHERE p.status = 'unknown'")
        known = reading.fetch(f"{TAKEN} WHERE p.status = 'paid'")
        # Not made is at most what the dead worker had begun; other answers a slow machine may have given too late.
        assert len(known) + len(unclear) - len(charges(plan)) <= Limits().scheduled_charges_at_once
        # On a machine at its limit a few may come too late to be sent: they failed, with proof, and are retried below.
        [unsent] = reading.fetch(
            "SELECT count(*) AS count FROM attempts WHERE verb = 'charge' AND outcome = 'not_sent'"
        )
        assert len(charges(plan)) + len(unclear) + unsent["count"] >= COUNT
        assert second.end() == 0
        _run_in_thread(plan.clarify_and_retry())
        wait_for(reading, lambda states: states == {("executed", "paid"): COUNT})
        charged = charges(plan)
        assert len(charged) == len(set(charged.values())) == COUNT
        assert {row["pg_tid"] for row in reading.fetch(TAKEN)} <= {*charged, None}
        [events] = reading.fetch("SELECT count(*) AS count FROM payment_events WHERE status = 'paid'")
        assert events["count"] == COUNT
