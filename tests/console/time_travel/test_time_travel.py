"""Time travel in `maedal dev`: everything that is due on the way happens at its time; nowhere else can time be moved."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from kakaopay_sandbox.clock import ahead_by
from maedal.clock import TravelClock
from maedal.console.frame.days import KOREA
from maedal.console.time_travel.pages import destination
from maedal.operators.role import Role
from maedal.payments.errors import InvalidParameter
from tests.console.people import Person, make_operator, text_of
from tests.support.world import World, world

TRAVEL, HOME = "/console/dev/travel", "/console"
PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def testbed(all_databases, tmp_path_factory) -> Iterator[World]:
    """The three with one clock, as `maedal dev` runs them."""
    with world(
        all_databases.url("sqlite"), tmp_path_factory.mktemp("testbed"), with_shop=True, travels=True
    ) as running:
        yield running
        while Person.browsers:
            Person.browsers.pop().close()


@pytest.fixture(scope="module")
def owner(testbed: World) -> Person:
    person = Person(testbed)
    person.sign_in("owner", make_operator(testbed, "owner", Role.OWNER))
    return person


def moment(testbed: World) -> datetime:
    return datetime.fromisoformat(testbed.http.get(f"{testbed.sandbox}/_sim/clock").json()["now"])


def travels(person: Person, **criteria: str) -> str:
    """Set out, wait for the end, and give what the page then shows."""
    person.send(TRAVEL, HOME, **criteria)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "travelling" in (page := person.see(HOME)):
        assert time.monotonic() < deadline, text_of(page)
        time.sleep(0.1)
    return page


def test_a_month_of_planned_charges_happens_in_order_each_at_its_time(testbed: World, owner: Person) -> None:
    testbed.issue_key("weekly")
    token = testbed.token()
    began = moment(testbed)
    due = [began + timedelta(days=7 * n + 1, minutes=13) for n in range(4)]
    charges = [
        {"merchant_uid": f"week_{n}", "schedule_at": int(at.timestamp()), "amount": 1_000, "name": "Beans"}
        for n, at in enumerate(due)
    ]
    testbed.call("POST", "/subscribe/payments/schedule", json={"customer_uid": "weekly", "schedules": charges})
    page = travels(owner, step="month")
    arrived = moment(testbed)
    assert timedelta(days=28) <= arrived - began < timedelta(days=32)
    assert re.search(r"\+(\d+)일", page)[1] in {"28", "29", "30", "31"}
    # Tokens live in the testbed's time, and this one is over; the session lives in the owner's, and is not.
    assert (
        testbed.http.get(f"{testbed.gateway}/payments/status/all", headers={"Authorization": token}).status_code == 401
    )
    testbed._token = None
    paid = [testbed.call("GET", f"/payments/find/week_{n}").json()["response"] for n in range(4)]
    assert [p["status"] for p in paid] == ["paid"] * 4
    late = [p["paid_at"] - at.timestamp() for p, at in zip(paid, due, strict=True)]
    assert all(-1 <= seconds < 60 for seconds in late), late
    charged = [e for e in testbed.log(operation="subscription") if e["outcome"] == "approved"]
    there = sorted(datetime.fromisoformat(e["time"]) for e in charged)
    assert [at - one < timedelta(minutes=1) for at, one in zip(there, due, strict=True)] == [True] * 4
    # Whoever comes back later finds the same time.
    assert ahead_by(testbed.settings.key_file.parent / "clock")() - datetime.now(UTC) > timedelta(days=27)


def test_a_journey_can_be_stopped_and_only_one_is_made_at_a_time(testbed: World, owner: Person) -> None:
    before = moment(testbed)
    owner.send(TRAVEL, HOME, step="date", date=f"{before.astimezone(KOREA) + timedelta(days=1500):%Y-%m-%d}")
    token = owner.token()
    fields = {"form_token": token, "step": "month", "back": HOME}
    refused = owner.http.post(TRAVEL, data=fields, headers={"Origin": owner.origin}, follow_redirects=True)
    assert "이미 시간을 옮기고 있습니다" in refused.text
    owner.send(f"{TRAVEL}/stop", HOME)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "travelling" in owner.see(HOME):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert moment(testbed) - before < timedelta(days=1500)
    # A page that waits is told to come anew; without JavaScript it is a page like any other.
    assert owner.http.get(TRAVEL, headers={"HX-Request": "true"}).headers["hx-refresh"] == "true"
    assert "시간 이동" in owner.see(TRAVEL)


@pytest.mark.parametrize(("fields", "reported"), [({"date": "2020-01-01"}, "앞으로만"), ({"date": "soon"}, "날짜를 골라"),
                                              ({"date": "2099-01-01"}, "5년까지")])  # fmt: skip
def test_a_date_that_cannot_be_reached_is_refused(owner: Person, fields: dict[str, str], reported: str) -> None:
    answer = owner.send(TRAVEL, HOME, step="date", **fields)
    assert reported in text_of(answer.text)
    assert "travelling" not in answer.text


def test_who_may_not_change_settings_moves_no_time(testbed: World) -> None:
    reader = Person(testbed)
    reader.sign_in("reader", make_operator(testbed, "reader", Role.READ_ONLY))
    page = reader.see(HOME)
    assert 'data-testid="now"' in page
    assert 'value="month"' not in page
    for path in (TRAVEL, f"{TRAVEL}/stop"):
        fields = {"form_token": reader.token(), "step": "month"}
        assert reader.http.post(path, data=fields, headers={"Origin": reader.origin}).status_code == 403
    stranger = Person(testbed)
    assert stranger.http.post(TRAVEL, headers={"Origin": testbed.gateway}).status_code == 303


def test_outside_dev_there_is_no_way_to_move_time(site) -> None:
    someone = site.person(Role.OWNER)
    fields = {"form_token": someone.token(), "step": "month"}
    for path in (TRAVEL, f"{TRAVEL}/stop"):
        assert someone.http.post(path, data=fields, headers={"Origin": someone.origin}).status_code in {404, 405}
    assert someone.http.get(TRAVEL).status_code == 404
    assert 'data-testid="travel"' not in someone.see(HOME)


def test_a_step_is_what_a_calendar_says() -> None:
    now = datetime(2027, 1, 31, 3, 30, tzinfo=UTC)
    assert destination(now, "month", "").isoformat() == "2027-02-28T12:30:00+09:00"
    assert destination(now, "date", "2027-12-24").isoformat() == "2027-12-24T12:30:00+09:00"
    assert destination(now, "week", "") - now == timedelta(days=7)
    with pytest.raises(InvalidParameter):
        destination(now, "year", "")


def test_time_never_goes_back(tmp_path) -> None:
    clock = TravelClock(tmp_path / "clock")
    clock.travel(clock.now() + timedelta(days=3))
    clock.travel(clock.now() - timedelta(days=2))
    assert timedelta(days=2.9) < TravelClock(tmp_path / "clock").ahead < timedelta(days=3.1)
