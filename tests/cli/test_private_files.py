"""What maedal writes is its owner's alone, whatever the umask, and what is open is named with the command that closes it."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from contextlib import contextmanager

import pytest

from maedal.private_files import exposed, make_private_file, make_private_folder
from maedal.storage.migrate import migrate
from maedal.storage.open import create_store, sqlite_files
from maedal.vault import create_key_file
from tests.support.commands import Command
from tests.support.processes import environment


@contextmanager
def umask(mask):
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777])
def test_files_and_folders_are_made_for_their_owner_alone_whatever_the_umask(tmp_path, mask):
    with umask(mask):
        make_private_folder(tmp_path / "folder")
        make_private_file(tmp_path / "folder" / "file")
        create_key_file(tmp_path / "folder" / "keys.json")
    assert mode(tmp_path / "folder") == 0o700
    assert mode(tmp_path / "folder" / "file") == mode(tmp_path / "folder" / "keys.json") == 0o600


def test_what_is_there_already_stays_as_it_is(tmp_path):
    path = tmp_path / "maedal.db"
    path.write_text("there")
    path.chmod(0o640)
    make_private_file(path)
    assert (path.read_text(), mode(path)) == ("there", 0o640)


async def test_an_sqlite_file_its_folder_and_everything_beside_it_are_their_owners_alone(tmp_path):
    url = f"sqlite:///{tmp_path / 'new' / 'maedal.db'}"
    with umask(0):
        await asyncio.to_thread(migrate, url)
        store = create_store(url)
        await store.open()
        try:
            assert (await store.health()).ready
            there = [path for path in sqlite_files(url) if path.exists()]
            assert {path.name for path in there} >= {
                "new",
                "maedal.db",
                "maedal.db-wal",
                "maedal.db-shm",
                "maedal.db.lock",
            }
            assert exposed(there) == []
        finally:
            await store.close()


@pytest.fixture
def installed(all_databases, tmp_path):
    create_key_file(tmp_path / "keys.json")
    return Command(
        database_url=f"sqlite:///{tmp_path / 'maedal.db'}",
        key_file=tmp_path / "keys.json",
        public_url="https://pay.example",
    )


def test_the_doctor_names_each_open_file_and_the_command_that_closes_it(installed, tmp_path):
    installed("migrate")
    installed("merchant", "create", "--name", "A shop")
    assert "what is secret here is its owner's alone" in installed.run("doctor", "--no-calls").stdout
    tmp_path.chmod(0o755)
    database = tmp_path / "maedal.db"
    database.chmod(0o644)
    output = installed.run("doctor", "--no-calls").stdout
    assert f"✗ modes      {database} is open to others (mode 0644)\n" in output
    assert f"→ chmod 600 {database}" in output
    assert f"! modes      {tmp_path} is open to others (mode 0755)" in output
    assert f"→ chmod 700 {tmp_path}" in output
    for line in output.splitlines():
        if "→ chmod" in line:
            # Those beside the file are gone when nobody has it open.
            subprocess.run(line.partition("→ ")[2].split(), check=False, capture_output=True)
    assert "what is secret here is its owner's alone" in installed.run("doctor", "--no-calls").stdout


def test_a_settings_file_with_the_databases_password_that_others_may_read_is_told(installed, tmp_path, monkeypatch):
    from maedal.cli.installation import open_files
    from maedal.settings import load

    path = tmp_path / "maedal.toml"
    path.write_text("")
    path.chmod(0o644)
    monkeypatch.setenv("MAEDAL_SETTINGS_FILE", str(path))
    values = {f"MAEDAL_{name.upper()}": str(value) for name, value in installed.settings.items()}
    assert open_files(load(values)) == []
    values["MAEDAL_DATABASE_URL"] = "postgresql://maedal:secret@db/maedal"
    assert [one.mend for one in open_files(load(values))] == [f"chmod 640 {path}"]


def test_whatever_a_command_writes_is_its_owners_alone(installed, tmp_path):
    installed("migrate")
    out = tmp_path / "out"
    # A command's own process, with the umask that most machines have; the umask of tests stays as it is.
    script = (
        "import os; os.umask(0o022); from maedal.cli.main import run\ntry: run()\nfinally: open(os.environ['OUT'], 'w')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, "merchant", "list"],
        env=environment(**installed.settings) | {"OUT": str(out)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.returncode == 0
    assert mode(out) == 0o600
