"""An asynchronous standby is promoted without the last charge: the running gateway charges nothing a second time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kakaopay_sandbox.settings import BUCKET_ID, FILE_KEY
from maedal.clock import TravelClock
from maedal.merchants.merchant import DEMO_CODE
from tests.e2e.test_reconcile_commands import charges, day_of, maedal
from tests.support.rows import fetch
from tests.support.standby import StandbyPair
from tests.support.world import World, world

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.usefixtures("quiet_gateway")]

WAIT_SECONDS_MAX = 60
WATCHED_SECONDS = 6.0
"""A worker looks every second for what is due."""


@pytest.fixture
def pair() -> Iterator[StandbyPair]:
    with StandbyPair() as both:
        yield both


@pytest.fixture
def running(pair: StandbyPair, tmp_path: Path) -> Iterator[World]:
    clock = TravelClock(tmp_path / "clock")
    options = {"clock": clock}
    with world(pair.url, tmp_path, travels=True, gateway_options=options, clarify_wait_seconds=0.5) as everything:
        listed = maedal(everything, "channel", "list", "--merchant", DEMO_CODE)
        for channel in (line for line in listed.splitlines() if line.startswith("channel-key-")):
            at = ("channel", "set", channel, "--merchant", DEMO_CODE)
            maedal(everything, *at, "--bucket", BUCKET_ID, "--file-key", stdin=f"{FILE_KEY}\n")
        everything.extra["clock"] = clock
        everything.issue_key("c_1")
        everything.again("c_1", "m_0")
        # Two approvals of a key are told apart by their times.
        time.sleep(6)
        yield everything


def cut_off(pair: StandbyPair) -> None:
    """Let the standby have all that there is, and nothing of what comes."""
    pair.catch_up()
    pair.standby.stop()


def until(so: Callable[[], Any]) -> Any:
    """Return what `so` gives once it is something."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not (found := so()):
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.1)
    return found


def travel(running: World, **by: float) -> None:
    clock = running.extra["clock"]
    clock.travel(clock.now() + timedelta(**by))
    # The merchant's token has run out meanwhile.
    running._token = None


def again(running: World, merchant_uid: str) -> dict[str, Any]:
    """Charge as a shop does that comes back while the database is away."""
    message: dict[str, Any] = {}

    def answered() -> bool:
        response = running.call(
            "POST",
            "/subscribe/payments/again",
            json={"customer_uid": "c_1", "merchant_uid": merchant_uid, "amount": 3_000},
        )
        message.update(response.json())
        return response.status_code != 503

    until(answered)
    return message


def read_the_file(running: World) -> None:
    days = sorted({day_of(line) for line in charges(running)})
    travel(running, days=2)
    for day in days:
        maedal(running, "reconcile", "--date", day)


def test_a_planned_charge_is_made_once_though_the_promoted_standby_has_it_waiting(
    pair: StandbyPair, running: World
) -> None:
    at = int(time.time()) + 4
    wanted = {"customer_uid": "c_1", "schedules": [{"merchant_uid": "p_1", "schedule_at": at, "amount": 4_000}]}
    planned = running.call("POST", "/subscribe/payments/schedule", json=wanted)
    assert planned.json()["code"] == 0, planned.text
    cut_off(pair)
    until(lambda: len(charges(running)) == 2)
    paid = until(lambda: running.call("GET", "/payments/find/p_1").json()["response"])
    pair.fail_over()

    time.sleep(WATCHED_SECONDS)
    assert running.call("GET", "/payments/find/p_1").status_code == 404
    # What may still come through is waited for; then the PG is asked.
    travel(running, minutes=21)
    time.sleep(WATCHED_SECONDS)
    [schedule] = fetch(pair.url, "SELECT status, imp_uid FROM schedules")
    assert schedule == {"status": "scheduled", "imp_uid": None}
    refused = again(running, "p_1")
    assert refused["code"] == -1
    assert "이곳에 없는 결제" in refused["message"]
    assert len(charges(running)) == 2

    read_the_file(running)
    entered = running.call("GET", "/payments/find/p_1").json()["response"]
    assert (entered["imp_uid"], entered["status"], entered["amount"]) == (paid["imp_uid"], "paid", 4_000)
    [schedule] = fetch(pair.url, "SELECT status, imp_uid FROM schedules")
    assert schedule == {"status": "executed", "imp_uid": paid["imp_uid"]}
    assert len(charges(running)) == 2


def test_an_order_that_a_shop_does_not_find_after_a_failover_is_not_charged_again(
    pair: StandbyPair, running: World
) -> None:
    cut_off(pair)
    paid = running.again("c_1", "m_1")["response"]
    assert paid["status"] == "paid"
    pair.fail_over()

    for merchant_uid in ("m_1", "m_1-retry"):
        assert "이곳에 없는 결제" in again(running, merchant_uid)["message"]
    assert len(charges(running)) == 2

    read_the_file(running)
    assert running.payment(paid["imp_uid"])["status"] == "paid"
    assert running.again("c_1", "m_1")["code"] != 0
    # The refusal has ended by itself.
    assert running.again("c_1", "m_2")["response"]["status"] == "paid"
    assert len(charges(running)) == 3
