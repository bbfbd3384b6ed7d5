"""Everything is sealed anew under another key while charges run; killed half way, it goes on where it was."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from bench.seed import PutKey

from maedal.billing_keys.billing_key import secret_context
from maedal.flows.charge import charge
from maedal.flows.key_ring import key_uses, make_primary
from maedal.flows.reseal import refused, reseal
from maedal.payments.moves import Status
from maedal.storage.sealing.reads import SealedColumn
from maedal.vault import load_key_file
from tests.support.builders import MERCHANT, a_key, an_order
from tests.support.key_rings import add_key

COUNT = 2_000
KILLED_AT = (500, 500, 500)


class Killed(BaseException):
    """The process ends here: nothing of it is put in order."""


def sealed_keys(vault, count):
    """Yield keys of customers c_0, c_1, …, each sealed as an issued one is."""
    for n in range(count):
        key = a_key(f"c_{n}")
        yield replace(key, sealed_pg_key=vault.seal(f"S{n:019d}", *secret_context(key)))


async def test_many_keys_are_sealed_anew_while_charges_run_and_the_run_is_killed_three_times(flows, tmp_path):
    services = flows.services
    await asyncio.gather(*(flows.store.write(PutKey(key)) for key in sealed_keys(services.vault, COUNT)))
    before = services.vault.primary
    added = add_key(tmp_path / "keys.json")
    services.vault.adopt(load_key_file(tmp_path / "keys.json"))
    services.vault.use(before)
    await flows.store.engine.fetch("DELETE FROM vault_nodes")
    await make_primary(services, added.id, "the ring")

    charged, over = [], asyncio.Event()

    async def charges():
        n = 0
        while not over.is_set() or n < 100:
            order = an_order(f"m_{n}", customer_uid=f"c_{(n * 37) % COUNT}")
            charged.append(await charge(services, MERCHANT, order))
            n += 1

    shop = asyncio.create_task(charges())
    runs = []
    for killed_at in (*KILLED_AT, None):
        done = 0

        def progress(_, count, killed_at=killed_at):
            nonlocal done
            done += count
            if killed_at is not None and done >= killed_at:
                raise Killed

        try:
            result = await reseal(services, progress)
            assert (result.refused, result.left) == ([], 0)
        except Killed:
            pass
        runs.append(done)
    over.set()
    await shop
    # Each run went on where the one before was killed, and none did anything twice.
    windows_and_the_like = sum(runs) - COUNT
    assert 0 <= windows_and_the_like < 10
    assert all(COUNT > done >= killed_at for done, killed_at in zip(runs, KILLED_AT, strict=False))
    assert {payment.status for payment in charged} == {Status.PAID}
    [old] = [use for use in await key_uses(services) if use.id == before]
    assert SealedColumn.PG_KEY not in old.uses
    assert [value async for value in refused(services)] == []
    sids = {body["sid"] for path, body in flows.network.asked if path == "subscription"}
    assert sids == {f"S{(n * 37) % COUNT:019d}" for n in range(len(charged))}


async def test_what_does_not_open_where_it_stands_is_left_as_it_is_and_told(flows, tmp_path):
    await flows.issue_key("c_1")
    await flows.issue_key("c_2")
    await flows.store.engine.fetch("UPDATE billing_keys SET customer_uid = 'c_9' WHERE customer_uid = 'c_1'")
    before = flows.services.vault.primary
    added = add_key(tmp_path / "keys.json")
    flows.services.vault.adopt(load_key_file(tmp_path / "keys.json"))
    await flows.store.engine.fetch("DELETE FROM vault_nodes")
    await make_primary(flows.services, added.id, "the ring")
    result = await reseal(flows.services)
    assert [(value.column, value.subject) for value in result.refused] == [(SealedColumn.PG_KEY, "c_9")]
    [value] = [value async for value in refused(flows.services)]
    assert flows.services.vault.key_of(value.sealed) == before
