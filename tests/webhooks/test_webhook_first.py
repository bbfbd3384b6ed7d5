"""Webhook first: for merchants that want it, the browser learns the end after they do (docs/wire/portone-v1-rest.md 5.4)."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from maedal.app import open_gateway
from maedal.flows.set_webhook import set_webhook
from maedal.merchants.merchant import DEMO_CODE
from maedal.worker.loops import Worker
from tests.support import rows
from tests.support.receiver import receiver
from tests.support.world import _run_in_thread, world

TOO_LONG = 600
"""More seconds than the tests' client waits for an answer: with this bound nothing passes because the wait was over."""
SHOWN = {
    "redirect": {"call": {"device": "mobile", "presentation": "redirect"}, "m_redirect_url": "http://shop.test/end"},
    "frame": {},
}


@pytest.fixture
def shop():
    with receiver() as reply:
        yield reply


async def _change(settings, **changes):
    async with open_gateway(settings, serving=False) as gateway:
        await set_webhook(gateway.services, DEMO_CODE, **{"live": None, "test": None, "body": None} | changes)


@contextmanager
def selling(url, folder, shop, *, first=True, retry=None, failures=None, **settings):
    """A merchant that is told at /told."""
    value = {"webhook_first_wait_seconds": TOO_LONG} | settings
    with world(url, folder, webhook_url=f"{shop.url}/told", **value) as running:
        _run_in_thread(_change(running.settings, first=first, retry=retry, failures=failures))
        yield running
        shop.released.set()  # or the gateway would wait for its webhooks


def deliveries(running, opened):
    """Return state and number of tries of each webhook of a payment."""
    found = rows.fetch(
        running.settings.database_url,
        f"SELECT state, tries FROM webhook_deliveries WHERE imp_uid = '{opened['imp_uid']}' ORDER BY id",
    )
    return [(row["state"], row["tries"]) for row in found]


def close(running, opened):
    return running.http.post(
        f"{running.gateway}/sdk/payments/{opened['imp_uid']}/close", json={"token": opened["token"]}
    ).json()


def tells_the_page(answer):
    """Whether this is the end: back to the shop, or the message to the page around the frame."""
    return "imp_success=true" in answer.headers.get("location", "") or "imp-gateway" in answer.text


@pytest.mark.parametrize("shown", SHOWN)
def test_the_browser_learns_the_end_only_after_the_merchant_was_told(database_url, tmp_path, shop, shown):
    shop.hanging.add("/told")
    with selling(database_url, tmp_path, shop) as running, ThreadPoolExecutor() as browser:
        opened = running.open_window("m_1", 9_900, **SHOWN[shown])
        address = running.agree(opened)
        coming_back = browser.submit(running.http.get, address)
        shop.wait_for("/told")
        # The merchant, asked to look again, sees the payment; the page and its reloads do not yet.
        assert running.payment(opened["imp_uid"])["status"] == "paid"
        assert (running.state(opened)["state"], running.state(opened)["result"]) == ("working", None)
        reloaded = browser.submit(running.http.get, address)
        assert deliveries(running, opened) == [("waiting", 0)]
        assert not coming_back.done()
        assert not reloaded.done()
        shop.released.set()
        ends = [coming_back.result(), reloaded.result(), running.http.get(address)]
        assert deliveries(running, opened) == [("delivered", 1)]
        assert [tells_the_page(end) for end in ends] == [True] * 3
        state = running.state(opened)
        assert (state["state"], state["result"]["success"]) == ("done", True)
        assert len(shop.at("/told")) == 1
        assert [entry["outcome"] for entry in running.log(operation="approve")] == ["approved"]


def test_by_default_the_browser_is_not_delayed(database_url, tmp_path, shop):
    shop.hanging.add("/told")
    with selling(database_url, tmp_path, shop, first=False) as running:
        opened = running.open_window("m_1", 9_900)
        assert tells_the_page(running.http.get(running.agree(opened)))
        assert running.state(opened)["state"] == "done"
        assert deliveries(running, opened) == [("waiting", 0)]


def test_a_receiver_that_hangs_holds_the_browser_only_so_long(database_url, tmp_path, shop):
    shop.hanging.add("/told")
    with selling(database_url, tmp_path, shop, webhook_first_wait_seconds=1.0) as running:
        opened = running.open_window("m_1", 9_900, **SHOWN["redirect"])
        address = running.agree(opened)
        assert tells_the_page(running.http.get(address))
        assert running.state(opened)["state"] == "done"
        assert tells_the_page(running.http.get(address))
        assert deliveries(running, opened) == [("waiting", 0)]


def test_a_receiver_that_refuses_is_waited_for_once(database_url, tmp_path, shop):
    shop.answer("/told", 500, b"broken")
    with selling(database_url, tmp_path, shop, retry="few") as running:
        opened = running.open_window("m_1", 9_900)
        assert tells_the_page(running.http.get(running.agree(opened)))
        # The next try is a minute away, and nobody waits for that.
        assert deliveries(running, opened) == [("waiting", 1)]


def test_every_address_of_a_list_is_waited_for(database_url, tmp_path, shop):
    shop.hanging.add("/slow")
    with selling(database_url, tmp_path, shop) as running, ThreadPoolExecutor() as browser:
        opened = running.open_window("m_1", 9_900, notice_url=[f"{shop.url}/quick", f"{shop.url}/slow"])
        coming_back = browser.submit(running.http.get, running.agree(opened))
        shop.wait_for("/quick")
        shop.wait_for("/slow")
        assert running.state(opened)["state"] == "working"
        shop.released.set()
        assert tells_the_page(coming_back.result())
        # And the merchant's own.
        assert deliveries(running, opened) == [("delivered", 1)] * 3


def test_without_a_webhook_there_is_nothing_to_wait_for(database_url, tmp_path, shop):
    with selling(database_url, tmp_path, shop, gateway_options={"with_worker": False}) as running:
        running.fault("approve", "decline")
        declined = running.open_window("m_declined", 9_900)
        assert running.finish(declined)["result"]["success"] is False
        closed = close(running, running.open_window("m_closed", 9_900))
        assert (closed["state"], closed["result"]["success"]) == ("done", False)
        _run_in_thread(_change(running.settings, test=""))
        running.stop_gateway()
        running.start_gateway()
        assert running.finish(running.open_window("m_nowhere", 9_900))["state"] == "done"


def test_a_failure_that_is_told_comes_first_too(database_url, tmp_path, shop):
    shop.hanging.add("/told")
    with selling(database_url, tmp_path, shop, failures=True) as running:
        opened = running.open_window("m_1", 9_900)
        assert close(running, opened)["state"] == "working"
        shop.wait_for("/told")
        assert running.state(opened)["state"] == "working"
        shop.hanging.clear()
        shop.released.set()
        # The window's own address leads to its end, as on a reload.
        assert "imp-gateway" in running.http.get(opened["next"]["url"]).text
        assert running.state(opened)["result"]["success"] is False
        assert deliveries(running, opened) == [("delivered", 1)]


def test_a_worker_elsewhere_is_waited_for(database_url, tmp_path, shop):
    """The process that answers the browser need not be the one that sends."""
    with (
        selling(database_url, tmp_path, shop, gateway_options={"with_worker": False}) as running,
        ThreadPoolExecutor() as browser,
    ):
        opened = running.open_window("m_1", 9_900)
        coming_back = browser.submit(running.http.get, running.agree(opened))
        while not deliveries(running, opened):
            assert not coming_back.done()
        assert running.state(opened)["state"] == "working"
        with working(running.settings):
            assert tells_the_page(coming_back.result())
        assert deliveries(running, opened) == [("delivered", 1)]


@contextmanager
def working(settings):
    """Run a worker that shares nothing with the gateway but the database."""
    ended = threading.Event()

    async def work():
        async with open_gateway(settings, serving=False) as gateway:
            worker = Worker(gateway.services)
            worker.start()
            await asyncio.to_thread(ended.wait)
            await worker.stop()

    thread = threading.Thread(target=_run_in_thread, args=(work(),))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_a_store_that_stumbles_in_the_wait_does_not_hide_the_end(all_databases, tmp_path, shop):
    url = all_databases.url("sqlite")
    with selling(url, tmp_path, shop) as running:
        opened = running.open_window("m_1", 9_900)
        address = running.agree(opened)
        assert tells_the_page(running.http.get(address))
        with sqlite3.connect(url.removeprefix("sqlite:///")) as behind:
            behind.execute("ALTER TABLE webhook_deliveries RENAME TO away")
        behind.close()
        assert tells_the_page(running.http.get(address))
        assert running.state(opened)["result"]["success"] is True
