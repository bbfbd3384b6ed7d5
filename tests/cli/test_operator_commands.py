"""`maedal user`: whoever has a shell makes the first owner, and helps those who locked themselves out."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest

from maedal.vault import create_key_file
from tests.support import processes
from tests.support.commands import Command
from tests.support.world import free_port

PASSWORD = re.compile(r"^password   (\S{23})$", re.MULTILINE)


@pytest.fixture
def maedal(all_databases, tmp_path):
    create_key_file(tmp_path / "keys.json")
    return Command(
        database_url=all_databases.url("sqlite"),
        key_file=tmp_path / "keys.json",
        public_url="https://pay.example",
        sandbox_url=f"http://127.0.0.1:{free_port()}",
    )


def test_the_first_owner_gets_a_password_that_is_shown_once(maedal):
    assert "maedal user create" in maedal("user", "list")
    made = maedal("user", "create", "--name", "minji", "--role", "owner")
    assert "https://pay.example/console" in made
    password = PASSWORD.search(made)[1]
    for words in (("user", "list"), ("user", "log")):
        shown = maedal(*words)
        assert "minji" in shown
        assert password not in shown


def test_an_operator_is_changed_disabled_and_helped(maedal):
    first = PASSWORD.search(maedal("user", "create", "--name", "minji", "--role", "owner"))[1]
    assert "somebody must stay owner" in maedal.refuses("user", "set", "minji", "--role", "admin")
    maedal("user", "create", "--name", "jun")
    assert "manager, disabled" in maedal("user", "set", "jun", "--role", "manager", "--disable")
    assert "manager, enabled" in maedal("user", "set", "JUN", "--enable")
    assert PASSWORD.search(maedal("user", "new-password", "minji"))[1] != first
    maedal("user", "two-steps-off", "minji")
    assert "0 sessions" in maedal("user", "sign-out", "minji")
    log = maedal("user", "log", "--limit", "6")
    assert re.findall(r"KST  (\w+)$", log, re.MULTILINE) == [
        "two_steps_off", "new_password", "enable_user", "disable_user", "change_role", "create_user",
    ]  # fmt: skip
    assert "(command line)" in log


def test_an_operator_is_limited_to_merchants_and_freed_again(maedal):
    made = maedal("merchant", "create", "--name", "Coffee")
    code = re.search(r"imp\d{8}", made)[0]
    maedal("user", "create", "--name", "jun", "--role", "admin", "--merchant", code)
    assert re.search(rf"merchants +{code}$", maedal("user", "list"), re.MULTILINE)
    assert "no merchant has" in maedal.refuses("user", "set", "jun", "--merchant", "imp99999999")
    assert "contradict" in maedal.refuses("user", "set", "jun", "--merchant", code, "--every-merchant")
    assert "an owner sees every merchant" in maedal.refuses("user", "set", "jun", "--role", "owner")
    maedal("user", "set", "jun", "--every-merchant", "--role", "owner")
    assert re.search(r"merchants +all$", maedal("user", "list"), re.MULTILINE)


@pytest.mark.parametrize("name", ["a", "with space", "x" * 61, "semi;colon", "<b>"])
def test_a_name_that_cannot_be_is_refused(maedal, name):
    assert "2 to 60 letters" in maedal.refuses("user", "create", "--name", name)


def test_who_is_not_there_is_not_changed(maedal):
    for words in (("set", "nobody", "--enable"), ("new-password", "nobody"), ("sign-out", "nobody")):
        assert "there is no user nobody" in maedal.refuses("user", *words)


@pytest.mark.slow
def test_a_server_without_operators_says_how_to_make_the_first(maedal):
    port = str(free_port())
    with processes.started("serve", "--port", port, **maedal.settings) as server:
        server.wait_until_it_says("maedal ready")
    assert "maedal user create --name NAME --role owner" in "".join(server.err)
    maedal("user", "create", "--name", "minji", "--role", "owner")
    with processes.started("serve", "--port", port, **maedal.settings) as server:
        server.wait_until_it_says("maedal ready")
    assert "nobody_can_sign_in" not in "".join(server.err)


def test_the_doctor_names_operators_whose_rights_were_changed_by_other_means(maedal):
    maedal("merchant", "create", "--name", "Coffee")
    maedal("user", "create", "--name", "minji", "--role", "owner")
    maedal("user", "create", "--name", "jun")
    assert "what they may do is as it was said here" in maedal.run("doctor", "--no-calls").stdout
    with closing(sqlite3.connect(maedal.settings["database_url"].removeprefix("sqlite:///"))) as database, database:
        database.execute("UPDATE users SET role = 'owner' WHERE name = 'jun'")
        database.execute("UPDATE users SET sealed_totp_secret = x'00' WHERE name = 'minji'")
    said = maedal.run("doctor", "--no-calls").stdout
    assert "what jun may do (now: owner) was changed outside maedal" in said
    assert "how minji signs in was changed outside maedal: maedal user new-password minji" in said
    assert "users.rights_seal  jun" in maedal.run("keys", "check").stdout
    maedal("user", "set", "jun", "--role", "read_only")
    assert "what jun may do" not in maedal.run("doctor", "--no-calls").stdout
