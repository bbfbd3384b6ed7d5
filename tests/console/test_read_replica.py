"""Lists that are read from a standby: what is shown, to whom, how old it may be, and what happens when it is away."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from maedal.cli.main import app as command_line
from maedal.console.frame.visit import WROTE_COOKIE
from maedal.merchants.merchant import DEMO_CODE
from maedal.operators.role import Role
from maedal.settings import SettingsError, load
from maedal.storage.errors import StoreError
from maedal.storage.open import create_replica, create_store
from tests.console.people import Person, make_operator, text_of
from tests.support.postgres import _execute
from tests.support.standby import Copy, StandbyPair, ask
from tests.support.world import world

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("read_replica")]

PAYMENTS = f"/console/merchants/{DEMO_CODE}/payments"
FROM_REPLICA = "읽기 복제본에서 읽었습니다"
FROM_PRIMARY = "주 데이터베이스에서 읽었습니다"
SECONDS_MAX = 60
FAR = 300
"""A bound that no test comes to by itself, however slow the machine is."""


@pytest.fixture(scope="module")
def pair():
    with StandbyPair() as pair:
        yield pair


@pytest.fixture(scope="module")
def running(pair, tmp_path_factory):
    pair.catch_up()
    changes = {"read_database_url": pair.url_of(pair.standby), "read_lag_seconds": FAR}
    with world(
        pair.url, tmp_path_factory.mktemp("replica"), gateway_options={"with_worker": False}, **changes
    ) as everything:
        passwords = {name: make_operator(everything, name, Role.OWNER) for name in ("minji", "jisu")}
        everything.extra["people"] = passwords
        yield everything
        while Person.browsers:
            Person.browsers.pop().close()


def somebody(running, name):
    """Somebody who signed in a while ago."""
    person = Person(running)
    person.sign_in(name, running.extra["people"][name])
    a_while_later(person)
    return person


def a_while_later(person):
    """Let the time be over in which a browser is shown the primary after it has sent a form."""
    person.http.cookies.delete(WROTE_COOKIE)


def until(look, is_there):
    deadline = time.monotonic() + SECONDS_MAX
    while not is_there(found := look()):
        assert time.monotonic() < deadline, f"it never came to that: {found}"
        time.sleep(0.05)
    return found


@contextmanager
def standing_still(pair):
    """Let the standby take in the log without showing what is in it."""
    _execute(pair.standby.url, "SELECT pg_wal_replay_pause()")
    pair.wait_until(pair.standby, "SELECT pg_get_wal_replay_pause_state() = 'paused'")
    try:
        yield
    finally:
        _execute(pair.standby.url, "SELECT pg_wal_replay_resume()")
        pair.catch_up()


def ready(running):
    return running.http.get(f"{running.gateway}/readyz").json()["read_replica"]


def test_a_change_is_shown_at_once_to_who_made_it_and_to_others_when_the_standby_has_it(running, pair):
    minji, jisu = somebody(running, "minji"), somebody(running, "jisu")
    assert FROM_REPLICA in until(lambda: minji.see(PAYMENTS), lambda page: FROM_REPLICA in page)
    with standing_still(pair):
        sent = minji.send(f"{PAYMENTS}/views", PAYMENTS, follow=False, name="in July", shared="on")
        assert sent.status_code == 303
        assert "max-age=302" in sent.headers["set-cookie"].lower()
        own = minji.see(PAYMENTS)
        assert "in July" in own
        assert "read-from" not in own
        others = jisu.see(PAYMENTS)
        assert FROM_REPLICA in others
        assert "in July" not in others
    assert "in July" in jisu.see(PAYMENTS)
    a_while_later(minji)
    own = minji.see(PAYMENTS)
    assert "in July" in own
    assert FROM_REPLICA in own


def test_every_list_says_how_old_it_may_be_and_what_decides_is_read_from_the_primary(running, pair):
    minji, home = somebody(running, "minji"), f"/console/merchants/{DEMO_CODE}"
    lists = ("", "/payments", "/payments/export", "/billing-keys", "/schedules", "/schedules/calendar", "/upcoming",
             "/webhook-log", "/log")  # fmt: skip
    for page in lists:
        assert FROM_REPLICA in minji.see(home + page), page
    for page in ("/desk", "/channels", "/keys", "/go-live", "/webhook"):
        assert "read-from" not in minji.see(home + page), page
    minji.http.cookies.set("maedal_language", "en")
    assert "Read from the read replica, as of" in text_of(minji.see(PAYMENTS))


def test_a_file_waits_for_what_was_there_when_it_was_asked_for(running, pair):
    async def file_of(end_waiting):
        store = create_store(running.settings.database_url, serving=False)
        await store.open()
        replica = create_replica(running.settings.read_database_url, store, FAR)
        try:
            await replica.open()
            while replica.standing().problem is not None:
                await asyncio.sleep(0.05)
            with standing_still(pair):
                reading = replica.reading()
                _execute(pair.primary.url, "SELECT pg_logical_emit_message(true, 'maedal', 'something happens')")
                waiting = asyncio.create_task(reading.catch_up())
                await asyncio.sleep(0.3)
                assert not waiting.done()
                end_waiting(replica)
                await waiting
                return reading.problem
        finally:
            await replica.close()
            await store.close()

    def catch_up(_):
        _execute(pair.standby.url, "SELECT pg_wal_replay_resume()")

    def let_time_go_by(replica):
        replica._replica._now = lambda: time.monotonic() + 2 * FAR

    assert asyncio.run(file_of(catch_up)) is None
    # When the bound is over, the primary is read.
    assert "did not catch up" in asyncio.run(file_of(let_time_go_by))


def test_beyond_the_bound_pages_are_read_from_the_primary_and_say_so(running, pair, monkeypatch):
    minji, jisu = somebody(running, "minji"), somebody(running, "jisu")
    replica = running.app.state.replica._replica
    with standing_still(pair), monkeypatch.context() as patched:
        minji.send(f"{PAYMENTS}/views", PAYMENTS, name="in August", shared="on")
        until(lambda: replica._marks[-1].flushed, lambda seen: seen > replayed(pair))
        patched.setattr(replica, "_now", lambda: time.monotonic() + 2 * FAR)
        late = until(lambda: jisu.see(PAYMENTS), lambda page: FROM_PRIMARY in page)
        assert "in August" in late
        assert "it is behind by" in ready(running)
        figures = running.http.get(f"{running.gateway}/metrics").text
        assert "maedal_read_replica_unused 1.0" in figures
    replica._marks.clear()
    until(lambda: jisu.see(PAYMENTS), lambda page: FROM_REPLICA in page)


def replayed(pair):
    return ask(pair.standby.url, "SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint")


def test_a_standby_that_goes_away_breaks_no_page_and_is_read_again_when_it_is_back(running, pair, quiet_gateway):
    minji = somebody(running, "minji")
    assert FROM_REPLICA in minji.see(PAYMENTS)
    pair.standby.stop("immediate")
    for page in (PAYMENTS, f"/console/merchants/{DEMO_CODE}", f"{PAYMENTS}/export"):
        assert FROM_PRIMARY in minji.see(page)
    assert "not used" in ready(running)
    said = doctor(running)
    assert "! replica" in said
    assert "not used" in said
    pair.standby.start()
    until(lambda: minji.see(PAYMENTS), lambda page: FROM_REPLICA in page)
    until(lambda: ready(running), lambda text: "s behind, of 300 s allowed" in text)
    figures = running.http.get(f"{running.gateway}/metrics").text
    assert "maedal_read_replica_unused 0.0" in figures
    assert "maedal_read_replica_lag_seconds" in figures
    assert "✓ replica" in doctor(running)


def doctor(running):
    names = ("database_url", "read_database_url", "read_lag_seconds", "key_file", "public_url", "sandbox_url")
    environment = {f"MAEDAL_{name.upper()}": str(getattr(running.settings, name)) for name in names}
    return " ".join(CliRunner().invoke(command_line, ["doctor", "--no-calls"], env=environment).output.split())


def test_a_server_that_does_not_follow_the_primary_is_never_read(running, pair):
    async def problem_of(url):
        store = create_store(running.settings.database_url, serving=False)
        await store.open()
        replica = create_replica(url, store, FAR)
        try:
            await replica.open()
            return replica.standing().problem
        finally:
            await replica.close()
            await store.close()

    assert "is no standby" in asyncio.run(problem_of(pair.url_of(pair.primary)))
    with Copy() as stranger:
        # A standby with the same tables and the same system identifier: first without the newest, then of another history.
        stranger.follow_nobody()
        assert "is behind" in asyncio.run(problem_of(pair.url_of(stranger)))
    with Copy() as stranger:
        _execute(pair.url_of(stranger), "UPDATE database_servers SET first_seen_at = now()")
        stranger.follow_nobody()
        assert "does not follow the primary" in asyncio.run(problem_of(pair.url_of(stranger)))


def test_a_setting_that_cannot_be_is_told_at_the_start(tmp_path):
    known = {"MAEDAL_KEY_FILE": "k", "MAEDAL_PUBLIC_URL": "http://a"}
    sqlite = known | {"MAEDAL_DATABASE_URL": "sqlite:///a.db"}
    with pytest.raises(SettingsError, match="names a standby of PostgreSQL, and MAEDAL_DATABASE_URL an SQLite file"):
        load(sqlite | {"MAEDAL_READ_DATABASE_URL": "postgresql://a@b/c"})
    with pytest.raises(SettingsError, match="MAEDAL_READ_DATABASE_URL cannot be '…'"):
        load(sqlite | {"MAEDAL_READ_DATABASE_URL": "sqlite:///other.db"})
    with pytest.raises(SettingsError, match="MAEDAL_READ_LAG_SECONDS cannot be '1'"):
        load(sqlite | {"MAEDAL_READ_LAG_SECONDS": "1"})
    postgres = load(known | {"MAEDAL_DATABASE_URL": "postgresql://a@b/c", "MAEDAL_READ_DATABASE_URL": "postgresql://d"})
    assert (postgres.read_database_url, postgres.read_lag_seconds) == ("postgresql://d", 10)
    with pytest.raises(StoreError, match="MAEDAL_READ_DATABASE_URL: a port is a number"):
        create_replica("postgresql://a@b:x/c", create_store("postgresql://a@b/c"), 10)
    assert replace(postgres, read_database_url=None).read_lag_seconds == 10
