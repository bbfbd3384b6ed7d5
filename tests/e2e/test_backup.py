"""Yesterday's backup, restored on an empty machine by the manual's page alone: nothing is charged again."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tools.manual import LANGUAGES, page_of

from kakaopay_sandbox.settings import BUCKET_ID, FILE_KEY
from maedal.backup import backup as backups
from maedal.backup import postgres
from maedal.merchants.merchant import DEMO_CODE
from maedal.vault import create_key_file, load_key_file
from tests.e2e.test_reconcile_commands import charges, day_of, maedal
from tests.support.commands import Command
from tests.support.postgres import _execute, _with_database
from tests.support.rows import fetch
from tests.support.world import World, world
from tools import provide

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.usefixtures("quiet_gateway")]

A_DAY = 24 * 3600
WAIT_SECONDS_MAX = 60
WATCHED_SECONDS = 3
"""A worker looks every second for what is due."""


@pytest.fixture(autouse=True)
def programs(monkeypatch):
    """PostgreSQL's programs, where an operator has them too."""
    monkeypatch.setenv("PATH", str(provide.postgres_bin()), prepend=":")


@pytest.fixture
def running(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world(database_url, tmp_path, clarify_wait_seconds=0.5) as everything:
        for channel in re.findall(
            r"^channel-key-\S+", maedal(everything, "channel", "list", "--merchant", DEMO_CODE), re.MULTILINE
        ):
            at = ("channel", "set", channel, "--merchant", DEMO_CODE)
            maedal(everything, *at, "--bucket", BUCKET_ID, "--file-key", stdin=f"{FILE_KEY}\n")
        yield everything


def steps(anchor: str, language: str = "en") -> list[str]:
    """Return the commands of a part of the manual's page, in their order."""
    page = page_of("backup", language).read_text()
    part = page.partition(f"{{ #{anchor} }}")[2].partition("\n## ")[0]
    return [
        line.strip()
        for block in re.findall(r"```sh\n(.*?)```", part, re.DOTALL)
        for line in block.split("\n")
        if line.strip()
    ]


def follow(running: World, line: str, **places: Path | str) -> str:
    """Do what a line of the page says, with this machine's places for those of the page."""
    for theirs, ours in places.values():
        line = line.replace(theirs, str(ours))
    program, *words = line.split()
    if program == "maedal":
        return maedal(running, *words)
    return subprocess.run([program, *words], check=True, capture_output=True, text=True, timeout=60).stdout


def throw_away(url: str) -> None:
    """Let there be what an empty machine has: no file, or an empty database."""
    if url.startswith("sqlite:"):
        for ending in ("", "-wal", "-shm"):
            Path(url.removeprefix("sqlite:///") + ending).unlink(missing_ok=True)
        return
    name = url.rpartition("/")[2]
    _execute(_with_database(url, "postgres"), f"DROP DATABASE {name} WITH (FORCE)", f"CREATE DATABASE {name}")


def test_yesterdays_backup_is_restored_by_the_page_alone_and_nothing_is_charged_again(
    running: World, tmp_path: Path
) -> None:
    url, kept = running.settings.database_url, tmp_path / "backups"
    running.issue_key("c_1")
    running.issue_key("c_2")
    assert running.again("c_1", "m_0")["response"]["status"] == "paid"
    due = int(time.time()) + 4
    plan = {
        "customer_uid": "c_2",
        "schedules": [{"merchant_uid": "m_planned", "schedule_at": due, "amount": 4_000, "name": "A"}],
    }
    assert running.call("POST", "/subscribe/payments/schedule", json=plan).json()["code"] == 0

    [line] = steps("back-up")
    assert "key_file" not in follow(running, line, folder=("/var/backups/maedal", kept))
    [folder] = [path for path in kept.iterdir() if path.name != ".lock"]
    assert {oct(path.stat().st_mode & 0o777) for path in (*folder.iterdir(), kept / ".lock")} == {"0o600"}
    assert folder.stat().st_mode & 0o777 == 0o700
    copy_of_keys = tmp_path / "elsewhere.json"
    shutil.move(shutil.copy2(running.settings.key_file, tmp_path / "copy.json"), copy_of_keys)
    assert (
        json.loads((folder / "backup.json").read_text())["key_fingerprint"] == load_key_file(copy_of_keys).fingerprint
    )

    # The day goes on, and then the machine is gone.
    assert running.again("c_1", "m_1", 3_100, settles=False)["response"]["status"] == "paid"
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while running.call("GET", "/payments/find/m_planned").status_code == 404:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    made = charges(running)
    assert len(made) == 3
    running.stop_gateway()
    throw_away(url)
    running.settings.key_file.unlink()

    put_keys, put_database, reconcile, *look = steps("restore")
    follow(
        running,
        put_keys,
        copy=("/mnt/keys/keys.json", copy_of_keys),
        place=("/etc/maedal/keys.json", running.settings.key_file),
    )
    said = follow(running, put_database, folder=("/mnt/backups/20261127T183000Z", folder))
    assert "restored: 1 merchants" in said
    running.start_gateway()

    repeated = running.again("c_1", "m_1", 3_100, settles=False)
    assert repeated["code"] != 0, repeated
    time.sleep(WATCHED_SECONDS)
    assert charges(running) == made
    running.advance_sandbox(2 * A_DAY)
    for day in sorted({day_of(charge) for charge in made}):
        follow(running, reconcile, day=("2026-11-28", day))
    for line in look:
        assert "imp_" not in follow(running, line).replace(DEMO_CODE, "")
    assert running.call("GET", "/payments/find/m_1").json()["response"]["amount"] == 3_100
    assert running.call("GET", "/payments/find/m_planned").json()["response"]["status"] == "paid"
    [planned] = fetch(url, "SELECT status FROM schedules WHERE merchant_uid = 'm_planned'")
    assert planned["status"] == "executed"
    assert charges(running) == made
    # And the shop goes on.
    assert running.again("c_1", "m_2")["response"]["status"] == "paid"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_commands_are_the_same_in_both_languages(language: str) -> None:
    for anchor in ("back-up", "restore", "upgrade"):
        assert steps(anchor, language) == steps(anchor) != []


class TestWhatCannotBe:
    """Each is said in one line, and leaves everything as it was."""

    @pytest.fixture
    def command(self, database_url: str, tmp_path: Path) -> Command:
        create_key_file(tmp_path / "keys.json")
        return Command(
            database_url=database_url, key_file=tmp_path / "keys.json", public_url="https://pay.shop.example"
        )

    @pytest.fixture
    def backup(self, command: Command, tmp_path: Path) -> Path:
        command("backup", str(tmp_path / "kept"))
        [folder] = [path for path in (tmp_path / "kept").iterdir() if path.is_dir()]
        return folder

    def test_a_backup_does_not_go_over_a_database(self, command: Command, backup: Path) -> None:
        assert "already" in command.refuses("restore", str(backup))

    def test_what_was_changed_or_is_none_is_not_restored(self, command: Command, backup: Path) -> None:
        throw_away(command.settings["database_url"])
        [copy] = [path for path in backup.iterdir() if path.name != "backup.json"]
        with copy.open("r+b") as file:
            file.seek(-1, 2)
            file.write(b"?")
        assert "not what was written" in command.refuses("restore", str(backup))
        facts = json.loads((backup / "backup.json").read_text())
        (backup / "backup.json").write_text(json.dumps(facts | {"file": "../../etc/passwd"}))
        assert "not what was written" in command.refuses("restore", str(backup))
        assert "no backup of maedal" in command.refuses("restore", str(backup.parent))

    def test_one_of_a_newer_version_is_not_restored(self, command: Command, backup: Path) -> None:
        facts = json.loads((backup / "backup.json").read_text())
        (backup / "backup.json").write_text(json.dumps(facts | {"schema": "9999"}))
        assert "a newer schema" in command.refuses("restore", str(backup))

    def test_the_wrong_key_file_is_found_before_anything_starts(self, running: World, tmp_path: Path) -> None:
        running.issue_key("c_1")
        command = Command.of(running)
        command("backup", str(tmp_path / "kept"))
        [folder] = [path for path in (tmp_path / "kept").iterdir() if path.is_dir()]
        running.stop_gateway()
        throw_away(running.settings.database_url)
        running.settings.key_file.unlink()
        create_key_file(running.settings.key_file)
        said = command.run("restore", str(folder))
        assert said.exit_code == 1
        assert "is not that of this database" in " ".join(said.stderr.split())
        assert list(Path(tmp_path.parent).rglob("*.restoring*")) == []

    def test_old_ones_go_and_the_newest_stays(self, database_url: str, tmp_path: Path) -> None:
        began = datetime(2026, 11, 1, tzinfo=UTC)
        tmp_path.joinpath(".partial.broken").mkdir()
        for day in (0, 1, 2):
            backups.make(database_url, tmp_path, "f", began + timedelta(days=day))
        removed = backups.remove_old(tmp_path, 1, began + timedelta(days=2))
        assert [path.name for path in removed] == ["20261101T000000Z"]
        assert len(backups.remove_old(tmp_path, 1, began + timedelta(days=400))) == 1
        assert [path.name for path in tmp_path.iterdir() if path.name != ".lock"] == ["20261103T000000Z"]

    def test_an_empty_database_and_a_second_backup_at_once_are_refused(self, command: Command, tmp_path: Path) -> None:
        with backups._alone(tmp_path / "kept"):
            assert "is running" in command.refuses("backup", str(tmp_path / "kept"))
        throw_away(command.settings["database_url"])
        assert "nothing to back up" in command.refuses("backup", str(tmp_path / "kept"))


def test_a_password_is_not_among_the_words_that_everybody_on_the_machine_can_list() -> None:
    address, password = postgres.without_password("postgresql://maedal:p%40ss@db1,db2:5433/books?sslmode=require")
    assert (address, password) == (
        "postgresql://maedal@db1,db2:5433/books?sslmode=require&target_session_attrs=read-write",
        "p@ss",
    )
    assert postgres.without_password("postgresql://db/books?user=m&password=x")[1] == "x"
