"""Plans that a connection made while the tables were empty do not stay."""

from __future__ import annotations

from types import SimpleNamespace

from maedal.storage.channels.writes import PutChannel
from maedal.storage.engine import postgres
from maedal.storage.merchants.writes import AddMerchant
from maedal.storage.open import create_store
from maedal.storage.payments.writes import BeginCharge
from tests.storage.test_store import a_charge, issue_key
from tests.support.builders import a_channel, a_merchant, an_api_key


def test_a_connection_makes_its_plans_anew_ever_less_often():
    connection = SimpleNamespace(transactions=0)
    texts = [postgres._begin(connection, BeginCharge) for _ in range(3_000)]
    assert {n for n, text in enumerate(texts, 1) if "DISCARD PLANS" in text} == {8, 32, 128, 512, 2_048}


async def test_plans_made_anew_take_nothing_from_a_charge(all_databases, monkeypatch):
    monkeypatch.setattr(postgres, "PLANS_ANEW_AT", frozenset(range(1, 1_000)))
    store = create_store(all_databases.url("postgresql"))
    await store.open()
    try:
        await store.write(AddMerchant(a_merchant(), an_api_key()))
        await store.write(PutChannel(a_channel()))
        await issue_key(store)
        begun = await store.write(a_charge("m_1"))
        assert (await store.payments.find(begun.payment.merchant_id, begun.payment.imp_uid)) == begun.payment
    finally:
        await store.close()
