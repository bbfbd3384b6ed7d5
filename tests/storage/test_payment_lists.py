"""What payments are found by: written after they changed, by whoever comes, and never older than what is there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from maedal.payments.failure_causes import FailedWith
from maedal.payments.moves import Event
from maedal.payments.payment import Buyer
from maedal.storage.billing_keys.reads import KeyFilter
from maedal.storage.channels.writes import PutChannel
from maedal.storage.engine.steps import UNITS, ChangeAll
from maedal.storage.errors import StoreError
from maedal.storage.merchants.writes import AddMerchant
from maedal.storage.migrate import migrate
from maedal.storage.open import create_store
from maedal.storage.payment_lists import units
from maedal.storage.payment_lists.reads import (
    Basis,
    ListFilter,
    ListOrder,
    ListQuery,
    PaymentStanding,
    SearchField,
)
from maedal.storage.payment_lists.search_text import CODES, text_of, written
from maedal.storage.payment_lists.units import PUT_TEXTS
from maedal.storage.payment_lists.writes import IndexTexts
from maedal.storage.payments.writes import Record
from maedal.storage.write import Write
from tests.storage.test_store import LATER, a_charge, issue_key
from tests.support.builders import MERCHANT, a_channel, a_merchant, an_api_key, approved, declined


@dataclass(frozen=True, slots=True)
class PutText(Write[None]):
    text: tuple[Any, ...]


def put_texts(writes):
    yield ChangeAll(PUT_TEXTS, [w.text for w in writes])
    return [None] * len(writes)


async def found(store, word: str, field: SearchField | None = None) -> set[str]:
    criteria = ListQuery(ListFilter(word=word, field=field), ListOrder.NEWEST, 100)
    counts = await store.payment_lists.counts(MERCHANT, criteria.filter)
    part = await store.payment_lists.page(MERCHANT, criteria)
    assert counts.all == len(part.payments)
    return {payment.order.merchant_uid for payment in part.payments}


async def test_a_payment_is_found_by_what_it_is_once_its_text_is_written(store):
    await issue_key(store)
    begun = await store.write(a_charge("Order_가나다"))
    assert await found(store, "order_가") == set()
    assert await store.payment_lists.texts_behind(10) == await store.write(IndexTexts(10)) > 0
    assert await found(store, "order_가") == {"Order_가나다"}
    await store.write(
        Record(begun.payment, begun.attempt.id, Event.DECLINED, declined(), LATER, fail_reason="한도 초과")
    )
    assert await found(store, "한도") == set()
    assert await store.write(IndexTexts(10)) == 1
    assert await found(store, "한도") == await found(store, "한도", SearchField.FAIL_REASON) == {"Order_가나다"}
    assert await found(store, "한도", SearchField.NAME) == set()
    assert await store.payment_lists.texts_behind(10) == 0


async def test_a_write_of_texts_that_is_cut_off_leaves_them_to_be_written(store, monkeypatch):
    await issue_key(store)
    await store.write(a_charge("m_1"))
    behind = await store.payment_lists.texts_behind(10)
    with monkeypatch.context() as broken:
        broken.setattr(units, "PUT_TEXTS", replace(PUT_TEXTS, sql="INSERT INTO nowhere SELECT item.text FROM {items}"))
        with pytest.raises(StoreError):
            await store.write(IndexTexts(10))
    assert await store.payment_lists.texts_behind(10) == behind
    await store.write(IndexTexts(10))
    assert await found(store, "m_1") == {"m_1"}


async def test_many_write_texts_at_once_and_the_newest_stays(store, monkeypatch):
    await issue_key(store)
    begun = [await store.write(a_charge(f"m_{n}", customer_uid="c_1")) for n in range(1)]
    await store.write(Record(begun[0].payment, begun[0].attempt.id, Event.APPROVED, approved("T_of_m_0"), LATER))
    taken = await asyncio.gather(*(store.write(IndexTexts(1)) for _ in range(8)))
    assert sum(taken) >= 3
    assert await store.payment_lists.texts_behind(10) == 0
    assert await found(store, "t_OF_m_0") == {"m_0"}
    # Whoever read an older payment comes too late.
    stale = (MERCHANT, begun[0].payment.imp_uid, 1, "stale")
    monkeypatch.setitem(UNITS, PutText, put_texts)
    await store.write(PutText(stale))
    assert await found(store, "t_OF_m_0") == {"m_0"}


async def failed_by(store, codes: tuple[str, ...], *, others: bool = False, **filters) -> set[str]:
    criteria = ListFilter(failed_with=FailedWith(codes, others), **filters)
    page = await store.payment_lists.page(MERCHANT, ListQuery(criteria, ListOrder.NEWEST, 100))
    counts = await store.payment_lists.counts(MERCHANT, criteria)
    assert counts.exact
    assert counts.of[PaymentStanding.FAILED] == counts.all
    assert filters.get("standing") or counts.all == len(page.payments)
    return {payment.order.merchant_uid for payment in page.payments}


async def test_failed_payments_are_found_by_their_pg_and_code(store):
    await issue_key(store)
    for merchant_uid, code in (("m_balance", "-782 0174"), ("m_ours", "NOT_SENT"), ("m_other", "-782 4711")):
        begun = await store.write(a_charge(merchant_uid))
        result = declined(code)
        await store.write(Record(begun.payment, begun.attempt.id, Event.DECLINED, result, LATER, code, "r"))
    paid = await store.write(a_charge("m_paid"))
    await store.write(Record(paid.payment, paid.attempt.id, Event.APPROVED, approved("T_paid"), LATER))
    await store.write(IndexTexts(100))
    known = ("kakaopay -782 0174", "kakaopay NOT_SENT")
    for filters in ({}, {"basis": Basis.STATUS}, {"word": "m_"}, {"standing": PaymentStanding.FAILED}):
        assert await failed_by(store, known[:1], **filters) == {"m_balance"}
        assert await failed_by(store, known, **filters) == {"m_balance", "m_ours"}
        assert await failed_by(store, known, others=True, **filters) == {"m_other"}
    assert await failed_by(store, ("other -782 0174",)) == set()
    assert await failed_by(store, known, others=True, standing=PaymentStanding.PAID) == set()


async def test_a_billing_key_is_found_by_the_digits_of_its_phone(store):
    await issue_key(store, customer=Buyer(tel="010-1234-5678"))
    for word, count in (("01012345678", 1), ("1234 5678", 1), ("234-56", 1), ("12345679", 0), ("%", 0)):
        found = await store.billing_keys.search(MERCHANT, KeyFilter(word=word), 10)
        assert len(found) == count, word


@pytest.fixture
def without_extension(all_databases) -> str:
    """A migrated database whose user may not make extensions."""
    url = all_databases.server.create_database("without_extension")

    async def ask(*statements: str) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        rows = [await connection.fetch(statement) for statement in statements]
        await connection.close()
        return rows[-1]

    asyncio.run(ask("CREATE ROLE plain LOGIN PASSWORD 'plain'", "ALTER SCHEMA public OWNER TO plain"))
    parts = urlsplit(url)
    plain = urlunsplit(parts._replace(netloc=f"plain:plain@{parts.hostname}:{parts.port}"))
    migrate(plain)
    assert asyncio.run(ask("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")) == []
    return plain


async def test_without_leave_for_the_extension_a_database_is_migrated_and_words_are_found(without_extension):
    store = create_store(without_extension)
    await store.open()
    await store.write(AddMerchant(a_merchant(), an_api_key()))
    await store.write(PutChannel(a_channel()))
    await issue_key(store)
    await store.write(a_charge("m_1"))
    await store.write(IndexTexts(10))
    assert await found(store, "M_1") == {"m_1"}
    await store.close()


def test_a_part_of_a_word_is_a_part_of_its_written_form_and_nothing_else_is():
    assert written("ABC") == "abc"
    assert written("민지") in written("김민지")
    assert written("지") not in written("직진")
    assert len({written(chr(0xAC00 + n)) for n in range(11_172)}) == 11_172
    assert CODES == 10 * 16**3
    assert written("e\u0301") == written("É")
    assert written("\x0e\x1f\x00") == ""
    values = dict.fromkeys(SearchField, None) | {SearchField.NAME: "x\x0f=y"}
    assert text_of(values).count("\x0f") == 1
