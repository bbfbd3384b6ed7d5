"""Several merchants on one gateway: whoever has one's token sees and moves nothing of another's."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Command
from tests.support.rows import fetch
from tests.support.world import World, world

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quiet_gateway")]

FOUND_NOTHING = {404}
TABLES = ("payments", "payment_events", "attempts", "billing_keys", "schedules", "cancellations", "prepared_amounts")


@pytest.fixture
def running(database_url: str, tmp_path: Path) -> Iterator[World]:
    """A gateway on which the demo merchant has a key, a payment, a schedule and a registered amount."""
    with world(database_url, tmp_path) as everything:
        everything.issue_key("c_1")
        paid = everything.again("c_1", "m_1", 2_000)["response"]
        plan = {"merchant_uid": "m_2", "schedule_at": int(time.time()) + 86_400, "amount": 3_000, "name": "A"}
        body = {"customer_uid": "c_1", "schedules": [plan]}
        assert everything.call("POST", "/subscribe/payments/schedule", json=body).json()["code"] == 0
        everything.call("POST", "/payments/prepare", json={"merchant_uid": "m_3", "amount": 4_000})
        everything.extra["imp_uid"] = paid["imp_uid"]
        yield everything


@pytest.fixture
def stranger(running: World) -> str:
    """The token of another merchant."""
    made = Command.of(running)("merchant", "create", "--name", "Another")
    pair = {
        name: re.search(rf"{words} +(\S+)", made)
        for name, words in (("imp_key", "API key"), ("imp_secret", "API secret"))
    }
    answer = running.http.post(
        f"{running.gateway}/users/getToken", json={name: found[1] for name, found in pair.items() if found}
    )
    return str(answer.json()["response"]["access_token"])


def books(running: World) -> dict[str, list[dict[str, Any]]]:
    own = "merchant_id = 'imp00000000'"
    return {table: fetch(running.settings.database_url, f"SELECT * FROM {table} WHERE {own}") for table in TABLES}


def test_nothing_of_another_merchant_is_seen_charged_cancelled_or_ended(running: World, stranger: str) -> None:
    imp_uid, before, made = running.extra["imp_uid"], books(running), running.log()

    def ask(method: str, path: str, **body: Any) -> Any:
        headers = {"Authorization": stranger}
        return running.http.request(method, running.gateway + path, headers=headers, json=body or None)

    for path in (
        f"/payments/{imp_uid}",
        "/payments/find/m_1",
        "/payments/findAll/m_1",
        "/payments/prepare/m_3",
        "/subscribe/payments/schedule/m_2",
    ):
        assert ask("GET", path).status_code in FOUND_NOTHING, path
    for path in ("/subscribe/customers/c_1", "/subscribe/customers/c_1/payments", "/subscribe/customers/c_1/schedules"):
        assert "m_1" not in ask("GET", path).text
        assert "kakaopay" not in ask("GET", path).text
    assert ask("GET", "/payments/status/all").json()["response"]["total"] == 0
    span = f"from=0&to={int(time.time()) + 86_400 * 20}"
    assert "m_2" not in ask("GET", f"/subscribe/payments/schedule?schedule_{span}&customer_uid=c_1").text

    for path, body in (
        ("/payments/cancel", {"imp_uid": imp_uid}),
        ("/payments/cancel", {"merchant_uid": "m_1"}),
        ("/subscribe/payments/again", {"customer_uid": "c_1", "merchant_uid": "x_1", "amount": 1_000, "name": "A"}),
        ("/subscribe/payments/unschedule", {"customer_uid": "c_1"}),
        ("/subscribe/payments/schedule/m_2/retry", {"merchant_uid": "m_2"}),
    ):
        assert ask("POST", path, **body).json()["code"] != 0, path
    assert ask("DELETE", "/subscribe/customers/c_1").json()["code"] != 0
    assert books(running) == before
    assert running.log() == made


def test_two_merchants_may_use_the_same_numbers(running: World, stranger: str) -> None:
    headers = {"Authorization": stranger}
    body = {"merchant_uid": "m_3", "amount": 9_000}
    assert running.http.post(f"{running.gateway}/payments/prepare", headers=headers, json=body).json()["code"] == 0
    assert running.call("GET", "/payments/prepare/m_3").json()["response"]["amount"] == 4_000
