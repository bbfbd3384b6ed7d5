"""Plans in the console: made, seen with their next days, paused, skipped, changed, agreed to, ended; and holidays."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

import pytest

from maedal.operators.role import Role
from maedal.plans.calendar import KST
from maedal.plans.plan import PlanStatus
from tests.console.people import asked, text_of

MERCHANT = "imp00000000"
OF = f"/console/merchants/{MERCHANT}"


@pytest.fixture(scope="module")
def customer(site):
    uid = f"customer_{uuid.uuid4().hex[:12]}"
    site.world.issue_key(uid)
    return uid


@pytest.fixture
def plan_uid():
    return f"gym-{uuid.uuid4().hex[:8]}"


def today():
    return datetime.now(KST).date()


def form_of(customer, plan_uid, /, **changes):
    starts_on = today() + timedelta(days=10)
    return {
        "plan_uid": plan_uid, "customer_uid": customer, "name": "월간 이용권", "amount": "9,900", "tax_free": "",
        "interval_unit": "month", "interval_count": "1", "starts_on": str(starts_on), "anchor_day": "",
        "trial_until": "", "ends_on": "", "not_before": "10:30", "buyer_name": "홍길동", "buyer_tel": "",
        "buyer_email": "",
    } | changes  # fmt: skip


def find(site, plan_uid):
    return asked(site.world, lambda store: store.plans.find(MERCHANT, plan_uid))


def test_a_plan_is_made_and_its_next_occurrence_is_an_ordinary_schedule(site, owner, customer, plan_uid):
    assert 'name="customer_uid"' in owner.see(f"{OF}/plans/new?customer_uid={customer}")
    answer = owner.send(f"{OF}/plans/new", **form_of(customer, plan_uid))
    assert answer.status_code == 200, text_of(answer.text)
    page = owner.see(f"{OF}/plans/one/{plan_uid}")
    assert "9,900원" in page
    assert "다가올 회차" in page
    starts_on = today() + timedelta(days=10)
    planned = asked(site.world, lambda store: store.schedules.find(MERCHANT, f"{plan_uid}_{starts_on:%Y%m%d}"))
    assert planned.order.price.total.amount == 9_900
    assert f"{planned.schedule_at.astimezone(KST):%Y-%m-%d %H:%M}" == f"{starts_on} 10:30"
    assert plan_uid in owner.see(f"{OF}/plans?word={plan_uid[4:]}")
    assert plan_uid in owner.see(f"{OF}/plans?status=active&word={plan_uid}")
    assert plan_uid not in owner.see(f"{OF}/plans?status=ended")
    answer = owner.send(f"{OF}/plans/new", **form_of(customer, plan_uid))
    assert (answer.status_code, "이미 사용 중인 plan_uid" in answer.text) == (422, True)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"plan_uid": "with a space"}, "영문자나 숫자로 시작"),
        ({"customer_uid": "nobody"}, "빌링키가 없습니다"),
        ({"amount": "0"}, "0보다 커야"),
        ({"amount": "many"}, "숫자로"),
        ({"starts_on": "2020-01-01"}, "오늘부터 2년"),
        ({"starts_on": "soon"}, "날짜를 골라"),
        ({"interval_unit": "week", "anchor_day": "31"}, "월·년 단위"),
        ({"anchor_day": "32"}, "1~31"),
        ({"not_before": "noon"}, "09:00과 같이"),
        ({"ends_on": "2020-01-01"}, "종료일"),
    ],
)
def test_a_form_that_cannot_be_says_why_and_keeps_what_was_typed(owner, customer, plan_uid, typed, said):
    answer = owner.send(f"{OF}/plans/new", **form_of(customer, plan_uid, **typed))
    assert answer.status_code == 422
    assert said in text_of(answer.text)
    assert all(f'value="{value}"' in answer.text for name, value in typed.items() if name != "interval_unit")


def test_a_plan_is_skipped_paused_resumed_changed_and_ended(site, owner, customer, plan_uid):
    page = f"{OF}/plans/one/{plan_uid}"
    owner.send(f"{OF}/plans/new", **form_of(customer, plan_uid))
    first = find(site, plan_uid).next_on
    owner.send(page, act="skip", on=str(first), reason="배송 없음")
    assert find(site, plan_uid).next_on > first
    again = owner.send(page, act="skip", on=str(first), reason="")
    assert (again.status_code, "이미 건너뛰기로" in again.text) == (422, True)
    assert owner.send(page, act="pause", resumes_on=str(today()), reason="여행").status_code == 422
    owner.send(page, act="pause", resumes_on="", reason="여행")
    assert find(site, plan_uid).status is PlanStatus.PAUSED
    assert "여행" in owner.see(page)
    owner.send(page, act="resume")
    owner.send(page, act="change", name="Gold", not_before="18:00", ends_on="", business_day="on")
    changed = find(site, plan_uid)
    assert (changed.status, changed.name, str(changed.not_before), changed.moves_to_business_day) == (
        PlanStatus.ACTIVE, "Gold", "18:00:00", True,
    )  # fmt: skip
    assert owner.send(page, act="dance").status_code == 422
    assert owner.send(page, act="end", reason="").status_code == 422
    owner.send(page, act="end", reason="해지", sure="on")
    assert find(site, plan_uid).status is PlanStatus.ENDED
    assert 'data-testid="end"' not in owner.see(page)


def test_a_higher_amount_asks_for_a_consent_and_takes_effect_with_it(site, owner, customer, plan_uid):
    page = f"{OF}/plans/one/{plan_uid}"
    owner.send(f"{OF}/plans/new", **form_of(customer, plan_uid))
    from_on = today() + timedelta(days=5)
    owner.send(page, act="amount", from_on=str(from_on), amount="12900", tax_free="", reason="인상")
    assert 'data-testid="needs-consent"' in owner.see(page)
    assert plan_uid in owner.see(f"{OF}/plans/attention?mode=test")
    assert find(site, plan_uid).planned.price.total.amount == 9_900
    tomorrow = f"{datetime.now(KST) + timedelta(days=1):%Y-%m-%dT%H:%M}"
    late = owner.send(page, act="consent", kind="price_rise", amount="12900", agreed_at=tomorrow, proof="메일")
    assert (late.status_code, "지금보다 늦을 수" in late.text) == (422, True)
    now = f"{datetime.now(KST):%Y-%m-%dT%H:%M}"
    owner.send(
        page, act="consent", kind="price_rise", amount="12900", agreed_at=now, proof="인상 안내 메일의 동의 단추"
    )
    assert find(site, plan_uid).planned.price.total.amount == 12_900
    assert "인상 안내 메일의 동의 단추" in owner.see(page)
    owner.send(page, act="drop_amount", from_on=str(from_on))
    assert find(site, plan_uid).planned.price.total.amount == 9_900


def test_keys_without_a_next_charge_are_listed(site, owner):
    uid = f"forgotten_{uuid.uuid4().hex[:12]}"
    site.world.issue_key(uid)
    page = owner.see(f"{OF}/plans/attention?mode=test")
    assert f"/plans/new?customer_uid={uid}" in page
    assert uid not in owner.see(f"{OF}/plans/attention?mode=live")


def test_holidays_are_shown_added_and_dropped(site, owner):
    page = f"{OF}/holidays"
    assert "노동절" in owner.see(f"{page}?year=2026")
    assert "제헌절" in owner.see(f"{page}?year=2026")
    assert "2027-12-31" in owner.see(page)
    on = date(today().year + 1, 3, 17)
    owner.send(page, act="set", on=str(on), name="임시공휴일(관보 제1호)", closed="yes")
    assert "임시공휴일(관보 제1호)" in owner.see(f"{page}?year={on.year}")
    owner.send(page, act="drop", on=str(on))
    assert "임시공휴일(관보 제1호)" not in owner.see(f"{page}?year={on.year}")
    refused = owner.send(page, act="set", on="2020-01-01", name="x", closed="yes")
    assert (refused.status_code, "오늘 이후" in text_of(refused.text)) == (422, True)
    assert asked(site.world, lambda store: store.plans.holidays(MERCHANT)) == []


def test_who_may_only_read_is_shown_no_form(site, owner, customer, plan_uid):
    owner.send(f"{OF}/plans/new", **form_of(customer, plan_uid))
    reader = site.person(Role.READ_ONLY)
    assert 'data-testid="pause"' not in reader.see(f"{OF}/plans/one/{plan_uid}")
    assert 'data-testid="set-holiday"' not in reader.see(f"{OF}/holidays")


@pytest.mark.parametrize("path", ["plans?word=nothing", "plans/new", "plans/attention", "holidays"])
def test_every_page_is_in_english_too(site, owner, path):
    owner.see("/console/look?language=en&back=/console")
    assert not any("가" <= sign <= "힣" for sign in main_of(owner.see(f"{OF}/{path}")))


def main_of(page):
    """Return what a page itself says: not the name of a merchant, and not the languages to choose from."""
    return page.partition('<main class="main"')[2]
