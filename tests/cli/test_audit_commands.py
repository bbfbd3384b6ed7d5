"""`maedal audit verify` and `accept-restore`: what they say, how they end, and what they leave."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from maedal.app import open_gateway
from maedal.flows.anchor_logs import anchor_logs
from maedal.flows.chain_logs import chain_logs
from maedal.settings import load
from maedal.vault import create_key_file
from tests.support.commands import Command


class Installation(Command):
    """An installation on SQLite, whose worker does its turn when a test says so."""

    def work(self):
        async def turn():
            async with open_gateway(
                load({f"MAEDAL_{name.upper()}": str(v) for name, v in self.settings.items()})
            ) as gateway:
                await chain_logs(gateway.services)
                await anchor_logs(gateway.services)

        asyncio.run(turn())

    @property
    def file(self):
        return Path(self.settings["database_url"].removeprefix("sqlite:///"))

    def behind(self, *statements):
        with closing(sqlite3.connect(self.file)) as database:
            for statement in statements:
                database.execute(statement)
            database.commit()


@pytest.fixture
def maedal(all_databases, tmp_path):
    create_key_file(tmp_path / "keys.json")
    maedal = Installation(
        database_url=all_databases.url("sqlite"), key_file=tmp_path / "keys.json", public_url="https://pay.example",
        audit_anchor_file=tmp_path / "anchors.jsonl",
    )  # fmt: skip
    maedal("merchant", "create", "--name", "A shop")
    maedal.work()
    return maedal


def test_whole_logs_are_told_and_the_status_is_0(maedal):
    assert "1 rows in 1 blocks, held against 1 anchors\n✓ the logs are what was written to them" in maedal(
        "audit", "verify"
    )
    output = json.loads(maedal("audit", "verify", "--json"))
    assert output == {
        "ok": True, "only_older_than_anchors": False, "blocks": 1, "rows": 1, "waiting": 0, "walking": False, "anchors": 1,
        "problem_count": 0, "problems": [],
    }  # fmt: skip


def test_rows_of_the_last_seconds_are_told_as_waiting(maedal):
    maedal("merchant", "create", "--name", "Another shop")
    assert "1 rows wait for the next block" in maedal("audit", "verify")


def test_a_changed_row_is_named_and_the_status_is_1(maedal):
    maedal.behind("DROP TRIGGER audit_log_no_update", "UPDATE audit_log SET who = '[nobody]'")
    ran = maedal.run("audit", "verify")
    assert ran.exit_code == 1
    assert "✗ block 1: row changed: audit_log " in ran.stdout
    output = json.loads(maedal.run("audit", "verify", "--json").stdout)
    assert (output["ok"], output["problem_count"], output["problems"][0]["kind"]) == (False, 1, "row_changed")


def test_a_restored_copy_ends_with_3_until_somebody_answers_for_it(maedal, tmp_path):
    shutil.copy(maedal.file, tmp_path / "backup.db")
    maedal("merchant", "create", "--name", "Another shop")
    # As the next day's anchor.
    anchors = maedal.settings["audit_anchor_file"]
    first = anchors.read_text()
    anchors.unlink()
    maedal.work()
    anchors.write_text(first + anchors.read_text())
    maedal("audit", "verify")
    for path in (maedal.file, *(maedal.file.with_name(maedal.file.name + end) for end in ("-wal", "-shm"))):
        path.unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup.db", maedal.file)
    ran = maedal.run("audit", "verify")
    assert ran.exit_code == 3
    assert "✗ block 2: older than anchor" in ran.stdout
    assert "maedal audit accept-restore" in ran.stdout
    assert json.loads(maedal.run("audit", "verify", "--json").stdout)["only_older_than_anchors"] is True
    # An older copy of the anchors knows of nothing.
    (tmp_path / "older.jsonl").write_text(first)
    maedal("audit", "verify", "--anchors", str(tmp_path / "older.jsonl"))
    assert "anchors after block 1" in maedal("audit", "accept-restore", "--reason", "the disk died", "--by", "minji")
    maedal("audit", "verify")
    assert '"reason": "the disk died"' in anchors.read_text()
    assert "no restore to accept" in maedal.refuses("audit", "accept-restore", "--reason", "again")


def test_what_cannot_be_verified_or_accepted_is_refused(maedal, tmp_path):
    assert "no file" in maedal.refuses("audit", "verify", "--anchors", str(tmp_path / "none"))
    words = ("audit", "accept-restore", "--reason", "x")
    assert "MAEDAL_AUDIT_ANCHOR_FILE" in maedal.refuses(*words, audit_anchor_file=None)
    maedal.settings["audit_anchor_file"].write_text("nonsense\n")
    ran = maedal.run("audit", "verify")
    assert ran.exit_code == 1
    assert "anchors unreadable" in ran.stdout
    assert "anchors" in maedal.refuses(*words)
