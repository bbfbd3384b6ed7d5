"""Receivers of every bad kind: the others hear as promptly as ever, and the log tells the story."""

from __future__ import annotations

import time

import pytest

from maedal.flows.services import Limits
from tests.support import rows
from tests.support.receiver import receiver
from tests.support.world import free_port, world

HANGING = 30
PROMPT_SECONDS = 30
"""Far below the 40 seconds that one hanging receiver may take; far above what a loaded machine needs."""


@pytest.fixture(scope="module")
def reply(all_databases, tmp_path_factory):
    """A gateway, a good shop, and a bad one."""
    folder = tmp_path_factory.mktemp("world")
    with receiver() as good, world(all_databases.url("sqlite"), folder, webhook_url=f"{good.url}/good") as running:
        with receiver() as bad:
            yield running, good, bad
            bad.released.set()  # or the gateway would wait for its webhooks


def log_of(running, imp_uid):
    """Return the tries of a payment's webhooks, by address, once none of them waits."""
    deadline = time.monotonic() + PROMPT_SECONDS
    waiting = f"SELECT 1 AS one FROM webhook_deliveries WHERE imp_uid = '{imp_uid}' AND state = 'waiting'"
    while rows.fetch(running.settings.database_url, waiting) and time.monotonic() < deadline:
        time.sleep(0.05)
    found = rows.fetch(
        running.settings.database_url,
        "SELECT t.url, d.state, t.number, t.answer_status, t.answer, t.duration_ms FROM webhook_deliveries d"
        " JOIN webhook_tries t ON t.merchant_id = d.merchant_id AND t.delivery_id = d.id"
        f" WHERE d.imp_uid = '{imp_uid}'",
    )
    return {row["url"].rpartition("/")[2]: row for row in found}


def test_the_log_tells_what_each_receiver_did(reply):
    running, good, bad = reply
    bad.answer("/broken", 500, b"oh no")
    bad.answer("/moved", 302, Location=f"{bad.url}/elsewhere")
    bad.resets.add("/reset")
    bad.delays["/slow"] = 1.0
    urls = [f"{bad.url}/{kind}" for kind in ("broken", "moved", "reset", "slow")]
    gone = f"http://127.0.0.1:{free_port()}/gone"
    opened = running.open_window("m_log", 1_000, notice_url=[*urls, gone, f"{good.url}/fine", "http://[broken/odd"])
    running.finish(opened)
    log = log_of(running, opened["imp_uid"])
    shown = {kind: (row["state"], row["number"], row["answer_status"]) for kind, row in log.items()}
    assert shown == {
        "broken": ("failed", 1, 500),
        "moved": ("failed", 1, 302),
        "reset": ("failed", 1, None),
        "slow": ("delivered", 1, 200),
        "gone": ("failed", 1, None),
        "fine": ("delivered", 1, 200),
        "odd": ("failed", 1, None),
        # The merchant's own, beside those that the page names.
        "good": ("delivered", 1, 200),
    }
    assert log["broken"]["answer"] == "oh no"
    assert log["reset"]["answer"].startswith("the call broke")
    assert log["gone"]["answer"] == "the address could not be reached"
    assert log["slow"]["duration_ms"] >= 1_000
    assert bad.at("/elsewhere") == []


def test_receivers_that_hang_hold_up_nobody_else(reply):
    running, good, bad = reply
    before = len(good.at("/good"))
    bad.hanging |= {f"/hang-{n}" for n in range(HANGING)}
    for first in range(0, HANGING, 10):
        urls = [f"{bad.url}/hang-{n}" for n in range(first, first + 10)]
        running.finish(running.open_window(f"m_hang_{first}", 1_000, notice_url=urls))
    started = time.monotonic()
    for n in range(5):
        opened = running.open_window(f"m_good_{n}", 1_000)
        running.finish(opened)
    # The merchant's own address is told of each, also where the page names others.
    good.wait_for("/good", before + HANGING // 10 + 5)
    assert time.monotonic() - started < PROMPT_SECONDS
    # And the one that hangs is asked by few at once, not by all that wait for it.
    hanging = [request for request in bad.received if request.path.startswith("/hang-")]
    assert 0 < len(hanging) <= Limits().webhooks_per_receiver
    bad.released.set()
    deadline = time.monotonic() + PROMPT_SECONDS
    while len(hanging) < HANGING and time.monotonic() < deadline:
        time.sleep(0.05)
        hanging = [request for request in bad.received if request.path.startswith("/hang-")]
    assert sorted({request.path for request in hanging}) == sorted(bad.hanging)
    assert len(hanging) == HANGING
