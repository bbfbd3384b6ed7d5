"""On which days a plan falls: tables made by hand, and what holds for every rule."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maedal.flows.korean_holidays import LIBRARY_VERSION, holiday_rule, holidays_of, known_until, public_holidays
from maedal.payments.errors import InvalidParameter
from maedal.plans.calendar import (
    COUNT_MAX,
    DateRule,
    IntervalUnit,
    date_rule,
    is_business_day,
    moment,
    next_business_day,
)
from maedal.plans.holiday import OwnHoliday

MONTH, WEEK, DAY, YEAR = IntervalUnit.MONTH, IntervalUnit.WEEK, IntervalUnit.DAY, IntervalUnit.YEAR
COUNTRY = holiday_rule(())

BY_HAND = [
    # the last day of each month, through a leap year's February
    (DateRule(MONTH, 1, date(2027, 12, 31), 31),
     "2027-12-31 2028-01-31 2028-02-29 2028-03-31 2028-04-30 2028-05-31 2028-06-30 2028-07-31"),
    (DateRule(MONTH, 1, date(2027, 1, 31), 31), "2027-01-31 2027-02-28 2027-03-31 2027-04-30 2027-05-31"),
    (DateRule(MONTH, 1, date(2028, 1, 30), 30), "2028-01-30 2028-02-29 2028-03-30 2028-04-30"),
    (DateRule(MONTH, 1, date(2028, 1, 29), 29), "2028-01-29 2028-02-29 2028-03-29"),
    (DateRule(MONTH, 1, date(2027, 1, 29), 29), "2027-01-29 2027-02-28 2027-03-29"),
    # begun at the end of February, and anchored to the 31st
    (DateRule(MONTH, 1, date(2027, 2, 28), 31), "2027-02-28 2027-03-31 2027-04-30"),
    (DateRule(MONTH, 1, date(2028, 2, 28), 31), "2028-02-29 2028-03-31"),
    # begun behind the anchored day of its month: the first one is in the next
    (DateRule(MONTH, 1, date(2026, 11, 28), 5), "2026-12-05 2027-01-05 2027-02-05"),
    (DateRule(MONTH, 3, date(2026, 11, 30), 30), "2026-11-30 2027-02-28 2027-05-30 2027-08-30 2027-11-30 2028-02-29"),
    (DateRule(YEAR, 1, date(2028, 2, 29), 29), "2028-02-29 2029-02-28 2030-02-28 2031-02-28 2032-02-29"),
    (DateRule(WEEK, 2, date(2027, 12, 24)), "2027-12-24 2028-01-07 2028-01-21 2028-02-04 2028-02-18 2028-03-03"),
    (DateRule(DAY, 10, date(2028, 2, 20)), "2028-02-20 2028-03-01 2028-03-11"),
]  # fmt: skip

rules = st.builds(
    date_rule,
    st.sampled_from(["month", "year"]),
    st.integers(1, 3),
    st.dates(date(2026, 1, 1), date(2030, 12, 31)),
    st.none() | st.integers(1, 31),
) | st.builds(
    date_rule,
    st.sampled_from(["day", "week"]),
    st.integers(1, 100),
    st.dates(date(2026, 1, 1), date(2030, 12, 31)),
    st.none(),
)


@pytest.mark.parametrize(("rule", "days"), BY_HAND)
def test_a_plan_falls_on_the_days_that_a_calendar_says(rule, days):
    expected = [date.fromisoformat(day) for day in days.split()]
    assert [rule.day(number) for number in range(len(expected))] == expected
    walked = [rule.on_or_after(rule.starts_on)]
    while len(walked) < len(expected):
        walked.append(rule.after(walked[-1]))
    assert walked == expected


@given(rules, st.integers(0, 60))
def test_the_day_after_one_is_the_next_one(rule, number):
    assert rule.after(rule.day(number)) == rule.day(number + 1)
    assert rule.has(rule.day(number))


@given(rules, st.dates(date(2025, 1, 1), date(2035, 12, 31)))
def test_the_first_day_from_one_on_is_no_earlier_and_leaves_none_out(rule, day):
    found = rule.on_or_after(day)
    assert found >= max(day, rule.starts_on)
    assert next(n for n in range(5_000) if rule.day(n) >= day) == next(n for n in range(5_000) if rule.day(n) == found)


@given(rules, st.integers(0, 40))
def test_an_anchored_day_is_kept_or_it_is_the_last_of_its_month(rule, number):
    day = rule.day(number)
    assert rule.anchor_day in {None, day.day} or (
        day.day < rule.anchor_day and (day + timedelta(days=1)).month != day.month
    )


@given(st.dates(date(2026, 1, 1), date(2035, 12, 31)))
def test_the_next_business_day_is_open_and_all_before_it_are_closed(day):
    found = next_business_day(day, COUNTRY)
    assert is_business_day(found, COUNTRY)
    assert not any(is_business_day(day + timedelta(days=n), COUNTRY) for n in range((found - day).days))


@pytest.mark.parametrize(
    ("day", "charged_on"),
    [
        ("2026-05-01", "2026-05-04"),  # Friday, 노동절: the weekend follows
        ("2026-07-17", "2026-07-20"),  # Friday, 제헌절
        ("2026-06-06", "2026-06-08"),  # Saturday, 현충일, which has no substitute
        ("2026-09-24", "2026-09-28"),  # 추석, Thursday to Saturday
        ("2026-10-03", "2026-10-06"),  # 개천절 on a Saturday, its substitute on Monday
        ("2027-02-06", "2027-02-10"),  # 설날, Saturday to Monday, and a substitute on Tuesday
        ("2028-10-02", "2028-10-06"),  # 추석 on 개천절, and a substitute
        ("2028-02-29", "2028-02-29"),
        ("2026-11-28", "2026-11-30"),
    ],
)
def test_what_falls_on_a_closed_day_is_moved_to_the_next_business_day(day, charged_on):
    assert next_business_day(date.fromisoformat(day), COUNTRY) == date.fromisoformat(charged_on)


def test_an_operator_adds_holidays_and_takes_some_away():
    rule = holiday_rule(
        [OwnHoliday(date(2026, 11, 30), True, "임시공휴일", "kim"), OwnHoliday(date(2026, 5, 1), False, "영업", "kim")]
    )
    assert next_business_day(date(2026, 11, 28), rule) == date(2026, 12, 1)
    assert next_business_day(date(2026, 5, 1), rule) == date(2026, 5, 1)
    listed = holidays_of(2026, [OwnHoliday(date(2026, 5, 1), False, "영업", "kim")])
    assert [(one.name, one.closed, one.own) for one in listed if one.on == date(2026, 5, 1)] == [("영업", False, True)]


def test_a_country_of_holidays_moves_nothing_for_ever():
    assert next_business_day(date(2026, 11, 28), lambda _day: True) == date(2026, 11, 28)


def test_the_library_knows_the_days_that_are_holidays_since_2026():
    assert public_holidays(2025).get(date(2025, 5, 1)) is None
    assert "노동절" in public_holidays(2026)[date(2026, 5, 1)]
    assert "제헌절" in public_holidays(2026)[date(2026, 7, 17)]
    assert known_until() == date(2027, 12, 31)


def test_the_date_of_the_holidays_is_that_of_the_release_that_is_pinned():
    # Whoever pins another one says when it came out: `known_until` is made of that.
    assert f"holidays=={LIBRARY_VERSION} " in (Path(__file__).parents[2] / "requirements" / "runtime.txt").read_text()


def test_a_charge_is_made_at_its_hour_in_korea():
    assert moment(date(2028, 2, 29), time(9)) == datetime(2028, 2, 29, 0, 0, tzinfo=UTC)
    assert moment(date(2028, 3, 1), time(0, 30)) == datetime(2028, 2, 29, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (("fortnight", 1, date(2027, 1, 1), None), "interval_unit"),
        (("month", 0, date(2027, 1, 1), None), "interval_count"),
        (("year", COUNT_MAX[YEAR] + 1, date(2027, 1, 1), None), "interval_count"),
        (("week", 1, date(2027, 1, 1), 31), "anchor_day"),
        (("month", 1, date(2027, 1, 1), 32), "anchor_day"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_by_its_field(asked, field):
    with pytest.raises(InvalidParameter) as refused:
        date_rule(*asked)
    assert refused.value.field == field
