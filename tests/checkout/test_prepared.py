"""What the shop's server registered is held against a window when it opens, and again before it is approved."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from maedal.app import open_gateway
from maedal.flows.set_up_channel import ChannelSettings, change_channel
from maedal.merchants.merchant import DEMO_CODE
from maedal.storage.errors import StoreError
from maedal.storage.prepared_amounts.queries import SqlPreparedAmountReads
from tests.support import rows

_orders = count(1)


@pytest.fixture
def order():
    return f"prepared_{next(_orders)}"


def register(running, merchant_uid, amount, method="POST", **more):
    body = {"merchant_uid": merchant_uid, "amount": amount} | more
    assert running.call(method, "/payments/prepare", json=body).json()["code"] == 0


def approvals(running, opened):
    return [line for line in running.log(operation="approve") if line["tid"] == running.tid(opened)]


def assert_refused(running, opened, code, text):
    """Let the buyer agree: they are told, the shop is told, it stands in the books, and nothing is taken."""
    page = running.http.get(running.agree(opened)).text
    assert text in page
    result = running.state(opened)["result"]
    assert (result["success"], result["error_code"], result["error_msg"]) == (False, code, text)
    assert running.payment(opened["imp_uid"])["status"] == "failed"
    assert approvals(running, opened) == []
    [attempt] = rows.fetch(
        running.settings.database_url,
        f"SELECT outcome, proof FROM attempts WHERE verb = 'approve' AND imp_uid = '{opened['imp_uid']}'",
    )
    assert (attempt["outcome"], attempt["proof"]) == ("not_sent", "merchant_refused")


AMOUNT = ("AMOUNT_MISMATCH", "결제금액이 등록된 금액과 다릅니다.")
CUSTOMER = ("CUSTOMER_UID_MISMATCH", "customer_uid가 등록된 값과 다릅니다.")


def test_an_amount_that_is_registered_after_the_window_opened_is_enforced(running, order):
    opened = running.open_window(order, 100)
    register(running, order, 10_000)
    assert_refused(running, opened, *AMOUNT)
    assert running.finish(running.open_window(order, 10_000))["result"]["paid_amount"] == 10_000


def test_an_amount_that_is_changed_while_the_window_is_open_is_enforced(running, order):
    register(running, order, 100)
    opened = running.open_window(order, 100)
    register(running, order, 10_000, "PUT")
    assert_refused(running, opened, *AMOUNT)


def test_a_window_for_another_customer_than_was_registered_neither_opens_nor_is_approved(running, order):
    early = running.open_window(order, 0, customer_uid="c_somebody_else")
    register(running, order, 0, customer_uid="c_me")
    assert running.open_window(order, 0, customer_uid="c_somebody_else")["error_code"] == CUSTOMER[0]
    assert_refused(running, early, *CUSTOMER)
    # Who changes the amount alone does not take the customer away.
    register(running, order, 500, "PUT")
    assert running.open_window(order, 500, customer_uid="c_somebody_else")["error_code"] == CUSTOMER[0]
    assert running.open_window(order, 500)["error_code"] == CUSTOMER[0]
    assert running.finish(running.open_window(order, 500, customer_uid="c_me"))["result"]["customer_uid"] == "c_me"


def test_what_cannot_be_looked_up_is_not_approved(running, order, monkeypatch):
    opened = running.open_window(order, 1_000)

    async def away(*_):
        raise StoreError("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(SqlPreparedAmountReads, "find", away)
        running.http.get(running.agree(opened))
    assert running.state(opened)["result"]["error_code"] == "NOT_SENT"
    assert approvals(running, opened) == []


async def _only(running, prepared_only):
    async with open_gateway(running.settings, serving=False) as gateway:
        for channel in await gateway.store.channels.of_merchant(DEMO_CODE):
            settings = ChannelSettings(prepared_only=prepared_only)
            await change_channel(gateway.services, DEMO_CODE, channel.id, settings)


@pytest.fixture
def only_prepared(running):
    """Let the channels take only what is registered; the gateway hears of it when it reads them anew."""
    cache = running.app.state["services"].merchant_cache
    for wanted in (True, False):
        asyncio.run(_only(running, wanted))
        cache.forget_merchant(DEMO_CODE)
        if wanted:
            yield


def test_a_channel_for_prepared_payments_only_takes_no_others(running, order, only_prepared):
    assert running.open_window(order, 1_000)["error_code"] == "NOT_PREPARED"
    register(running, order, 1_000)
    # An amount alone is no leave to register somebody's billing key.
    assert running.open_window(order, 1_000, customer_uid="c_1")["error_code"] == "NOT_PREPARED"
    assert running.finish(running.open_window(order, 1_000))["result"]["success"] is True
    register(running, f"{order}_key", 0, customer_uid="c_1")
    assert running.finish(running.open_window(f"{order}_key", 0, customer_uid="c_1"))["result"]["success"] is True


def test_a_channel_that_takes_prepared_payments_only_from_now_on_approves_no_other_that_is_open(
    running, order, request
):
    opened = running.open_window(order, 1_000)
    request.getfixturevalue("only_prepared")
    running.http.get(running.agree(opened))
    assert running.state(opened)["result"]["error_code"] == "NOT_PREPARED"
    assert approvals(running, opened) == []
