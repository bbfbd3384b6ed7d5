"""A machine's clock that jumps an hour, and is set right again later, loses no scheduled charge and makes none twice.

KakaoPay's clock does not jump with ours. The jump comes while charges wait, while a worker holds their leases, while
the answer of one is on its way, or while the outcome of one is unknown.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from maedal.app import open_gateway
from maedal.flows.approve import approve
from maedal.flows.call_queue import CallQueue
from maedal.flows.deactivate_key import end_due_keys
from maedal.flows.merchant_cache import MerchantCache
from maedal.flows.open_window import WindowRequest, open_window
from maedal.flows.record_lost_attempts import record_lost_attempts
from maedal.flows.resolve_unknown import clarify_due
from maedal.flows.run_schedule import claim_due, run_schedule
from maedal.flows.schedule_charges import schedule_charges
from maedal.flows.services import Limits
from maedal.payments.payment import KeyUse
from maedal.payments.window import Device, Shown
from maedal.settings import Settings
from maedal.storage.channels.writes import PutChannel
from maedal.storage.merchants.writes import AddMerchant
from maedal.vault import create_key_file
from tests.support.builders import MERCHANT, NOW, a_channel, a_merchant, an_api_key, an_order
from tests.support.clock import HandClock
from tests.support.simulator import ORIGIN, Simulator
from tests.torture.checker import TABLES, Records, check
from tests.torture.testbed import OPEN

HOUR = timedelta(hours=1)
CUSTOMERS = ("anna", "ben", "cho")
SHOP = "http://shop.test"


class WrongClock:
    """The machine's clock: as far from the true time as it was set."""

    def __init__(self, true: HandClock) -> None:
        self.true, self.off = true, timedelta(0)

    def now(self):
        return self.true.now() + self.off

    async def sleep(self, seconds: float) -> None:
        await self.true.sleep(seconds)


class Machine:
    """A gateway and its workers on a clock that may be wrong, and the simulator on the true one."""

    def __init__(self, store, services, pg, clock):
        self.store, self.services, self.pg, self.clock = store, services, pg, clock
        self.on_charge = None
        """What happens once, while the answer to the next charge is on its way."""

    async def send(self, request):
        reply = await self.pg.send(request)
        happens, self.on_charge = self.on_charge, None
        if happens is not None:
            await happens()
        return reply

    async def plan(self):
        """Plan a charge of each customer: two soon, one in half an hour."""
        for customer, seconds in zip(CUSTOMERS, (60, 61, 1_800), strict=True):
            order = an_order(f"first-{customer}", 0, customer_uid=customer, key_use=KeyUse.ISSUE)
            ask = WindowRequest(MERCHANT, order, None, None, Device.PC, Shown.FRAME, "n" * 16, SHOP, f"{SHOP}/")
            opened = await open_window(self.services, ask)
            payment = await self.store.payments.find(MERCHANT, opened.payment.imp_uid)
            await approve(self.services, payment, opened.window, await self.pg.agree(payment.pg_tid))
            key = await self.store.billing_keys.find(MERCHANT, customer)
            order = an_order(f"planned-{customer}", 900, customer_uid=customer, key_use=KeyUse.SCHEDULED)
            await schedule_charges(self.services, key, [(order, self.clock.now() + timedelta(seconds=seconds))])

    async def work(self, claimed=None):
        """Do a turn of a worker that shares nothing with others in its process."""
        services = replace(self.services, call_queue=CallQueue())
        await record_lost_attempts(services)
        await clarify_due(services, 20)
        await end_due_keys(services)
        for schedule in await claim_due(services, 20) if claimed is None else claimed:
            await run_schedule(services, schedule)

    async def work_for(self, seconds, step=60):
        for _ in range(seconds // step):
            self.clock.true.add(step)
            await self.work()

    async def records(self):
        tables = {name: [dict(row) for row in await self.store.engine.fetch(sql)] for name, sql in TABLES.items()}
        counted = {what: (await self.store.engine.fetch(sql))[0]["n"] for what, sql in OPEN.items()}
        left = {what: count for what, count in counted.items() if count}
        return Records(log=await self.pg.log(), left=left, **tables)


@pytest.fixture
async def machine(database_url, tmp_path):
    create_key_file(tmp_path / "keys.json")
    settings = Settings(
        database_url=database_url, key_file=tmp_path / "keys.json", public_url="http://gateway.test", sandbox_url=ORIGIN
    )
    true = HandClock(NOW, running=True)
    clock = WrongClock(true)
    async with contextlib.AsyncExitStack() as closing:
        gateway = await closing.enter_async_context(open_gateway(settings, clock=clock))
        pg = Simulator(true)
        closing.push_async_callback(pg.close)
        machine = Machine(gateway.store, None, pg, clock)
        machine.services = replace(gateway.services, transport=machine, limits=Limits(5, 5))
        await gateway.store.write(AddMerchant(a_merchant(), an_api_key()))
        await gateway.store.write(PutChannel(a_channel()))
        await machine.plan()
        yield machine


async def while_they_wait(machine, jump):
    machine.clock.off += jump


async def under_a_lease(machine, jump):
    """One worker has claimed them; the clock jumps, another worker looks, then the first goes on."""
    machine.clock.true.add(62)
    claimed = await claim_due(machine.services, 20)
    assert len(claimed) == 2
    machine.clock.off += jump
    await machine.work()
    await machine.work(claimed)


async def under_the_lease_of_a_dead_worker(machine, jump):
    machine.clock.true.add(62)
    assert len(await claim_due(machine.services, 20)) == 2
    machine.clock.off += jump


async def while_an_answer_is_on_its_way(machine, jump):
    """Another worker takes the charge for lost, if its clock says so, before its answer is kept."""

    async def happens():
        machine.clock.off += jump
        await machine.work()

    machine.clock.true.add(62)
    machine.on_charge = happens
    await machine.work()


async def while_one_is_unknown(machine, jump):
    await machine.pg.fault("subscription", "drop_after")
    await machine.pg.fault("status", "error_500_before", times=20)
    machine.clock.true.add(62)
    await machine.work()
    assert (await machine.records()).left["unknown outcomes"] == 1
    machine.clock.off += jump
    await machine.work()
    await machine.pg.no_faults()


@pytest.mark.parametrize("jump", [-HOUR, HOUR], ids=["back", "forward"])
@pytest.mark.parametrize(
    "moment",
    [while_they_wait, under_a_lease, under_the_lease_of_a_dead_worker, while_an_answer_is_on_its_way,
     while_one_is_unknown],
)  # fmt: skip
async def test_a_clock_that_jumps_an_hour_and_is_set_right_later_loses_and_doubles_no_planned_charge(
    machine, moment, jump
):
    await moment(machine, jump)
    await machine.work_for(600)
    machine.clock.off = timedelta(0)
    await machine.work_for(3 * 3_600, step=300)
    records = await machine.records()
    # This merchant has no address for webhooks.
    assert [finding for finding in check(records) if finding.kind != "webhook"] == []
    paid = Counter(payment["merchant_uid"] for payment in records.payments if payment["status"] == "paid")
    assert {uid: count for uid, count in paid.items() if uid.startswith("planned")} == {
        f"planned-{customer}": 1 for customer in CUSTOMERS
    }
    taken = Counter(line["sid"] for line in records.log if line["operation"] == "subscription")
    assert sorted(taken.values()) == [1, 1, 1]


async def test_what_was_remembered_before_a_jump_back_is_read_anew_after_it(machine):
    lookup = MerchantCache(machine.store, machine.clock)
    assert (await lookup.merchant(MERCHANT)).name == a_merchant().name
    [channel] = await lookup.channels(MERCHANT)
    await machine.store.write(PutChannel(replace(channel, name="renamed")))
    machine.clock.off -= HOUR
    assert [c.name for c in await lookup.channels(MERCHANT)] == ["renamed"]
