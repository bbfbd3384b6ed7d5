"""`maedal listen` and `maedal trigger` against a running `maedal dev`, and `listen` against `maedal serve`."""

from __future__ import annotations

import json
import re
import signal
import time
from contextlib import contextmanager

import pytest
from standardwebhooks import Webhook as Signed

from maedal.testing.receiver import Inbox, receiving
from maedal.testing.running import running
from maedal.testing.shop import Shop
from tests.support import processes
from tests.support.commands import Command
from tests.support.processes import serving, started

pytestmark = pytest.mark.slow
DEMO = "imp00000000"


@pytest.fixture(scope="module")
def dev():
    with running() as dev:
        yield dev


@pytest.fixture
def folder(dev):
    return ("--data-dir", dev.info["data_dir"])


@pytest.fixture
def own():
    """The shop's own receiver: what it was sent, and its origin."""
    inbox = Inbox()
    with receiving(inbox.take) as origin:
        yield inbox, origin


@pytest.fixture
def maedal():
    return Command()


@contextmanager
def listening(*words, until="Ctrl-C", **settings):
    with started("listen", *words, **settings) as process:
        process.wait_until_it_says(until)
        yield process


def lines(process):
    return [json.loads(line) for line in process.out]


def test_a_webhook_is_passed_on_with_its_signature_and_printed(dev, folder, own, maedal):
    inbox, origin = own
    made = dev.control("POST", "/merchants", {})
    shop = Shop(dev.info, made, dev.control)
    words = (f"{origin}/hook", "--merchant", shop.identification_code, *folder)
    with listening(*words) as listener:
        paid = shop.pay(1_000, "order")
        webhook = inbox.wait(merchant_uid="order")
        listener.wait_until_it_says("order")
    assert webhook.path == "/hook"
    assert Signed(made["webhook_secret"]).verify(webhook.body, dict(webhook.headers))["imp_uid"] == paid["imp_uid"]
    assert re.search(rf"^\d\d:\d\d:\d\d  paid +{paid['imp_uid']} +order  → 200  \d+ ms$", listener.out[-1].rstrip())
    assert shop.set_webhook() is None


def test_json_has_time_event_payment_answer_and_latency(folder, own, maedal):
    inbox, origin = own
    inbox.answer = 422
    with listening(f"{origin}/hook", "--json", *folder, until="listening") as listener:
        happened = json.loads(maedal("trigger", "payment.cancelled", "--json", *folder))
        listener.wait_until_it_says("cancelled")
    began, *events = lines(listener)
    assert began["forwards_to"] == f"{origin}/hook"
    assert [(one["event"], one["code"]) for one in events] == [("paid", 422), ("cancelled", 422)]
    assert {one["imp_uid"] for one in events} == {happened["imp_uid"]}
    assert all(0 <= one["milliseconds"] < 30_000 for one in events)
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d$", one["time"]) for one in events)


def test_the_gateway_hears_what_the_shop_answers(dev, folder, own):
    """So a receiver that fails is tried again by the gateway's own rule, through the listener."""
    inbox, origin = own
    shop = Shop(dev.info, dev.control("POST", "/merchants", {}), dev.control)
    shop.set_webhook(retry="few")
    inbox.answer = 500
    with listening(origin, "--merchant", shop.identification_code, *folder):
        shop.pay(1_000, "order")
        inbox.wait(merchant_uid="order")
        inbox.answer = 200
        shop.travel(minutes=2)
        deadline = time.monotonic() + 60
        while len(inbox.find(merchant_uid="order")) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
    assert len(inbox.find(merchant_uid="order")) == 2


def test_a_shop_that_does_not_answer_is_told_so(folder, maedal):
    with listening("http://127.0.0.1:9/hook", "--json", *folder, until="listening") as listener:
        maedal("trigger", "payment.paid", *folder)
        listener.wait_until_it_says('"event": "paid"')
    assert lines(listener)[1]["code"] is None
    assert "refused" in lines(listener)[1]["error"]


def test_the_address_before_is_set_again_and_a_second_listener_is_refused(dev, folder, own):
    _, origin = own
    demo = dev.demo_shop
    demo.set_webhook(url=f"{origin}/usual")
    with listening(origin, *folder):
        second = processes.run("listen", origin, *folder)
        assert second.returncode == 1
        assert "another maedal listen" in second.stderr
    assert demo.set_webhook(url="") == f"{origin}/usual"


def test_the_address_before_outlives_a_listener_that_was_killed(dev, folder, own):
    _, origin = own
    demo = dev.demo_shop
    demo.set_webhook(url=f"{origin}/usual?a=1&b=2")
    with listening(origin, *folder) as killed:
        killed.popen.send_signal(signal.SIGKILL)
        killed.popen.wait(10)
    with listening(origin, *folder):
        pass
    assert demo.set_webhook(url="") == f"{origin}/usual?a=1&b=2"


def test_an_address_that_was_changed_meanwhile_stays_changed(dev, folder, own):
    _, origin = own
    with listening(origin, *folder):
        dev.demo_shop.set_webhook(url=f"{origin}/newer")
    assert dev.demo_shop.set_webhook(url="") == f"{origin}/newer"


def test_a_merchant_uid_cannot_steer_the_terminal(folder, own, maedal):
    _, origin = own
    with listening(origin, *folder) as listener:
        maedal("trigger", "payment.paid", "--merchant-uid", "a\x1b[2Jb[red]c", *folder)
        listener.wait_until_it_says("a [2Jb[red]c")
    assert "\x1b" not in "".join(listener.out)


def test_what_cannot_be_listened_for_is_refused_in_one_line(tmp_path, folder, maedal):
    assert "no maedal dev runs on" in maedal.refuses("listen", "http://127.0.0.1:9/", "--data-dir", str(tmp_path))
    assert "is no address" in maedal.refuses("listen", "localhost:3000", *folder)
    assert "imp99999999" in maedal.refuses("listen", "http://127.0.0.1:9/", "--merchant", "imp99999999", *folder)
    (tmp_path / "dev.json").write_text('{"gateway": "http://127.0.0.1:9"}')
    assert "does not answer" in maedal.refuses("listen", "http://127.0.0.1:9/", "--data-dir", str(tmp_path))


def test_trigger_says_what_happened_and_uses_a_customers_own_key(dev, folder, maedal):
    message = maedal("trigger", "key.issued", "--customer-uid", "gildong", *folder)
    assert message.startswith("key.issued\n")
    assert re.search(r"^  customer uid  gildong$", message, re.MULTILINE)
    assert re.search(r"^  status +paid$", message, re.MULTILINE)
    dev.demo_shop.settle()
    charged = json.loads(
        maedal("trigger", "charge.paid", "--customer-uid", "gildong", "--amount", "3300", "--json", *folder)
    )
    assert charged["event"] == "charge.paid"
    assert dev.demo_shop.payment(charged["merchant_uid"])["amount"] == 3_300


def test_trigger_lists_its_events_in_both_languages_and_refuses_others(folder, maedal):
    message = maedal("trigger", "--list")
    assert "charge.lost" in message
    assert "웹훅 failed" in message
    assert "known are payment.ready" in maedal.refuses("trigger", "payment.exploded", *folder)
    assert "--list" in maedal.refuses("trigger", *folder)
    assert "등록되지 않은 구매자입니다" in maedal.refuses("trigger", "charge.paid", "--customer-uid", "nobody", *folder)


def test_webhooks_of_serve_are_listened_to_where_its_settings_allow_it(all_databases, tmp_path, own):
    inbox, origin = own
    with serving(all_databases.url("sqlite"), tmp_path) as served:
        code = served.merchant.merchant.code
        words = (f"{origin}/hook", "--merchant", code)
        forbidden = processes.run("listen", *words, **served.values | {"allow_private_addresses": "false"})
        assert "MAEDAL_ALLOW_PRIVATE_ADDRESSES" in forbidden.stderr
        with listening(*words, **served.values) as listener:
            opened = served.open_window("order", 1_000)
            assert served.worlds[0].finish(opened)["result"]["success"]
            listener.wait_until_it_says("order")
        assert inbox.find(merchant_uid="order", status="paid")
