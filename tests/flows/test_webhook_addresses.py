"""Several addresses of a merchant's webhooks: each hears of what it chose, by itself, signed with its own secret."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from maedal.flows.cancel import CancelRequest, cancel
from maedal.flows.charge import charge
from maedal.flows.deliver_webhook import TURNED_OFF, claim_due, deliver
from maedal.flows.resend_webhooks import call_for_test, resend_webhooks
from maedal.flows.services import Answer
from maedal.flows.set_webhook import set_webhook
from maedal.flows.webhook_addresses import (
    FURTHER_MAX,
    AddressSettings,
    add_address,
    change_address,
    end_old_address_secret,
    new_address_secret,
    remove_address,
)
from maedal.payments.errors import InvalidParameter
from maedal.storage.webhooks.reads import FIRST, DeliverySearch
from maedal.webhooks.webhook import DeliveryState
from tests.support.builders import MERCHANT, an_order
from tests.support.network import reply

OWN, BOOKS, CRM = "http://shop.test/w", "http://books.test/w", "http://crm.test/w"
EVERY = ["payment.paid", "schedule.failed", "payment.failed", "payment.cancelled"]


class Receivers:
    """Everybody who is told, each answering as it is set."""

    def __init__(self):
        self.down = set()
        self.heard = []
        self.headers = {}

    async def post(self, url, media_type, body, *, headers=None, **_):
        self.heard.append((url, json.loads(body)["status"] if body.startswith("{") else body))
        self.headers[url] = (headers, body)
        return Answer(503, "down") if url in self.down else Answer(200, "OK")

    def take(self):
        heard, self.heard = self.heard, []
        return sorted(heard)


@pytest.fixture
def receivers(flows):
    receivers = Receivers()
    flows.services = replace(flows.services, merchant_calls=receivers)
    return receivers


async def deliver_all(flows):
    """Send what is due; a payment's next webhook waits for the one before it."""
    for _ in range(3):
        lease_id, claimed = await claim_due(flows.services, 50, ())
        for delivery in claimed:
            await deliver(flows.services, delivery, lease_id)


async def add(flows, url=BOOKS, *events, **changes):
    settings = {"name": "books", "url": url, "test_mode": True, "events": events or EVERY} | changes
    return await add_address(flows.services, MERCHANT, AddressSettings(**settings))


def settings_of(address, **changes):
    settings = AddressSettings(
        address.name,
        address.url,
        address.test_mode,
        address.events,
        address.webhook_type,
        address.retry,
        address.active,
    )
    return replace(settings, **changes)


async def pay(flows, merchant_uid, **order):
    flows.clock.add(20)
    return await charge(flows.services, MERCHANT, an_order(merchant_uid, **order))


async def own_address(flows):
    await set_webhook(flows.services, MERCHANT, live=None, test=OWN, body=None, retry="none")
    await flows.issue_key()


def declined(flows):
    extras = {"method_result_code": "LACK_BALANCE", "method_result_message": "why"}
    body = {"error_code": -782, "error_message": "declined", "extras": extras}
    flows.network.next_answer["subscription"] = lambda _: reply(body, 400)


async def test_each_address_hears_of_what_it_chose(flows, receivers):
    await own_address(flows)
    await add(flows, BOOKS, "payment.paid", "payment.cancelled")
    await add(flows, CRM, "payment.failed")
    await add(flows, "http://live.test/w", test_mode=False)
    paid = await pay(flows, "m_1")
    await deliver_all(flows)
    assert receivers.take() == [(BOOKS, "paid"), (OWN, "paid")]
    declined(flows)
    await pay(flows, "m_2")
    await deliver_all(flows)
    # Of failures that nobody scheduled PortOne tells nobody; whoever chose them hears.
    assert receivers.take() == [(CRM, "failed")]
    await cancel(flows.services, MERCHANT, CancelRequest(paid.imp_uid, None))
    await deliver_all(flows)
    assert (BOOKS, "cancelled") in receivers.take()


async def test_one_that_is_down_holds_up_none_of_the_others_and_is_told_again_by_itself(flows, receivers):
    await own_address(flows)
    books, _ = await add(flows, retry="few")
    receivers.down = {BOOKS}
    await pay(flows, "m_1")
    await deliver_all(flows)
    assert receivers.take() == [(BOOKS, "paid"), (OWN, "paid")]
    receivers.down = set()
    flows.clock.add(61)
    await deliver_all(flows)
    assert receivers.take() == [(BOOKS, "paid")]
    search = DeliverySearch(20, address_id=books.id)
    [found] = (await flows.store.webhooks.search(MERCHANT, search)).rows
    assert (found.log.state, len(found.log.tries)) == (DeliveryState.DELIVERED, 2)
    [own] = (await flows.store.webhooks.search(MERCHANT, replace(search, address_id=FIRST))).rows
    assert own.log.delivery.url == OWN
    assert own.log.delivery.event_id == found.log.delivery.event_id


async def test_a_payments_own_address_replaces_the_first_one_alone(flows, receivers):
    await own_address(flows)
    await add(flows)
    await pay(flows, "m_1", notice_urls=(CRM,))
    await deliver_all(flows)
    assert receivers.take() == [(BOOKS, "paid"), (CRM, "paid")]
    # The same as a further address, it is told once.
    await pay(flows, "m_2", notice_urls=(BOOKS,))
    await deliver_all(flows)
    assert receivers.take() == [(BOOKS, "paid")]


async def test_each_signs_with_a_secret_of_its_own_and_changes_it_without_a_gap(flows, receivers):
    await own_address(flows)
    address, first = await add(flows)
    _, others = await add(flows, CRM)

    async def who_signs(*secrets):
        await call_for_test(flows.services, MERCHANT, address_id=address.id, status="cancelled")
        headers, body = receivers.headers[BOOKS]
        assert "cancellation_id" in body
        at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), tz=UTC)
        signatures = headers["webhook-signature"].split()
        return [Webhook(secret).sign(headers["webhook-id"], at, body) in signatures for secret in secrets]

    assert await who_signs(first, others) == [True, False]
    second = await new_address_secret(flows.services, MERCHANT, address.id)
    assert await who_signs(first, second) == [True, True]
    with pytest.raises(InvalidParameter):
        await new_address_secret(flows.services, MERCHANT, address.id)
    await end_old_address_secret(flows.services, MERCHANT, address.id)
    assert await who_signs(first, second) == [False, True]


async def test_one_that_is_off_has_its_webhooks_recorded_and_a_person_sends_them(flows, receivers):
    await own_address(flows)
    address, _ = await add(flows, active=False)
    await pay(flows, "m_1")
    await deliver_all(flows)
    assert receivers.take() == [(OWN, "paid")]
    search = DeliverySearch(20, [DeliveryState.RECORDED], address_id=address.id)
    sent = await resend_webhooks(flows.services, MERCHANT, search, to_current=False, who="Kim")
    assert sent == 1
    await deliver_all(flows)
    assert receivers.take() == [(BOOKS, "paid")]


@pytest.mark.parametrize("how", ["off", "removed"])
async def test_what_waits_for_one_that_is_turned_off_or_removed_is_given_up_without_a_call(flows, receivers, how):
    await own_address(flows)
    address, _ = await add(flows)
    await pay(flows, "m_1")
    if how == "off":
        await change_address(flows.services, MERCHANT, address.id, settings_of(address, active=False))
    else:
        await remove_address(flows.services, MERCHANT, address.id)
    await deliver_all(flows)
    assert receivers.take() == [(OWN, "paid")]
    [found] = (await flows.store.webhooks.search(MERCHANT, DeliverySearch(20, address_id=address.id))).rows
    assert (found.log.state, found.log.tries[-1].answer) == (DeliveryState.FAILED, TURNED_OFF)


async def test_what_cannot_be_an_address_is_refused(flows):
    await own_address(flows)
    address, _ = await add(flows)
    for changes, field in (
        ({"url": "shop.example"}, "url"),
        ({"url": BOOKS}, "url"),
        ({"url": OWN}, "url"),
        ({"name": " "}, "name"),
        ({"events": []}, "events"),
        ({"events": ["payment.wanted"]}, "events"),
        ({"webhook_type": "xml"}, "type"),
        ({"retry": "ever"}, "retry"),
    ):
        with pytest.raises(InvalidParameter) as refused:
            await add(flows, **{"url": CRM, **changes})
        assert refused.value.field == field
    with pytest.raises(InvalidParameter):
        await change_address(flows.services, MERCHANT, "nobody", settings_of(address))
    for n in range(FURTHER_MAX - 1):
        await add(flows, f"http://{n}.test/w")
    with pytest.raises(InvalidParameter, match="10 webhook addresses"):
        await add(flows, CRM)
    # The same address for payments of the other mode is another one.
    await remove_address(flows.services, MERCHANT, address.id)
    await add(flows, OWN, test_mode=False)
