"""A page of a span is the same however it is found: sorted, or walked from the end of an index."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from bench.history import LARGE, History, copy_to_sqlite, seed

from maedal.payments.moves import Status
from maedal.payments.payment import Origin
from maedal.storage.engine.reading import moment
from maedal.storage.open import create_store
from maedal.storage.payment_lists import queries as list_queries
from maedal.storage.payment_lists.reads import ListFilter, ListOrder, ListQuery, Place
from maedal.storage.payments import queries
from maedal.storage.payments.reads import PaymentFilter, Sorting
from maedal.storage.payments.rows import payment_of

PAYMENTS = 1_000
LIMIT = 7
SOME_PUT_OFF = "UPDATE payments SET put_off = TRUE WHERE status = 'failed' AND right(imp_uid, 1) < '4'"
KEYS = {
    Sorting.STARTED: lambda p: p.started_at,
    Sorting.PAID: lambda p: p.paid_at.timestamp() if p.paid_at else 0.0,
    Sorting.UPDATED: lambda p: p.updated_at,
}
NEWEST = {
    Sorting.STARTED_NEWEST: Sorting.STARTED,
    Sorting.PAID_NEWEST: Sorting.PAID,
    Sorting.UPDATED_NEWEST: Sorting.UPDATED,
}


@pytest.fixture(scope="module")
def seeded(all_databases):
    """The addresses of two databases with the same year of two shops, and of some charges that were put off."""
    urls = {engine: all_databases.url(engine) for engine in ("postgresql", "sqlite")}

    async def fill():
        await seed(urls["postgresql"], History(PAYMENTS, shops=2), lambda _: None)
        connection = await asyncpg.connect(urls["postgresql"])
        await connection.execute(SOME_PUT_OFF)
        await connection.close()
        await copy_to_sqlite(urls["postgresql"], Path(urls["sqlite"].removeprefix("sqlite:///")), lambda _: None)

    asyncio.run(fill())
    return urls


@asynccontextmanager
async def opened(url):
    store = create_store(url, serving=False)
    await store.open()
    yield store
    await store.close()


def ordered(payments, sorting):
    """The order that the wire promises: by the time, and by id where that is the same."""
    by_id = sorted(payments, key=lambda p: p.imp_uid)
    return sorted(by_id, key=KEYS[NEWEST.get(sorting, sorting)], reverse=sorting in NEWEST)


@pytest.mark.parametrize("found", ["sorted", "walked"])
@pytest.mark.parametrize("engine", ["postgresql", "sqlite"])
async def test_every_page_of_a_span_is_what_its_order_says(seeded, monkeypatch, engine, found):
    monkeypatch.setattr(queries, "SORTED_MAX", 10**9 if found == "sorted" else 0)
    async with opened(seeded[engine]) as store:
        rows = await store.engine.fetch("SELECT * FROM payments WHERE merchant_id = $1", LARGE)
        payments = [payment_of(row) for row in rows]
        assert any(p.put_off for p in payments)
        latest = max(p.status_at for p in payments)
        for statuses in (tuple(Status), (Status.PAID,), (Status.FAILED,), (Status.CANCELLED,), (Status.READY,)):
            for until in (latest, latest - timedelta(days=120)):
                since = until - timedelta(days=90)
                inside = [
                    p for p in payments if p.status in statuses and since <= p.status_at <= until and not p.put_off
                ]
                for sorting in Sorting:
                    expected = [p.imp_uid for p in ordered(inside, sorting)]
                    for page in (1, 3):
                        wanted = PaymentFilter(statuses, sorting, page, LIMIT, since=since, until=until)
                        shown = await store.payments.page(LARGE, wanted)
                        first = (page - 1) * LIMIT
                        assert shown.total == len(inside), (statuses, sorting)
                        assert [p.imp_uid for p in shown.payments] == expected[first : first + LIMIT], (
                            statuses, sorting, until,
                        )  # fmt: skip


@pytest.mark.parametrize("engine", ["postgresql", "sqlite"])
async def test_a_span_in_the_past_is_not_walked_to_over_what_is_newer(seeded, monkeypatch, engine):
    monkeypatch.setattr(queries, "SORTED_MAX", 0)
    monkeypatch.setattr(queries, "NEWER_MAX", 100)
    async with opened(seeded[engine]) as store:
        reads = store.payments
        [row] = await store.engine.fetch("SELECT max(started_at) AS at FROM payments WHERE merchant_id = $1", LARGE)
        newest = moment(row["at"])
        wanted = PaymentFilter(tuple(Status), Sorting.STARTED_NEWEST, 1, LIMIT, since=newest, until=newest)
        assert "coalesce" not in await reads._order(LARGE, wanted, 10)
        long_ago = newest - timedelta(days=200)
        wanted = PaymentFilter(tuple(Status), Sorting.STARTED_NEWEST, 1, LIMIT, since=long_ago, until=long_ago)
        assert "coalesce" in await reads._order(LARGE, wanted, 10)


@pytest.mark.parametrize("order", [ListOrder.NEWEST, ListOrder.OLDEST])
@pytest.mark.parametrize("engine", ["postgresql", "sqlite"])
async def test_filters_that_leave_little_are_looked_through_in_parts_and_lose_nothing(
    seeded, monkeypatch, engine, order
):
    monkeypatch.setattr(list_queries, "LOOKED_MAX", 100)
    filters = ListFilter(amount_from=85_000, origin=Origin.API)
    async with opened(seeded[engine]) as store:
        everything = await store.payment_lists.page(LARGE, ListQuery(filters, order, 1_000))
        assert everything.looked_until is None
        found, ended, place = [], 0, None
        while True:
            part = await store.payment_lists.page(LARGE, ListQuery(filters, order, 30, place, bounded=True))
            found += [p.imp_uid for p in part.payments]
            ended += part.looked_until is not None
            if not part.more and part.looked_until is None:
                break
            place = part.looked_until or Place(part.payments[-1].started_at, part.payments[-1].imp_uid)
        assert found == [p.imp_uid for p in everything.payments]
        assert found
        assert ended >= 4, "of some six hundred payments a hundred are looked through at once"


@pytest.mark.parametrize("engine", ["postgresql", "sqlite"])
async def test_a_list_without_filters_is_not_looked_through(seeded, monkeypatch, engine):
    monkeypatch.setattr(list_queries, "LOOKED_MAX", 10)
    async with opened(seeded[engine]) as store:
        part = await store.payment_lists.page(LARGE, ListQuery(ListFilter(), ListOrder.NEWEST, 30, bounded=True))
        assert (len(part.payments), part.more, part.looked_until) == (30, True, None)
