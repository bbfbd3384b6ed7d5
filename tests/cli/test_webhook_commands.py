"""`maedal webhook`: the log, sending again, a test call, and secrets that sign."""

from __future__ import annotations

import json
import re
import time
from itertools import count

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from maedal.merchants.merchant import DEMO_CODE
from tests.support.commands import Command
from tests.support.receiver import receiver
from tests.support.world import world

SECRET = re.compile(r"whsec_\S+")
_numbers = count(1)


@pytest.fixture(scope="module")
def shop():
    with receiver() as reply:
        yield reply


@pytest.fixture(scope="module")
def running(all_databases, tmp_path_factory, shop):
    folder = tmp_path_factory.mktemp("world")
    with world(all_databases.url("sqlite"), folder, webhook_url=f"{shop.url}/saved") as started:
        started.issue_key("c_1")
        yield started


@pytest.fixture
def maedal(running, quiet_gateway):
    return Command.of(running, allow_private_addresses="true")


@pytest.fixture
def of(maedal):
    """Run a `maedal webhook` command of the merchant."""
    return lambda *words: maedal("webhook", words[0], "--merchant", DEMO_CODE, *words[1:])


@pytest.fixture
def refused(maedal):
    return lambda *words: maedal.refuses("webhook", words[0], "--merchant", DEMO_CODE, *words[1:])


@pytest.fixture
def path():
    return f"/path-{next(_numbers)}"


def charge(running, path, **more):
    return running.again("c_1", f"order {path}", **more)["response"]["imp_uid"]


def log_until(of, imp_uid, words):
    """Return the log of a payment once it holds `words`."""
    deadline = time.monotonic() + 60
    while words not in (shown := of("log", "--payment", imp_uid)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert words in shown, shown
    return shown


def test_the_log_shows_each_request_and_its_answer(running, of, shop, path):
    url = shop.answer(path, 500, "고장\n\x1b[31mred".encode())
    imp_uid = charge(running, path, notice_url=url)
    shown = log_until(of, imp_uid, "failed")
    assert f"to            {url}" in shown
    assert re.search(rf"try 1 +\d{{4}}-\d\d-\d\d [\d:]+ KST  \d+ ms  {url}  500  고장 \[31mred", shown)
    assert imp_uid in of("log", "--state", "failed", "--since", "2020-01-01")
    assert imp_uid not in of("log", "--state", "failed", "--since", "2999-01-01T00:00:00")
    assert imp_uid not in of("log", "--state", "delivered", "--limit", "500")
    assert "no such webhook" in of("log", "--payment", "imp_000000000000")


def test_a_failed_webhook_is_sent_again_to_where_it_was_to_go(running, of, shop, path):
    imp_uid = charge(running, path, notice_url=shop.answer(path, 500))
    log_until(of, imp_uid, "failed")
    shop.answer(path, 200, b"OK")
    delivery = of("log", "--payment", imp_uid).splitlines()[0]
    assert "1 to be sent" in of("resend", "--delivery", delivery)
    shown = log_until(of, imp_uid, "delivered")
    assert "  500  " in shown
    assert "try 2" in shown
    first, second = shop.wait_for(path, 2)
    assert first.body == second.body


def test_webhooks_are_sent_again_to_the_address_of_now(running, of, shop, path):
    imp_uid = charge(running, path, notice_url=shop.answer(path, 404))
    log_until(of, imp_uid, "failed")
    before = len(shop.at("/saved"))
    assert "1 to be sent" in of("resend", "--payment", imp_uid, "--state", "failed", "--to", "current")
    reply = shop.wait_for("/saved", before + 1)[-1]
    assert json.loads(reply.body)["imp_uid"] == imp_uid
    assert f"{shop.url}/saved" in log_until(of, imp_uid, "delivered")


def test_a_resend_that_fails_is_not_repeated(running, of, maedal, shop, path):
    imp_uid = charge(running, path, notice_url=shop.answer(path, 503))
    log_until(of, imp_uid, "failed")
    maedal("merchant", "webhook", "--merchant", DEMO_CODE, "--retry", "patient")
    time.sleep(2.1)  # the gateway remembers a merchant for two seconds
    of("resend", "--payment", imp_uid)
    log_until(of, imp_uid, "try 2")
    # Read once more: a webhook and its tries are read one after the other.
    assert "failed" in of("log", "--payment", imp_uid)
    maedal("merchant", "webhook", "--merchant", DEMO_CODE, "--retry", "none")


def test_a_cancel_that_nobody_asked_to_be_told_is_only_recorded_until_it_is_sent_by_name(running, of, shop, path):
    imp_uid = charge(running, path)
    log_until(of, imp_uid, "delivered")
    for amount in (500, 700):
        running.call("POST", "/payments/cancel", json={"imp_uid": imp_uid, "amount": amount}).raise_for_status()
    shown = of("log", "--payment", imp_uid, "--state", "recorded")
    ids = [line for line in shown.splitlines() if not line.startswith(" ")]
    assert len(ids) == 2
    assert "next" not in shown
    before = len(shop.at("/saved"))
    # Sending again what was sent leaves them where they are.
    assert "1 to be sent" in of("resend", "--payment", imp_uid)
    again = shop.wait_for("/saved", before + 1)[-1]
    assert json.loads(again.body)["status"] == "paid"
    assert "1 to be sent" in of("resend", "--delivery", ids[-1])
    reply = json.loads(shop.wait_for("/saved", before + 2)[-1].body)
    assert (reply["imp_uid"], reply["status"]) == (imp_uid, "cancelled")
    assert "1 to be sent" in of("resend", "--payment", imp_uid, "--state", "recorded")
    other = json.loads(shop.wait_for("/saved", before + 3)[-1].body)
    assert other["cancellation_id"] != reply["cancellation_id"]
    assert "no such webhook" in of("log", "--payment", imp_uid, "--state", "recorded")


def test_a_test_call_shows_what_the_receiver_answers(of, refused, maedal, shop):
    shown = of("test")
    # It was answered before the command ended; the webhook of the key that was issued may come beside it.
    [reply] = [request for request in shop.at("/saved") if "imp_1234567890" in request.body]
    assert json.loads(reply.body) == {
        "imp_uid": "imp_1234567890",
        "merchant_uid": "merchant_1234567890",
        "status": "ready",
    }
    assert re.search(r"answer +200\n", shown)
    assert re.search(r"text +OK\n", shown)
    assert "no address" in refused("test", "--mode", "live")
    maedal("merchant", "webhook", "--merchant", DEMO_CODE, "--live", shop.answer("/live", 500, b"broken"))
    assert "2xx" in refused("test", "--mode", "live")
    maedal("merchant", "webhook", "--merchant", DEMO_CODE, "--live", "")


def verifies(secret, request):
    try:
        return Webhook(secret).verify(request.body, request.headers) == json.loads(request.body)
    except WebhookVerificationError:
        return False


def test_webhooks_are_signed_and_a_secret_is_changed_without_a_gap(running, of, refused, shop, path):
    assert "no old secret" in refused("end-old-secret")
    charge(running, f"{path}-0", notice_url=f"{shop.url}{path}-0")
    assert not any(name.startswith("webhook-") for name in shop.wait_for(f"{path}-0")[0].headers)
    made = [SECRET.search(of("new-secret"))[0]]

    def reply(number):
        time.sleep(2.1)  # the gateway remembers a merchant for two seconds
        imp_uid = charge(running, f"{path}-{number}", notice_url=f"{shop.url}{path}-{number}")
        [request] = shop.wait_for(f"{path}-{number}")
        assert request.headers["webhook-id"] == f"{imp_uid}-{request.headers['webhook-sequence']}"
        return request

    assert verifies(made[0], reply(1))
    made.append(SECRET.search(of("new-secret"))[0])
    assert "end it first" in refused("new-secret")
    both = reply(2)
    assert [verifies(secret, both) for secret in made] == [True, True]
    of("end-old-secret")
    assert [verifies(secret, reply(f"3-{n}")) for n, secret in enumerate(made)] == [False, True]
    of("test")
    assert verifies(made[1], shop.at("/saved")[-1])
    # It can be ended in the middle of a change too; the next secret has nobody beside it.
    of("new-secret")
    of("stop-signing")
    assert "not signed" in refused("stop-signing")
    assert "no old secret" in refused("end-old-secret")
    time.sleep(2.1)  # the gateway remembers a merchant for two seconds
    charge(running, f"{path}-4", notice_url=f"{shop.url}{path}-4")
    assert not any(name.startswith("webhook-") for name in shop.wait_for(f"{path}-4")[0].headers)
    fresh = SECRET.search(of("new-secret"))[0]
    signed = reply(5)
    assert verifies(fresh, signed)
    assert " " not in signed.headers["webhook-signature"]
    of("stop-signing")


def test_signed_forms_are_warned_of(maedal, of):
    form = ("merchant", "webhook", "--merchant", DEMO_CODE, "--type-test")
    assert "go out as forms" not in maedal(*form, "form")
    assert "go out as forms (test)" in of("new-secret")
    assert "go out as forms (test)" in maedal(*form, "form")
    assert "go out as forms" not in maedal(*form, "json")
    of("stop-signing")


def test_failures_are_told_to_who_wants_them(running, maedal, shop, path):
    maedal("merchant", "webhook", "--merchant", DEMO_CODE, "--failures")
    time.sleep(2.1)  # the gateway remembers a merchant for two seconds
    running.fault("subscription", "decline")
    declined = charge(running, path, notice_url=f"{shop.url}{path}")
    assert json.loads(shop.wait_for(path)[0].body) == {
        "imp_uid": declined,
        "merchant_uid": f"order {path}",
        "status": "failed",
    }
    opened = running.open_window(f"window {path}", 1_000, notice_url=f"{shop.url}{path}-left")
    running.http.post(f"{running.gateway}/sdk/payments/{opened['imp_uid']}/close", json={"token": opened["token"]})
    assert json.loads(shop.wait_for(f"{path}-left")[0].body)["status"] == "failed"
    maedal("merchant", "webhook", "--merchant", DEMO_CODE, "--no-failures")


@pytest.mark.parametrize(
    "words",
    [
        ("resend",),
        ("resend", "--state", "failed", "--to", "elsewhere"),
        ("log", "--state", "gone"),
        ("test", "--mode", "both"),
    ],
)
def test_what_cannot_be_meant_is_refused(refused, words):
    refused(*words)


@pytest.mark.parametrize(
    "words",
    [("test",), ("new-secret",), ("end-old-secret",), ("stop-signing",), ("resend", "--state", "failed")],
)
def test_an_unknown_merchant_is_named(maedal, words):
    assert "imp99999999" in maedal.refuses("webhook", words[0], "--merchant", "imp99999999", *words[1:])
