"""A standby takes over in the middle of a charge, a cancel or an approval: nothing is made twice, and nothing is lost.

The gateway runs in this process, its database behind a switch in front of a primary and its standby.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from maedal import metrics
from maedal.billing_keys.errors import BillingKeyUnclear
from maedal.flows.approve import approve
from maedal.flows.cancel import CancelRequest, cancel
from maedal.flows.charge import charge
from maedal.flows.proved_payments import ProvedPayments
from maedal.flows.run_schedule import claim_due, run_schedule
from maedal.flows.services import Background
from maedal.flows.unrecorded_outcomes import UnrecordedOutcomes
from maedal.payments.errors import MerchantUidUsed, OutcomeUnknown
from maedal.payments.moves import Status
from maedal.rest.presentation import present_payment
from maedal.schedules.schedule import ScheduleStatus
from maedal.storage.engine import postgres
from maedal.storage.errors import CommitUnclear, StoreError
from maedal.storage.schedules.writes import AddSchedules
from tests.flows.conftest import wired
from tests.flows.test_windows import an_open_window
from tests.support.builders import MERCHANT, a_schedule, an_order
from tests.support.network import reply
from tests.support.standby import StandbyPair, ask

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("standby")]


@pytest.fixture
async def pair():
    pair = StandbyPair()
    await asyncio.to_thread(pair.__enter__)
    yield pair
    await asyncio.to_thread(pair.__exit__)


@pytest.fixture
async def flows(pair, tmp_path, monkeypatch):
    monkeypatch.setattr(postgres, "COMMAND_TIMEOUT_SECONDS", 2)
    async with wired(pair.url, tmp_path) as flows:
        # Time passes as on the wall: what is waited for here is another server.
        flows.services = replace(flows.services, clock=_Real(flows.clock), background=Background())
        flows.pair = pair
        yield flows
        await flows.services.background.drain(3)


class _Real:
    """A clock of the test that runs in real time."""

    def __init__(self, clock):
        self._clock = clock
        self._began = asyncio.get_running_loop().time()

    def now(self):
        passed = asyncio.get_running_loop().time() - self._began
        self._began += passed
        self._clock.add(passed)
        return self._clock.now()

    async def sleep(self, seconds):
        await asyncio.sleep(seconds)


class Charging:
    path = "subscription"

    async def prepare(self, flows):
        await flows.issue_key()

    async def make(self, flows):
        return await charge(flows.services, MERCHANT, an_order("m_1"))

    refused = MerchantUidUsed
    done = "SELECT count(*) = 1 FROM payments WHERE merchant_uid = 'm_1' AND status = 'paid' AND pg_tid IS NOT NULL"


class Cancelling:
    path = "cancel"

    async def prepare(self, flows):
        await flows.issue_key()
        self.imp_uid = (await charge(flows.services, MERCHANT, an_order("m_1", 9_900))).imp_uid

    async def make(self, flows):
        # With the sum that is left, as a shop that repeats a partial cancel must send it.
        return await cancel(flows.services, MERCHANT, CancelRequest(self.imp_uid, None, amount=100, checksum=9_900))

    refused = Exception
    done = "SELECT count(*) = 1 FROM payments WHERE merchant_uid = 'm_1' AND cancelled_amount = 100"


class Approving:
    path = "approve"

    async def prepare(self, flows):
        self.payment = await an_open_window(flows)
        self.window = await flows.store.windows.find(MERCHANT, self.payment.imp_uid)

    async def make(self, flows):
        return await approve(flows.services, self.payment, self.window, "token")

    refused = None
    done = "SELECT count(*) = 1 FROM billing_keys WHERE ended_at IS NULL"


KINDS = {"charge": Charging, "cancel": Cancelling, "approval": Approving}


@pytest.fixture(params=KINDS)
async def act(request, flows):
    act = KINDS[request.param]()
    await act.prepare(flows)
    flows.clock.add(10)
    await asyncio.to_thread(flows.pair.catch_up)
    return act


async def _hang(pair, work):
    """Let the work go until its commit waits for the standby, which is away."""
    await asyncio.to_thread(pair.standby.stop)
    task = asyncio.create_task(work)
    await asyncio.to_thread(pair.wait_for_hanging)
    return task


@pytest.mark.parametrize("end", ["cancel", "terminate", "timeout", "crash", "read-only"])
async def test_an_intent_that_only_the_primary_has_is_not_carried_out(flows, act, end):
    """Before, it was proved by reading, the PG was called, and the standby that took over let it be called again."""
    pair = flows.pair
    await asyncio.to_thread(pair.demand_standby)
    task = await _hang(pair, act.make(flows))
    if end in ("cancel", "terminate"):
        await asyncio.to_thread(pair.end_waits, end)
    elif end == "crash":
        await asyncio.to_thread(pair.primary.restart)
    elif end == "read-only":
        # Nobody comes to the new primary before the old one is back: there the intent would be begun, and rightly.
        await asyncio.to_thread(pair.fail_over, lead=False)
        await asyncio.to_thread(pair.return_read_only)
    await asyncio.sleep(3)
    assert flows.network.count(act.path) == 0
    if end == "read-only":
        pair.switch.to(pair.standby.port)
    else:
        await asyncio.to_thread(pair.fail_over)
    # Proved to be unknown to the new primary, it is begun there, once.
    await _to_its_end(flows, act, task)
    assert flows.network.count(act.path) == 1
    assert await asyncio.to_thread(ask, pair.url_of(pair.standby), act.done)


async def _to_its_end(flows, act, task):
    """Let it end; a shop that is told to come again does, and one that was answered asks for the same once more."""
    try:
        await task
    except (CommitUnclear, StoreError):
        await act.make(flows)
    if act.refused is not None:
        with pytest.raises(act.refused):
            await act.make(flows)


async def test_a_standby_that_comes_back_proves_the_intent(flows, act):
    pair = flows.pair
    await asyncio.to_thread(pair.demand_standby)
    task = await _hang(pair, act.make(flows))
    await asyncio.to_thread(pair.end_waits, "cancel")
    await asyncio.sleep(0.5)
    assert flows.network.count(act.path) == 0
    await asyncio.to_thread(pair.standby.start)
    await task
    assert flows.network.count(act.path) == 1
    assert await asyncio.to_thread(ask, pair.url_of(pair.primary), act.done)


def _during_the_call(flows, act, happens):
    """Let something happen when the PG has done what it was asked and its answer is on the way."""
    answer = getattr(flows.network, f"_{act.path}")

    def answered(body):
        log_lines = answer(body)
        happens()
        return log_lines

    flows.network.next_answer[act.path] = answered


@pytest.mark.parametrize("end", ["cancel", "terminate", "timeout", "crash"])
async def test_an_outcome_that_only_the_primary_has_is_told_by_nobody(flows, act, end):
    """Before, it was answered as done, and gone when the standby took over."""
    pair = flows.pair
    await asyncio.to_thread(pair.demand_standby)
    _during_the_call(flows, act, pair.standby.stop)
    task = asyncio.create_task(act.make(flows))
    await asyncio.to_thread(pair.wait_for_hanging)
    if end in ("cancel", "terminate"):
        await asyncio.to_thread(pair.end_waits, end)
    elif end == "crash":
        await asyncio.to_thread(pair.primary.restart)
    await asyncio.sleep(1)
    assert not task.done() or isinstance(task.exception(), OutcomeUnknown)
    await asyncio.to_thread(pair.fail_over)
    # On a busy machine the servers may take longer than a caller waits; what is known is recorded all the same.
    with suppress(OutcomeUnknown):
        await task
    await _until(lambda: metrics.HELD._value.get() == 0)
    assert flows.network.count(act.path) == 1
    assert await asyncio.to_thread(ask, pair.url_of(pair.standby), act.done)


async def test_until_the_standby_is_back_a_charge_is_being_clarified_and_then_paid(flows, monkeypatch):
    pair, act = flows.pair, Charging()
    await act.prepare(flows)
    flows.clock.add(10)
    await asyncio.to_thread(pair.demand_standby)
    _during_the_call(flows, act, pair.standby.stop)
    with pytest.raises(OutcomeUnknown):
        await act.make(flows)
    # The primary has it as paid; nobody is told, and nothing more begins that hangs on it.
    await asyncio.to_thread(pair.end_waits, "cancel")
    await asyncio.sleep(0.5)
    stored = (await flows.store.payments.by_ids(MERCHANT, [], ["m_1"]))[0]
    assert stored.status is Status.PAID
    assert (await present_payment(flows.services, stored))["status"] == "ready"
    assert metrics.HELD._value.get() == 1
    with pytest.raises(OutcomeUnknown):
        await act.make(flows)
    with pytest.raises(BillingKeyUnclear):
        await charge(flows.services, MERCHANT, an_order("m_2"))
    with pytest.raises(OutcomeUnknown):
        await cancel(flows.services, MERCHANT, CancelRequest(stored.imp_uid, None))
    await asyncio.to_thread(pair.standby.start)
    await _until(lambda: metrics.HELD._value.get() == 0)
    assert (await present_payment(flows.services, stored))["status"] == "paid"
    with pytest.raises(MerchantUidUsed):
        await act.make(flows)
    assert flows.network.count("subscription") == 1


async def test_another_process_tells_nobody_of_an_outcome_that_only_the_primary_has(flows):
    """Before, it read the payment as paid and said so; then a standby took over that did not have it."""
    pair, act = flows.pair, Charging()
    await act.prepare(flows)
    flows.clock.add(10)
    await asyncio.to_thread(pair.demand_standby)
    other = replace(flows.services, unrecorded_outcomes=UnrecordedOutcomes(), proved_payments=ProvedPayments())
    await _until_it_is_known_that_commits_wait(flows)
    _during_the_call(flows, act, pair.standby.stop)
    with pytest.raises(OutcomeUnknown):
        await act.make(flows)
    await asyncio.to_thread(pair.end_waits, "cancel")
    await asyncio.sleep(0.5)
    stored = (await flows.store.payments.by_ids(MERCHANT, [], ["m_1"]))[0]
    assert stored.status is Status.PAID
    # An hour later too: that a row is old does not say that a standby has it.
    for passed in (0, 3_600):
        flows.clock.add(passed)
        with pytest.raises(StoreError):
            await present_payment(other, stored)
    await asyncio.to_thread(pair.standby.start)
    await _until(lambda: metrics.HELD._value.get() == 0)
    assert (await present_payment(other, stored))["status"] == "paid"
    # What is proved once is not proved again.
    await asyncio.to_thread(pair.standby.stop)
    assert (await present_payment(other, stored))["status"] == "paid"


async def _until_it_is_known_that_commits_wait(flows):
    while not (await flows.store.standing()).synchronous_wanted:
        await asyncio.sleep(0.1)


async def test_an_outcome_outlives_the_loss_of_its_intent(flows, act):
    """Replication without a guarantee: the standby that takes over knows nothing of the call, its process does.

    Before, the process gave the outcome up after six tries, and the shop charged again.
    """
    pair = flows.pair
    await asyncio.to_thread(pair.standby.stop)
    _during_the_call(flows, act, lambda: (pair.switch.to(None), pair.primary.stop("immediate")))
    task = asyncio.create_task(act.make(flows))
    await _until(lambda: metrics.HELD._value.get() == 1)
    await asyncio.gather(task, return_exceptions=True)
    if act.refused is not None:
        with pytest.raises((OutcomeUnknown, StoreError)):
            await act.make(flows)
    await asyncio.to_thread(pair.fail_over)
    await _until(lambda: metrics.HELD._value.get() == 0)
    assert await asyncio.to_thread(ask, pair.url_of(pair.standby), act.done)
    assert flows.network.count(act.path) == 1


async def test_a_planned_charge_is_executed_by_the_outcome_that_is_entered(flows):
    pair = flows.pair
    await flows.issue_key()
    await flows.store.write(AddSchedules((a_schedule("plan_1", flows.clock.now()),)))
    flows.clock.add(10)
    await asyncio.to_thread(pair.catch_up)
    await asyncio.to_thread(pair.standby.stop)
    _during_the_call(flows, Charging, lambda: (pair.switch.to(None), pair.primary.stop("immediate")))
    schedule = (await claim_due(flows.services, 1))[0]
    await run_schedule(flows.services, schedule)
    await asyncio.to_thread(pair.fail_over)
    await _until(lambda: metrics.HELD._value.get() == 0)
    schedule = await flows.store.schedules.find(MERCHANT, "plan_1")
    assert schedule.status is ScheduleStatus.EXECUTED
    payment = await flows.store.payments.find(MERCHANT, schedule.imp_uid)
    assert (payment.status, flows.network.count("subscription")) == (Status.PAID, 1)
    flows.clock.add(600)
    assert await claim_due(flows.services, 1) == []


async def test_a_lost_reply_is_entered_as_unknown_and_clarified(flows):
    """The call may have taken money, and the new primary would let it be made again."""
    pair, act = flows.pair, Charging()
    await act.prepare(flows)
    flows.clock.add(10)
    await asyncio.to_thread(pair.catch_up)
    await asyncio.to_thread(pair.standby.stop)

    def lost(_):
        flows.network.approve_silently()
        pair.switch.to(None)
        pair.primary.stop("immediate")
        return reply({}, 500)

    flows.network.next_answer["subscription"] = lost
    with pytest.raises(OutcomeUnknown):
        await act.make(flows)
    await asyncio.to_thread(pair.fail_over)
    await _until(lambda: metrics.HELD._value.get() == 0)
    with pytest.raises(MerchantUidUsed):
        await act.make(flows)
    assert flows.network.count("subscription") == 1


async def test_a_process_that_ends_says_what_it_alone_knows(flows):
    act = Charging()
    await act.prepare(flows)
    flows.clock.add(10)
    pair = flows.pair
    _during_the_call(flows, act, lambda: (pair.switch.to(None), pair.primary.stop("immediate")))
    with pytest.raises(OutcomeUnknown):
        await act.make(flows)
    with capture_logs() as log_lines:
        await flows.services.background.drain(0.5)
    reported = [line for line in log_lines if line["event"] == "held_outcome_given_up"]
    assert [(line["outcome"], line["amount"], line["pg_tid"][:1]) for line in reported] == [("approved", 9_900, "T")]


async def _until(true):
    for _ in range(600):
        if true():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it never came true")
