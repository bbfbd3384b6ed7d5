"""Refunds made in KakaoPay's own merchant centre: told from ours, entered, and what we wish is judged by what is left.

Each of these failed before refunds at the PG were entered: a foreign refund proved a cancel of ours, blocked every
later one, or was never in the books.
"""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
from collections import Counter
from dataclasses import replace

import asyncpg
import pytest

from maedal.app import open_gateway
from maedal.flows.approve import approve
from maedal.flows.cancel import CancelRequest, cancel
from maedal.flows.charge import charge
from maedal.flows.check_invariants import InvariantWatch
from maedal.flows.close_findings import close_findings
from maedal.flows.open_window import WindowRequest, open_window
from maedal.flows.reconcile import reconcile
from maedal.flows.record_lost_attempts import record_lost_attempts
from maedal.flows.refunds import look_up
from maedal.flows.resolve_unknown import clarify_due
from maedal.flows.services import Limits
from maedal.merchants.audit_entry import AuditAction
from maedal.merchants.channel import file_key_context
from maedal.payments.attempt import Outcome
from maedal.payments.errors import (
    AlreadyCancelled,
    CancelBusy,
    CancelRefused,
    CancelTooMuch,
    ChecksumMismatch,
    OutcomeUnknown,
)
from maedal.payments.moves import Status
from maedal.payments.payment import KeyUse
from maedal.payments.window import Device, Shown
from maedal.reconciliation.finding import FindingKind
from maedal.reconciliation.settlement import A_DAY, day_of
from maedal.settings import Settings
from maedal.storage.channels.writes import PutChannel
from maedal.storage.findings.reads import FindingFilter
from maedal.storage.merchants.writes import AddMerchant
from maedal.storage.webhooks.reads import DeliveryFilter
from maedal.vault import create_key_file
from maedal.webhooks.webhook import DeliveryState
from tests.support.builders import MERCHANT, NOW, a_channel, a_merchant, an_api_key, an_order
from tests.support.clock import HandClock
from tests.support.settlement import BUCKET, FILE_KEY
from tests.support.simulator import ORIGIN, Simulator

CUSTOMER = "anna"
SHOP = "http://shop.test"
PG_KEY = {"Authorization": "SECRET_KEY DEV0000000000000000000000000000000000000"}


class Testbed:
    """A shop with one customer, its gateway and the simulator, on one clock."""

    __test__ = False  # no test, whatever its name begins with

    def __init__(self, gateway, clock, pg):
        self.store, self.clock, self.pg = gateway.store, clock, pg
        self.services = replace(gateway.services, transport=self, limits=Limits(5, 2))
        self.on_cancel = None
        """What happens once, after the next cancel was carried out and before its answer is heard."""
        self.without_marks = False
        """Whether KakaoPay keeps what is sent along to itself."""

    async def send(self, request):
        reply = await self.pg.send(request)
        if request.url.endswith("/cancel"):
            happens, self.on_cancel = self.on_cancel, None
            if happens is not None:
                await happens()
        if request.url.endswith("/order") and self.without_marks:
            body = json.loads(reply.body)
            for action in body.get("payment_action_details", []):
                action.pop("payload", None)
            reply = replace(reply, body=json.dumps(body).encode())
        return reply

    async def open(self):
        channel = a_channel()
        sealed = self.services.vault.seal(FILE_KEY, *file_key_context(channel))
        self.channel = replace(channel, sealed_file_key=sealed, file_bucket=BUCKET)
        merchant = replace(a_merchant(), webhook_url_test=f"{SHOP}/told", webhook_url_live=f"{SHOP}/told")
        await self.store.write(AddMerchant(merchant, an_api_key()))
        await self.store.write(PutChannel(self.channel))
        order = an_order("first", 0, customer_uid=CUSTOMER, key_use=KeyUse.ISSUE)
        ask = WindowRequest(MERCHANT, order, None, None, Device.PC, Shown.FRAME, "n" * 16, SHOP, f"{SHOP}/")
        opened = await open_window(self.services, ask)
        payment = await self.store.payments.find(MERCHANT, opened.payment.imp_uid)
        await approve(self.services, payment, opened.window, await self.pg.agree(payment.pg_tid))

    async def charge(self, amount=5_000, merchant_uid="m_1", **more):
        self.clock.add(60)
        return await charge(self.services, MERCHANT, an_order(merchant_uid, amount, customer_uid=CUSTOMER, **more))

    async def cancel(self, payment, amount=0, **more):
        self.clock.add(1)
        return await cancel(self.services, MERCHANT, CancelRequest(payment.imp_uid, None, amount, **more))

    async def at_the_pg(self, payment, amount, tax_free=0):
        """Give money back in the merchant centre; the gateway hears nothing of it. Gives the id of it."""
        body = {
            "cid": "TCSUBSCRIP",
            "tid": payment.pg_tid,
            "cancel_amount": amount,
            "cancel_tax_free_amount": tax_free,
        }
        answer = await self.pg.http.post("/online/v1/payment/cancel", json=body, headers=PG_KEY)
        assert answer.status_code == 200, answer.text
        return answer.json()["aid"]

    async def left_at_the_pg(self, payment):
        body = {"cid": "TCSUBSCRIP", "tid": payment.pg_tid}
        answer = await self.pg.http.post("/online/v1/payment/order", json=body, headers=PG_KEY)
        return answer.json()["cancel_available_amount"]["total"]

    async def payment(self, payment):
        return await self.store.payments.find(MERCHANT, payment.imp_uid)

    async def history(self, payment):
        """Return what was given back, as (amount, whether at the PG), oldest first."""
        known = await self.store.cancellations.of_payments(MERCHANT, [payment.imp_uid])
        return [(c.split.amount, c.at_pg) for c in known if c.done_at is not None]

    async def lose(self, payment, amount, *, carried_out):
        """Begin a cancel whose answer is lost, carried out or not."""
        await self.pg.fault("cancel", "drop_after" if carried_out else "drop_before")
        with pytest.raises(OutcomeUnknown):
            await self.cancel(payment, amount)

    async def work(self, seconds=0, turns=1):
        for _ in range(turns):
            self.clock.add(seconds)
            await record_lost_attempts(self.services)
            await clarify_due(self.services, 20)

    async def findings(self, **wanted):
        return await self.store.findings.search(MERCHANT, FindingFilter(100, **wanted))

    async def statuses(self, payment):
        statuses = await self.store.webhooks.deliveries(MERCHANT, DeliveryFilter(100, imp_uid=payment.imp_uid))
        # Those of our own cancels are only recorded, as nobody asked for them.
        return [
            json.loads(t.delivery.body)["status"] for t in reversed(statuses) if t.state is not DeliveryState.RECORDED
        ]

    async def outcomes(self):
        rows = await self.store.engine.fetch("SELECT outcome FROM attempts WHERE verb = 'cancel' ORDER BY begun_at, id")
        return [row["outcome"] for row in rows]

    async def books_agree(self, payment):
        """Hold the books against the simulator, and against themselves."""
        stored = await self.payment(payment)
        total = stored.order.price.total.amount
        assert total - stored.cancelled_amount == await self.left_at_the_pg(payment)
        assert sum(amount for amount, _ in await self.history(payment)) == stored.cancelled_amount
        assert stored.status is (Status.CANCELLED if stored.cancelled_amount else Status.PAID)
        assert not [v for v in await InvariantWatch(self.services).check() if v.subject == payment.imp_uid]
        return stored.cancelled_amount


@contextlib.asynccontextmanager
async def a_testbed(database_url, tmp_path):
    key_file = tmp_path / "keys.json"
    create_key_file(key_file)
    settings = Settings(
        database_url=database_url, key_file=key_file, public_url="http://gateway.test", sandbox_url=ORIGIN
    )
    clock = HandClock(NOW, running=True)
    async with contextlib.AsyncExitStack() as closing:
        gateway = await closing.enter_async_context(open_gateway(settings, clock=clock))
        pg = Simulator(clock)
        closing.push_async_callback(pg.close)
        testbed = Testbed(gateway, clock, pg)
        await testbed.open()
        yield testbed


@pytest.fixture
async def testbed(database_url, tmp_path):
    async with a_testbed(database_url, tmp_path) as testbed:
        yield testbed


async def test_what_is_left_after_a_refund_at_the_pg_can_be_given_back_here(testbed):
    payment = await testbed.charge(5_000)
    aid = await testbed.at_the_pg(payment, 2_000)
    after = await testbed.cancel(payment, 1_000)
    assert (after.status, after.cancelled_amount) == (Status.CANCELLED, 3_000)
    after = await testbed.cancel(payment)
    assert after.cancelled_amount == 5_000
    assert await testbed.history(payment) == [(2_000, True), (1_000, False), (2_000, False)]
    assert await testbed.books_agree(payment) == 5_000
    assert await testbed.statuses(payment) == ["paid", "cancelled"]
    [finding] = await testbed.findings()
    assert (finding.kind, finding.subject, finding.imp_uid) == (FindingKind.CANCELLED_THERE, aid, payment.imp_uid)
    assert (finding.amount_there, finding.amount_here) == (2_000, 2_000)
    acts = await testbed.store.audit.entries(MERCHANT, 10)
    assert [(a.kind, a.subject) for a in acts if a.kind is AuditAction.ENTER_REFUND] == [
        (AuditAction.ENTER_REFUND, payment.imp_uid)
    ]
    assert await close_findings(testbed.services, MERCHANT, [finding.id], "minji", "seen") == 1
    assert await testbed.findings() == []


async def test_a_cancel_after_a_whole_refund_at_the_pg_is_refused_as_cancelled_already(testbed):
    payment = await testbed.charge()
    await testbed.at_the_pg(payment, 5_000)
    with pytest.raises(AlreadyCancelled):
        await testbed.cancel(payment)
    assert await testbed.books_agree(payment) == 5_000
    assert await testbed.history(payment) == [(5_000, True)]


async def test_more_than_a_refund_at_the_pg_left_is_refused_for_what_it_is(testbed):
    payment = await testbed.charge()
    await testbed.at_the_pg(payment, 2_000)
    with pytest.raises(CancelTooMuch, match="3000 won are left"):
        await testbed.cancel(payment, 5_000)
    assert await testbed.books_agree(payment) == 2_000
    other = await testbed.charge(merchant_uid="m_2")
    await testbed.at_the_pg(other, 2_000)
    with pytest.raises(ChecksumMismatch):
        await testbed.cancel(other, 1_000, checksum=5_000)
    assert await testbed.books_agree(other) == 2_000


async def test_an_equal_refund_at_the_pg_does_not_prove_a_cancel_that_was_never_carried_out(testbed):
    payment = await testbed.charge()
    await testbed.lose(payment, 1_000, carried_out=False)
    await testbed.at_the_pg(payment, 1_000)
    await testbed.work(60)
    assert await testbed.outcomes() == ["declined", "approved"]
    assert await testbed.history(payment) == [(1_000, True)]
    assert await testbed.books_agree(payment) == 1_000
    # The buyer gets what was wished: asked again, it is carried out.
    assert (await testbed.cancel(payment, 1_000)).cancelled_amount == 2_000
    assert await testbed.books_agree(payment) == 2_000


async def test_of_a_lost_cancel_and_an_equal_refund_at_the_pg_each_is_entered_once(testbed):
    payment = await testbed.charge()
    await testbed.pg.fault("cancel", "drop_after")
    await testbed.pg.fault("order", "error_500_before", times=10)
    with pytest.raises(OutcomeUnknown):
        await testbed.cancel(payment, 1_000)
    await testbed.pg.no_faults()
    await testbed.at_the_pg(payment, 1_000)
    await testbed.work(15)
    assert sorted(await testbed.history(payment)) == [(1_000, False), (1_000, True)]
    assert await testbed.books_agree(payment) == 2_000
    assert Counter(await testbed.outcomes()) == {"approved": 2}


async def test_a_refund_of_another_amount_leaves_no_cancel_unknown_for_ever(testbed):
    payment = await testbed.charge()
    await testbed.lose(payment, 1_000, carried_out=False)
    await testbed.at_the_pg(payment, 700)
    with pytest.raises(CancelBusy):
        await testbed.cancel(payment, 500)
    await testbed.work(60)
    assert await testbed.books_agree(payment) == 700
    assert (await testbed.cancel(payment, 500)).cancelled_amount == 1_200
    assert await testbed.books_agree(payment) == 1_200


async def test_a_refund_at_the_pg_that_is_seen_while_our_cancel_is_on_its_way_hides_neither(testbed):
    payment = await testbed.charge()

    async def meanwhile():
        await testbed.at_the_pg(payment, 700)
        assert await look_up(testbed.services, await testbed.payment(payment)) is not None

    testbed.on_cancel = meanwhile
    after = await testbed.cancel(payment, 1_000)
    assert (after.status, after.cancelled_amount) == (Status.CANCELLED, 1_700)
    assert sorted(await testbed.history(payment)) == [(700, True), (1_000, False)]
    assert await testbed.books_agree(payment) == 1_700
    assert set(await testbed.outcomes()) == {"approved"}


async def test_a_refund_that_the_pgs_file_tells_first_is_entered_and_told(testbed):
    payment = await testbed.charge()
    await testbed.cancel(payment, 1_000)
    await testbed.at_the_pg(payment, 1_000)
    day = day_of(testbed.clock.now())
    testbed.clock.add(A_DAY.total_seconds() + 24 * 3600)
    found = await reconcile(testbed.services, testbed.channel, day)
    assert (found.refunds, found.sums.cancelled_there, found.sums.cancelled_here) == (1, 2_000, 2_000)
    assert await testbed.books_agree(payment) == 2_000
    assert await testbed.history(payment) == [(1_000, False), (1_000, True)]
    assert await testbed.statuses(payment) == ["paid", "cancelled"]
    again = await reconcile(testbed.services, testbed.channel, day)
    assert (again.refunds, again.new_findings) == (0, [])
    assert await testbed.books_agree(payment) == 2_000
    [finding] = await testbed.findings()
    assert finding.amount_here == 1_000


async def test_closing_a_finding_enters_what_could_not_be_entered_when_it_was_found(testbed):
    payment = await testbed.charge()
    await testbed.at_the_pg(payment, 1_000)
    day = day_of(testbed.clock.now())
    testbed.clock.add(2 * 24 * 3600)
    await testbed.pg.fault("order", "error_500_before", times=10)
    found = await reconcile(testbed.services, testbed.channel, day)
    [finding] = found.new_findings
    assert (finding.kind, finding.amount_here, (await testbed.payment(payment)).cancelled_amount) == (
        FindingKind.CANCELLED_THERE, None, 0,
    )  # fmt: skip
    await testbed.pg.no_faults()
    await close_findings(testbed.services, MERCHANT, [finding.id], "minji", "refunded by Park in the merchant centre")
    assert await testbed.books_agree(payment) == 1_000
    assert await testbed.findings() == []


async def test_cancels_of_ours_that_the_database_lost_come_back_under_their_own_ids(testbed, database_url):
    payment = await testbed.charge()
    before = await testbed.cancel(payment, 1_000)
    [ours] = await testbed.store.cancellations.of_payments(MERCHANT, [payment.imp_uid])
    back = "status = 'paid', cancelled_amount = 0, cancelled_at = NULL, cancel_reason = NULL"
    for sql in (
        "DELETE FROM cancellations",
        "DELETE FROM attempts WHERE verb = 'cancel'",
        f"UPDATE payments SET {back} WHERE status = 'cancelled'",
    ):
        await forget(database_url, sql)
    assert (await testbed.payment(payment)).cancelled_amount == 0 != before.cancelled_amount
    after = await testbed.cancel(payment, 4_000)
    assert after.cancelled_amount == 5_000
    known = await testbed.store.cancellations.of_payments(MERCHANT, [payment.imp_uid])
    assert [(c.id, c.at_pg) for c in known if c.split.amount == 1_000] == [(ours.id, False)]
    assert await testbed.books_agree(payment) == 5_000


async def forget(database_url, sql):
    """Change the database behind the back of the gateway, as a copy that lost its tail would."""
    if database_url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as db:
            db.execute(sql)
            db.commit()
    else:
        db = await asyncpg.connect(database_url)
        await db.execute(sql)
        await db.close()


async def test_a_payment_whose_approval_was_lost_and_then_refunded_is_paid_and_given_back(testbed):
    order = an_order("window", 3_000, customer_uid=None, key_use=None)
    ask = WindowRequest(MERCHANT, order, None, None, Device.PC, Shown.FRAME, "n" * 16, SHOP, f"{SHOP}/")
    opened = await open_window(testbed.services, ask)
    payment = await testbed.store.payments.find(MERCHANT, opened.payment.imp_uid)
    await testbed.pg.fault("approve", "drop_after")
    await testbed.pg.fault("order", "error_500_before", times=20)
    after = await approve(testbed.services, payment, opened.window, await testbed.pg.agree(payment.pg_tid))
    await testbed.pg.no_faults()
    assert (await testbed.payment(payment)).status is Status.UNKNOWN, after
    await testbed.at_the_pg(payment, 1_000)
    await testbed.work(60)
    assert (await testbed.payment(payment)).cancelled_amount == 1_000
    assert await testbed.books_agree(payment) == 1_000


async def test_the_tax_free_part_and_the_vat_of_a_refund_are_those_that_the_pg_tells(testbed):
    payment = await testbed.charge(11_000)
    await testbed.at_the_pg(payment, 1_000)
    await testbed.cancel(payment, 500)
    known = await testbed.store.cancellations.of_payments(MERCHANT, [payment.imp_uid])
    assert [(c.split.amount, c.split.tax_free, c.split.vat) for c in known if c.done_at] == [
        (1_000, 0, 91), (500, 0, 45),
    ]  # fmt: skip


async def test_without_marks_an_equal_refund_in_the_same_minute_is_not_taken_for_ours(testbed):
    """Nothing tells whose it is: the books say that it was given back, and nobody is told that ours was done."""
    testbed.without_marks = True
    payment = await testbed.charge()
    await testbed.lose(payment, 1_000, carried_out=False)
    await testbed.at_the_pg(payment, 1_000)
    await testbed.work(60)
    assert await testbed.outcomes() == ["declined", "approved"]
    assert await testbed.books_agree(payment) == 1_000
    [finding] = await testbed.findings()
    assert finding.imp_uid == payment.imp_uid


async def test_without_marks_a_refund_long_after_ours_could_be_made_is_somebody_elses(testbed):
    testbed.without_marks = True
    payment = await testbed.charge()
    await testbed.lose(payment, 1_000, carried_out=False)
    testbed.clock.add(120)
    await testbed.at_the_pg(payment, 1_000)
    await testbed.work(60)
    assert await testbed.outcomes() == ["declined", "approved"]
    [declined] = await testbed.store.engine.fetch("SELECT code FROM attempts WHERE outcome = 'declined'")
    assert declined["code"] == "NOT_CANCELLED"
    assert await testbed.books_agree(payment) == 1_000


async def test_a_replayed_wish_that_was_begun_anew_after_a_refund_is_not_carried_out_twice(testbed):
    payment = await testbed.charge()
    await testbed.at_the_pg(payment, 2_000)
    first = await testbed.cancel(payment, 1_000, attempt_id="wish-1")
    again = await testbed.cancel(payment, 1_000, attempt_id="wish-1")
    assert (first.cancelled_amount, again.cancelled_amount) == (3_000, 3_000)
    assert await testbed.books_agree(payment) == 3_000


@pytest.mark.parametrize("seed", range(4))
async def test_any_order_of_our_cancels_and_refunds_at_the_pg_ends_with_equal_books(testbed, seed):
    draw = random.Random(seed)
    offsets = json.dumps({"seconds": draw.randint(-2, 2)})
    await testbed.pg.http.post("/_sim/time-offset", content=offsets)
    payments = [await testbed.charge(9_900, f"m_{n}") for n in range(2)]
    requested = Counter()
    for _ in range(14):
        payment = draw.choice(payments)
        amount = draw.choice([500, 500, 700, 1_000])
        match draw.choice(["here", "here lost", "here never sent", "here never sent", "there", "there", "work"]):
            case "there" if await testbed.left_at_the_pg(payment) >= amount:
                await testbed.at_the_pg(payment, amount)
                requested[payment.imp_uid] += amount
            case "work":
                await testbed.work(draw.choice([1, 20, 60]))
            case "here" | "here lost" | "here never sent" as how:
                fault = {"here lost": "drop_after", "here never sent": "drop_before"}.get(how)
                if fault:
                    await testbed.pg.fault("cancel", fault)
                try:
                    await testbed.cancel(payment, amount)
                except (OutcomeUnknown, CancelBusy, CancelRefused, CancelTooMuch, AlreadyCancelled):
                    pass
                else:
                    requested[payment.imp_uid] += amount
                await testbed.pg.no_faults()
    await testbed.work(60, turns=8)
    assert not await testbed.store.engine.fetch("SELECT id FROM attempts WHERE outcome IS NULL OR outcome = 'unknown'")
    for payment in payments:
        with contextlib.suppress(AlreadyCancelled):
            await testbed.cancel(payment)
        assert await testbed.books_agree(payment) == 9_900
    ours = [line for line in await testbed.pg.log() if line["operation"] == "cancel" and line["outcome"] == "cancelled"]
    rows = await testbed.store.engine.fetch("SELECT pg_aid, at_pg FROM cancellations WHERE done_at IS NOT NULL")
    assert sorted(line["aid"] for line in ours) == sorted(row["pg_aid"] for row in rows)
    approved = Counter(row["outcome"] for row in await testbed.store.engine.fetch("SELECT outcome FROM attempts"))
    assert approved[Outcome.UNKNOWN] == 0
