"""The key ring by commands: refused when it is another's, changed while everything works, and what is left when lost."""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil

import pytest

from maedal.app import open_gateway
from maedal.billing_keys.billing_key import secret_context
from maedal.flows.charge import charge
from maedal.flows.issue_token import issue_token
from maedal.flows.key_ring import KeyWatch
from maedal.flows.sign_in import Browser, SignedIn, sign_in
from maedal.merchants.errors import WrongApiSecret
from maedal.payments.moves import Status
from maedal.settings import Settings
from maedal.vault import create_key_file, load_key_file
from tests.flows.conftest import Flows, wired
from tests.support.builders import MERCHANT, NOW, an_order
from tests.support.clock import HandClock
from tests.support.commands import Command
from tests.support.key_rings import write_first_version
from tests.support.world import free_port

pytestmark = pytest.mark.usefixtures("quiet_gateway")
HERE = Browser("203.0.113.7", "Firefox")
KEY = re.compile(r"\b[0-9a-f]{8}\b")


def command_of(url, key_file, **more):
    return Command(database_url=url, key_file=key_file, public_url="https://pay.example", **more)


@pytest.fixture
def path(tmp_path):
    create_key_file(tmp_path / "keys.json")
    return tmp_path / "keys.json"


@pytest.fixture
def maedal(all_databases, path):
    maedal = command_of(all_databases.url("sqlite"), path)
    maedal("merchant", "create", "--name", "A shop")
    return maedal


# -- another's key ring


def test_every_command_refuses_another_key_file_and_says_what_to_do(maedal, path, tmp_path):
    create_key_file(tmp_path / "other.json")
    right = load_key_file(path)
    for words in (
        ("serve", "--port", str(free_port())),
        ("doctor",),
        ("migrate",),
        ("merchant", "list"),
        ("keys", "status"),
        ("keys", "rotate"),
        ("keys", "check"),
    ):
        text = maedal.refuses(*words, key_file=tmp_path / "other.json")
        assert right.primary in text, words
        assert right.fingerprints[right.primary] in text
        assert "maedal keys fingerprint --keys FILE" in text
    assert right.primary in maedal("keys", "fingerprint", "--keys", str(path))
    assert right.primary in maedal.run("doctor", "--no-calls").stdout


def test_the_worker_refuses_another_key_file(all_databases, path, tmp_path):
    url = all_databases.url("postgresql")
    command_of(url, path)("merchant", "list")
    create_key_file(tmp_path / "other.json")
    assert load_key_file(path).primary in command_of(url, tmp_path / "other.json").refuses("worker")


def test_dev_refuses_a_data_folder_whose_key_file_was_replaced(tmp_path):
    folder = tmp_path / "dev"
    url = f"sqlite:///{folder / 'maedal.db'}"
    folder.mkdir()
    create_key_file(folder / "keys.json")
    command_of(url, folder / "keys.json")("migrate")
    (folder / "keys.json").unlink()
    port = free_port()
    refused = Command().run("dev", "--data-dir", str(folder), "--port", str(port), "--no-shop")
    assert refused.exit_code == 1
    assert "is not that of this database" in refused.stderr


def test_a_migration_before_there_is_a_key_file_goes_on_and_says_so(tmp_path):
    empty = command_of(f"sqlite:///{tmp_path / 'new.db'}", tmp_path / "none.json")
    result = empty.run("migrate")
    assert (result.exit_code, "maedal keys create" in result.stderr) == (0, True)


def test_the_ring_may_come_from_a_variable_or_a_command(maedal, path):
    for source in ({"key_ring": path.read_text()}, {"key_command": shlex.join(["cat", str(path)])}):
        assert "A shop" in maedal("merchant", "list", key_file=None, **source)
    text = maedal.refuses("merchant", "list", key_file=None, key_command="false --secret hunter2")
    assert "status 1" in text
    assert "hunter2" not in text
    assert "one source" in maedal.refuses("merchant", "list", key_command="true")
    assert "--to FILE" in maedal.refuses("keys", "add", key_file=None, key_command=shlex.join(["cat", str(path)]))


# -- changing the key


def test_a_key_is_changed_step_by_step(maedal, path, tmp_path):
    before = load_key_file(path).primary
    assert "no other key" in maedal.refuses("keys", "rotate")
    added = KEY.search(maedal("keys", "add"))[0]
    assert list(load_key_file(path).fingerprints) == [before, added]
    assert path.stat().st_mode & 0o777 == 0o600
    status = maedal("keys", "status")
    assert re.search(rf"{before}\n  state +primary since", status)
    assert re.search(rf"{added}\n  state +not used yet", status)
    result = maedal.run("keys", "rotate")
    assert result.exit_code == 0, result.output
    assert f"the key {added} from now on" in result.stdout
    assert "sealed 1 values anew" in result.stdout
    assert re.search(rf"{before}\n  state +opens only", maedal("keys", "status"))
    assert "less than a minute ago" in maedal.refuses("keys", "retire", before)
    assert "is not retired" in maedal.refuses("keys", "drop", before)
    assert "everything opens" in maedal("keys", "check")
    assert "another key" not in maedal("merchant", "list")
    assert "holds no key" in maedal.refuses("keys", "drop", "00000000")
    maedal("keys", "add", "--to", str(tmp_path / "wider.json"))
    assert len(load_key_file(tmp_path / "wider.json").fingerprints) == 3


def test_a_key_file_of_the_first_version_works_and_the_doctor_says_what_to_do(all_databases, tmp_path):
    write_first_version(tmp_path / "old.json")
    maedal = command_of(all_databases.url("sqlite"), tmp_path / "old.json")
    maedal("merchant", "create", "--name", "A shop")
    assert "maedal keys add" in maedal.run("doctor", "--no-calls").stdout
    maedal("keys", "add")
    result = maedal.run("keys", "rotate")
    assert result.exit_code == 0, result.output
    assert "drawn anew" in maedal("keys", "status")


def test_what_does_not_open_is_named(maedal):
    [code] = re.findall(r"imp\d{8}", maedal("merchant", "list"))

    async def tamper(url):
        settings = Settings(database_url=url, key_file=maedal.settings["key_file"], public_url="http://x")
        async with open_gateway(settings, serving=False) as gateway:
            [key] = await gateway.store.merchants.api_keys(code)
            await gateway.store.engine.fetch("UPDATE api_keys SET api_key = $1", "1" * 16)
            return key.api_key

    asyncio.run(tamper(maedal.settings["database_url"]))
    result = maedal.run("keys", "check")
    assert result.exit_code == 1
    assert f"api_keys.secret_digest {code} {'1' * 16}" in result.stdout


# -- the key is lost


async def in_thread(call, *words, **more):
    return await asyncio.to_thread(call, *words, **more)


async def test_the_key_is_lost_for_good(database_url, tmp_path):
    """The drill of the manual: what is lost, what is not, and how it goes on."""
    path = tmp_path / "keys.json"
    async with wired(database_url, tmp_path) as flows:
        await flows.issue_key("c_1")
        paid = await charge(flows.services, MERCHANT, an_order("m_1", customer_uid="c_1"))
        assert paid.status is Status.PAID
        lost = flows.services.vault.primary
        maedal = command_of(database_url, path)
        owner = await in_thread(maedal, "user", "create", "--name", "owner", "--role", "owner")
        password = re.search(r"[a-z2-9]{5}(?:-[a-z2-9]{5}){3}", owner)[0]
        # The ring is gone while a gateway runs: it goes on charging, and its host is named.
        shutil.move(path, tmp_path / "gone.json")
        create_key_file(path)
        watch = KeyWatch(flows.services, "the ring", reload=asyncio.Event().wait)
        await watch.look()
        flows.clock.add(60)
        assert (await charge(flows.services, MERCHANT, an_order("m_2", customer_uid="c_1"))).status is Status.PAID
        assert lost in await in_thread(maedal.refuses, "doctor")
        await flows.store.engine.fetch("UPDATE vault_nodes SET seen_at = $1", flows.services.people_clock.now())
    assert "it is not lost" in await in_thread(maedal.refuses, "keys", "lost", lost, key_file=tmp_path / "gone.json")
    said = await in_thread(maedal, "keys", "lost", lost)
    assert re.search(r"billing_keys\.sealed_pg_key +1  customers register again", said)
    settings = Settings(
        database_url=database_url, key_file=path, public_url="http://gateway.test", sandbox_url="http://kakaopay.test"
    )
    clock = HandClock(NOW, running=True)
    clock.add(3600)
    async with open_gateway(settings, clock=clock) as gateway:
        services = gateway.services
        assert services.vault.primary == load_key_file(path).primary != lost
        # What is not sealed is all there.
        assert await services.store.payments.find(MERCHANT, paid.imp_uid) == paid
        # The lost key's billing keys are charged no more, and nothing of them reaches the PG.
        flows = Flows(services, None, clock)
        assert (await charge(services, MERCHANT, an_order("m_3", customer_uid="c_1"))).status is Status.FAILED
        assert not isinstance(await sign_in(services, "owner", password, HERE), SignedIn)
        # Who registers again pays again.
        key = await flows.issue_key("c_2", now=clock.now())
        assert services.vault.open(key.sealed_pg_key, *secret_context(key))
    new = await in_thread(maedal, "user", "new-password", "owner")
    # Nor is anything left that proves what they may do.
    assert "maedal user set owner --role ROLE" in new
    await in_thread(maedal, "user", "set", "owner", "--role", "owner", "--every-merchant")
    password = re.search(r"[a-z2-9]{5}(?:-[a-z2-9]{5}){3}", new)[0]
    async with open_gateway(settings, clock=clock) as gateway:
        assert isinstance(await sign_in(gateway.services, "owner", password, HERE), SignedIn)


async def test_an_api_secret_of_a_lost_key_is_void_and_drawn_anew(database_url, tmp_path):
    path = tmp_path / "keys.json"
    create_key_file(path)
    maedal = command_of(database_url, path)
    made = await in_thread(maedal, "merchant", "create", "--name", "A shop")
    code, secret = re.search(r"imp\d{8}", made)[0], re.search(r"REST API secret +([\w-]{80})\n", made)[1]
    lost = load_key_file(path).primary
    path.unlink()
    create_key_file(path)
    await in_thread(maedal, "keys", "lost", lost)
    settings = Settings(database_url=database_url, key_file=path, public_url="http://gateway.test")
    async with open_gateway(settings) as gateway:
        [key] = await gateway.store.merchants.api_keys(code)
        with pytest.raises(WrongApiSecret):
            await issue_token(gateway.services, key.api_key, secret)
    new = await in_thread(maedal, "merchant", "new-secret", "--merchant", code)
    secret = re.search(r"([\w-]{80})", new)[1]
    async with open_gateway(settings) as gateway:
        assert (await issue_token(gateway.services, key.api_key, secret)).text


def test_a_key_that_is_there_or_held_by_a_process_is_not_lost(maedal, path, tmp_path):
    held = load_key_file(path).primary
    assert "it is not lost" in maedal.refuses("keys", "lost", held)
    create_key_file(tmp_path / "other.json")
    assert "not with 00000000" in maedal.refuses("keys", "lost", "00000000", key_file=tmp_path / "other.json")

    async def seen():
        settings = Settings(
            database_url=maedal.settings["database_url"], key_file=path, public_url="http://gateway.test"
        )
        async with open_gateway(settings, serving=False) as gateway:
            await KeyWatch(gateway.services, "the ring", asyncio.Event().wait).look()

    asyncio.run(seen())
    text = maedal.refuses("keys", "lost", held, key_file=tmp_path / "other.json")
    assert "Do not end them" in text
