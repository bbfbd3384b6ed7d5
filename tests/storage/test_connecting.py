"""Addresses with several hosts lead to the server that takes writes."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import time
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from maedal.storage.engine.database_url import parse
from maedal.storage.errors import DatabaseAway, StoreError
from maedal.storage.health import ServerIdentity
from maedal.storage.migrate import migrate
from maedal.storage.open import create_store
from tests.support.builders import a_merchant
from tests.support.postgres import TemporaryPostgres
from tests.support.relay import Relay
from tests.support.world import world


@pytest.fixture
def postgres_url(all_databases) -> str:
    return all_databases.url("postgresql")


@pytest.fixture
def silent():
    """A host that takes connections and never says a word, like a frozen machine."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=100)) as server:
        yield "{}:{}".format(*server.getsockname())


def with_hosts(url: str, *before: str, **more: str) -> str:
    """Return `url` with these hosts before its own."""
    parts = urlsplit(url)
    login, _, host = parts.netloc.rpartition("@")
    query = "&".join(f"{name}={value}" for name, value in more.items())
    return f"{parts.scheme}://{login}@{','.join([*before, host])}{parts.path}?{query}".rstrip("?")


async def test_a_silent_first_host_costs_a_few_seconds_and_no_more(postgres_url, silent):
    store = create_store(with_hosts(postgres_url, silent, connect_timeout="1"))
    begun = time.monotonic()
    await store.open()
    try:
        assert (await store.health()).ready
        assert time.monotonic() - begun < 8
    finally:
        await store.close()


async def test_each_connection_says_which_history_its_server_writes(postgres_url):
    store = create_store(postgres_url)
    heard: list[ServerIdentity] = []
    store.on_connect(heard.append)
    await store.open()
    try:
        assert heard[0].system_id is not None
        assert heard[0].timeline is not None
        assert await store.merchants.find(a_merchant().code) is None
    finally:
        await store.close()


async def test_when_no_host_is_there_the_error_says_what_each_said_and_no_password(silent):
    store = create_store(f"postgresql://maedal:topsecret@{silent},127.0.0.1:1/maedal?connect_timeout=1")
    with pytest.raises(DatabaseAway) as raised:
        await store.open()
    assert f"{silent} did not answer within 1 s" in str(raised.value)
    assert "127.0.0.1:1 refused the connection" in str(raised.value)
    assert "topsecret" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "hosts", "seconds"),
    [
        ("postgresql://u:p@a/d", "a:5432", 4),
        ("postgresql://u:p@a:1,b:2/d?connect_timeout=7", "a:1 b:2", 7),
        ("postgresql://u:p@a,b:2/d?port=9", "a:9 b:2", 4),
        ("postgresql://u:p@[::1]:1,[fe80::2]/d", "[::1]:1 [fe80::2]:5432", 4),
        ("postgresql:///d?host=a,b&port=1,2&target_session_attrs=primary", "a:1 b:2", 4),
        ("postgres://u@/d?host=/run/postgresql", "/run/postgresql, port 5432", 4),
        ("postgresql:///d?connect_timeout=0", "this machine, port 5432", 60),
    ],
)
def test_an_address_is_read_as_libpq_reads_it(url, hosts, seconds):
    address = parse(url)
    assert " ".join(map(str, address.hosts)) == hosts
    assert address.connect_seconds == seconds
    assert "connect_timeout" not in address.dsn


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://u:secr@et@a/d", "%40"),
        ("postgresql://u:secr#et@a/d", "%23"),
        ("postgresql://u:secr/et@a/d", "%2F"),
        ("postgresql://u:secret@a,b/d?port=1,2,3", "3 ports do not go with 2 hosts"),
        ("postgresql://u:secret@a/d?target_session_attrs=standby", "needs the primary"),
        ("postgresql://u:secret@a/d?connect_timeout=soon", "number of seconds"),
        ("postgresql://u:secret@a/d?channel_binding=require", "channel_binding=require is not supported"),
        ("postgresql://u:secret@a/d?nonsense", "name=value"),
    ],
)
def test_a_malformed_address_is_explained_without_the_password(url, says):
    with pytest.raises(StoreError) as raised:
        create_store(url)
    assert says in str(raised.value)
    assert "secr" not in str(raised.value)


TORN = (
    ("471#zqx", "%23"), ("zqx#vkw", "%23"), ("zqx@vkw#vkw", "%23"), ("471/zqx", "%2F"), ("zqx/vkw", "%2F"),
    ("471/zqx:47", "%2F"), ("zqx@vkw/vkw", "%2F"), ("zqx,vkw/vkw", "%2F"), ("471?zqx", "%3F"), ("471?zqx=vkw", "%3F"),
    ("zqx?vkw=zqx", "%3F"), ("zqx@vkw?zqx=vkw", "%3F"), ("471?options=zqx&vkw", "%3F"), ("zqx@vkw", "%40"),
    ("zqx[vkw", "%5B"), ("zqx]vkw", "%5D"), ("[zqx]vkw", "%5B"), ("zqx[vkw]", "%5B"), ("zqx\nvkw", "%0A"),
    ("zqx\x00vkw", "%0A"), ("zqx\u2100vkw", "UTF-8"),
)  # fmt: skip


@pytest.mark.parametrize(("password", "says"), TORN)
def test_no_sign_in_a_database_password_shows_a_part_of_it_and_the_text_says_how_it_is_written(password, says):
    with pytest.raises(StoreError) as raised:
        create_store(f"postgresql://maedal:{password}@db.example/ledger")
    text = str(raised.value)
    assert says in text
    assert not any(part in text for part in ("471", "zqx", "vkw"))


@pytest.mark.parametrize("password", ["se cr", "50%off", "a:b", "a,b", "a\\b", "p%23%40%2F%3F%25%5B"])
def test_signs_of_a_database_password_that_need_no_encoding_or_have_it_are_taken(password):
    address = parse(f"postgresql://maedal:{password}@db.example/ledger")
    assert [str(host) for host in address.hosts] == ["db.example:5432"]
    assert parse("postgresql://db.example/ledger?user=maedal&password=a@b").hosts == address.hosts


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    """A server that takes nobody in without TLS, and the certificate that it shows: for the name `localhost`."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "server.crt", folder / "server.key"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost"]
    made = ["openssl", *words.split(), *names, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    with TemporaryPostgres(durable=False) as server:
        for path in (certificate, key):
            kept = server._data / path.name
            kept.write_bytes(path.read_bytes())
            kept.chmod(0o600)
            if server._account is not None:
                os.chown(kept, server._account.pw_uid, server._account.pw_gid)
        rules = server._data / "pg_hba.conf"
        rules.write_text("hostssl all all all scram-sha-256\nhostnossl all all all reject\n")
        server.stop()
        server._settings |= {"ssl": "on", "listen_addresses": "localhost,127.0.0.1"}
        server.start()
        yield server, certificate


@pytest.mark.slow
@pytest.mark.parametrize(
    ("host", "query"),
    [
        ("127.0.0.1", "sslmode=require"),
        ("127.0.0.1", "sslmode=prefer&application_name=shop&options=-c%20geqo%3Doff"),
        ("127.0.0.1", "sslmode=verify-ca&sslrootcert={certificate}"),
        ("localhost", "sslmode=verify-full&sslrootcert={certificate}"),
        ("127.0.0.1:1,localhost", "sslmode=verify-full&sslrootcert={certificate}&connect_timeout=3"),
    ],
)
async def test_migrating_and_serving_take_the_same_addresses(sealed, host, query):
    server, certificate = sealed
    parts = urlsplit(server.create_database("sealed"))
    login = parts.netloc.rpartition("@")[0]
    url = f"postgresql://{login}@{host}:{server.port}/sealed?{query.format(certificate=certificate)}"
    await asyncio.to_thread(migrate, url)
    store = create_store(url)
    await store.open()
    try:
        assert (await store.health()).ready
        asked = "SELECT ssl, application_name, current_setting('geqo') AS geqo FROM pg_stat_ssl"
        [row] = await store.engine.fetch(f"{asked} JOIN pg_stat_activity USING (pid) WHERE pid = pg_backend_pid()")
        named = "shop" in query
        assert (row["ssl"], row["application_name"], row["geqo"]) == (
            True,
            "shop" if named else "maedal",
            "off" if named else "on",
        )
    finally:
        await store.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("sslmode=disable", "refused the login"),
        ("sslmode=verify-full&sslrootcert={certificate}", "do not agree on TLS"),
        ("sslmode=verify-full&sslrootcert=/nowhere.crt", "FileNotFoundError"),
    ],
)
async def test_what_tls_does_not_allow_is_told_and_nothing_is_sent_in_the_clear(sealed, query, says):
    server, certificate = sealed
    url = f"{server.url}?{query.format(certificate=certificate)}"
    with pytest.raises(DatabaseAway, match=says):
        await create_store(url).open()
    with pytest.raises(DatabaseAway, match=says):
        await asyncio.to_thread(migrate, url)


def test_a_gateway_whose_database_falls_silent_says_so_in_seconds(postgres_url, tmp_path):
    """Not after the sixty seconds that the driver waits for a host that takes connections and never answers."""
    port = urlsplit(postgres_url).port
    with closing(Relay([port])) as way:
        url = postgres_url.replace(f":{port}/", f":{way.port}/")
        with world(url, tmp_path, gateway_options={"with_worker": False}) as everything:
            address = f"{everything.gateway}/readyz"
            assert everything.http.get(address).json() == {"status": "ok"}
            way.cut()
            limit = time.monotonic() + 60
            while True:
                asked_at = time.monotonic()
                answer = everything.http.get(address, timeout=30)
                assert time.monotonic() - asked_at < 6
                if answer.status_code == 503:
                    break
                assert time.monotonic() < limit
                time.sleep(0.2)
            assert "answer" in answer.json()["problem"]
            figures = f"{everything.gateway}/metrics"
            while "maedal_database_ready 0.0" not in everything.http.get(figures, timeout=30).text:
                assert time.monotonic() < limit + 20
            way.heal()
            while everything.http.get(address, timeout=30).status_code != 200:
                assert time.monotonic() < limit + 20
                time.sleep(0.2)
