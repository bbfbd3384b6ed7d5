"""`confirm_url`: the merchant has the last word before the money (docs/wire/portone-v1-rest.md 5.6)."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import count

import pytest

import maedal.flows.approve
from maedal.app import open_gateway
from maedal.flows.set_webhook import set_webhook
from maedal.merchants.merchant import DEMO_CODE
from tests.support import rows
from tests.support.receiver import receiver
from tests.support.world import _run_in_thread, world

_numbers = count(1)
STOPPED = "고객사 요청에 의해 결제를 중단합니다. (상세사유 : {})"


@pytest.fixture(scope="module")
def shop():
    with receiver() as reply:
        yield reply


@pytest.fixture(scope="module")
def running(all_databases, tmp_path_factory):
    with world(all_databases.url("sqlite"), tmp_path_factory.mktemp("world")) as everything:
        yield everything


@pytest.fixture
def order():
    return f"order_{next(_numbers)}"


def pay(running, order, url, **more):
    opened = running.open_window(order, 9_900, confirm_url=url, **more)
    return opened, running.finish(opened)["result"]


def stopped(running, order, url):
    """Pay, be stopped, and return the reason; KakaoPay must never have heard of an approval."""
    opened, result = pay(running, order, url)
    assert (result["success"], result["error_code"]) == (False, "CONFIRM_REJECTED")
    payment = running.payment(opened["imp_uid"])
    assert (payment["status"], payment["paid_at"], payment["fail_reason"]) == ("failed", 0, result["error_msg"])
    assert running.log(operation="approve", tid=running_tid(running, opened)) == []
    return result["error_msg"]


def running_tid(running, opened):
    # A failed payment shows no tid on the wire; the row still knows its window.
    found = rows.fetch(
        running.settings.database_url, f"SELECT pg_tid FROM payments WHERE imp_uid = '{opened['imp_uid']}'"
    )
    return found[0]["pg_tid"]


def test_200_lets_the_payment_through(running, shop, order):
    opened, result = pay(running, order, shop.answer("/yes", 200, b""))
    assert (result["success"], result["status"]) == (True, "paid")
    asked = shop.at("/yes")[0]
    assert asked.headers["content-type"] == "application/json"
    assert json.loads(asked.body) == {"imp_uid": opened["imp_uid"], "merchant_uid": order, "amount": 9_900}
    assert len(running.log(operation="approve", tid=running_tid(running, opened))) == 1


def test_200_lets_a_key_be_issued(running, shop, order):
    _, result = pay(running, order, shop.answer("/key", 200, b"ok"), customer_uid=order)
    assert result["customer_uid"] == order


@pytest.mark.parametrize("status", [201, 204, 302, 400, 404, 500])
def test_any_other_status_stops_it_with_its_reason(running, shop, order, status):
    url = shop.answer(f"/no-{status}", status, json.dumps({"reason": "품절 & <b>"}).encode() * (status != 204))
    reason = stopped(running, order, url)
    assert reason == STOPPED.format({204: "알 수 없음"}.get(status, "품절 & <b>"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"sold out",
        b"{}",
        b"[]",
        b'"reason"',
        b'{"reason": null}',
        b'{"reason": 5}',
        b'{"reason": "  "}',
        b"\xff",
        b"[" * 50_000,
    ],
)
def test_a_reason_that_is_none_is_unknown(running, shop, order, body):
    assert stopped(running, order, shop.answer(f"/{order}", 400, body)) == STOPPED.format("알 수 없음")


def test_a_long_reason_is_cut(running, shop, order):
    body = json.dumps({"reason": "가" * 5_000 + "\0"}).encode()
    assert stopped(running, order, shop.answer(f"/{order}", 400, body)) == STOPPED.format("가" * 200)


def test_no_answer_in_time_stops_it(running, shop, order, monkeypatch):
    assert timedelta(seconds=10) == maedal.flows.approve.CONFIRM_TIMEOUT
    monkeypatch.setattr(maedal.flows.approve, "CONFIRM_TIMEOUT", timedelta(seconds=1))
    shop.delays["/late"] = 1.6
    assert stopped(running, order, f"{shop.url}/late") == STOPPED.format("알 수 없음")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://nowhere.invalid/", "ftp://127.0.0.1/", "nonsense"])
def test_nobody_there_stops_it(running, order, url):
    assert stopped(running, order, url) == STOPPED.format("알 수 없음")


def test_the_merchant_is_asked_once_even_if_the_buyer_comes_back_twice(running, shop, order):
    opened = running.open_window(order, 9_900, confirm_url=shop.answer("/once", 400, b""))
    address = running.agree(opened)
    for _ in range(3):
        running.http.get(address)
    assert len(shop.at("/once")) == 1


def test_a_private_address_is_not_asked_unless_allowed(all_databases, tmp_path, shop, order):
    with world(all_databases.url("sqlite"), tmp_path, allow_private_addresses=False) as running:
        assert stopped(running, order, f"{shop.url}/private") == STOPPED.format("알 수 없음")
    assert shop.at("/private") == []


def test_a_merchant_that_switched_it_off_is_not_asked(all_databases, tmp_path, shop, order):
    async def switch_off(settings):
        async with open_gateway(settings, serving=False) as gateway:
            await set_webhook(gateway.services, DEMO_CODE, live=None, test=None, body=None, confirm=False)

    with world(all_databases.url("sqlite"), tmp_path) as running:
        _run_in_thread(switch_off(running.settings))
        _, result = pay(running, order, shop.answer("/off", 400, b""))
    assert result["success"]
    assert shop.at("/off") == []
