"""What machines ask a gateway: does it live, is it ready, what has it counted."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from maedal.flows import key_ring
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
    deadline = time.monotonic() + 10
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
