"""What people and scripts read from the command line: lists, single things, help, and the world of `maedal dev`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import datetime, timedelta

import pytest
import typer

from maedal.cli import data_dir
from maedal.cli.lists import KST, moment
from maedal.cli.main import ENTRIES, app
from maedal.merchants.merchant import DEMO_CODE
from tests.support.commands import Command
from tests.support.world import world

OF = ("--merchant", DEMO_CODE)
LISTS = ("list", "log", "planned", "pending", "addresses")
"""Commands under these names tell many things; those whose help begins with "List" do too."""
NOT_ON_DATA = {"--data-dir"}


def commands(group, *before):
    found = {}
    for name, command in group.commands.items():
        words = (*before, name)
        found |= commands(command, *words) if hasattr(command, "commands") else {words: command}
    return found


ALL = commands(typer.main.get_command(app))


def options(command):
    return {name for param in command.get_params(typer.Context(command)) for name in param.opts}


def test_every_command_that_lists_prints_json():
    lists = {words for words, c in ALL.items() if words[-1] in LISTS or c.help.startswith(("List ", "Show "))}
    assert len(lists) > 15
    assert [" ".join(words) for words in sorted(lists) if "--json" not in options(ALL[words])] == []


def test_every_command_works_on_a_data_folder():
    assert [words for words, command in ALL.items() if not options(command) >= NOT_ON_DATA] == []


def test_help_shows_commands_in_the_order_of_their_use():
    shown = Command()("--help")
    places = [shown.index(f"\n{part}:\n") for part in ("Run", "Set up", "Look", "Repair")]
    assert places == sorted(places)
    assert list(dict.fromkeys(entry.part for entry in ENTRIES)) == ["Run", "Set up", "Look", "Repair"]
    assert all(f"\n  {entry.name} " in shown for entry in ENTRIES)


@pytest.mark.slow
def test_help_imports_nothing_that_it_does_not_show():
    look = (
        "import sys; from maedal.cli.main import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: print([m for m in sys.modules if m.split('.')[0] in sys.argv[1:] or m.startswith('maedal.')])"
    )
    heavy = (
        "litestar",
        "uvicorn",
        "aiohttp",
        "sqlalchemy",
        "alembic",
        "asyncpg",
        "tink",
        "rich",
        "structlog",
        "msgspec",
    )
    done = subprocess.run([sys.executable, "-c", look, *heavy], capture_output=True, text=True, check=True)
    ours = ["cli", "cli.main", "cli.command_line", "cli.data_dir", "private_files"]
    assert set(done.stdout.splitlines()[-1].strip("[]").replace("'", "").split(", ")) == {f"maedal.{m}" for m in ours}


def test_completion_knows_commands_and_their_options():
    def completed(words):
        environment = {"_MAEDAL_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            return set(Command().run(prog_name="maedal").stdout.splitlines())

    assert {"payment", "personal"} & completed("maedal pa") == {"payment"}
    assert completed("maedal billing-key ") == {"list", "show"}
    assert "--json" in completed("maedal payment list --")


# -- payments, scheduled charges and billing keys


@pytest.fixture(scope="module")
def running(all_databases, tmp_path_factory):
    with world(all_databases.url("sqlite"), tmp_path_factory.mktemp("world")) as started:
        started.issue_key("c_1")
        yield started


@pytest.fixture(scope="module")
def maedal(running):
    return Command.of(running)


def read(maedal, *words):
    return json.loads(maedal(*words, *OF, "--json"))


def test_payments_are_listed_and_shown(maedal):
    (listed,) = read(maedal, "payment", "list")
    assert (listed["customer_uid"], listed["status"], listed["test"], listed["cause"]) == ("c_1", "paid", True, None)
    assert datetime.fromisoformat(listed["asked_for"]).utcoffset() == timedelta(hours=9)
    shown = read(maedal, "payment", "show", listed["imp_uid"])
    assert shown["merchant_uid"] == listed["merchant_uid"]
    assert read(maedal, "payment", "show", listed["merchant_uid"]) == shown
    assert shown["events"][-1]["status"] == "paid"
    text = maedal("payment", "show", listed["imp_uid"], *OF)
    assert "KST" in text
    assert "UTC" not in text
    assert read(maedal, "payment", "list", "--status", "failed") == []
    assert "no such payment" in maedal("payment", "list", *OF, "--word", "nobody")
    assert "imp_1" in maedal.refuses("payment", "show", "imp_1", *OF)
    assert "imp99999999" in maedal.refuses("payment", "list", "--merchant", "imp99999999")


def test_billing_keys_are_listed_and_shown_without_their_secret(maedal):
    (listed,) = read(maedal, "billing-key", "list")
    assert (listed["customer_uid"], listed["status"], listed["next_charge"]) == ("c_1", "active", None)
    assert read(maedal, "billing-key", "show", "c_1") == [listed]
    assert not {"sid", "secret", "sealed_pg_key"} & set(listed)
    assert read(maedal, "billing-key", "list", "--status", "deleted") == []
    assert "c_2" in maedal.refuses("billing-key", "show", "c_2", *OF)


def test_scheduled_charges_are_listed_and_shown(maedal, running):
    at = int(datetime.now(KST).timestamp()) + 86_400
    planned = {"merchant_uid": "m_planned", "schedule_at": at, "amount": 3000, "name": "Monthly"}
    running.call("POST", "/subscribe/payments/schedule", json={"customer_uid": "c_1", "schedules": [planned]})
    (listed,) = read(maedal, "schedule", "list")
    assert (listed["merchant_uid"], listed["amount"], listed["status"]) == ("m_planned", 3000, "scheduled")
    assert datetime.fromisoformat(listed["due"]).timestamp() == at
    shown = read(maedal, "schedule", "show", "m_planned")
    assert (shown["payment"], shown["tries_made"]) == (None, 0)
    assert moment(datetime.fromisoformat(listed["due"])) in maedal("schedule", "show", "m_planned", *OF)
    assert "m_other" in maedal.refuses("schedule", "show", "m_other", *OF)
    assert read(maedal, "billing-key", "show", "c_1")[0]["next_charge"] == listed["due"]


def test_a_folder_of_maedal_dev_needs_no_other_setting_and_is_read_at_its_own_time(running, tmp_path):
    nothing = Command()
    assert "maedal dev --data-dir" in nothing.refuses("payment", "list", *OF, "--data-dir", str(tmp_path))
    source = running.settings.database_url.removeprefix("sqlite:///")
    (tmp_path / data_dir.DATABASE_FILE).symlink_to(source)
    shutil.copy(running.settings.key_file, tmp_path / data_dir.KEY_FILE)
    (tmp_path / data_dir.CLOCK_FILE).write_text(str(92 * 86_400))
    of_folder = ("--data-dir", str(tmp_path))
    assert len(json.loads(nothing("payment", "list", *OF, "--json", *of_folder))) >= 1
    # What was due tomorrow is over, 92 days on.
    assert json.loads(nothing("schedule", "list", *OF, "--json", *of_folder)) == []
    assert "MAEDAL_" in nothing.refuses("payment", "list", *OF)
