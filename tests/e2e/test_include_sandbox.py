"""Under the rule `strict`, one payment of a test channel is shown only to who asks for it; nothing else changes."""

from __future__ import annotations

import time

import pytest

from maedal.settings import IncludeSandbox
from tests.support import rows, shapes
from tests.support.world import world


@pytest.fixture(scope="module")
def running(all_databases, tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    url = all_databases.url("sqlite")
    with world(url, folder, include_sandbox=IncludeSandbox.STRICT) as everything:
        everything.issue_key("c_1")
        time.sleep(1.1)  # a key rests for a second after each approval
        yield everything


def asked(running, payment, query=""):
    return running.call("GET", f"/payments/{payment['imp_uid']}{query}")


def test_a_test_payment_is_as_if_missing_unless_it_is_asked_for(running):
    payment = running.again("c_1", "strict_test", 1_000)["response"]
    for query in ("", "?include_sandbox=false", "?include_sandbox=", "?include_sandbox=0", "?include_sandbox=maybe"):
        assert shapes.refused(asked(running, payment, query), 404, -1) == "존재하지 않는 결제정보입니다."
    for query in ("?include_sandbox=true", "?include_sandbox=1", "?include_sandbox=TRUE"):
        assert shapes.answered(asked(running, payment, query)) == payment


def test_every_other_call_shows_test_payments_as_ever(running):
    time.sleep(1.1)
    payment = running.again("c_1", "strict_other", 1_000)["response"]
    assert payment["sandbox"] is True
    one = running.call("GET", f"/payments?imp_uid[]={payment['imp_uid']}")
    assert shapes.answered(one) == [payment]
    assert shapes.answered(running.call("GET", "/payments/find/strict_other")) == payment
    for path in ("/payments/findAll/strict_other", "/payments/status/paid", "/subscribe/customers/c_1/payments"):
        assert payment in shapes.answered(running.call("GET", path))["list"]
    cancelled = running.call("POST", "/payments/cancel", json={"imp_uid": payment["imp_uid"]})
    assert shapes.answered(cancelled)["status"] == "cancelled"


def test_a_payment_of_a_live_channel_is_shown_to_everybody(running):
    time.sleep(1.1)
    payment = running.again("c_1", "strict_live", 1_000)["response"]
    # Nothing here can take real money, so the row is told that it did.
    live = f"UPDATE payments SET test_mode = FALSE WHERE imp_uid = '{payment['imp_uid']}'"
    rows.fetch(running.settings.database_url, live)
    for query in ("", "?include_sandbox=false", "?include_sandbox=true"):
        assert shapes.answered(asked(running, payment, query)) == payment | {"sandbox": False}
