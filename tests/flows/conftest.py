"""A wired gateway with the clock in hand and the network scripted, on a fresh database of either kind."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from maedal.app import open_gateway
from maedal.billing_keys.billing_key import secret_context
from maedal.flows.services import Limits
from maedal.payments.attempt import Attempt, Verb
from maedal.payments.moves import Event
from maedal.payments.window import token_context
from maedal.settings import Settings
from maedal.storage.channels.writes import PutChannel
from maedal.storage.merchants.writes import AddMerchant
from maedal.storage.payments.writes import Record
from maedal.storage.windows.writes import BeginApproval, OpenWindow, RecordPrepared
from maedal.vault import create_key_file
from tests.support.builders import MERCHANT, NOW, a_channel, a_key, a_merchant, an_api_key, an_issuing_window, approved
from tests.support.clock import HandClock
from tests.support.network import ScriptedNetwork


class Flows:
    """The parts, and builders that speak the tests' language."""

    def __init__(self, services, network, clock):
        self.services, self.network, self.clock, self.store = services, network, clock, services.store

    async def issue_key(self, customer_uid="c_1", now=NOW, **changes):
        """Put a living key there, its secret really sealed."""
        payment, window, attempt = an_issuing_window(customer_uid=customer_uid)
        payment, attempt = replace(payment, started_at=now, updated_at=now), replace(attempt, begun_at=now)
        assert await self.store.write(OpenWindow(payment, window, attempt))
        await self.store.write(RecordPrepared(MERCHANT, payment.imp_uid, attempt.id, approved(), "p", "m", "a", now))
        approval = Attempt(attempt.id + "a", payment.merchant_id, Verb.APPROVE, attempt.id, now, payment.imp_uid)
        token = self.services.vault.seal("token", *token_context(payment.merchant_id, payment.imp_uid))
        payment = await self.store.write(BeginApproval(payment, approval, token))
        key = a_key(customer_uid, **changes)
        sealed = self.services.vault.seal("S0123456789abcdef012", *secret_context(key))
        key = replace(key, sealed_pg_key=sealed)
        await self.store.write(Record(payment, approval.id, Event.APPROVED, approved(), now, issued_key=key))
        return key


@contextlib.asynccontextmanager
async def wired(database_url, tmp_path):
    create_key_file(tmp_path / "keys.json")
    settings = Settings(
        database_url=database_url,
        key_file=tmp_path / "keys.json",
        public_url="http://gateway.test",
        sandbox_url="http://kakaopay.test",
    )
    clock = HandClock(NOW, running=True)
    async with open_gateway(settings, clock=clock) as gateway:
        network = ScriptedNetwork(clock)
        services = replace(
            gateway.services, transport=network, limits=Limits(busy_wait_seconds=20, clarify_wait_seconds=5)
        )
        await services.store.write(AddMerchant(a_merchant(), an_api_key()))
        await services.store.write(PutChannel(a_channel()))
        yield Flows(services, network, clock)


@pytest.fixture
async def flows(database_url, tmp_path):
    async with wired(database_url, tmp_path) as flows:
        yield flows
