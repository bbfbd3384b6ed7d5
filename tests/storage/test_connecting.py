"""Addresses with several hosts lead to the server that takes writes."""

from __future__ import annotations

import socket
import time
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from maedal.storage.open import create_store
from maedal.storage.store import DatabaseAway, ServerIdentity
from tests.support.builders import a_merchant


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
        assert await store.merchant(a_merchant().code) is None
    finally:
        await store.close()


async def test_when_no_host_is_there_the_error_says_what_each_said_and_no_password(silent):
    store = create_store(f"postgresql://maedal:topsecret@{silent},127.0.0.1:1/maedal?connect_timeout=1")
    with pytest.raises(DatabaseAway) as raised:
        await store.open()
    assert f"{silent} did not answer within 1 s" in str(raised.value)
    assert "127.0.0.1:1 refused the connection" in str(raised.value)
    assert "topsecret" not in str(raised.value)
