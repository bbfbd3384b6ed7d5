"""The database knows its keys: another ring is refused at the start, and keys change in an order that harms nobody."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace

import pytest

from maedal.app import open_gateway
from maedal.flows.charge import charge
from maedal.flows.issue_token import issue_token
from maedal.flows.key_ring import SETTLES_IN, KeyWatch, WrongKeys, key_uses, make_primary, retire
from maedal.flows.manage_operators import create_operator
from maedal.flows.reseal import reseal
from maedal.flows.set_up_merchant import create_merchant
from maedal.flows.sign_in import Browser, SignedIn, sign_in
from maedal.operators.actor import Actor
from maedal.operators.role import Role
from maedal.payments.moves import Status
from maedal.settings import Settings
from maedal.storage.errors import KeysMissing
from maedal.storage.sealing.reads import SealedColumn
from maedal.storage.sealing.writes import Reseal
from maedal.vault import create_key_file, load_key_file
from maedal.vault.ring import parse, replace_file, text_of
from tests.flows.conftest import wired
from tests.support.builders import MERCHANT, an_order
from tests.support.clock import HandClock
from tests.support.key_rings import add_key, write_first_version

HERE = Browser("203.0.113.7", "Firefox")


@pytest.fixture
def key_file(tmp_path):
    return tmp_path / "keys.json"


def settings_of(database_url, key_file):
    return Settings(
        database_url=database_url,
        key_file=key_file,
        public_url="http://gateway.test",
        sandbox_url="http://kakaopay.test",
    )


async def unseen(flows):
    """Let the process of the fixture be one that the database has not heard of."""
    await flows.store.engine.fetch("DELETE FROM vault_nodes")


def watch_of(services, key_file):
    """Return the watch of another process with the same parts, which reads `key_file` anew."""

    async def reload():
        services.vault.adopt(load_key_file(key_file))

    return KeyWatch(services, f"the key file {key_file}", reload)


async def test_a_wrong_key_file_is_refused_at_the_start_and_told_what_to_do(database_url, key_file, tmp_path):
    create_key_file(key_file)
    async with open_gateway(settings_of(database_url, key_file)):
        pass
    create_key_file(tmp_path / "other.json")
    right, wrong = load_key_file(key_file), load_key_file(tmp_path / "other.json")
    for serving in (True, False):
        with pytest.raises(WrongKeys) as refused:
            async with open_gateway(settings_of(database_url, tmp_path / "other.json"), serving=serving):
                pass
        text = str(refused.value)
        for named in (str(tmp_path / "other.json"), right.primary, right.fingerprints[right.primary], wrong.primary):
            assert named in text
        assert "maedal keys fingerprint" in text
    async with open_gateway(settings_of(database_url, key_file)):
        pass


async def test_the_database_keeps_nothing_of_a_key(database_url, key_file):
    create_key_file(key_file)
    vault = load_key_file(key_file)
    async with open_gateway(settings_of(database_url, key_file)) as gateway:
        [row] = await gateway.store.engine.fetch("SELECT * FROM vault_keys")
        assert (row["id"], row["fingerprint"]) == (vault.primary, vault.fingerprints[vault.primary])
        kept = "".join(str(value) for value in dict(row).values())
    [key] = vault.keys
    assert key.macs[0].hex() not in kept
    assert key.keyset not in kept


async def test_a_database_from_before_is_told_its_keys_only_by_a_ring_that_opens_it(database_url, key_file, tmp_path):
    async with wired(database_url, tmp_path) as flows:
        await flows.issue_key()
        await flows.store.engine.fetch("DELETE FROM vault_keys")
    create_key_file(tmp_path / "other.json")
    with pytest.raises(WrongKeys, match="opens nothing of what is sealed"):
        async with open_gateway(settings_of(database_url, tmp_path / "other.json")):
            pass
    # A newer key beside the one that sealed it all does not become primary by itself.
    sealed_with = load_key_file(key_file).primary
    add_key(key_file)
    async with open_gateway(settings_of(database_url, key_file)) as gateway:
        assert gateway.services.vault.primary == sealed_with


async def test_a_process_that_lacks_the_key_charges_nothing_is_not_ready_and_reads_its_file_anew(flows, key_file):
    await flows.issue_key()
    old = key_file.read_text()
    added = add_key(key_file)
    # The other process has both keys.
    theirs = replace(flows.services, vault=load_key_file(key_file), key_standing=type(flows.services.key_standing)())
    await unseen(flows)
    await make_primary(theirs, added.id, "the ring")
    await reseal(theirs)
    new = key_file.read_text()
    key_file.write_text(old)
    watch = watch_of(flows.services, key_file)
    await watch.look()
    assert added.id in flows.services.key_standing.problem
    with pytest.raises(KeysMissing):
        await charge(flows.services, MERCHANT, an_order("m_1"))
    assert await flows.store.payments.find_by_merchant_uid(MERCHANT, "m_1", list(Status), "started") is None
    assert flows.network.count("subscription") == 0
    # Once its file is the new one it goes on, without being started anew.
    key_file.write_text(new)
    watch = watch_of(flows.services, key_file)
    await watch.look()
    assert flows.services.key_standing.problem is None
    flows.clock.add(60)
    assert (await charge(flows.services, MERCHANT, an_order("m_1"))).status is Status.PAID


async def test_a_key_becomes_primary_only_when_every_process_has_it(flows, key_file):
    await unseen(flows)
    behind = watch_of(flows.services, key_file)
    await behind.look()
    added = add_key(key_file)
    theirs = replace(flows.services, vault=load_key_file(key_file))
    with pytest.raises(WrongKeys, match=r"do not have the key .* yet") as refused:
        await make_primary(theirs, added.id, "the ring")
    assert behind.holder_id in str(refused.value)
    # It was told of the key by that, and reads its file anew.
    await behind.look()
    assert added.id in flows.services.vault.fingerprints
    assert flows.services.vault.primary != added.id
    await make_primary(theirs, added.id, "the ring")
    await behind.look()
    assert flows.services.vault.primary == theirs.vault.primary == added.id


async def test_a_process_that_was_not_seen_for_a_minute_holds_nobody_up(flows, key_file):
    await watch_of(flows.services, key_file).look()
    added = add_key(key_file)
    theirs = replace(flows.services, vault=load_key_file(key_file))
    flows.clock.add(61)
    await make_primary(theirs, added.id, "the ring")


async def test_a_key_is_retired_only_when_nothing_uses_it_and_seals_nothing_afterwards(flows, key_file):
    await flows.issue_key()
    before = flows.services.vault.primary
    with pytest.raises(WrongKeys, match="the one that seals"):
        await retire(flows.services, before)
    added = add_key(key_file)
    asleep = replace(flows.services, vault=load_key_file(key_file), key_standing=type(flows.services.key_standing)())
    asleep.vault.use(before)
    flows.services.vault.adopt(load_key_file(key_file))
    await unseen(flows)
    await make_primary(flows.services, added.id, "the ring")
    with pytest.raises(WrongKeys, match="less than a minute ago"):
        await retire(flows.services, before)
    flows.clock.add(SETTLES_IN.total_seconds())
    with pytest.raises(WrongKeys, match=r"still used: 1 in billing_keys\.sealed_pg_key.*windows"):
        await retire(flows.services, before)
    assert (await reseal(flows.services)).refused == []
    with pytest.raises(WrongKeys, match="used: 1 in windows"):
        await retire(flows.services, before)
    flows.clock.add(26 * 3600)
    await retire(flows.services, before)
    # A process that slept through all of it seals nothing with the old key, and then seals with the new one.
    asleep.vault.use(before)
    await watch_of(asleep, key_file).look()
    assert asleep.vault.primary == added.id
    with pytest.raises(WrongKeys, match="retired"):
        await make_primary(flows.services, before, "the ring")


async def test_a_process_with_a_retired_key_alone_opens_and_seals_nothing_with_it(flows, key_file, tmp_path):
    before = flows.services.vault.primary
    shutil.copy(key_file, tmp_path / "old.json")
    added = add_key(key_file)
    theirs = replace(flows.services, vault=load_key_file(key_file))
    await unseen(flows)
    await make_primary(theirs, added.id, "the ring")
    flows.clock.add(48 * 3600)
    await reseal(theirs)
    await retire(theirs, before)
    watch = watch_of(flows.services, tmp_path / "old.json")
    await watch.look()
    assert added.id in flows.services.key_standing.problem
    assert not flows.services.key_standing.may_seal
    with pytest.raises(KeysMissing):
        flows.services.key_standing.check_sealing()
    with pytest.raises(Exception, match="retired"):
        flows.services.vault.seal("secret", "place")


async def test_what_a_key_of_the_first_version_made_works_on_and_is_bound_by_the_rotation(database_url, tmp_path):
    write_first_version(tmp_path / "keys.json")
    clock = HandClock(running=True)
    settings = settings_of(database_url, tmp_path / "keys.json")
    async with open_gateway(settings, clock=clock) as gateway:
        made = await create_merchant(gateway.services, "A shop", code="imp44444444")
        owner = await create_operator(gateway.services, "owner", Role.OWNER, Actor("tests"))
        await gateway.store.engine.fetch("UPDATE users SET row_seal = NULL")
        first = gateway.services.vault.primary
        assert gateway.services.vault.takes_unbound
        assert isinstance(await sign_in(gateway.services, "owner", owner.password, HERE), SignedIn)
    added = add_key(tmp_path / "keys.json")
    async with open_gateway(settings, clock=clock) as gateway:
        services = gateway.services
        await make_primary(services, added.id, "the ring")
        done = await reseal(services)
        assert (done.refused, done.left) == ([], 0)
        [use] = [use for use in await key_uses(services) if use.id == first]
        assert use.uses == {SealedColumn.API_SECRET: 1, "sessions": 1}
        clock.add(13 * 3600)
        # A hash cannot be made anew without the secret: the next call for a token brings it. The first also notes
        # when the key was used, and a row that somebody is changing is left to the call after that.
        for _ in range(2):
            await issue_token(services, made.api_key, made.api_secret)
            await services.background.drain(60)
        [use] = [use for use in await key_uses(services) if use.id == first]
        assert use.uses == {}
        assert (await issue_token(services, made.api_key, made.api_secret)).text
        await retire(services, first)
    ring = parse((tmp_path / "keys.json").read_text(), "the ring")
    replace_file(tmp_path / "keys.json", text_of(ring[1:]))
    async with open_gateway(settings, clock=clock) as gateway:
        assert not gateway.services.vault.takes_unbound
        assert isinstance(await sign_in(gateway.services, "owner", owner.password, HERE), SignedIn)
        await gateway.store.engine.fetch("UPDATE users SET row_seal = NULL")
        assert not isinstance(await sign_in(gateway.services, "owner", owner.password, HERE), SignedIn)


async def test_a_value_that_was_changed_meanwhile_is_not_replaced(flows):
    await flows.issue_key()
    [value] = await flows.store.sealing.page(SealedColumn.PG_KEY, None, 10)
    stale = Reseal(SealedColumn.PG_KEY, (value.row,), (b"something else",), (b"new",))
    assert await flows.store.write(stale) == 0
    assert await flows.store.sealing.one(SealedColumn.PG_KEY, value.row) == value
    assert await flows.store.write(replace(stale, before=(value.sealed,))) == 1


async def test_two_processes_that_open_a_new_database_at_once_agree_on_its_keys(database_url, tmp_path):
    for name in ("a", "b"):
        create_key_file(tmp_path / f"{name}.json")

    async def opened(name):
        try:
            async with open_gateway(settings_of(database_url, tmp_path / f"{name}.json"), serving=False):
                return name
        except WrongKeys:
            return None

    assert len({name for name in await asyncio.gather(opened("a"), opened("b")) if name}) == 1
