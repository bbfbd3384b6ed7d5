"""Webhooks: who is told what, and that a payment never depends on it (docs/wire/portone-v1-rest.md 5)."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import replace
from itertools import count
from urllib.parse import parse_qs

import pytest

from maedal.app import open_gateway
from maedal.flows.set_webhook import set_webhook
from maedal.merchants.merchant import DEMO_CODE, PageNotices
from maedal.payments.payment import Origin
from maedal.webhooks.webhook import destinations
from tests.support import rows, shapes
from tests.support.builders import a_merchant, an_issuing_window
from tests.support.receiver import receiver
from tests.support.world import _run_in_thread, world

_numbers = count(1)


@pytest.fixture(scope="module")
def shop():
    with receiver() as reply:
        yield reply


async def _change(settings, **changes):
    async with open_gateway(settings, serving=False) as gateway:
        await set_webhook(gateway.services, DEMO_CODE, **{"live": None, "test": None, "body": None} | changes)


@pytest.fixture(scope="module")
def telling(all_databases, tmp_path_factory, shop):
    """A merchant that is told at /json."""
    folder = tmp_path_factory.mktemp("world")
    with world(all_databases.url("sqlite"), folder, webhook_url=f"{shop.url}/json") as running:
        yield running


@pytest.fixture
def order():
    return f"order_{next(_numbers)}"


def deliveries(running, imp_uid):
    return rows.fetch(
        running.settings.database_url,
        "SELECT d.url, d.state, d.tries, d.body, t.answer_status, t.answer"
        " FROM webhook_deliveries d LEFT JOIN webhook_tries t ON t.delivery_id = d.id AND t.number = d.tries"
        f" WHERE d.imp_uid = '{imp_uid}' ORDER BY d.id",
    )


def finished_deliveries(running, imp_uid, how_many=1):
    """Return the deliveries of a payment once none of them is waiting any more."""
    deadline = time.monotonic() + 60
    found = deliveries(running, imp_uid)
    while any(row["state"] == "waiting" for row in found) and time.monotonic() < deadline:
        time.sleep(0.02)
        found = deliveries(running, imp_uid)
    assert len(found) == how_many
    return found


def test_a_charge_an_issue_and_a_payment_are_told_as_json(telling, shop):
    telling.issue_key("c_json")
    charged = telling.again("c_json", "json_charge")["response"]
    opened = telling.open_window("json_window", 9_900)
    telling.finish(opened)
    reply = shop.wait_for("/json", 3)
    bodies = [json.loads(request.body) for request in reply]
    assert {request.headers["content-type"] for request in reply} == {"application/json"}
    assert bodies[0]["merchant_uid"] == "issue_c_json"
    assert bodies[1] == {"imp_uid": charged["imp_uid"], "merchant_uid": "json_charge", "status": "paid"}
    assert bodies[2] == {"imp_uid": opened["imp_uid"], "merchant_uid": "json_window", "status": "paid"}
    assert [row["state"] for row in finished_deliveries(telling, charged["imp_uid"])] == ["delivered"]


def test_what_is_told_can_be_read_at_once(telling, shop):
    """Receivers read the payment again before they believe it (5.1): it must be there, and paid."""
    opened = telling.open_window("read at once", 1_000, notice_url=f"{shop.url}/read")
    telling.http.get(telling.agree(opened))
    imp_uid = json.loads(shop.wait_for("/read")[0].body)["imp_uid"]
    assert telling.payment(imp_uid)["status"] == "paid"


def test_a_notice_url_of_the_server_is_told_instead_and_one_of_a_page_beside(telling, shop, order):
    opened = telling.open_window("notice", customer_uid="c_notice", notice_url=f"{shop.url}/issue")
    telling.finish(opened)
    charged = telling.again("c_notice", order, notice_url=f"{shop.url}/charge")["response"]
    assert json.loads(shop.wait_for("/charge")[0].body)["merchant_uid"] == order
    assert len(shop.wait_for("/issue")) == 1
    found = [row["url"] for row in finished_deliveries(telling, opened["imp_uid"], 2)]
    assert sorted(found) == [f"{shop.url}/issue", f"{shop.url}/json"]
    assert [row["url"] for row in finished_deliveries(telling, charged["imp_uid"])] == [f"{shop.url}/charge"]


@pytest.mark.parametrize(
    ("page_notices", "urls"),
    [
        (PageNotices.IGNORE, ("http://shop.test/own",)),
        (PageNotices.ADD, ("http://shop.test/own", "http://page.test/")),
        (PageNotices.REPLACE, ("http://page.test/",)),
    ],
)
def test_what_a_page_names_counts_for_as_much_as_the_merchant_lets_it(page_notices, urls):
    merchant = replace(a_merchant(), webhook_url_test="http://shop.test/own", page_notices=page_notices)
    window, _, _ = an_issuing_window()
    asked = replace(window, order=replace(window.order, notice_urls=("http://page.test/",)))
    assert destinations(asked, merchant) == urls
    assert destinations(window, merchant) == ("http://shop.test/own",)
    # What the server says in a call of its own is its own word.
    assert destinations(replace(asked, origin=Origin.API), merchant) == ("http://page.test/",)
    assert destinations(asked, replace(merchant, webhook_url_test=None)) == (
        () if page_notices is PageNotices.IGNORE else ("http://page.test/",)
    )


def test_every_address_of_a_list_is_told(telling, shop, order):
    urls = [f"{shop.url}/list-{n}" for n in range(3)]
    opened = telling.open_window(order, 1_000, notice_url=urls)
    telling.finish(opened)
    bodies = {shop.wait_for(f"/list-{n}")[0].body for n in range(3)}
    assert len(bodies) == 1
    found = sorted(row["url"] for row in finished_deliveries(telling, opened["imp_uid"], 4))
    assert found == [f"{shop.url}/json", *urls]


@pytest.mark.parametrize("notice_url", ["", None, [], ["", None]])
def test_an_empty_notice_url_is_none(telling, shop, order, notice_url):
    opened = telling.open_window(order, 1_000, notice_url=notice_url)
    telling.finish(opened)
    assert [row["url"] for row in finished_deliveries(telling, opened["imp_uid"])] == [f"{shop.url}/json"]


def test_blanks_around_an_address_are_dropped(telling, shop, order):
    opened = telling.open_window(
        order, 1_000, notice_url=[f" {shop.url}/blank-{order} ", " ", f"{shop.url}/blank-{order}"]
    )
    telling.finish(opened)
    assert len(shop.wait_for(f"/blank-{order}")) == 1
    found = sorted(row["url"] for row in finished_deliveries(telling, opened["imp_uid"], 2))
    assert found == [f"{shop.url}/blank-{order}", f"{shop.url}/json"]


def test_a_confirm_url_with_a_blank_behind_it_is_asked(telling, shop, order):
    opened = telling.open_window(order, 1_000, confirm_url=f"{shop.url}/confirm-{order} ")
    assert telling.finish(opened)["result"]["success"] is True
    assert len(shop.wait_for(f"/confirm-{order}")) == 1


def test_a_declined_charge_a_closed_window_and_a_deleted_key_are_not_told(telling, order):
    telling.issue_key("c_quiet")
    telling.fault("subscription", "decline")
    declined = telling.again("c_quiet", order)["response"]
    assert declined["status"] == "failed"
    opened = telling.open_window(order, 1_000)
    telling.http.post(f"{telling.gateway}/sdk/payments/{opened['imp_uid']}/close", json={"token": opened["token"]})
    before = rows.counts(telling.settings.database_url)["webhook_deliveries"]
    telling.call("DELETE", "/subscribe/customers/c_quiet")
    assert deliveries(telling, declined["imp_uid"]) == []
    assert deliveries(telling, opened["imp_uid"]) == []
    assert rows.counts(telling.settings.database_url)["webhook_deliveries"] == before


def test_a_declined_approval_is_not_told(telling, order):
    telling.fault("approve", "decline")
    opened = telling.open_window(order, 1_000)
    assert telling.finish(opened)["result"]["success"] is False
    assert deliveries(telling, opened["imp_uid"]) == []


@pytest.mark.parametrize(("status", "words"), [(500, b"broken"), (404, b"gone"), (302, b""), (400, "나쁨".encode())])
def test_a_receiver_that_refuses_is_kept_and_changes_nothing(telling, shop, order, status, words):
    opened = telling.open_window(order, 1_000, notice_url=shop.answer(f"/refuses-{status}", status, words))
    telling.finish(opened)
    payment = telling.payment(opened["imp_uid"])
    # A page's address is told beside the merchant's own.
    both = finished_deliveries(telling, payment["imp_uid"], 2)
    [kept] = [one for one in both if one["url"].endswith(f"/refuses-{status}")]
    assert (kept["state"], kept["answer_status"], kept["answer"]) == ("failed", status, words.decode())
    assert payment["status"] == "paid"
    assert telling.payment(payment["imp_uid"]) == payment
    assert len(shop.at(f"/refuses-{status}")) == 1


def test_a_receiver_that_is_down_is_kept_and_changes_nothing(telling, order):
    telling.issue_key(order)
    payment = telling.again(order, f"{order} down", notice_url="http://127.0.0.1:9/")["response"]
    assert payment["status"] == "paid"
    kept = finished_deliveries(telling, payment["imp_uid"])[0]
    assert (kept["state"], kept["answer_status"]) == ("failed", None)
    assert kept["answer"]


def test_a_slow_receiver_does_not_hold_the_charge(telling, shop, order):
    telling.issue_key(order)
    shop.delays["/slow"] = 1.5
    started = time.monotonic()
    payment = telling.again(order, f"{order} slow", notice_url=f"{shop.url}/slow")["response"]
    assert time.monotonic() - started < 1.4
    assert finished_deliveries(telling, payment["imp_uid"])[0]["state"] == "delivered"


def test_each_mode_may_be_told_by_forms(all_databases, tmp_path, shop):
    with world(all_databases.url("sqlite"), tmp_path) as running:
        urls = {"test": f"{shop.url}/form", "live": f"{shop.url}/live"}
        _run_in_thread(_change(running.settings, **urls, type_test="form", type_live="json"))
        running.issue_key("c_1")
        payment = running.again("c_1", "주문 1/2 & 3")["response"]
        reply = shop.wait_for("/form", 2)[1]
    assert reply.headers["content-type"] == "application/x-www-form-urlencoded"
    read = {name: values[0] for name, values in parse_qs(reply.body).items()}
    assert read == {"imp_uid": payment["imp_uid"], "merchant_uid": "주문 1/2 & 3", "status": "paid"}
    assert shop.at("/live") == []


def test_without_any_address_nothing_is_told(all_databases, tmp_path):
    with world(all_databases.url("sqlite"), tmp_path) as running:
        running.issue_key("c_1")
        running.again("c_1", "m_1")
        assert rows.counts(running.settings.database_url)["webhook_deliveries"] == 0


def test_private_addresses_are_not_told_unless_allowed(all_databases, tmp_path, shop):
    with world(
        all_databases.url("sqlite"), tmp_path, webhook_url=f"{shop.url}/private", allow_private_addresses=False
    ) as running:
        imp_uid = running.issue_key("c_1")["imp_uid"]
        kept = finished_deliveries(running, imp_uid)[0]
    assert (kept["state"], kept["answer_status"], kept["answer"]) == ("failed", None, "the address is private")
    assert shop.at("/private") == []


def test_the_webhook_waits_in_the_outbox_before_the_caller_hears_anything(database_url, tmp_path, shop):
    with world(
        database_url, tmp_path, webhook_url=f"{shop.url}/outbox", gateway_options={"with_worker": False}
    ) as running:
        running.issue_key("c_1")
        payment = running.again("c_1", "m_1")["response"]
        waiting = deliveries(running, payment["imp_uid"])
        assert [(row["state"], json.loads(row["body"])["status"]) for row in waiting] == [("waiting", "paid")]
    assert shop.at("/outbox") == []


@pytest.mark.slow
def test_without_its_webhook_the_outcome_is_not_recorded_either(all_databases, tmp_path, shop):
    url = all_databases.url("sqlite")
    with world(
        url,
        tmp_path,
        webhook_url=f"{shop.url}/atomic",
        gateway_options={"with_worker": False},
        clarify_wait_seconds=0.5,
    ) as running:
        running.issue_key("c_1")
        with sqlite3.connect(url.removeprefix("sqlite:///")) as behind:
            behind.execute(
                "CREATE TRIGGER no_outbox BEFORE INSERT ON webhook_deliveries BEGIN SELECT RAISE(ABORT, 'full'); END"
            )
        behind.close()
        body = {"customer_uid": "c_1", "merchant_uid": "m_1", "amount": 1_000}
        answer = running.call("POST", "/subscribe/payments/again", json=body)
        # The money has moved, so this is no "failed": nobody knows here until it is clarified.
        assert shapes.envelope(answer, 200, 503)["code"] == -1
        stored = shapes.answered(running.call("GET", "/payments/find/m_1"))
        assert (stored["status"], stored["paid_at"]) == ("ready", 0)
        events = rows.fetch(url, f"SELECT event FROM payment_events WHERE imp_uid = '{stored['imp_uid']}'")
        assert "approved" not in {row["event"] for row in events}
        assert deliveries(running, stored["imp_uid"]) == []
