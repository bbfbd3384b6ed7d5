"""A merchant that moves to another gateway finds everything as it was, and its billing keys charge."""

from __future__ import annotations

import json
import stat
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

import pyrage
import pytest
from typer.testing import CliRunner

from maedal.app import create_app
from maedal.cli.main import app
from maedal.merchants.merchant import DEMO_API_KEY, DEMO_API_SECRET, DEMO_CODE
from maedal.payments.prepared import PreparedAmount
from maedal.storage.errors import StoreError
from maedal.storage.prepared_amounts.writes import ChangePrepared
from maedal.transfer.exporting import export_merchant
from maedal.vault import create_key_file
from tests.support import rows
from tests.support.world import free_port, served, world
from tests.transfer.files import CODE, a_file

FAR = 1_900_000_000
LATE_AMOUNT = f"""
INSERT INTO prepared_amounts (merchant_id, merchant_uid, amount, currency, updated_at)
VALUES ('{CODE}', 'late', 7, NULL, '2026-01-01 00:00:00+00:00')
"""


@pytest.fixture
def command(monkeypatch):
    def run(settings, *words, stdin=None):
        with monkeypatch.context() as patch:
            for name in ("database_url", "key_file", "public_url", "sandbox_url"):
                patch.setenv(f"MAEDAL_{name.upper()}", str(getattr(settings, name)))
            return CliRunner().invoke(app, words, input=stdin)

    return run


@pytest.fixture
def identity(tmp_path):
    made = pyrage.x25519.Identity.generate()
    (tmp_path / "identity.txt").write_text(f"# made by a test\n{made}\n")
    return made


def answers(world, customer_uids, imp_uids):
    """Return what the merchant's server can learn; the number of the merchant's customer is all it differs by."""
    paths = [
        *(f"/payments/{imp_uid}" for imp_uid in imp_uids),
        "/payments/status/all?limit=100",
        "/payments/status/all?limit=100&sorting=paid",
        "/payments/prepare/soon",
        *(f"/subscribe/customers/{uid}" for uid in customer_uids),
        *(f"/subscribe/customers/{uid}/payments" for uid in customer_uids),
        "/subscribe/payments/schedule/next_1",
        "/subscribe/payments/schedule/next_2",
        f"/subscribe/payments/schedule?from={FAR}&to={FAR + 10}",
        f"/subscribe/customers/c_money/schedules?from={FAR}&to={FAR + 10}",
        "/payments/findAll/m_2",
        "/payments?merchant_uid[]=m_1&merchant_uid[]=m_3",
        "/users/pg",
    ]
    return {path: world.call("GET", path).json() for path in paths}


def fill(world):
    """Live a little: keys, charges, a decline, cancels, plans."""
    world.issue_key("c_money")
    world.issue_key("c_card", 1_000, "CARD")
    paid = world.again("c_money", "m_1", 3_000, tax_free=1_000, notice_url="http://127.0.0.1:9/", custom_data="x")
    partly = world.again("c_card", "m_2", 7_000)
    world.fault("subscription", "decline")
    world.again("c_card", "m_3", 7_000)
    for amount in (1_000, 2_500):
        body = {"imp_uid": partly["response"]["imp_uid"], "amount": amount, "reason": "a part"}
        assert world.call("POST", "/payments/cancel", json=body).json()["code"] == 0
    plans = [{"merchant_uid": f"next_{n}", "schedule_at": FAR + n, "amount": 900 + n, "name": "x"} for n in (1, 2)]
    world.call("POST", "/subscribe/payments/schedule", json={"customer_uid": "c_money", "schedules": plans})
    world.call("POST", "/subscribe/payments/unschedule", json={"customer_uid": "c_money", "merchant_uid": "next_2"})
    world.call("POST", "/payments/prepare", json={"merchant_uid": "soon", "amount": 500})
    world.issue_key("c_gone")
    world.fault("inactive", "error_500_before")
    assert world.call("DELETE", "/subscribe/customers/c_gone").json()["code"] == 0
    listed = world.call("GET", "/payments/status/all?limit=100").json()["response"]["list"]
    assert {p["status"] for p in listed} == {"paid", "failed", "cancelled"}
    return paid["response"]["imp_uid"], [p["imp_uid"] for p in listed]


def ended_within(world, seconds):
    """Return how many keys KakaoPay was told to end, as soon as there are any."""
    deadline = time.monotonic() + seconds
    while not (ended := world.log(operation="inactive", outcome="deactivated")) and time.monotonic() < deadline:
        time.sleep(0.1)
    return len(ended)


def test_a_merchant_moves_to_an_empty_gateway_and_charges_there(
    database_url, all_databases, tmp_path, command, identity
):
    engine = "sqlite" if database_url.startswith("sqlite") else "postgresql"
    path, secret_lines = tmp_path / "out.json", tmp_path / "identity.txt"
    export = ("export", str(path), "--merchant", DEMO_CODE, "--seal-to", str(identity.to_public()))
    with world(database_url, tmp_path) as old:
        paid, imp_uids = fill(old)
        before = answers(old, ["c_money", "c_card"], imp_uids)
        assert {path: answer for path, answer in before.items() if answer["code"] != 0} == {}
        done = command(old.settings, *export)
        assert done.exit_code == 0, done.output
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".part")] == []
        text = path.read_text()
        assert DEMO_API_SECRET not in text
        sids = {entry["sid"] for entry in old.log() if entry.get("sid")}
        assert sids
        assert not any(sid in text for sid in sids)

        content = json.loads(text)
        content["merchants"][0]["api_keys"][0]["api_secret"] = DEMO_API_SECRET
        path.write_text(json.dumps(content))
        create_key_file(tmp_path / "new.json")
        port = free_port()
        settings = replace(
            old.settings,
            database_url=all_databases.url(engine),
            key_file=tmp_path / "new.json",
            public_url=f"http://127.0.0.1:{port}",
        )
        assert "--open-with" in command(settings, "import", str(path)).stderr
        done = command(settings, "import", str(path), "--open-with", str(secret_lines))
        assert done.exit_code == 0, done.output
        old.stop_gateway()
        with served(create_app(settings, demo_allowed=True), port):
            new = replace(old, gateway=settings.public_url, settings=settings, _token=None)
            assert answers(new, ["c_money", "c_card"], imp_uids) == before
            for customer_uid in ("c_money", "c_card"):
                answer = new.again(customer_uid, f"after_{customer_uid}", 4_000)
                assert answer["response"]["status"] == "paid", answer
            rest = new.call("POST", "/payments/cancel", json={"imp_uid": paid}).json()
            assert rest["response"]["cancel_amount"] == 3_000, rest
            # The key that was deleted, and that the old gateway could not end at KakaoPay, is ended by the new one.
            assert ended_within(new, seconds=20) == 1
        assert DEMO_API_KEY in text


def test_that_signing_does_not_move_is_said_twice_and_every_identity_is_tried(
    all_databases, tmp_path, command, identity
):
    path, secret_lines = tmp_path / "out.json", tmp_path / "several.txt"
    others = [pyrage.x25519.Identity.generate() for _ in range(2)]
    # As PowerShell writes a text: UTF-16 with its mark in front, and lines that end in two characters.
    lines = ["# created: today", str(others[0]), "", str(identity), str(others[1]), "AGE-PLUGIN-YUBIKEY-1QQQQQQQQ"]
    secret_lines.write_bytes("\r\n".join(lines).encode("utf-16"))
    with world(all_databases.url("sqlite"), tmp_path) as old:
        old.issue_key("c_1")
        assert command(old.settings, "webhook", "new-secret", "--merchant", DEMO_CODE).exit_code == 0
        done = command(
            old.settings, "export", str(path), "--merchant", DEMO_CODE, "--seal-to", f" {identity.to_public()}\n"
        )
        assert done.exit_code == 0, done.output
        assert "not signed after the import" in " ".join(done.output.split())
        settings = replace(old.settings, database_url=all_databases.url("sqlite"))
        done = command(settings, "import", str(path), "--open-with", str(secret_lines))
        assert done.exit_code == 0, done.output
        assert f"maedal webhook new-secret --merchant {DEMO_CODE}" in " ".join(done.output.split())


def test_a_key_that_is_put_in_anothers_place_is_refused(database_url, all_databases, tmp_path, command, identity):
    engine = "sqlite" if database_url.startswith("sqlite") else "postgresql"
    path = tmp_path / "out.json"
    with world(database_url, tmp_path) as old:
        for customer_uid in ("c_1", "c_2"):
            old.issue_key(customer_uid)
        words = ("export", str(path), "--merchant", DEMO_CODE, "--seal-to", str(identity.to_public()))
        assert command(old.settings, *words).exit_code == 0
        content = json.loads(path.read_text())
        first, second = content["billing_keys"]
        first["pg_key_sealed"], second["pg_key_sealed"] = second["pg_key_sealed"], first["pg_key_sealed"]
        path.write_text(json.dumps(content))
        settings = replace(old.settings, database_url=all_databases.url(engine))
        refused = command(settings, "import", str(path), "--open-with", str(tmp_path / "identity.txt"))
        assert refused.exit_code == 1
        assert "billing_keys[0].pg_key_sealed" in refused.stderr


def test_an_export_refuses_what_is_under_way_and_leaves_no_file(database_url, tmp_path, command, identity):
    path = tmp_path / "out.json"
    words = ("export", str(path), "--merchant", DEMO_CODE, "--seal-to")
    with world(database_url, tmp_path) as old:
        assert "age public key" in command(old.settings, *words, "age1nothing").stderr
        old.open_window("m_open", 1_000)
        refused = command(old.settings, *words, str(identity.to_public()))
        assert refused.exit_code == 1
        assert "is under way (ready)" in refused.stderr
        assert [p.name for p in tmp_path.iterdir() if "out.json" in p.name] == []


async def test_an_export_shows_one_moment_whatever_is_written_meanwhile(
    gateway, settings, import_it, tmp_path, identity
):
    await import_it(a_file())
    inserted = []

    def meanwhile(_):
        """Register an amount from elsewhere, before the first list was read to its end; amounts are the last list."""
        if not inserted:
            writer = threading.Thread(target=rows.fetch, args=(settings.database_url, LATE_AMOUNT))
            writer.start()
            writer.join()
            inserted.append(True)

    path = tmp_path / "out.json"
    counts = (await export_merchant(gateway.services, CODE, path, identity.to_public(), meanwhile)).counts
    assert await gateway.store.prepared_amounts.find(CODE, "late") is not None
    assert counts["prepared"] == 1
    assert [p["merchant_uid"] for p in json.loads(path.read_text())["prepared"]] == ["soon"]
    counts = (await export_merchant(gateway.services, CODE, path, identity.to_public(), lambda _: None)).counts
    assert counts["prepared"] == 2


async def test_nothing_is_written_through_a_snapshot(gateway, import_it):
    await import_it(a_file())
    async with gateway.store.snapshot() as seen:
        assert (await seen.merchants.find(CODE)).code == CODE
        with pytest.raises(StoreError, match="read only"):
            await seen.write(ChangePrepared(PreparedAmount(CODE, "soon", 1, None), datetime.now(UTC)))
        with pytest.raises(StoreError, match="already"):
            async with seen.snapshot():
                pass
