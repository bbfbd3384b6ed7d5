"""Delivering over minutes and days, with the clock in hand: the tries and their log."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from maedal.flows.charge import charge
from maedal.flows.deliver_webhook import claim_due, deliver
from maedal.flows.services import Answer
from maedal.flows.set_webhook import set_webhook
from tests.support.builders import MERCHANT, an_order


class Shop:
    """A receiver that answers as it is told and takes its time."""

    def __init__(self, clock):
        self._clock = clock
        self.answers = []
        self.notices = []

    async def post(self, url, media_type, body, **_):
        self._clock.add(0.25)
        self.notices.append((url, json.loads(body)["status"]))
        return self.answers.pop(0) if self.answers else Answer(200, "OK")


@pytest.fixture
def shop(flows):
    reply = Shop(flows.clock)
    flows.services = replace(flows.services, merchant_calls=reply)
    return reply


async def a_reported_payment(flows, retry):
    await set_webhook(flows.services, MERCHANT, live=None, test="http://shop.test/w", body=None, retry=retry)
    flows.clock.add(10)  # what was remembered of the merchant is old by then
    await flows.issue_key()
    return await charge(flows.services, MERCHANT, an_order("m_1"))


async def deliver_due(flows):
    """Do one round of a worker; gives how many webhooks were due."""
    lease_id, claimed = await claim_due(flows.services, 10, ())
    for delivery in claimed:
        await deliver(flows.services, delivery, lease_id)
    return len(claimed)


async def state(flows):
    [row] = await flows.store.engine.fetch("SELECT state, tries FROM webhook_deliveries")
    return row["state"], row["tries"]


async def test_few_retries_come_a_minute_apart_and_end_with_the_first_that_is_taken(flows, shop):
    await a_reported_payment(flows, "few")
    shop.answers = [Answer(None, "no answer in time"), Answer(503, "busy\0now")]
    assert await deliver_due(flows) == 1
    flows.clock.add(59)
    assert await deliver_due(flows) == 0
    flows.clock.add(2)
    assert await deliver_due(flows) == 1
    assert await state(flows) == ("waiting", 2)
    flows.clock.add(61)
    assert await deliver_due(flows) == 1
    assert await state(flows) == ("delivered", 3)
    flows.clock.add(3_600)
    assert await deliver_due(flows) == 0
    assert shop.notices == [("http://shop.test/w", "paid")] * 3
    tries = await flows.store.engine.fetch(
        "SELECT number, url, duration_ms, answer_status, answer FROM webhook_tries ORDER BY number"
    )
    assert [tuple(dict(row).values()) for row in tries] == [
        (1, "http://shop.test/w", 250, None, "no answer in time"),
        (2, "http://shop.test/w", 250, 503, "busynow"),
        (3, "http://shop.test/w", 250, 200, "OK"),
    ]


@pytest.mark.parametrize(("retry", "tries"), [("none", 1), ("few", 6), ("patient", 10)])
async def test_a_receiver_that_is_never_well_is_given_up(flows, shop, retry, tries):
    await a_reported_payment(flows, retry)
    shop.answers = [Answer(500, "broken")] * 20
    for _ in range(20):
        await deliver_due(flows)
        flows.clock.add(30 * 3_600)
    assert len(shop.notices) == tries
    assert await state(flows) == ("failed", tries)
