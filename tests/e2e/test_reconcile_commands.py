"""Reconciling by the commands, against the simulator's own file of a day."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kakaopay_sandbox.settings import BUCKET_ID, FILE_KEY
from maedal.merchants.merchant import DEMO_CODE
from tests.support.commands import Command
from tests.support.postgres import _execute, _with_database
from tests.support.world import World, world

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.usefixtures("quiet_gateway")]

A_DAY = 24 * 3600
FINDINGS_OPEN = 3


@pytest.fixture
def running(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world(database_url, tmp_path, clarify_wait_seconds=0.5) as everything:
        listed = maedal(everything, "channel", "list", "--merchant", DEMO_CODE)
        channels = [line for line in listed.splitlines() if line.startswith("channel-key-")]
        for channel in channels:
            at = ("channel", "set", channel, "--merchant", DEMO_CODE)
            maedal(everything, *at, "--bucket", BUCKET_ID, "--file-key", stdin=f"{FILE_KEY}\n")
        yield everything


def maedal(running: World, *words: str, status: int = 0, stdin: str | None = None) -> str:
    """Run a command that must end with `status`; gives all that it said."""
    ran = Command.of(running).run(*words, stdin=stdin)
    assert ran.exit_code == status, (ran.exit_code, ran.stdout, ran.stderr, ran.exception)
    return ran.stdout + ran.stderr


def charges(running: World) -> list[dict[str, Any]]:
    return running.log(operation="subscription", outcome="approved")


def day_of(line: dict[str, Any]) -> str:
    """Return the day in Korea of a line of the simulator's log."""
    return str(line["time"])[:10]


def snapshot(url: str, folder: Path) -> Callable[[], None]:
    """Copy a database that nobody uses; gives what puts the copy back in its place."""
    if url.startswith("sqlite:"):
        path, copy = Path(url.removeprefix("sqlite:///")), folder / "backup.db"
        shutil.copy(path, copy)

        def put_back() -> None:
            for ending in ("-wal", "-shm"):
                path.with_name(path.name + ending).unlink(missing_ok=True)
            shutil.copy(copy, path)

        return put_back
    name = url.rpartition("/")[2]
    admin = _with_database(url, "postgres")
    _execute(admin, f"CREATE DATABASE {name}_copy TEMPLATE {name}")

    def replace() -> None:
        _execute(admin, f"DROP DATABASE {name}", f"CREATE DATABASE {name} TEMPLATE {name}_copy")
        _execute(admin, f"DROP DATABASE {name}_copy")

    return replace


def test_a_lost_charge_gets_its_tid_from_the_file_and_is_then_given_back(running: World) -> None:
    running.issue_key("c_1")
    running.fault("subscription", "drop_after")
    paid = running.again("c_1", "m_1", 5_900)["response"]
    assert (paid["status"], paid["pg_tid"]) == ("paid", None)
    refused = running.call("POST", "/payments/cancel", json={"imp_uid": paid["imp_uid"]}).json()
    assert refused["code"] != 0
    [charged] = charges(running)
    day = day_of(charged)
    assert "no uploaded file!" in maedal(running, "reconcile", "--date", day, status=1)

    running.advance_sandbox(2 * A_DAY)
    message = maedal(running, "reconcile", "--date", day)

    assert "1 ids of the PG" in message
    assert running.payment(paid["imp_uid"])["pg_tid"] == charged["tid"]
    assert running.call("POST", "/payments/cancel", json={"imp_uid": paid["imp_uid"]}).json()["code"] == 0
    assert "settlement_file" in maedal(running, "unknown", "show", paid["imp_uid"], "--merchant", DEMO_CODE)
    assert "no finding is open" in maedal(running, "findings", "list", "--merchant", DEMO_CODE)


def test_after_a_restore_of_an_older_copy_every_missing_charge_is_found_and_entered_and_none_is_made_again(
    running: World, tmp_path: Path
) -> None:
    running.issue_key("c_1")
    running.again("c_1", "m_0")
    running.stop_gateway()
    restore = snapshot(running.settings.database_url, tmp_path)
    running.start_gateway()
    answered = [running.again("c_1", f"m_{number}", amount)["response"] for number, amount in ((1, 3_100), (2, 3_200))]
    assert [paid["status"] for paid in answered] == ["paid", "paid"]
    running.stop_gateway()
    restore()
    running.start_gateway()
    assert running.call("GET", "/payments/find/m_1").status_code == 404
    made = charges(running)
    running.advance_sandbox(2 * A_DAY)

    for day in sorted({day_of(line) for line in made}):
        maedal(running, "reconcile", "--date", day)

    # The merchant finds each under the ids and with the facts that it was answered before.
    for paid in answered:
        entered = running.payment(paid["imp_uid"])
        same = ("merchant_uid", "customer_uid", "amount", "status", "pg_tid", "name")
        assert {name: entered[name] for name in same} == {name: paid[name] for name in same}
        # KakaoPay tells when it was asked and when it approved: after we began to ask, and before we heard of it.
        assert paid["started_at"] <= entered["started_at"] <= entered["paid_at"] <= paid["paid_at"]
        assert running.call("GET", f"/payments/find/{paid['merchant_uid']}").json()["response"] == entered
        assert running.again("c_1", paid["merchant_uid"])["code"] != 0
    assert charges(running) == made
    assert "no finding is open" in maedal(running, "findings", "list", "--merchant", DEMO_CODE)
    # Reading the days again changes nothing.
    assert "0 payments that were missing here" in maedal(running, "reconcile", "--date", day_of(made[1]))
    audit = maedal(running, "audit", "list", "--merchant", DEMO_CODE)
    assert audit.count("enter_payment") == 2
    assert running.call("POST", "/payments/cancel", json={"imp_uid": answered[0]["imp_uid"]}).json()["code"] == 0


def test_a_refund_made_at_kakaopay_itself_is_entered_and_told_by_a_finding(running: World) -> None:
    running.issue_key("c_1")
    paid = running.again("c_1", "m_1", 5_900)["response"]
    body = {"cid": "TCSUBSCRIP", "tid": paid["pg_tid"], "cancel_amount": 900, "cancel_tax_free_amount": 0}
    key = {"Authorization": "SECRET_KEY DEV0000000000000000000000000000000000000"}
    running.http.post(f"{running.sandbox}/online/v1/payment/cancel", json=body, headers=key).raise_for_status()
    day = day_of(running.log(operation="cancel")[0])
    running.advance_sandbox(2 * A_DAY)
    message = maedal(running, "reconcile", "--date", day, "--merchant", DEMO_CODE, status=FINDINGS_OPEN)
    assert "900 there, 900 here" in message
    output = maedal(running, "findings", "list", "--merchant", DEMO_CODE)
    assert "cancelled_there" in output
    assert paid["imp_uid"] in output
    assert running.payment(paid["imp_uid"])["cancel_amount"] == 900


def test_a_garbled_file_judges_nothing_and_is_read_well_the_next_time(running: World) -> None:
    running.issue_key("c_1")
    running.again("c_1", "m_1")
    day = day_of(charges(running)[0])
    running.advance_sandbox(2 * A_DAY)
    running.fault("file", "garbled_after", times=2)
    assert "could not be compared" in maedal(running, "reconcile", "--date", day, status=1)
    assert "1 of this contract" in maedal(running, "reconcile", "--date", day)


def test_what_cannot_be_done_is_said(running: World) -> None:
    at = ("findings", "close", "--merchant", DEMO_CODE, "--by", "Kim", "--reason", "known")
    assert "say which" in maedal(running, *at, status=1)
    assert "no finding x is open" in maedal(running, *at, "--finding", "x", status=1)
    assert "no merchant has" in maedal(
        running, "reconcile", "--date", "2026-10-01", "--merchant", "imp99999999", status=1
    )
