"""What a receiver checks of a webhook: the bytes it was sent, the time of the world, and whose secret signed."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from standardwebhooks import Webhook

from maedal.app import open_gateway
from maedal.flows.set_webhook import set_webhook
from maedal.flows.sign_webhook import new_secret
from maedal.merchants.merchant import DEMO_CODE
from tests.support.receiver import receiver
from tests.support.world import _run_in_thread, world


@pytest.fixture(scope="module")
def shop():
    with receiver() as reply:
        yield reply


def begin_to_sign(running):
    secrets = []

    async def sign():
        async with open_gateway(running.settings, serving=False) as gateway:
            secrets.append(await new_secret(gateway.services, DEMO_CODE))

    _run_in_thread(sign())
    return secrets[0]


@pytest.fixture(scope="module")
def signing(all_databases, tmp_path_factory, shop):
    folder = tmp_path_factory.mktemp("world")
    with world(all_databases.url("sqlite"), folder, webhook_url=f"{shop.url}/told", travels=True) as running:
        yield running


def test_after_time_travel_a_signature_has_the_time_of_the_world(signing, shop):
    secret = begin_to_sign(signing)
    clock = signing.app.state.services.clock
    clock.travel(clock.now() + timedelta(days=200))
    signing.issue_key("c_far")
    [reply] = shop.wait_for("/told")
    # Raises when the time is more than five minutes from the receiver's own clock.
    assert Webhook(secret).verify(reply.body, reply.headers)["status"] == "paid"


def test_a_test_call_after_time_travel_has_the_time_of_the_world_too(signing, shop):
    secret = begin_to_sign(signing)
    from maedal.flows.resend_webhooks import call_for_test

    async def call():
        async with open_gateway(signing.settings, serving=False) as gateway:
            await call_for_test(gateway.services, DEMO_CODE, test_mode=True)

    before = len(shop.at("/told"))
    _run_in_thread(call())
    reply = shop.wait_for("/told", before + 1)[-1]
    assert Webhook(secret).verify(reply.body, reply.headers)["imp_uid"] == "imp_1234567890"


def test_a_json_body_is_compact(signing, shop):
    before = len(shop.at("/told"))
    signing.issue_key("주문 하나")
    reply = shop.wait_for("/told", before + 1)[-1]
    assert reply.body == json.dumps(json.loads(reply.body), ensure_ascii=False, separators=(",", ":"))
    assert reply.body.startswith('{"imp_uid":"imp_')


def test_an_address_that_was_copied_with_a_blank_is_saved_without_it(signing):
    async def save():
        async with open_gateway(signing.settings, serving=False) as gateway:
            return await set_webhook(
                gateway.services, DEMO_CODE, live=" https://shop.example/hook \n", test=None, body=None
            )

    saved = []

    async def keep():
        saved.append(await save())

    _run_in_thread(keep())
    assert saved[0].webhook_url_live == "https://shop.example/hook"
