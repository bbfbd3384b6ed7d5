"""What machines ask a gateway: does it live, is it ready, what has it counted."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest
from litestar.testing import TestClient

from maedal.app import create_app
from maedal.flows import key_ring
from maedal.settings import Settings
from maedal.storage.migrate import migrate
from maedal.vault import create_key_file
from tests.support import rows
from tests.support.world import world


def test_a_process_that_lives_says_so(running):
    answer = running.http.get(f"{running.gateway}/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_a_gateway_without_its_tables_is_not_ready_and_says_what_to_do(database_url, tmp_path):
    with world(database_url, tmp_path, gateway_options={"with_worker": False}) as everything:
        address = f"{everything.gateway}/readyz"
        assert everything.http.get(address).json() == {"status": "ok"}
        rows.fetch(database_url, "DROP TABLE alembic_version")
        answer = everything.http.get(address)
        assert (answer.status_code, answer.json()["status"]) == (503, "not ready")
        assert "maedal migrate" in answer.json()["problem"]
        assert everything.http.get(f"{everything.gateway}/healthz").status_code == 200


def test_a_gateway_that_comes_to_lack_a_key_is_not_ready_and_says_which(database_url, tmp_path, monkeypatch):
    monkeypatch.setattr(key_ring, "LOOK_SECONDS", 0.1)
    with world(database_url, tmp_path, gateway_options={"with_worker": False}) as everything:
        address = f"{everything.gateway}/readyz"
        assert everything.http.get(address).json() == {"status": "ok"}
        # Another process has a newer key, and made it primary without asking this one.
        rows.fetch(database_url, "UPDATE vault_keys SET id = '0badc0de', fingerprint = 'of-another'")
        answer = until(lambda: everything.http.get(address), lambda answer: answer.status_code == 503)
        assert "0badc0de (of-another)" in answer.json()["problem"]
        assert everything.http.get(f"{everything.gateway}/healthz").status_code == 200


def until(look, is_there):
    """Look again and again, for some seconds at most."""
    deadline = time.monotonic() + 60
    while not is_there(found := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def test_charges_are_counted(running):
    def approved():
        answer = running.http.get(f"{running.gateway}/metrics")
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        line = 'maedal_attempt_outcomes_total{outcome="approved",proof="reply"} '
        return sum(float(found.removeprefix(line)) for found in answer.text.splitlines() if found.startswith(line))

    running.issue_key("counted")
    before = approved()
    assert running.again("counted", "counted_1")["response"]["status"] == "paid"
    assert approved() == before + 1


def test_however_many_ask_at_once_the_database_is_asked_once(running, monkeypatch):
    """Anybody may ask, and what they ask takes queries that charges need the connections for."""
    store, asked = running.app.state["store"], []
    really = store.health

    async def slowly():
        asked.append(1)
        await asyncio.sleep(0.4)
        return await really()

    monkeypatch.setattr(store, "health", slowly)
    with ThreadPoolExecutor(30) as many:
        answers = list(many.map(lambda _: httpx.get(f"{running.gateway}/readyz").status_code, range(30)))
    assert answers == [200] * 30
    assert len(asked) <= 5


def test_figures_are_read_on_this_machine_alone_and_through_no_proxy(running):
    address = f"{running.gateway}/metrics"
    assert running.http.get(address).status_code == 200
    for headers in (
        {"X-Forwarded-For": "203.0.113.7"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=203.0.113.7"},
        {"X-Real-IP": "203.0.113.7"},
        {"Via": "1.1 proxy"},
        {"X-Forwarded-Proto": "https"},
    ):
        answer = running.http.get(address, headers=headers)
        assert (answer.status_code, b"maedal_" in answer.content) == (403, False)


@pytest.fixture
def settings(tmp_path):
    create_key_file(tmp_path / "keys.json")
    url = f"sqlite:///{tmp_path / 'maedal.db'}"
    migrate(url)
    return Settings(database_url=url, key_file=tmp_path / "keys.json", public_url="https://pay.test")


def test_figures_are_read_from_anywhere_with_the_token_and_without_it_from_nowhere(settings):
    token = "a-token-of-the-figures"
    app = create_app(replace(settings, metrics_token=token), with_worker=False)
    with TestClient(app) as prometheus:
        for shown, status in ((None, 403), ("Bearer wrong", 403), (token, 403), (f"Bearer {token}", 200)):
            headers = {} if shown is None else {"Authorization": shown}
            assert prometheus.get("/metrics", headers=headers).status_code == status
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": "203.0.113.7"}
        assert prometheus.get("/metrics", headers=headers).status_code == 200
    with TestClient(create_app(settings, with_worker=False)) as stranger:
        assert stranger.get("/metrics").status_code == 403
    assert token not in repr(replace(settings, metrics_token=token))


@pytest.mark.parametrize(
    ("public_url", "expected"), [("https://pay.test", "max-age=31536000"), ("http://pay.test", None)]
)
async def test_browsers_are_told_to_come_encrypted_where_they_can(settings, public_url, expected):
    app = create_app(replace(settings, public_url=public_url), with_worker=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=public_url) as http:
        for path in ("/healthz", "/v1/iamport.js", "/checkout/failure"):
            assert (await http.get(path)).headers.get("strict-transport-security") == expected


def test_answers_with_buyers_data_are_kept_by_nobody(running):
    for answer in (
        running.http.post(f"{running.gateway}/users/getToken", json={}),
        running.http.get(f"{running.gateway}/payments/imp_1"),
        running.call("GET", "/payments/status/all"),
        running.http.get(f"{running.gateway}/no/such/api"),
        running.http.get(f"{running.gateway}/sdk/payments/imp_1?token=x"),
    ):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
