"""The commands, from an empty folder to a checked channel, and every guard rail on the way."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import stat
import subprocess
import sys
from datetime import timedelta

import pytest
import structlog

from kakaopay_sandbox.app import create_app as create_sandbox
from kakaopay_sandbox.settings import Settings as SandboxSettings
from maedal.billing_keys.billing_key import KeyEnd
from maedal.billing_keys.ending import KeyEnding, PendingEnding, wait_after
from maedal.cli.keys import why
from maedal.cli.lists import moment
from maedal.merchants.channel_pause import ChannelPause
from maedal.payments.attempt import Fault, Outcome
from maedal.storage.channels.writes import PauseChannel
from maedal.storage.migrate import head
from maedal.storage.open import create_store
from maedal.vault import create_key_file
from tests.support import processes
from tests.support.builders import NOW
from tests.support.commands import Command
from tests.support.world import free_port, served, world

CODE = re.compile(r"imp\d{8}")
CHANNEL = re.compile(r"channel-key-[0-9a-f-]{36}")
LIVE_CID, LIVE_KEY, DEV_KEY = "CA12345678", "PRD" + "A1" * 18, "DEV" + "B2" * 18


@pytest.fixture(autouse=True)
def logging_as_before():
    """`serve` sets logging up for a process of its own."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, structlog.get_config())
    yield
    root.handlers[:], level, config = before
    root.setLevel(level)
    structlog.configure(**config)


@pytest.fixture
def empty(tmp_path):
    """An installation of which nothing exists but its settings."""
    return Command(
        database_url=f"sqlite:///{tmp_path / 'maedal.db'}",
        key_file=tmp_path / "keys.json",
        public_url="https://pay.example",
    )


@pytest.fixture
def maedal(all_databases, tmp_path):
    """An installation that is migrated and has its key file."""
    create_key_file(tmp_path / "keys.json")
    return Command(
        database_url=all_databases.url("sqlite"),
        key_file=tmp_path / "keys.json",
        public_url="https://pay.example",
        sandbox_url=f"http://127.0.0.1:{free_port()}",
    )


@pytest.fixture
def merchant(maedal):
    return CODE.search(maedal("merchant", "create", "--name", "A shop"))[0]


def add(maedal, merchant, *words, **more):
    return CHANNEL.search(maedal("channel", "add", "--merchant", merchant, *words, **more))[0]


def facts(shown):
    """Return the facts of a thing that a list shows."""
    return {line[2:16].strip(): line[16:].strip() for line in shown.splitlines() if line.startswith("  ")}


# -- from nothing


def test_from_an_empty_folder_to_a_channel(empty, tmp_path):
    assert "maedal keys create" in empty.refuses("merchant", "list")
    assert "keys.json" in empty("keys", "create")
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600
    assert "maedal migrate" in empty.refuses("merchant", "list")
    assert head() in empty("migrate")
    assert head() in empty("migrate")
    made = empty("merchant", "create", "--name", "A [bold] shop")
    code = CODE.search(made)[0]
    assert re.search(r"REST API key +\d{16}\n", made)
    secret = re.search(r"REST API secret +([\w-]{80})\n", made)[1]
    listed = empty("merchant", "list")
    assert listed.startswith(code)
    assert facts(listed)["name"] == "A [bold] shop"
    assert secret not in listed
    channel = add(empty, code, "--cid", "TCSUBSCRIP")
    assert channel in empty("channel", "list", "--merchant", code)


def test_a_key_file_is_never_overwritten(maedal, tmp_path):
    before = (tmp_path / "keys.json").read_bytes()
    assert "is there already" in maedal.refuses("keys", "create")
    assert (tmp_path / "keys.json").read_bytes() == before


# -- merchants


def test_the_field_set_is_chosen_and_shown(maedal, merchant):
    assert facts(maedal("merchant", "list"))["fields"] == "full"
    maedal("merchant", "fields", "--merchant", merchant, "--set", "2021")
    assert facts(maedal("merchant", "list"))["fields"] == "2021"
    assert "imp99999999" in maedal.refuses("merchant", "fields", "--merchant", "imp99999999", "--set", "full")


def test_rules_of_recovery_are_set_shown_and_taken_away(maedal, merchant):
    of_merchant = ("--merchant", merchant)
    assert set(facts(maedal("recovery", "show", *of_merchant)).values()) == {"never"}
    rule = ("recovery", "set", *of_merchant, "--reason", "balance", "--after")
    assert facts(maedal(*rule, "1d, 36h,90m"))["balance"] == "1d, 36h, 90m"
    assert facts(maedal("recovery", "show", *of_merchant)) == {
        "limit": "never", "balance": "1d, 36h, 90m", "locked": "never", "ended key": "never", "other": "never",
    }  # fmt: skip
    assert facts(maedal(*rule, "never"))["balance"] == "never"
    assert "nothing will be tried again" in maedal("recovery", "planned", *of_merchant)


@pytest.mark.parametrize(
    ("reason", "after", "words"),
    [
        ("weather", "1d", "limit, balance, locked, ended_key"),
        ("balance", "1w", "1d,3d,7d"),
        ("balance", "", "1d,3d,7d"),
        ("balance", "0d", "1d,3d,7d"),
        ("balance", "1m", "10 minutes"),
        ("balance", "32d", "31 days"),
        ("balance", ",".join(["1d"] * 11), "at most 10"),
    ],
)
def test_what_is_no_rule_of_recovery_is_refused(maedal, merchant, reason, after, words):
    assert words in maedal.refuses("recovery", "set", "--merchant", merchant, "--reason", reason, "--after", after)
    assert set(facts(maedal("recovery", "show", "--merchant", merchant)).values()) == {"never"}


def test_no_key_waits_for_its_end_in_the_beginning_and_replaced_ones_may_be_kept(maedal, merchant):
    assert maedal("keys", "pending") == ""
    channel = add(maedal, merchant, "--cid", "TCSUBSCRIP", "--replaced-keys", "keep")
    at = ("channel", "set", channel, "--merchant", merchant)
    assert facts(maedal(*at, "--name", "kept"))["replaced keys"] == "keep"
    assert facts(maedal(*at, "--replaced-keys", "deactivate"))["replaced keys"] == "deactivate"


@pytest.mark.parametrize(
    ("tries", "charge_open", "outcome", "code", "reason"),
    [
        (0, True, None, None, "a charge of it is open; it ends once that one is known"),
        (0, False, None, None, "not tried yet"),
        (1, False, None, None, "the last try was broken off"),
        (1, False, Outcome.UNKNOWN, None, "unknown: [-] the answer was lost"),
        (2, False, Outcome.DECLINED, "-401", "declined: [-401] wrong key"),
    ],
)
def test_why_a_key_has_not_ended_at_the_pg_yet(tries, charge_open, outcome, code, reason):
    ending = KeyEnding("imp1", "at_1", "key_1", tries, NOW)
    message = "wrong key" if code else None
    assert why(PendingEnding(ending, "c_1", KeyEnd.DELETED, charge_open, outcome, code, message)) == reason


@pytest.mark.parametrize(("tries", "minutes"), [(1, 1), (2, 2), (3, 4), (9, 256), (10, 360), (1000, 360)])
def test_the_waits_between_tries_to_end_a_key_grow_up_to_six_hours(tries, minutes):
    assert wait_after(tries) == timedelta(minutes=minutes)


def test_webhook_addresses_are_set_shown_and_removed(maedal, merchant):
    maedal("merchant", "webhook", "--merchant", merchant, "--test", "http://127.0.0.1/t", "--type", "form")
    maedal("merchant", "webhook", "--merchant", merchant, "--live", "https://shop.example/l", "--retry", "few")
    assert "first the webhook" in maedal("merchant", "webhook", "--merchant", merchant, "--first")
    shown = facts(maedal("merchant", "list"))
    assert (shown["webhook live"], shown["webhook test"]) == ("https://shop.example/l", "http://127.0.0.1/t")
    assert (shown["webhook type"], shown["webhook retry"]) == ("live form, test form", "few")
    assert "confirm_url not asked" in maedal("merchant", "webhook", "--merchant", merchant, "--no-confirm")
    reply = maedal("merchant", "webhook", "--merchant", merchant, "--type", "form", "--type-live", "json")
    assert "type  live json, test form" in reply
    assert shown["webhook first"] == "yes"
    maedal("merchant", "webhook", "--merchant", merchant, "--test", "", "--not-first")
    assert facts(maedal("merchant", "list"))["webhook first"] == "no"
    assert facts(maedal("merchant", "list"))["webhook test"] == "-"


@pytest.mark.parametrize(
    "words", [("--test", "ftp://a"), ("--live", "shop.example"), ("--type", "xml"), ("--retry", "always")]
)
def test_a_webhook_that_cannot_be_is_refused(maedal, merchant, words):
    maedal.refuses("merchant", "webhook", "--merchant", merchant, *words)


@pytest.mark.parametrize(
    "words",
    [
        ("merchant", "webhook", "--test", "http://a"),
        ("channel", "add", "--cid", "TCSUBSCRIP"),
        ("channel", "list"),
        ("channel", "set", "channel-key-x"),
        ("check-channel", "channel-key-x"),
    ],
)
def test_an_unknown_merchant_is_named(maedal, words):
    output = maedal.refuses(*words, "--merchant", "imp99999999")
    assert "imp99999999" in output


# -- channels


@pytest.mark.parametrize(("cid", "kind"), [("TC0ONETIME", "one-time"), ("TCSUBSCRIP", "recurring")])
def test_a_test_channel_speaks_to_the_simulator(maedal, merchant, cid, kind):
    channel = add(maedal, merchant, "--cid", cid)
    shown = maedal("channel", "list", "--merchant", merchant)
    assert shown.startswith(channel)
    assert facts(shown) == {
        "name": f"kakaopay {cid}",
        "CID": f"kakaopay.{cid}",
        "kind": kind,
        "test mode": "ON",
        "speaks to": "the simulator",
        "default": "yes",
        "origins": "any",
        "app schemes": "none listed",
        "prepared only": "no",
        "replaced keys": "deactivate",
        "month limit": "not known",
        "method": "any",
        "cards": "any",
        "months": "any",
        "window": "layer",
        "files": "none",
        "waits": "24 hours",
        "works": "as far as is known",
    }


def test_a_live_channel_asks_for_its_key_and_never_shows_it(maedal, merchant):
    output = maedal(
        "channel", "add", "--merchant", merchant, "--cid", LIVE_CID, "--test-mode", "off", "--secret-key",
        stdin=f"{LIVE_KEY}\n",
    )  # fmt: skip
    assert LIVE_KEY not in output
    shown = maedal("channel", "list", "--merchant", merchant)
    assert (facts(shown)["test mode"], facts(shown)["speaks to"]) == ("OFF", "the PG")
    assert LIVE_KEY not in shown


def test_a_file_key_is_asked_for_after_the_secret_key_and_goes_with_its_bucket(maedal, merchant):
    channel = add(
        maedal, merchant, "--cid", "TCSUBSCRIP", "--bucket", "B000000001", "--secret-key", "--file-key",
        stdin=f"{DEV_KEY}\nthe file key\n",
    )  # fmt: skip
    shown = maedal("channel", "list", "--merchant", merchant)
    assert facts(shown)["files"] == "bucket B000000001"
    assert "the file key" not in shown
    at = ("channel", "set", channel, "--merchant", merchant)
    assert facts(maedal(*at, "--name", "another"))["files"] == "bucket B000000001"
    live = maedal(*at, *OFF, "--cid", LIVE_CID, "--secret-key", stdin=f"{LIVE_KEY}\n")
    assert facts(live)["files"] == "none"
    again = maedal(*at, "--bucket", "B2", "--file-key", stdin="the live one\n")
    assert facts(again)["files"] == "bucket B2"
    assert facts(maedal(*at, "--bucket", ""))["files"] == "none"


@pytest.mark.parametrize(("words", "why"), [((), "needs the bucket id"), (("--bucket", "a b"), "is no bucket id")])
def test_a_file_key_needs_a_bucket(maedal, merchant, words, why):
    output = maedal.refuses(
        "channel", "add", "--merchant", merchant, "--cid", "TCSUBSCRIP", "--file-key", *words, stdin="k\n"
    )
    assert why in output
    assert maedal("channel", "list", "--merchant", merchant) == ""


OFF, ON = ("--test-mode", "off"), ("--test-mode", "on")
GUARDED = {
    "a test CID with OFF": (("--cid", "TCSUBSCRIP", *OFF, "--secret-key"), LIVE_KEY, "test CID"),
    "the one-time test CID with OFF": (("--cid", "TC0ONETIME", *OFF, "--secret-key"), LIVE_KEY, "test CID"),
    "the simulator with OFF": (("--cid", LIVE_CID, *OFF), None, "needs a secret key"),
    "an empty key with OFF": (("--cid", LIVE_CID, *OFF, "--secret-key"), " ", "needs a secret key"),
    "a dev key with OFF": (("--cid", LIVE_CID, *OFF, "--secret-key"), DEV_KEY, "does not take a dev secret key"),
    "no CID with OFF": (("--cid", "CA-12", *OFF, "--secret-key"), LIVE_KEY, "is no CID"),
    "a live CID with ON": (("--cid", LIVE_CID, *ON), None, "takes the test CIDs only"),
    "a live key with ON": (("--cid", "TCSUBSCRIP", *ON, "--secret-key"), LIVE_KEY, "does not take a live secret key"),
    "a test CID of another kind": (("--cid", "TCSUBSCRIP", "--kind", "one_time"), None, "is the test CID for"),
    "a PG that nobody knows": (("--cid", "TCSUBSCRIP", "--pg", "tosspay"), None, "no driver"),
    "an origin with a path": (
        ("--cid", "TCSUBSCRIP", "--origin", "https://a.example/[x]"),
        None,
        "https://a.example/[x]",
    ),
}


@pytest.mark.parametrize(("words", "key", "why"), GUARDED.values(), ids=GUARDED)
def test_adding_is_refused(maedal, merchant, words, key, why):
    output = maedal.refuses("channel", "add", "--merchant", merchant, *words, stdin=None if key is None else f"{key}\n")
    assert why in output
    assert maedal("channel", "list", "--merchant", merchant) == ""


@pytest.mark.parametrize(("words", "key", "why"), [g for g in GUARDED.values() if "--pg" not in g[0]])
def test_changing_is_refused_just_the_same_and_changes_nothing(maedal, merchant, words, key, why):
    channel = add(maedal, merchant, "--cid", "TCSUBSCRIP")
    before = maedal("channel", "list", "--merchant", merchant)
    output = maedal.refuses(
        "channel", "set", channel, "--merchant", merchant, *words, stdin=None if key is None else f"{key}\n"
    )
    assert why in output
    assert maedal("channel", "list", "--merchant", merchant) == before


def test_test_mode_is_switched_off_and_on_and_each_time_the_old_key_is_dropped(maedal, merchant):
    channel = add(maedal, merchant, "--cid", "TCSUBSCRIP", "--secret-key", stdin=f"{DEV_KEY}\n")
    at = ("channel", "set", channel, "--merchant", merchant)
    assert facts(maedal("channel", "list", "--merchant", merchant))["speaks to"] == "the PG"
    assert "needs a secret key" in maedal.refuses(*at, *OFF, "--cid", LIVE_CID)
    live = facts(maedal(*at, *OFF, "--cid", LIVE_CID, "--secret-key", stdin=f"{LIVE_KEY}\n"))
    assert (live["test mode"], live["CID"], live["speaks to"]) == ("OFF", f"kakaopay.{LIVE_CID}", "the PG")
    # Back in test mode the live key must not be used: without a key of its own it is the simulator.
    test = facts(maedal(*at, *ON, "--cid", "TCSUBSCRIP"))
    assert (test["test mode"], test["CID"], test["speaks to"]) == ("ON", "kakaopay.TCSUBSCRIP", "the simulator")


def test_name_default_and_origins_are_changed(maedal, merchant):
    first = add(maedal, merchant, "--cid", "TC0ONETIME")
    second = add(maedal, merchant, "--cid", "TCSUBSCRIP", "--default")
    shown = maedal("channel", "list", "--merchant", merchant)
    assert re.findall(r"default +(\w+)", shown) == ["no", "yes"]
    at = ("channel", "set", second, "--merchant", merchant)
    changed = facts(
        maedal(*at, "--name", "월 구독", "--origin", "https://a.example", "--origin", "http://localhost:3000")
    )
    assert (changed["name"], changed["origins"]) == ("월 구독", "https://a.example, http://localhost:3000")
    assert facts(maedal(*at, "--origin", ""))["origins"] == "any"
    assert first in maedal("channel", "set", first, "--merchant", merchant, "--default")
    assert re.findall(r"default +(\w+)", maedal("channel", "list", "--merchant", merchant)) == ["yes", "no"]


def test_an_unknown_channel_is_named(maedal, merchant):
    assert "channel-key-x" in maedal.refuses("channel", "set", "channel-key-x", "--merchant", merchant)
    assert "channel list" in maedal.refuses("check-channel", "channel-key-x", "--merchant", merchant)


def test_a_channel_is_checked_against_the_simulator_and_nobody_is_charged(maedal, merchant, tmp_path):
    import httpx

    address = maedal.settings["sandbox_url"]
    recurring, one_time = (add(maedal, merchant, "--cid", cid) for cid in ("TCSUBSCRIP", "TC0ONETIME"))
    assert "no readable answer" in maedal.refuses("check-channel", recurring, "--merchant", merchant)
    settings = SandboxSettings(data_file=tmp_path / "sandbox.db", public_url=address)
    with served(create_sandbox(settings), int(address.rpartition(":")[2])):
        assert "recurring payment is allowed" in maedal("check-channel", recurring, "--merchant", merchant)
        assert "one-time payment only" in maedal("check-channel", one_time, "--merchant", merchant)
        log = httpx.get(f"{address}/_sim/log").json()
    assert {entry["operation"] for entry in log} == {"ready"}


# -- serve


def test_serve_refuses_the_demo_pair(all_databases, tmp_path):
    url = all_databases.url("sqlite")
    with world(url, tmp_path):
        pass
    command = Command(database_url=url, key_file=tmp_path / "keys.json", public_url="https://pay.example")
    assert "demo API key" in command.refuses("serve", "--port", str(free_port()))


@pytest.mark.parametrize("missing", ["database_url", "key_file", "public_url"])
@pytest.mark.parametrize("command", ["serve", "worker", "migrate"])
def test_a_missing_setting_is_named(maedal, command, missing):
    assert f"MAEDAL_{missing.upper()} is not set" in maedal.refuses(command, **{missing: None})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unknown_name", "1"),
        ("public_url", "pay.example"),
        ("public_url", "https://pay.example/path"),
        ("sandbox_url", "nonsense"),
        ("database_url", "mysql://a/b"),
        ("database_url", "sqlite:relative"),
        ("allow_private_addresses", "perhaps"),
        ("busy_wait_seconds", "soon"),
        ("busy_wait_seconds", "nan"),
        ("clarify_wait_seconds", "-1"),
        ("clarify_wait_seconds", "inf"),
        ("webhook_first_wait_seconds", "601"),
        ("retention_paid_days", "0"),
        ("retention_unpaid_days", "36501"),
        ("retention_ended_key_days", "1.5"),
        ("include_sandbox", "sometimes"),
        ("log_format", "xml"),
        ("settings_file", "/nowhere/settings.toml"),
    ],
)
def test_a_setting_that_cannot_be_is_named(maedal, name, value):
    output = maedal.refuses("serve", "--port", str(free_port()), **{name: value})
    assert f"MAEDAL_{name.upper()}" in output or value in output


def test_a_database_that_was_never_migrated_says_what_to_run(maedal, tmp_path):
    output = maedal.refuses("serve", "--port", str(free_port()), database_url=f"sqlite:///{tmp_path / 'new.db'}")
    assert "maedal migrate" in output


def test_a_key_file_that_others_can_read_is_refused(maedal, tmp_path):
    (tmp_path / "keys.json").chmod(0o644)
    assert "chmod 600" in maedal.refuses("serve", "--port", str(free_port()))


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"version": 1}', '{"version": 2}', '{"version":1,"aead":{},"mac":[]}', "\0"]
)
def test_a_damaged_key_file_is_refused(maedal, tmp_path, content):
    (tmp_path / "keys.json").write_text(content)
    assert "key file" in maedal.refuses("serve", "--port", str(free_port()))


def test_a_port_that_is_taken_says_so(maedal):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"127.0.0.1:{port}" in maedal.refuses("serve", "--port", str(port))


def test_a_worker_alone_needs_postgresql(maedal):
    assert "PostgreSQL" in maedal.refuses("worker")


def test_settings_may_come_from_a_file_which_the_environment_overrules(maedal, tmp_path):
    file = tmp_path / "maedal.toml"
    file.write_text('public_url = "https://file.example"\nbusy_wait_seconds = 5\nallow_private_addresses = true\n')
    maedal("merchant", "list", settings_file=file, public_url=None)
    file.write_text('public_url = "https://file.example/path"\n')
    maedal("merchant", "list", settings_file=file)
    assert "MAEDAL_PUBLIC_URL" in maedal.refuses("merchant", "list", settings_file=file, public_url=None)
    file.write_text("unknown = 1\n")
    assert "unknown" in maedal.refuses("merchant", "list", settings_file=file)
    file.write_text("= no toml")
    assert "no TOML" in maedal.refuses("merchant", "list", settings_file=file)


def test_names_of_the_makefile_and_the_tests_are_no_settings(maedal):
    maedal("merchant", "list", advice="build/advice", test_anything="1", chromium="/usr/bin/chromium")


def test_a_new_api_secret_is_shown_once(maedal, merchant):
    output = maedal("merchant", "new-secret", "--merchant", merchant)
    assert re.search(r"REST API secret {7}\S{80}$", output, re.MULTILINE)
    assert "no API key 123" in maedal.refuses("merchant", "new-secret", "--merchant", merchant, "--api-key", "123")
    assert "0 API keys" in maedal.refuses("merchant", "new-secret", "--merchant", "imp99999999")
    log = maedal("audit", "list", "--merchant", merchant)
    assert "new_api_secret" in log
    assert "create_merchant" in log
    assert "(command line)" in log


def test_an_old_api_secret_stays_good_for_an_overlap_and_keys_are_named_and_listed(maedal, merchant):
    of = ("--merchant", merchant)
    assert "24h or 7d" in maedal.refuses("merchant", "new-secret", *of, "--overlap", "soon")
    assert "7 days at most" in maedal.refuses("merchant", "new-secret", *of, "--overlap", "8d")
    maedal("merchant", "new-secret", *of, "--overlap", "24h")
    assert re.search(r"old secret +good until", maedal("merchant", "keys", *of, "--name", "orders"))
    maedal("merchant", "end-old-secret", *of)
    output = maedal("merchant", "keys", *of)
    assert re.search(r"old secret +-\n", output)
    assert re.search(r"name +orders\n", output)
    assert "no old secret" in maedal.refuses("merchant", "end-old-secret", *of)


def test_addresses_are_allowed_listed_and_ended(maedal, merchant):
    of = ("merchant", "addresses", "--merchant", merchant)
    assert "every address may call" in maedal(*of)
    assert "is no IP address" in maedal.refuses(*of, "--allow", "shop.example")
    assert re.search(r"203\.0\.113\.0/24\n +memo +orders", maedal(*of, "--allow", "203.0.113.7/24", "--memo", "orders"))
    assert "every address may call" in maedal(*of, "--end", "203.0.113.0/24")


def test_the_doctor_says_of_each_line_on_what_it_rests_and_ends_with_1_while_something_is_left(
    maedal, merchant, tmp_path
):
    assert "not ready" in maedal.refuses("doctor", "--merchant", merchant, "--no-calls")
    output = maedal.run("doctor").stdout
    assert "✗ addresses  the API may be called from every address" in output
    assert "→ add the addresses that your servers call from" in output
    assert re.search(r"✗ clock +there is no channel", output)
    (tmp_path / "other.json").write_text("{}")
    assert "can be read by others" in maedal.refuses("keys", "fingerprint", str(tmp_path / "other.json"))


def test_the_doctor_tells_of_a_channel_that_does_not_work_and_so_does_its_list(maedal, merchant):
    channel = add(maedal, merchant, "--cid", "TCSUBSCRIP")
    assert "works: NO" not in maedal.run("doctor", "--no-calls").stdout
    until = NOW + timedelta(minutes=1)
    pause = ChannelPause(merchant, channel, Fault.QUOTA, "[-429] [too] many calls today", NOW, until)
    asyncio.run(_written(maedal.settings["database_url"], PauseChannel(None, pause)))
    reply = f"NO, quota since {moment(NOW)}: [-429] [too] many calls today; scheduled charges wait, next try"
    output = maedal.run("doctor", "--no-calls", "--merchant", merchant)
    assert output.exit_code == 1
    assert f"✗ channel    kakaopay TCSUBSCRIP works: {reply} {moment(until)}" in output.stdout
    assert facts(maedal("channel", "list", "--merchant", merchant))["works"].startswith(reply)


async def _written(database_url, write):
    store = create_store(database_url)
    await store.open()
    try:
        assert await store.write(write)
    finally:
        await store.close()


def test_the_pair_of_channels_is_made_once_and_limits_are_set(maedal, merchant):
    pair = ("channel", "pair", "--merchant", merchant)
    made = CHANNEL.findall(maedal(*pair))
    assert len(made) == 2
    assert CHANNEL.findall(maedal(*pair)) == made
    same = ("--test-mode", "off", "--one-time-cid", LIVE_CID, "--recurring-cid", LIVE_CID, "--secret-key")
    assert "different CIDs" in maedal.refuses(*pair, *same, stdin=LIVE_KEY)
    change = ("channel", "set", made[0], "--merchant", merchant)
    assert "cannot be limited to card 999" in maedal.refuses(*change, "--card", "999")
    assert "no cards and no instalments" in maedal.refuses(*change, "--method", "money", "--months", "0")
    output = maedal(*change, "--method", "card", "--card", "361", "--card", "381", "--months", "3", "--window", "popup")
    assert [re.search(rf"{name} +(.+)", output)[1] for name in ("method", "cards", "months", "window")] == [
        "card",
        "361, 381",
        "3",
        "popup",
    ]
    recurring = ("channel", "set", made[1], "--merchant", merchant, "--months", "3")
    assert "not paid in instalments" in maedal.refuses(*recurring)
    assert re.search(r"cards +any", maedal(*change, "--card", ""))


def test_what_a_command_sets_is_in_the_audit_log(maedal, merchant):
    maedal(
        "merchant", "webhook", "--merchant", merchant, "--test", "https://shop.example/hook?token=abc", "--retry", "few"
    )
    maedal("merchant", "webhook", "--merchant", merchant, "--retry", "few")
    maedal("merchant", "fields", "--merchant", merchant, "--set", "2021")
    maedal("recovery", "set", "--merchant", merchant, "--reason", "limit", "--after", "1d,3d")
    maedal("webhook", "new-secret", "--merchant", merchant)
    log = maedal("audit", "list", "--merchant", merchant)
    assert re.findall(r"KST  (\w+)$", log, re.MULTILINE) == [
        "change_signing", "change_recovery", "change_fields", "change_webhook", "create_merchant",
    ]  # fmt: skip
    assert "test=https://shop.example/hook?…; retry=few" in log
    assert "abc" not in log


def test_help_names_every_command(maedal):
    output = maedal("--help")
    for name in ("dev", "serve", "worker", "migrate", "merchant", "channel", "check-channel", "keys"):
        assert name in output


@pytest.mark.slow
def test_help_waits_for_neither_the_server_nor_the_database():
    look = "import sys; from maedal.cli.main import app; print([m for m in sys.argv[1:] if m in sys.modules])"
    heavy = ("litestar", "uvicorn", "aiohttp", "sqlalchemy", "alembic", "asyncpg", "tink", "maedal.app")
    done = subprocess.run([sys.executable, "-c", look, *heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_a_secret_key_may_come_through_a_pipe(maedal, merchant):
    words = ("channel", "add", "--merchant", merchant, "--cid", LIVE_CID, *OFF, "--secret-key")
    done = processes.run(*words, stdin=f"{LIVE_KEY}\n", **maedal.settings)
    assert (done.returncode, done.stderr) == (0, "")
    assert "OFF" in done.stdout
    assert processes.run("channel", "list", "--merchant", "imp99999999", **maedal.settings).returncode == 1
