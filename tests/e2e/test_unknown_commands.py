"""An operator at night: a charge whose outcome nobody can find out, from the list to the cancel, by the commands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from maedal.merchants.merchant import DEMO_CODE
from tests.support.commands import Command
from tests.support.world import World, world

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.usefixtures("quiet_gateway")]

ANSWERED_FOR = ("--by", "Kim", "--reason", "KakaoPay's merchant centre shows it")


@pytest.fixture
def running(database_url: str, tmp_path: Any) -> Iterator[World]:
    with world(database_url, tmp_path, clarify_wait_seconds=0.5) as everything:
        yield everything


def maedal(running: World, *words: str, status: int = 0) -> str:
    ran = Command.of(running).run(*words)
    assert ran.exit_code == status, (ran.exit_code, ran.stdout, ran.stderr, ran.exception)
    return ran.stdout if status == 0 else ran.stderr


def test_an_unknown_charge_is_seen_settled_completed_and_given_back(running: World) -> None:
    running.issue_key("c_1")
    assert "every outcome is known" in maedal(running, "unknown", "list")
    running.fault("subscription", "drop_after")
    running.fault("status", "error_500_before", times=1_000)
    assert running.again("c_1", "m_1", 5_900)["code"] == -1
    imp_uid = running.call("GET", "/payments/find/m_1").json()["response"]["imp_uid"]
    at = (imp_uid, "--merchant", DEMO_CODE)

    assert imp_uid in maedal(running, "unknown", "list")
    (charged,) = running.log(operation="subscription")
    assert charged["partner_order_id"] in maedal(running, "unknown", "show", *at)

    wrong = maedal(running, "unknown", "settle", *at, "--as", "cancelled", "--yes", *ANSWERED_FOR, status=1)
    assert "does not fit" in wrong
    maedal(running, "unknown", "settle", *at, "--as", "charged", "--yes", *ANSWERED_FOR)
    assert running.payment(imp_uid)["status"] == "paid"
    assert "paid without a tid" in maedal(running, "unknown", "list")

    other = running.log(operation="approve")[0]["tid"]
    assert "another order" in maedal(running, "unknown", "tid", imp_uid, other, *at[1:], *ANSWERED_FOR, status=1)
    assert charged["tid"] in maedal(running, "unknown", "tid", imp_uid, charged["tid"], *at[1:], *ANSWERED_FOR)
    assert running.call("POST", "/payments/cancel", json={"imp_uid": imp_uid}).json()["code"] == 0

    acts = maedal(running, "audit", "list", "--merchant", DEMO_CODE)
    assert [act in acts for act in ("settle_charged", "supply_tid", "Kim")] == [True, True, True]
    assert "proof person" in maedal(running, "unknown", "show", *at)
