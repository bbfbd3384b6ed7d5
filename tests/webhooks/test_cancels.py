"""Which cancels are told, and which are only recorded (docs/wire/portone-v1-rest.md 5.2)."""

from __future__ import annotations

import json
import time

import pytest

from tests.support import rows
from tests.support.receiver import receiver
from tests.support.world import world


@pytest.fixture
def shop():
    with receiver() as reply:
        yield reply


@pytest.fixture
def running(database_url, tmp_path, shop):
    with world(database_url, tmp_path, webhook_url=f"{shop.url}/saved", clarify_wait_seconds=1.5) as everything:
        yield everything


def paid(running, merchant_uid="m_1", **more):
    opened = running.open_window(merchant_uid, 9_900, **more)
    assert running.finish(opened)["result"]["success"]
    return opened["imp_uid"]


def cancel(running, imp_uid, **more):
    answer = running.call("POST", "/payments/cancel", json={"imp_uid": imp_uid} | more).json()
    assert answer["code"] == 0, answer
    return answer["response"]


def cancels_of(running, imp_uid):
    """Return the webhooks of a payment's cancels, oldest first, once none of them waits."""
    deadline = time.monotonic() + 60
    while True:
        found = rows.fetch(
            running.settings.database_url,
            f"SELECT state, tries, url, body FROM webhook_deliveries WHERE imp_uid = '{imp_uid}' ORDER BY sequence",
        )
        if all(row["state"] != "waiting" for row in found) or time.monotonic() > deadline:
            return [row for row in found if json.loads(row["body"])["status"] == "cancelled"]
        time.sleep(0.02)


def test_a_cancel_is_told_only_to_who_asks_and_otherwise_recorded(running, shop):
    imp_uid = paid(running)
    shop.wait_for("/saved", 1)
    cancel(running, imp_uid, amount=1_000)
    cancel(running, imp_uid, amount=2_000, enable_webhook=True)
    cancel(running, imp_uid, amount=3_000, enable_webhook=False)
    # The one that is told comes, although one that is only recorded was before it.
    reply = json.loads(shop.wait_for("/saved", 2)[1].body)
    quiet, loud, last = cancels_of(running, imp_uid)
    assert [(row["state"], row["tries"]) for row in (quiet, loud, last)] == [
        ("recorded", 0),
        ("delivered", 1),
        ("recorded", 0),
    ]
    assert json.loads(loud["body"]) == reply
    assert json.loads(quiet["body"]) == reply | {"cancellation_id": json.loads(quiet["body"])["cancellation_id"]}
    assert len({row["body"] for row in (quiet, loud, last)}) == 3
    assert len(shop.at("/saved")) == 2


def test_a_cancel_goes_to_the_saved_address_in_the_record_too(running, shop):
    """Also when the payment itself was told elsewhere (5.3)."""
    imp_uid = paid(running, notice_url=f"{shop.url}/notice")
    shop.wait_for("/notice", 1)
    cancel(running, imp_uid)
    assert [(row["state"], row["url"]) for row in cancels_of(running, imp_uid)] == [("recorded", f"{shop.url}/saved")]


@pytest.mark.slow
def test_a_cancel_that_is_found_out_later_is_recorded_once(running):
    imp_uid = paid(running)
    running.fault("cancel", "drop_after")
    assert cancel(running, imp_uid)["status"] == "cancelled"
    assert [row["state"] for row in cancels_of(running, imp_uid)] == ["recorded"]


def test_a_payment_that_told_nobody_has_nothing_to_record(database_url, tmp_path):
    with world(database_url, tmp_path) as running:
        imp_uid = paid(running)
        cancel(running, imp_uid)
        assert cancels_of(running, imp_uid) == []
