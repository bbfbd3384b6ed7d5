"""`Idempotency-Key`: a POST that is sent twice is carried out once, and both are answered alike."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from maedal.rest.idempotency import LEASE
from maedal.storage.sql_store import SqlStore
from maedal.storage.store import FinishRequest, StoreError
from tests.support.builders import NOW
from tests.support.clock import HandClock
from tests.support.rows import fetch, let_keys_settle
from tests.support.world import World, world


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW, running=True)


@pytest.fixture
def running(database_url: str, tmp_path: Any, clock: HandClock) -> Iterator[World]:
    with world(database_url, tmp_path, clarify_wait_seconds=1.0, gateway_options={"clock": clock}) as everything:
        everything.issue_key("c_1")
        yield everything


@pytest.fixture
def in_real_time(database_url: str, tmp_path: Any) -> Iterator[World]:
    with world(database_url, tmp_path, clarify_wait_seconds=1.0, busy_wait_seconds=1.0) as everything:
        everything.issue_key("c_1")
        yield everything


def post(running: World, path: str, key: str | None, **body: Any) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return running.call("POST", path, json=body, headers=headers)


def again(running: World, key: str | None, merchant_uid: str = "m_1", amount: int = 3_000) -> Any:
    charge = {"customer_uid": "c_1", "merchant_uid": merchant_uid, "amount": amount}
    return post(running, "/subscribe/payments/again", key, **charge)


def a_payment(running: World, amount: int = 3_000) -> str:
    imp_uid: str = again(running, None, "to_cancel", amount).json()["response"]["imp_uid"]
    return imp_uid


def test_a_repeated_charge_is_made_once_and_answered_alike(running: World) -> None:
    first, second = again(running, "key-1"), again(running, "key-1")
    assert first.json()["response"]["status"] == "paid"
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert second.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert len(running.log(operation="subscription")) == 1


def test_a_refusal_is_answered_alike_too(running: World) -> None:
    first = again(running, "key-1", amount=0)
    assert first.json()["code"] == 1
    assert again(running, "key-1", amount=0).content == first.content


def test_twenty_at_once_are_one_charge_and_one_answer(in_real_time: World) -> None:
    in_real_time.fault("subscription", "delay", delay_seconds=1)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: again(in_real_time, "key-1"), range(20)))
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["response"]["status"] == "paid"
    assert len(in_real_time.log(operation="subscription")) == 1


def test_the_same_key_for_another_body_or_call_is_refused(running: World) -> None:
    again(running, "key-1")
    for other in (
        again(running, "key-1", amount=4_000),
        post(running, "/payments/prepare", "key-1", merchant_uid="m_2", amount=100),
    ):
        assert (other.status_code, other.json()["code"]) == (422, -1)
        assert "Idempotency-Key" in other.json()["message"]
    assert len(running.log(operation="subscription")) == 1


def test_two_equal_partial_cancels_are_one_with_a_key_and_two_without(running: World) -> None:
    imp_uid = a_payment(running)
    for key in ("cancel-1", "cancel-1", None, None):
        assert post(running, "/payments/cancel", key, imp_uid=imp_uid, amount=500).json()["code"] == 0
    assert running.payment(imp_uid)["cancel_amount"] == 1_500


@pytest.mark.parametrize("key", ["", "ü", "a b", "x" * 256])
def test_a_key_that_cannot_be_one_is_refused_and_nothing_is_done(running: World, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode("latin-1")), (b"Authorization", running.token().encode())]
    body = {"customer_uid": "c_1", "merchant_uid": "m_1", "amount": 3_000}
    answer = running.http.post(f"{running.gateway}/subscribe/payments/again", json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, -1)
    assert "Idempotency-Key" in answer.json()["message"]
    assert running.log(operation="subscription") == []


def test_a_busy_key_is_not_the_last_word(in_real_time: World) -> None:
    """What was refused because another charge was unclear is carried out under the same key once that is clarified."""
    in_real_time.fault("subscription", "drop_after")
    in_real_time.fault("status", "error_500_before", times=1_000)
    assert again(in_real_time, None, "m_0").json()["code"] == -1
    refused = again(in_real_time, "key-1")
    assert refused.json()["code"] == -1
    assert "확인하고 있어" in refused.json()["message"]
    in_real_time.http.delete(f"{in_real_time.sandbox}/_sim/faults")

    for _ in range(100):
        let_keys_settle(in_real_time.settings.database_url)
        answer = again(in_real_time, "key-1").json()
        if answer["code"] == 0:
            break
        time.sleep(0.25)
    assert answer["response"]["status"] == "paid"
    assert len(in_real_time.log(operation="subscription")) == 2


@pytest.mark.parametrize("crashed", ["charge", "cancel", "retry"])
def test_what_was_cut_off_by_a_crash_is_taken_up_and_begins_nothing_anew(
    running: World, clock: HandClock, monkeypatch: pytest.MonkeyPatch, crashed: str
) -> None:
    """The answer was neither kept nor given, as if the process had died in between."""
    imp_uid = a_payment(running)
    plan = {"merchant_uid": "m_planned", "schedule_at": int(clock.now().timestamp()) + 86_400, "amount": 1_000}
    for path, body in (("schedule", {"schedules": [plan]}), ("unschedule", {})):
        assert post(running, f"/subscribe/payments/{path}", None, customer_uid="c_1", **body).json()["code"] == 0
    write = SqlStore.write

    async def cut_off(self: SqlStore, value: Any) -> Any:
        if isinstance(value, FinishRequest):
            raise StoreError("the process is gone")
        return await write(self, value)

    def ask() -> Any:
        if crashed == "charge":
            return again(running, "key-1")
        if crashed == "retry":
            return post(running, "/subscribe/payments/schedule/m_planned/retry", "key-1")
        return post(running, "/payments/cancel", "key-1", imp_uid=imp_uid, amount=500)

    with monkeypatch.context() as cutting:
        cutting.setattr(SqlStore, "write", cut_off)
        first = ask().json()
    clock.add(LEASE.total_seconds() + 1)
    assert first["code"] == 0
    assert ask().json() == first
    clock.add(LEASE.total_seconds() + 1)
    assert ask().headers["idempotent-replayed"] == "true"
    assert len(running.log(operation="subscription")) == {"charge": 2, "cancel": 1, "retry": 2}[crashed]
    assert running.payment(imp_uid)["cancel_amount"] == {"charge": 0, "cancel": 500, "retry": 0}[crashed]


def test_a_key_is_free_again_after_thirty_days_and_forgotten(
    running: World, clock: HandClock, database_url: str
) -> None:
    again(running, "key-1")
    clock.add(timedelta(days=30, seconds=1).total_seconds())
    running._token = None
    used = again(running, "key-1", amount=4_000)
    assert (used.status_code, used.json()["code"]) == (200, -1)
    assert fetch(database_url, "SELECT count(*) AS n FROM idempotent_requests")[0]["n"] == 1


def test_without_the_header_nothing_is_kept(running: World, database_url: str) -> None:
    again(running, None)
    assert fetch(database_url, "SELECT count(*) AS n FROM idempotent_requests")[0]["n"] == 0


def test_the_token_is_given_out_and_never_kept(running: World, database_url: str) -> None:
    running._token = None
    assert again(running, "key-1").json()["code"] == 0
    kept = fetch(database_url, "SELECT sealed_answer FROM idempotent_requests")
    assert len(kept) == 1
    assert b"paid" not in bytes(kept[0]["sealed_answer"])
