"""How long an access token that somebody has ended is still good, and what looking costs."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from litestar import Request

from maedal.app import open_gateway
from maedal.flows.issue_token import issue_token
from maedal.flows.manage_api_keys import end_old_api_secret, renew_api_secret
from maedal.flows.set_up_merchant import create_merchant
from maedal.rest.auth import REMEMBERED, Tokens
from maedal.rest.errors import ApiRefusal
from maedal.settings import Settings
from maedal.vault import create_key_file
from tests.support.builders import NOW
from tests.support.clock import HandClock


@pytest.fixture
async def nodes(database_url, tmp_path):
    """Two gateways on one database; gives their services and how each tells tokens."""
    create_key_file(tmp_path / "keys.json")
    settings = Settings(database_url=database_url, key_file=tmp_path / "keys.json", public_url="http://gateway.test")
    clock = HandClock(NOW)
    async with (
        open_gateway(settings, clock=clock, serving=False) as one,
        open_gateway(settings, clock=clock, serving=False) as other,
    ):
        yield clock, (one.services, Tokens(one.services)), (other.services, Tokens(other.services))


def calling(token: str) -> Request:
    headers = [(b"authorization", token.encode())]
    return Request({"type": "http", "headers": headers, "query_string": b"", "client": ("203.0.113.7", 1)})


async def test_a_token_that_is_ended_is_void_at_once_here_and_after_a_second_on_every_other_node(nodes):
    clock, (services, here), (_, other_node) = nodes
    made = await create_merchant(services, "shop")
    token = (await issue_token(services, made.api_key, made.api_secret)).text
    assert await here.merchant_id(calling(token)) == await other_node.merchant_id(calling(token)) == made.merchant.code
    await renew_api_secret(services, made.merchant.code, made.api_key, overlap=timedelta(hours=1))
    assert await here.merchant_id(calling(token)) == made.merchant.code
    await end_old_api_secret(services, made.merchant.code, made.api_key)
    with pytest.raises(ApiRefusal):
        await here.merchant_id(calling(token))
    clock.add(REMEMBERED.total_seconds())
    with pytest.raises(ApiRefusal):
        await other_node.merchant_id(calling(token))
    assert timedelta(seconds=1) == REMEMBERED


async def test_calls_that_come_together_look_once_and_none_looks_again_within_the_second(nodes, monkeypatch):
    clock, (services, here), _ = nodes
    made = await create_merchant(services, "shop")
    token = (await issue_token(services, made.api_key, made.api_secret)).text
    looked = []
    usual = services.store.merchants.token_owner

    async def counted(digests):
        looked.append(digests)
        return await usual(digests)

    monkeypatch.setattr(services.store.merchants, "token_owner", counted)
    await asyncio.gather(*(here.merchant_id(calling(token)) for _ in range(50)))
    clock.add(0.9)
    await here.merchant_id(calling(token))
    assert len(looked) == 1
    clock.add(0.1)
    await here.merchant_id(calling(token))
    assert len(looked) == 2
    # After the clock has jumped back, what was remembered would be good for too long.
    clock.add(-60)
    await here.merchant_id(calling(token))
    assert len(looked) == 3
