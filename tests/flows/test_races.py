"""Races on one customer_uid, enumerated: a key is registered, replaced, deleted, charged, charged as planned, and held.

Each flow runs on a gateway of its own, so that nothing but the database keeps them apart. Every order of their steps
with a bounded number of switches is played (tests/support/interleaving.py); then the workers bring everything to its
end, and all records are compared.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from maedal.app import open_gateway
from maedal.billing_keys.billing_key import secret_context
from maedal.errors import GatewayError
from maedal.flows.approve import approve
from maedal.flows.call_queue import CallQueue
from maedal.flows.change_schedules import ChangeRequest, change_schedule
from maedal.flows.charge import charge
from maedal.flows.deactivate_key import deactivate_key, end_due_keys
from maedal.flows.open_window import WindowRequest, open_window
from maedal.flows.record_lost_attempts import record_lost_attempts
from maedal.flows.resolve_unknown import clarify_due
from maedal.flows.run_schedule import claim_due, run_schedule
from maedal.flows.schedule_charges import schedule_charges
from maedal.flows.services import Limits
from maedal.flows.undo_lost_key import undo_due
from maedal.payments.payment import KeyUse
from maedal.payments.prepared import PreparedAmount
from maedal.payments.window import Device, Shown
from maedal.schedules.manual_changes import ManualChange
from maedal.settings import Settings
from maedal.storage.billing_keys.rows import key_of
from maedal.storage.channels.writes import PutChannel
from maedal.storage.merchants.writes import AddMerchant
from maedal.storage.payments.writes import BeginCharge, BegunCharge
from maedal.storage.prepared_amounts.writes import Prepare
from maedal.vault import create_key_file
from tests.support.builders import MERCHANT, NOW, a_channel, a_merchant, an_api_key, an_order
from tests.support.databases import ENGINES
from tests.support.interleaving import (
    Flow,
    Race,
    SteppedBackground,
    SteppedClock,
    SteppedStore,
    SteppedTransport,
    every_order,
)
from tests.support.simulator import ORIGIN, Simulator
from tests.torture.checker import Records, check
from tests.torture.testbed import ALL_OPEN, OPEN

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CUSTOMER = "anna"
PLANNED = "planned"
HOLD, RELEASE = ChangeRequest(ManualChange.HOLD, "Kim"), ChangeRequest(ManualChange.RELEASE, "Kim")
SETTLE_TURNS_MAX = 30
RECORDS = {
    "payments": "SELECT * FROM payments WHERE merchant_id = $1 ORDER BY imp_uid",
    "attempts": "SELECT * FROM attempts WHERE merchant_id = $1 ORDER BY id",
    "events": "SELECT * FROM payment_events WHERE merchant_id = $1 ORDER BY imp_uid, version",
    "cancellations": "SELECT * FROM cancellations WHERE merchant_id = $1 ORDER BY id",
    "schedules": "SELECT * FROM schedules WHERE merchant_id = $1 ORDER BY merchant_uid",
    "keys": "SELECT * FROM billing_keys WHERE merchant_id = $1 ORDER BY id",
    "prepared": "SELECT * FROM prepared_amounts WHERE merchant_id = $1 ORDER BY merchant_uid",
}
UNENDED = "SELECT billing_key_id FROM key_endings WHERE merchant_id = $1 AND ended_at IS NULL"


@dataclass(frozen=True)
class Case:
    """Flows that meet. With `key` the customer has one already, and with `plan` a charge of it that is due."""

    flows: tuple[str, ...]
    switches_max: int = 2
    key: bool = True
    telling: bool = False
    """Whether it is played on PostgreSQL too."""
    registered: bool = True
    """Whether the shop's server named the customer of each order: only then a new key ends the one before it."""

    def __str__(self) -> str:
        return " + ".join(self.flows) + ("" if self.registered else ", by a page alone")


# The first two go on the first and the second gateway, a third on the first again.
CASES = (
    Case(("issue", "issue"), 1, key=False),
    Case(("issue", "charge"), key=False),
    Case(("issue", "delete"), key=False),
    Case(("overwrite", "overwrite"), 1),
    Case(("overwrite", "delete"), telling=True),
    Case(("overwrite", "charge"), telling=True),
    Case(("overwrite", "planned")),
    Case(("overwrite", "delete"), registered=False),
    Case(("overwrite", "charge"), registered=False),
    Case(("delete", "delete")),
    Case(("delete", "charge"), 3, telling=True),
    Case(("delete", "planned"), 3, telling=True),
    Case(("delete", "hold")),
    Case(("charge", "charge")),
    Case(("charge", "planned")),
    Case(("planned", "planned")),
    Case(("planned", "hold"), 3),
    Case(("overwrite", "delete", "charge"), 1),
    Case(("delete", "charge", "planned"), 1),
    Case(("delete", "planned", "hold"), 1),
)


class Meeting:
    """Two gateways on one database, the simulator, one clock; each play has a merchant of its own."""

    def __init__(self, stores, services, pg, clock):
        self.stores, self.services, self.pg, self.clock = stores, services, pg, clock
        self.engine = stores[0].engine.name
        self.plays = 0
        self.log_read = 0
        self.merchant = ""

    # -- what the flows are

    async def _work(self, services, flow, number):
        order = f"{flow}-{number}"
        try:
            match flow:
                case "issue" | "overwrite":
                    return await approve(services, *self.agreed[number])
                case "delete":
                    return await deactivate_key(services, self.merchant, CUSTOMER)
                case "charge":
                    return await charge(services, self.merchant, an_order(order, 900, customer_uid=CUSTOMER))
                case "planned":
                    for schedule in await claim_due(services, 20):
                        await run_schedule(services, schedule)
                    return None
                case "hold":
                    schedule = await services.store.schedules.find(self.merchant, PLANNED)
                    return await change_schedule(services, schedule, HOLD)
        except GatewayError as error:
            return error
        raise AssertionError(flow)

    # -- a play

    async def play(self, case: Case, script: list[int]) -> Race:
        await self._prepare(case)
        race = Race(self.clock, case.switches_max)
        self.seen_dead: dict[str, tuple[int, set[str], set[str]]] = {}
        self.found: list[str] = []
        self.race = race
        race.on_end = self._answered
        for number, flow in enumerate(case.flows):
            parts = self._gateway(number)
            race.add(f"{flow} {number}", self._work(parts, flow, number))
        await race.play(script)
        await self._look(case, "when all have been answered")
        left = await self._settle()
        await self._look(case, "in the end", left)
        assert not self.found, "\n".join([f"{case}, script {script}", *self.found, race.story()])
        return race

    def _gateway(self, number):
        """Return a gateway as the flow has it: what it waits for in its own process, nobody else waits for."""
        services = self.services[number % 2]
        return replace(
            services,
            store=SteppedStore(services.store),
            transport=SteppedTransport(self.pg),
            call_queue=CallQueue(),
            background=SteppedBackground(),
        )

    async def _prepare(self, case: Case) -> None:
        self.plays += 1
        self.log_read += len(self._log())
        self.merchant = f"imp{self.plays:08}"
        services = self.services[0]
        await services.store.write(
            AddMerchant(a_merchant(self.merchant), an_api_key(self.merchant, f"{self.plays:016}"))
        )
        await services.store.write(PutChannel(a_channel(id=f"channel-{self.plays}", merchant_id=self.merchant)))
        if case.key:
            await approve(services, *await self._agreed("first", case.registered))
            self.clock.add(7)
        if "planned" in case.flows or "hold" in case.flows:
            key = await services.store.billing_keys.find(self.merchant, CUSTOMER)
            order = an_order(PLANNED, 800, customer_uid=CUSTOMER, key_use=KeyUse.SCHEDULED)
            await schedule_charges(services, key, [(order, self.clock.now() + timedelta(seconds=7))])
            self.clock.add(8)
        self.agreed = {
            number: await self._agreed(f"{flow}-{number}", case.registered)
            for number, flow in enumerate(case.flows)
            if flow in {"issue", "overwrite"}
        }

    async def _agreed(self, merchant_uid: str, registered: bool) -> tuple[Any, ...]:
        """Return a window in which the buyer has agreed, as `approve` is given it."""
        order = an_order(merchant_uid, 500, customer_uid=CUSTOMER, key_use=KeyUse.ISSUE)
        if registered:
            prepared = PreparedAmount(self.merchant, merchant_uid, 500, customer_uid=CUSTOMER)
            await self.services[0].store.write(Prepare(prepared, self.clock.now()))
        shop = "http://shop.test"
        ask = WindowRequest(self.merchant, order, None, None, Device.PC, Shown.FRAME, "n" * 16, shop, f"{shop}/")
        opened = await open_window(self.services[0], ask)
        payment = await self.services[0].store.payments.find(self.merchant, opened.payment.imp_uid)
        return payment, opened.window, await self.pg.agree(payment.pg_tid)

    # -- what must be true

    async def _answered(self, flow: Flow) -> None:
        """Note which keys the merchant knows to be dead by this answer, and what had been charged by then."""
        if isinstance(flow.answer, GatewayError) or not flow.name.startswith(("delete", "overwrite")):
            return
        dead = {key["id"] for key in await self._fetch(RECORDS["keys"]) if key["ended_at"]}
        self.seen_dead[flow.name] = len(self.race.steps), dead, set(_charged(self._log()))

    async def _look(self, case: Case, when: str, left: dict[str, int] | None = None) -> None:
        tables = {name: await self._fetch(sql) for name, sql in RECORDS.items()}
        log = self._log()
        sid_of = {
            k["id"]: self.services[0].vault.open(bytes(k["sealed_pg_key"]), *secret_context(key_of(k)))
            for k in tables["keys"]
        }
        say = [f"{when}: {text}" for text in self._wrong(tables, log, sid_of, await self._fetch(UNENDED))]
        if left is not None:
            # This merchant has no address for webhooks.
            say += [f"{when}: {f}" for f in check(Records(log=log, left=left, **tables)) if f.kind != "webhook"]
        self.found += say

    def _wrong(self, tables, log, sid_of, unended):
        begun = {
            step.result.attempt.id: (place, step.result.key.id)
            for place, step in enumerate(self.race.steps)
            if isinstance(step.value, BeginCharge) and isinstance(step.result, BegunCharge)
        }
        charged = _charged(log)
        for name, (answered, dead, charged_by_then) in self.seen_dead.items():
            for order_id, (place, key_id) in begun.items():
                if key_id in dead and place >= answered:
                    yield f"a charge of {key_id} was begun after {name} was answered"
                late = order_id in charged and order_id not in charged_by_then
                if key_id in dead and late and name.startswith("delete"):
                    yield f"{key_id} was charged after {name} was answered"
        held = {plan["merchant_uid"] for plan in tables["schedules"] if plan["held_at"] is not None}
        for payment in tables["payments"]:
            if payment["merchant_uid"] in held:
                yield f"{payment['merchant_uid']} is held, and was charged"
        living = [key["id"] for key in tables["keys"] if key["ended_at"] is None]
        if len(living) > 1:
            yield f"{len(living)} keys live"
        issued = {
            line["sid"]
            for line in log
            if line["operation"] == "approve" and line["sid"] and line["outcome"] in {"approved", "issued"}
        }
        alive = issued - {line["sid"] for line in log if line["outcome"] == "deactivated"}
        # A key that a page's newer one replaced is left at the PG.
        left = [key["id"] for key in tables["keys"] if key["ended_by"] == "replaced" and not tables["prepared"]]
        known = {sid_of[key_id] for key_id in (*living, *left, *(row["billing_key_id"] for row in unended))}
        if not alive <= known:
            yield f"{len(alive - known)} keys live at the PG of which nobody knows"
        if not {sid_of[key_id] for key_id in living} <= alive:
            yield "a key lives here that does not live at the PG"
        key_of = {attempt["order_id"]: attempt["billing_key_id"] for attempt in tables["attempts"]}
        for order_id, sid in charged.items():
            if sid_of[key_of[order_id]] != sid:
                yield f"{order_id} was charged with another key than was kept"

    def _log(self):
        return self.pg.app.state.sandbox.call_log.read({}, after=self.log_read, limit=-1)

    async def _fetch(self, sql):
        return [dict(row) for row in await self.stores[0].engine.fetch(sql, self.merchant)]

    # -- the workers

    async def _settle(self) -> dict[str, int]:
        """Let the workers run until nothing is open, and return what is open all the same."""
        services = replace(self.services[1], transport=self.pg, call_queue=CallQueue())
        left: dict[str, int] = {}
        schedule = await services.store.schedules.find(self.merchant, PLANNED)
        if schedule is not None and schedule.hold is not None:
            await change_schedule(services, schedule, RELEASE)
        for _ in range(SETTLE_TURNS_MAX):
            [counted] = await self.stores[0].engine.fetch(ALL_OPEN)
            left = {what: counted[what] for what in OPEN if counted[what]}
            if not left:
                break
            self.clock.add(61)
            await record_lost_attempts(services)
            await clarify_due(services, 20)
            await end_due_keys(services)
            await undo_due(services)
            for schedule in await claim_due(services, 20):
                await run_schedule(services, schedule)
        return left


def _charged(log) -> dict[str, str]:
    """Return the secret of the key that each order number was charged with at the PG."""
    return {line["partner_order_id"]: line["sid"] for line in log if line["operation"] == "subscription"}


@contextlib.asynccontextmanager
async def meeting(database_url, tmp_path, kind=Meeting):
    create_key_file(tmp_path / "keys.json")
    settings = Settings(
        database_url=database_url,
        key_file=tmp_path / "keys.json",
        public_url="http://gateway.test",
        sandbox_url=ORIGIN,
    )
    clock = SteppedClock(NOW)
    async with contextlib.AsyncExitStack() as closing:
        gateways = [
            await closing.enter_async_context(open_gateway(settings, serving=serving, clock=clock))
            for serving in (True, False)
        ]
        pg = Simulator(clock, monthly_limit=1_000_000)
        closing.push_async_callback(pg.close)
        limits = Limits(busy_wait_seconds=20, clarify_wait_seconds=5)
        services = [replace(gateway.services, transport=pg, limits=limits) for gateway in gateways]
        yield kind([gateway.store for gateway in gateways], services, pg, clock)


ON_BOTH = [(case, engine) for case in CASES for engine in ENGINES if engine == "sqlite" or case.telling]


@pytest.mark.parametrize(("case", "database_url"), ON_BOTH, ids=str, indirect=["database_url"])
async def test_in_every_order_of_their_steps_no_dead_key_is_charged_and_all_books_agree(
    case, database_url, tmp_path, record_property
):
    async with meeting(database_url, tmp_path) as met:
        orders = await every_order(lambda script: met.play(case, script))
    record_property("interleavings", (f"{case}|{met.engine}", orders))
    assert orders > len(case.flows)


async def test_a_deletion_is_answered_only_after_a_charge_that_another_gateway_had_begun(database_url, tmp_path):
    async with meeting(database_url, tmp_path) as met:
        # The charge goes first and is left when it has begun; the deletion is left at nothing.
        race = await met.play(Case(("charge", "delete"), 1), [0, 1])
    assert [str(step) for step in race.steps if step.what in {"BeginCharge", "call subscription", "answered"}] == [
        "charge 0: BeginCharge",
        "charge 0: call subscription",
        "charge 0: answered",
        "delete 1: answered",
    ]
    assert race.steps[1].what == "BeginDeactivation"


async def begun_by_a_dead_gateway(flows, key):
    """Leave a charge as a gateway does that dies before it calls the PG; gives when it was begun."""
    flows.clock.add(5)
    order, begun_at = an_order(customer_uid=key.customer_uid), flows.clock.now()
    begun = await flows.store.write(BeginCharge(MERCHANT, "imps_000000000001", "at_dead", order, begun_at))
    assert isinstance(begun, BegunCharge)
    flows.clock.add(10)
    return begun_at


async def test_a_deletion_waits_no_longer_than_a_charge_of_a_dead_gateway_may_be_sent(flows):
    key = await flows.issue_key()
    begun_at = await begun_by_a_dead_gateway(flows, key)
    await deactivate_key(flows.services, MERCHANT, key.customer_uid)
    assert flows.services.limits.leaves_within < flows.clock.now() - begun_at < flows.services.limits.unanswered_after


async def test_a_deletion_waits_for_a_charge_of_the_key_that_was_replaced_too(flows):
    replaced = await flows.issue_key()
    begun_at = await begun_by_a_dead_gateway(flows, replaced)
    living = await flows.issue_key(now=flows.clock.now())
    assert await deactivate_key(flows.services, MERCHANT, living.customer_uid)
    assert flows.clock.now() - begun_at > flows.services.limits.leaves_within
