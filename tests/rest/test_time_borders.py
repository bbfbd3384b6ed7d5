"""Borders in time, to the second and with the clock in hand: spans of lists, and times to plan for, on both databases.

The calendar's own borders are where mistakes gather: midnight here and in UTC, ends of months, the leap day.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import urlencode

import pytest

from maedal.flows.run_schedule import claim_due
from maedal.schedules.schedule import HORIZON, LIST_SPAN_MAX
from tests.flows.conftest import flows  # noqa: F401 -- a fixture
from tests.flows.test_schedules import plan
from tests.support import shapes
from tests.support.clock import HandClock
from tests.support.databases import ENGINES
from tests.support.world import world

KST = timezone(timedelta(hours=9))
SECOND = timedelta(seconds=1)
DAY = 86_400
START = datetime(2027, 12, 1, tzinfo=KST)
BORDERS = {
    "the new year in Korea": datetime(2028, 1, 1, tzinfo=KST),
    "the new year in UTC": datetime(2028, 1, 1, tzinfo=UTC),
    "the end of January": datetime(2028, 2, 1, tzinfo=KST),
    "the leap day begins in Korea": datetime(2028, 2, 29, tzinfo=KST),
    "the leap day begins in UTC": datetime(2028, 2, 29, tzinfo=UTC),
    "the leap day ends in Korea": datetime(2028, 3, 1, tzinfo=KST),
    "the leap day ends in UTC": datetime(2028, 3, 1, tzinfo=UTC),
    "the end of April": datetime(2028, 5, 1, tzinfo=KST),
}
AT_BORDERS = pytest.mark.parametrize("border", BORDERS.values(), ids=BORDERS)
PLAN = "/subscribe/payments/schedule"
STATUS = "/payments/status/"


class Times:
    """A gateway whose clock stands where it is put."""

    def __init__(self, everything, clock):
        self.everything, self.clock = everything, clock
        self.rows = {}

    def go_to(self, moment):
        self.clock.add((moment - self.clock.now()).total_seconds())
        self.everything._token = None  # the old one has run out

    def decline(self, merchant_uid):
        self.everything.fault("subscription", "decline")
        payment = self.everything.again("c_1", merchant_uid)["response"]
        assert payment["status"] == "failed"
        return payment

    def listed(self, path, status=200, **params):
        """Return the merchant_uids of a list; None where it is refused."""
        query = {name.rstrip("_"): value for name, value in params.items()}
        found = shapes.envelope(self.everything.call("GET", path, params=query), status)["response"]
        return found and {row["merchant_uid"] for row in found["list"]}


@pytest.fixture(scope="module", params=ENGINES)
def made(request, all_databases, tmp_path_factory):
    """Two payments at each border, the first in the very first and the second in the very last moment of its second."""
    clock = HandClock(START)
    options = {"clock": clock, "with_worker": False}
    with world(
        all_databases.url(request.param), tmp_path_factory.mktemp("times"), gateway_options=options
    ) as everything:
        times = Times(everything, clock)
        everything.issue_key("c_1")
        for name, border in sorted(BORDERS.items(), key=lambda item: item[1]):
            times.go_to(border)
            first = times.decline(f"first of {name}")
            times.go_to(border + SECOND - timedelta(microseconds=1))
            last = everything.open_window(f"last of {name}", 1_000)
            times.rows[border] = (first, everything.payment(last["imp_uid"]))
        times.go_to(datetime(2028, 5, 2, tzinfo=KST))
        yield times


@AT_BORDERS
def test_a_second_holds_its_first_and_its_last_moment(made, border):
    first, last = made.rows[border]
    at = int(border.timestamp())
    assert (first["failed_at"], last["started_at"]) == (at, at)
    for row in (first, last):
        path, uid = STATUS + row["status"], row["merchant_uid"]
        assert made.listed(path, from_=at, to=at) == {uid}
        assert uid in made.listed(path, from_=at, to=at + 60)
        assert uid in made.listed(path, from_=at - 60, to=at)
        assert uid not in made.listed(path, from_=at + 1, to=at + 60)
        assert uid not in made.listed(path, from_=at - 60, to=at - 1)
    assert made.listed(f"{STATUS}all", from_=at, to=at) == {first["merchant_uid"], last["merchant_uid"]}


@AT_BORDERS
def test_without_from_a_span_is_ninety_days_to_the_second(made, border):
    at = int(border.timestamp())
    for row in made.rows[border]:
        path, uid = STATUS + row["status"], row["merchant_uid"]
        assert uid in made.listed(path, to=at + 90 * DAY)
        assert uid not in made.listed(path, to=at + 90 * DAY + 1)
        assert uid not in made.listed(path, to=at - 1)


def test_without_to_a_span_ends_now_and_begins_ninety_days_before(made):
    border = BORDERS["the end of April"]
    at = int(border.timestamp())
    for part in (timedelta(0), timedelta(microseconds=500_000), timedelta(microseconds=999_999)):
        made.go_to(border + timedelta(days=90) + part)
        assert {row["merchant_uid"] for row in made.rows[border]} <= made.listed(f"{STATUS}all")
        assert made.listed(f"{STATUS}all", from_=at)
    made.go_to(border + timedelta(days=90) + SECOND)
    assert made.listed(f"{STATUS}all") == set()
    assert made.listed(f"{STATUS}all", 400, from_=at) is None


@AT_BORDERS
def test_a_span_of_payments_is_ninety_days_and_not_a_second_more(made, border):
    at = int(border.timestamp())
    assert made.listed(f"{STATUS}all", from_=at, to=at + 90 * DAY) is not None
    assert made.listed(f"{STATUS}all", 400, from_=at - 1, to=at + 90 * DAY) is None
    assert made.listed(f"{STATUS}all", 400, from_=at, to=at - 1) is None


# -- scheduled charges


@pytest.fixture(scope="module", params=ENGINES)
def early(request, all_databases, tmp_path_factory):
    """A gateway a month before the first border, where it stays."""
    clock = HandClock(START)
    options = {"clock": clock, "with_worker": False}
    with world(
        all_databases.url(request.param), tmp_path_factory.mktemp("early"), gateway_options=options
    ) as everything:
        everything.issue_key("c_1")
        yield Times(everything, clock)


def planning(times, merchant_uid, schedule_at, *, as_form=False):
    """Plan one charge; `as_form` for a form with brackets."""
    if as_form:
        entry = {"merchant_uid": merchant_uid, "schedule_at": schedule_at, "amount": 1_000}
        fields = {"customer_uid": "c_1"} | {f"schedules[0][{name}]": value for name, value in entry.items()}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return times.everything.call("POST", PLAN, content=urlencode(fields).encode(), headers=headers)
    entries = [{"merchant_uid": merchant_uid, "schedule_at": schedule_at, "amount": 1_000}]
    return times.everything.call("POST", PLAN, json={"customer_uid": "c_1", "schedules": entries})


FORMATS = {
    "seconds": lambda at: (at, False),
    "digits": lambda at: (str(at), False),
    "a float": lambda at: (float(at), False),
    "digits with a fraction of zero": lambda at: (f"{at}.0", False),
    "a form": lambda at: (at, True),
}


@AT_BORDERS
@pytest.mark.parametrize("written", FORMATS.values(), ids=FORMATS)
def test_every_format_is_the_same_second_and_spans_hold_their_beginning_alone(early, border, written):
    at = int(border.timestamp())
    names = {shift: f"{at}_{list(FORMATS.values()).index(written)}_{shift}" for shift in (-1, 0, 1)}
    for shift, name in names.items():
        value, as_form = written(at + shift)
        [planned] = shapes.answered(planning(early, name, value, as_form=as_form))
        assert planned["schedule_at"] == at + shift
        found = shapes.answered(early.everything.call("GET", f"{PLAN}/{name}"))
        assert (found["schedule_at"], found["schedule_status"]) == (at + shift, "scheduled")
    ours = set(names.values())
    for path in (PLAN, f"{PLAN}/customers/c_1", "/subscribe/customers/c_1/schedules"):
        assert early.listed(path, from_=at, to=at + 60, limit=100) & ours == {names[0], names[1]}
        assert early.listed(path, from_=at - 60, to=at, limit=100) & ours == {names[-1]}
        assert early.listed(path, from_=at, to=at + 1, limit=100) & ours == {names[0]}


@pytest.mark.parametrize(
    "value", ["2028-02-29", "2028-02-29T00:00:00+09:00", "20280229", -1, 1_835_362_800_000, "0x6D65"]
)
def test_no_other_format_is_a_time_to_plan_for(early, value):
    assert shapes.refused(planning(early, f"bad {value}", value), 200, 1)


def months_later(moment, months):
    """Return the same day so many months later, or the last one of that month."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    for day in range(moment.day, 27, -1):
        try:
            return moment.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return moment.replace(year=year, month=month + 1)


@pytest.mark.parametrize("month", range(1, 13))
@pytest.mark.parametrize("day", [1, 28, 29, 30, 31])
def test_three_months_of_the_calendar_are_a_span_wherever_they_begin(early, month, day):
    first = datetime(2028, month, 1, tzinfo=KST)
    begin = min(first + timedelta(days=day - 1), months_later(first, 1) - timedelta(days=1))
    end = months_later(begin, 3)
    assert early.listed(PLAN, from_=int(begin.timestamp()), to=int(end.timestamp())) is not None


def test_more_than_three_months_and_a_day_are_refused_to_the_second(early):
    at = int(START.timestamp())
    longest = int(LIST_SPAN_MAX.total_seconds())
    assert early.listed(PLAN, from_=at, to=at + longest) is not None
    assert early.listed(PLAN, 400, from_=at, to=at + longest + 1) is None


@pytest.mark.parametrize("border", [*BORDERS.values()], ids=BORDERS)
def test_the_next_second_may_be_planned_for_and_this_one_not(made, border):
    # The clock of `made` only goes forward: the same days, eight years later.
    now = border.replace(year=border.year + 8)
    at = int(now.timestamp())
    made.go_to(now)
    shapes.refused(planning(made, f"over {at}", at), 200, 1)
    [planned] = shapes.answered(planning(made, f"next {at}", at + 1))
    made.go_to(now + timedelta(microseconds=999_999))
    address = f"{PLAN}/{planned['merchant_uid']}"
    shapes.refused(made.everything.call("PUT", address, json={"schedule_at": at}), 400, -1)
    farthest = at + int(HORIZON.total_seconds())
    shapes.refused(made.everything.call("PUT", address, json={"schedule_at": farthest + 1}), 400, -1)
    moved = shapes.answered(made.everything.call("PUT", address, json={"schedule_at": farthest}))
    assert moved["schedule_at"] == farthest


@AT_BORDERS
async def test_a_charge_is_due_in_its_second_and_not_a_microsecond_before(flows, border):  # noqa: F811
    flows.clock.add((START - flows.clock.now()).total_seconds())
    await flows.issue_key()
    in_seconds = (border - flows.clock.now()).total_seconds()
    await plan(flows, "at the border", in_seconds=in_seconds)
    flows.clock.add(in_seconds - 0.000_001)
    assert await claim_due(flows.services, 10) == []
    flows.clock.add(0.000_001)
    assert [s.order.merchant_uid for s in await claim_due(flows.services, 10)] == ["at the border"]
