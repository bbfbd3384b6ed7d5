"""Scenes of the guards that need a failover, on a primary with a standby; how each is turned off stands beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from maedal.storage.engine.standing import FOLLOWERS_SECONDS
from tests.support.postgres import _execute
from tests.support.standby import StandbyPair, ask

from .findings import Finding
from .shop import Shop
from .testbed import Testbed

HANGING_SECONDS_MAX = 30.0
MOVED_SECONDS_MAX = 12.0
APPROVAL_UNDER_WAY = "SELECT count(*) = 1 FROM attempts WHERE verb = 'approve' AND outcome IS NULL"
ISSUED = "SELECT count(*) = 1 FROM payments WHERE status = 'paid'"
CALL_UNDER_WAY = "SELECT count(*) = 1 FROM attempts WHERE verb = 'charge' AND outcome IS NULL"


def waits_that_are_cancelled(testbed: Testbed, pair: StandbyPair) -> None:
    """An operator cancels whatever waits for the standby: each commit reports success, with a warning."""
    _end_waits_of_a_charge(testbed, pair, "cancel")


def waits_that_are_broken_off(testbed: Testbed, pair: StandbyPair) -> None:
    """Each session that waits for the standby is ended: what it committed is there for every reader, on one server."""
    _end_waits_of_a_charge(testbed, pair, "terminate")


def _end_waits_of_a_charge(testbed: Testbed, pair: StandbyPair, how: str) -> None:
    """End all its waits until the call has an answer; then the standby takes over, and the shop looks for its order."""
    with _a_charge_without_standby(testbed, pair) as (shop, charging):
        deadline = time.monotonic() + HANGING_SECONDS_MAX
        while charging.is_alive() and time.monotonic() < deadline:
            pair.end_waits(how)
            charging.join(0.2)
        pair.fail_over()
    _ask_again_if_forgotten(shop)


def a_key_that_only_the_primary_has(testbed: Testbed, pair: StandbyPair) -> None:
    """A key is issued, the wait of its record is cancelled and its process dies; the page asks another gateway."""
    shop = Shop(testbed, "s")
    opened = shop.open_window("key", 0, "c")
    assert opened is not None, "both gateways serve"
    testbed.token()
    pair.demand_standby()
    # By then each gateway has seen that commits wait.
    time.sleep(FOLLOWERS_SECONDS + 1)
    testbed.fault("approve", "delay", delay_seconds=1.5)
    agreeing = threading.Thread(target=shop.agree, args=(opened,))
    agreeing.start()
    _wait_until(pair, APPROVAL_UNDER_WAY)
    pair.standby.stop("fast")
    pair.wait_for_hanging()
    _cancel_waits_until(pair, ISSUED)
    testbed.kill("serve-0")
    path = f"/sdk/payments/{opened['imp_uid']}?token={opened['token']}"

    def ask_another() -> None:
        testbed.keep(shop.tag, "page", opened, testbed.once("GET", path, node=1, token=False))

    asking = threading.Thread(target=ask_another)
    asking.start()
    # Whoever proves what it tells waits for a standby by now.
    asking.join(2)
    pair.fail_over()
    testbed.revive()
    asking.join(90)
    agreeing.join(90)


def _wait_until(pair: StandbyPair, question: str) -> None:
    deadline = time.monotonic() + HANGING_SECONDS_MAX
    while not ask(pair.url_of(pair.primary), question) and time.monotonic() < deadline:
        time.sleep(0.02)


def _cancel_waits_until(pair: StandbyPair, question: str) -> None:
    deadline = time.monotonic() + HANGING_SECONDS_MAX
    while not ask(pair.url_of(pair.primary), question) and time.monotonic() < deadline:
        pair.end_waits("cancel")
        time.sleep(0.1)


def promoted_while_an_outcome_is_known_to_its_process_alone(testbed: Testbed, pair: StandbyPair) -> None:
    """The primary dies under the call; long after its answer a standby takes over that has never heard of the charge."""
    shop = Shop(testbed, "s")
    shop.issue_key("c")
    testbed.let_keys_settle()
    testbed.token()
    pair.catch_up()
    pair.standby.stop("fast")
    testbed.fault("subscription", "delay", delay_seconds=4)
    request = {"customer_uid": "c", "merchant_uid": "order", "amount": 3_000}

    def charge() -> None:
        testbed.keep(shop.tag, "again", request, testbed.once("POST", "/subscribe/payments/again", request))

    charging = threading.Thread(target=charge)
    charging.start()
    _wait_until(pair, CALL_UNDER_WAY)
    pair.switch.to(None)
    # Whoever waits for the answer has given up by then.
    charging.join(90)
    pair.fail_over()
    _ask_again_if_forgotten(shop)


def led_to_a_server_that_became_read_only(testbed: Testbed, pair: StandbyPair) -> None:
    """The primary takes no writes any more and ends no connection; whoever connects anew comes to the promoted standby."""
    shop = Shop(testbed, "s")
    shop.issue_key("c")
    pair.catch_up()
    # Connections that have worked, so that the gateway has some to keep.
    for _ in range(2):
        testbed.let_keys_settle()
        shop.again("c")
    _execute(pair.primary.url, "ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
    pair.catch_up()
    pair.standby.promote()
    pair.switch.lead_to(pair.standby.port)
    deadline = time.monotonic() + MOVED_SECONDS_MAX
    while time.monotonic() < deadline:
        testbed.let_keys_settle()
        request = {"customer_uid": "c", "merchant_uid": shop.uid(), "amount": 1_000}
        reply = testbed.once("POST", "/subscribe/payments/again", request)
        testbed.keep(shop.tag, "again", request, reply)
        if reply.paid:
            return
        time.sleep(0.5)
    testbed.seen.append(
        Finding("late", "", "nothing is charged any more, for the gateway keeps to the read-only server")
    )
    pair.switch.to(pair.standby.port)


@contextmanager
def _a_charge_without_standby(testbed: Testbed, pair: StandbyPair) -> Iterator[tuple[Shop, threading.Thread]]:
    """Begin a charge while the standby is away, wait until its commit hangs, and end the call in the end."""
    shop = Shop(testbed, "s")
    shop.issue_key("c")
    testbed.let_keys_settle()
    testbed.token()
    pair.demand_standby()
    pair.standby.stop("fast")
    request = {"customer_uid": "c", "merchant_uid": "order", "amount": 3_000}

    def charge() -> None:
        testbed.keep(shop.tag, "again", request, testbed.once("POST", "/subscribe/payments/again", request))

    charging = threading.Thread(target=charge)
    charging.start()
    pair.wait_for_hanging()
    yield shop, charging
    charging.join(60)


def _ask_again_if_forgotten(shop: Shop) -> None:
    """Do what a shop does that finds no payment of its order: ask for it under the same merchant_uid."""
    shop.testbed.let_keys_settle()
    if shop.payment("order") is None:
        shop.again("c", 3_000, "order")


def ignore_warnings() -> None:
    from maedal.storage.engine import postgres

    @contextmanager
    def deaf(_: Any) -> Iterator[list[str]]:
        yield []

    postgres._warnings = deaf


def prove_by_reading() -> None:
    from maedal.storage.durability import units

    units.TOUCH = "SELECT CAST($3 AS INTEGER) AS item, * FROM attempts WHERE merchant_id = $1 AND id = $2"


def tell_what_is_read() -> None:
    """Take whatever a reader sees for what will be there after a failover."""
    from maedal.flows.proved_payments import ProvedPayments

    ProvedPayments._is_proved = lambda *_: True  # type: ignore[method-assign]


def hold_no_outcome() -> None:
    """Give up an outcome with the call that learned it."""
    from maedal.flows import record_outcome
    from maedal.flows.unrecorded_outcomes import UnrecordedOutcomes

    async def careless(*_: Any) -> None:
        """Record nothing."""

    UnrecordedOutcomes.hold = lambda *_: None  # type: ignore[method-assign]
    record_outcome._go_on = careless


def keep_every_connection() -> None:
    """Throw none away: neither after a refused write, nor when the watcher finds the server demoted or left behind."""
    from maedal.storage.engine.connecting import Connector
    from maedal.storage.engine.postgres import PostgresEngine

    PostgresEngine._part_with = lambda *_: None  # type: ignore[method-assign,assignment]
    PostgresEngine._expire = lambda _: None  # type: ignore[method-assign,assignment]
    Connector._leave_behind = lambda *_: None  # type: ignore[method-assign,assignment]
