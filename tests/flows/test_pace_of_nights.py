"""When a night ends, what waited for it begins at the common pace; what did not is not held up by it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from maedal.merchants.channel import secret_context
from maedal.payments.attempt import Method
from maedal.payments.moves import Status
from maedal.reconciliation.settlement import SEOUL
from maedal.storage.channels.writes import PutChannel
from tests.flows.test_maintenance import no_key_was_ever_charged
from tests.flows.test_schedules import plan, run_due, stored
from tests.support.builders import a_channel

BEFORE_THE_END = datetime(2026, 9, 2, 0, 33, 50, tzinfo=SEOUL)
AFTER_THE_END = datetime(2026, 9, 2, 0, 35, 1, tzinfo=SEOUL)


@pytest.fixture
async def night(flows, monkeypatch):
    """A live channel, a minute before the night's end; one charge in ten seconds catches up."""
    no_key_was_ever_charged(flows, monkeypatch)
    flows.services = replace(flows.services, limits=replace(flows.services.limits, catch_up_per_second=0.1))
    go_to(flows, BEFORE_THE_END)
    live_channel = a_channel(pg_merchant_id="C000000001", test_mode=False)
    secret = flows.services.vault.seal("PRD" + "0" * 37, *secret_context(live_channel))
    await flows.store.write(PutChannel(replace(live_channel, sealed_secret=secret)))
    flows.clock.add(3)
    return flows


def go_to(flows, moment):
    flows.clock.add((moment - flows.clock.now()).total_seconds())


async def plan_of(flows, method, count):
    """Plan a charge each of so many keys of this method, for the same moment."""
    for n in range(count):
        name = f"{method.value}_{n}"
        await flows.issue_key(f"c_{name}", method=method, test_mode=False, pg_merchant_id="C000000001")
        await plan(flows, f"m_{name}", customer_uid=f"c_{name}", in_seconds=30)


async def paid(flows, method, count):
    found = [await stored(flows, f"m_{method.value}_{n}") for n in range(count)]
    return sum(s.payment is not None and s.payment.status is Status.PAID for s in found)


async def test_what_a_night_did_not_keep_waiting_goes_on_at_full_speed_when_it_ends(night):
    """Ten thousand charges by card, due at midnight on a slow machine, are under way at 00:35."""
    await plan_of(night, Method.CARD, 6)
    night.clock.add(30)
    assert await run_due(night, 2) == 2
    go_to(night, AFTER_THE_END)
    assert await run_due(night) == 4
    assert await paid(night, Method.CARD, 6) == 6


async def test_what_a_night_kept_waiting_begins_at_the_pace_and_holds_nobody_else_up(night):
    await plan_of(night, Method.MONEY, 3)
    await plan_of(night, Method.CARD, 4)
    night.clock.add(30)
    # The night is found out by each: those by Money are claimed, and wait for its end.
    assert await run_due(night, 3) == 3
    assert await paid(night, Method.MONEY, 3) == 0
    go_to(night, AFTER_THE_END)
    assert await run_due(night) == 4 + 1
    assert (await paid(night, Method.MONEY, 3), await paid(night, Method.CARD, 4)) == (1, 4)
    assert await run_due(night) == 0
    night.clock.add(10)
    assert await run_due(night) == 1
    night.clock.add(10)
    assert await run_due(night) == 1
    assert await paid(night, Method.MONEY, 3) == 3
