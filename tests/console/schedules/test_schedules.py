"""Scheduled charges in the console: what lies ahead is held and released, many are changed at once, nothing happens twice."""

from __future__ import annotations

import re
import time
import uuid
from datetime import timedelta, timezone
from urllib.parse import quote

import pytest

from maedal.flows.change_schedules import REFUSALS
from maedal.korean_messages import in_korean
from maedal.merchants.audit_entry import AuditAction
from maedal.operators.role import Permission, Role, may
from maedal.payments.failure_causes import FailureCause
from maedal.payments.failure_texts import EXPLANATIONS
from maedal.schedules.manual_changes import Obstacle
from tests.console.people import Fields, asked, text_of

MERCHANT = "imp00000000"
OF = f"/console/merchants/{MERCHANT}"
DAY = 86_400
KOREA = timezone(timedelta(hours=9))


@pytest.fixture
def customer(site):
    uid = f"customer_{uuid.uuid4().hex[:12]}"
    site.world.issue_key(uid)
    return uid


def plan(site, customer, count=1, in_seconds=2 * DAY, amount=9_900):
    """Plan so many charges; gives their merchant_uids."""
    uids = [f"{customer}.{n}" for n in range(count)]
    at = int(time.time()) + in_seconds
    answer = asked_to_plan(site, customer, {uid: at + n for n, uid in enumerate(uids)}, amount)
    assert answer["code"] == 0, answer
    return uids


def asked_to_plan(site, customer, times, amount=9_900):
    """Ask for charges at these times, by merchant_uid; gives what is answered."""
    entries = [{"merchant_uid": u, "schedule_at": at, "amount": amount, "name": "월간 구독"} for u, at in times.items()]
    body = {"customer_uid": customer, "schedules": entries}
    return site.world.call("POST", "/subscribe/payments/schedule", json=body).json()


def plan_soon(site, customer):
    """Plan a charge that is due as soon as can be; gives its merchant_uid."""
    uid = f"{customer}.0"
    # A busy machine may come to ask only when that is past, which is refused.
    for in_seconds in (1, 2, 4, 8, 16, 32):
        answer = asked_to_plan(site, customer, {uid: int(time.time()) + in_seconds})
        if answer["code"] == 0:
            break
    assert answer["code"] == 0, answer
    return uid


def stored(site, uid):
    return asked(site.world, lambda store: store.schedules.find(MERCHANT, uid))


def submitted(owner, page, testid, **fields):
    """Send the form of a page that has this mark, as a browser does; gives what was sent, whereto, and the answer."""
    text = owner.see(page)
    form = re.search(rf'<form[^>]*action="([^"]+)"[^>]*data-testid="{testid}"[^>]*>(.*?)</form>', text, re.DOTALL)
    assert form, f"{page} has no form {testid}"
    found = Fields(form[1])
    found.feed(form[0])
    data = {name: value for name, value in (found.found | fields).items() if value is not None}
    return data, form[1], owner.http.post(form[1], data=data, headers={"Origin": owner.origin})


def press(owner, page, testid, **fields):
    """Send it, and give what comes after."""
    data, action, answer = submitted(owner, page, testid, **fields)
    assert answer.status_code == 303, answer.text
    return data, action, owner.http.get(answer.headers["location"], headers={"Referer": owner.origin}).text


def page_of(uid):
    return f"{OF}/schedules/one?uid={quote(uid)}"


def failed_one(site, customer, code):
    """Let a scheduled charge fail with a card company's code; gives its merchant_uid."""
    site.world.fault("subscription", "decline", method_result_code=code)
    uid = plan_soon(site, customer)
    deadline = time.monotonic() + 60
    while (
        stored(site, uid).payment is None or stored(site, uid).payment.status != "failed"
    ) and time.monotonic() < deadline:
        time.sleep(0.1)
    return uid


def test_a_charge_is_held_with_a_reason_and_released(site, owner, customer):
    [uid] = plan(site, customer)
    assert uid in owner.see(f"{OF}/schedules?word={customer}")
    assert customer in owner.see(f"{OF}/upcoming?span=week")
    _, _, after = press(owner, page_of(uid), "hold", reason="고객 문의")
    assert "보류했습니다" in after
    held = stored(site, uid)
    assert (held.hold.who, held.hold.reason) == ("owner", "고객 문의")
    assert "고객 문의" in owner.see(f"{OF}/upcoming?span=week")
    # On the wire nothing is new.
    shown = site.world.call("GET", f"/subscribe/payments/schedule/{uid}").json()["response"]
    assert shown["schedule_status"] == "scheduled"
    press(owner, page_of(uid), "release")
    assert stored(site, uid).hold is None
    acts = asked(site.world, lambda store: store.audit.about(MERCHANT, uid, 10))
    assert [(audit_entry.kind, audit_entry.who) for audit_entry in acts] == [
        (AuditAction.RELEASE_SCHEDULE, "owner"),
        (AuditAction.HOLD_SCHEDULE, "owner"),
    ]


def test_a_move_into_the_past_says_so_and_keeps_what_was_typed(site, owner, customer):
    [uid] = plan(site, customer)
    before = stored(site, uid).schedule_at
    for at, reason in (("2020-01-01T09:00", "이미 지난 시각입니다."), ("2098-01-01T09:00", "5년보다 먼 시각")):
        _, _, answer = submitted(owner, page_of(uid), "move", at=at)
        assert answer.status_code == 422
        assert reason in text_of(answer.text)
        assert f'value="{at}"' in answer.text
    assert stored(site, uid).schedule_at == before


@pytest.mark.parametrize("obstacle", Obstacle)
def test_every_obstacle_to_a_change_is_told_as_what_it_is(obstacle):
    assert in_korean(REFUSALS[obstacle])
    assert len({in_korean(sentence) for sentence in REFUSALS.values()}) == len(Obstacle)


def test_who_comes_by_the_menu_sees_what_comes_next_first(site, owner, customer):
    other = f"{customer}_2"
    site.world.issue_key(other)
    [later], [sooner] = plan(site, customer, in_seconds=9 * DAY), plan(site, other, in_seconds=DAY)
    page = owner.see(f"{OF}/schedules")
    assert 'aria-current="page">예약 ' in page
    assert page.index(f'value="{sooner}"') < page.index(f'value="{later}"')
    assert 'aria-sort="ascending"' in page
    turned = owner.see(f"{OF}/schedules?tab=waiting&sort=latest")
    assert turned.index(f'value="{later}"') < turned.index(f'value="{sooner}"')


def test_a_failed_charge_whose_key_the_buyer_ended_is_not_offered_again(site, owner, customer):
    uid = failed_one(site, customer, "5019")
    assert 'data-testid="retry"' in owner.see(page_of(uid))
    site.world.call("DELETE", f"/subscribe/customers/{customer}")
    page = owner.see(page_of(uid))
    assert 'data-testid="retry"' not in page
    assert "다시 등록해야 합니다" in text_of(page)
    assert EXPLANATIONS[FailureCause.METHOD_ENDED].buyer[0] in page


def test_failed_charges_are_found_by_their_cause(site, owner, customer):
    uid = failed_one(site, customer, "8326")
    for query in ("cause=limit", "cause=limit&tab=failed"):
        page = owner.see(f"{OF}/schedules?{query}&word={customer}")
        assert uid in page
        assert "이용 한도 초과</span>" in page
    assert uid not in owner.see(f"{OF}/schedules?cause=balance&word={customer}")
    assert "찾은 1건 모두" in owner.see(f"{OF}/schedules?cause=limit&word={customer}")
    preview = f"{OF}/schedules/preview?change=retry&all=1&tab=all&cause=balance&word={customer}&back={quote(OF)}"
    assert uid not in owner.see(preview)
    assert uid in owner.see(preview.replace("balance", "limit"))


def test_a_charge_that_moved_since_the_page_was_shown_is_left_alone(site, owner, customer):
    [uid] = plan(site, customer)
    form = Fields(f"{OF}/schedules/change")
    form.feed(owner.see(page_of(uid)))
    later = int(time.time()) + 9 * DAY
    site.world.call("PUT", f"/subscribe/payments/schedule/{uid}", json={"schedule_at": later})
    data = form.found | {"change": "revoke"}
    answer = owner.http.post(f"{OF}/schedules/change", data=data, headers={"Origin": owner.origin})
    assert "그사이 예약이 바뀌었습니다" in owner.http.get(answer.headers["location"]).text
    assert stored(site, uid).status == "scheduled"


def test_many_are_previewed_and_changed_once_however_often_it_is_sent(site, owner, customer):
    uids = plan(site, customer, 4)
    before = {uid: stored(site, uid).schedule_at for uid in uids}
    site.world.call("POST", "/subscribe/payments/unschedule", json={"customer_uid": customer, "merchant_uid": uids[3]})
    address = f"{OF}/schedules/preview?change=move&days=3&all=1&tab=all&word={customer}&back={quote(f'{OF}/schedules?word={customer}')}"
    shown = text_of(owner.see(address))
    assert "바뀌는 예약 3건" in shown
    assert "그대로 두는 예약 1건" in shown
    assert "대기 중인 예약이 아님 1" in shown
    assert {uid: stored(site, uid).schedule_at for uid in uids[:3]} == {uid: before[uid] for uid in uids[:3]}
    # One of them moves between the preview and the confirmation.
    text = owner.see(address)
    site.world.call("POST", "/subscribe/payments/unschedule", json={"customer_uid": customer, "merchant_uid": uids[2]})
    form = Fields(f"{OF}/schedules/bulk")
    form.feed(text)
    unsure = owner.http.post(f"{OF}/schedules/bulk", data=form.found, headers={"Origin": owner.origin})
    assert "확인란에 표시해 주세요" in owner.http.get(unsure.headers["location"]).text
    for _ in range(2):
        data = form.found | {"sure": "on", "reason": "연휴"}
        answer = owner.http.post(f"{OF}/schedules/bulk", data=data, headers={"Origin": owner.origin})
        note = text_of(owner.http.get(answer.headers["location"]).text)
        assert "2건을 바꾸었습니다. 1건은 그사이 바뀌어 그대로 두었습니다." in note
    assert [(stored(site, uid).schedule_at - before[uid]).days for uid in uids[:2]] == [3, 3]
    [audit_entry] = asked(site.world, lambda store: store.audit.about(MERCHANT, uids[0], 10))
    assert (audit_entry.kind, audit_entry.who, audit_entry.reason) == (AuditAction.MOVE_SCHEDULE, "owner", "연휴")


def test_all_that_lies_ahead_is_held_and_released_by_a_preview(site, owner, customer):
    uids = plan(site, customer, 3, in_seconds=40 * DAY)
    page = owner.see(f"{OF}/upcoming?span=own&since=2000-01-01&until=2099-01-01")
    assert 'data-testid="hold-all"' in page
    for change, held in (("hold", True), ("release", False)):
        address = f"{OF}/schedules/preview?change={change}&all=1&scope=ahead&until=2099-12-31&back={OF}/upcoming"
        press(owner, address, "confirm")
        assert [stored(site, uid).hold is not None for uid in uids] == [held] * 3


def test_a_failed_charge_is_retried_by_hand_once(site, owner, customer):
    site.world.fault("subscription", "decline", method_result_code="NOT_ENOUGH_BALANCE")
    uid = plan_soon(site, customer)
    deadline = time.monotonic() + 60
    while stored(site, uid).payment is None or stored(site, uid).payment.status != "failed":
        assert time.monotonic() < deadline
        time.sleep(0.3)
    assert "NOT_ENOUGH_BALANCE" in owner.see(f"{OF}/schedules?tab=failed&word={customer}")
    time.sleep(1.1)
    data, address, after = press(owner, page_of(uid), "retry", sure="on")
    assert "결제했습니다." in after
    paid = stored(site, uid)
    owner.http.post(address, data=data, headers={"Origin": owner.origin})
    assert stored(site, uid) == paid
    assert asked(site.world, lambda store: store.audit.about(MERCHANT, uid, 10))[0].kind is AuditAction.RETRY_SCHEDULE


def test_the_calendar_counts_what_the_list_shows(site, owner, customer):
    plan(site, customer, 2, in_seconds=60)
    at = stored(site, f"{customer}.0").schedule_at
    day = at.astimezone(KOREA).date()
    text = owner.see(f"{OF}/schedules/calendar?month={day:%Y-%m}&show=counts")
    link = re.search(rf'href="([^"]*tab=waiting&amp;since={day}[^"]*)"><span>예약</span> <b>([\d,]+)건', text)
    assert link, text
    listed = text_of(owner.see(link[1].replace("&amp;", "&")))
    assert f"{link[2]}건" in listed
    assert f"{day.month}월 {day.day}일" in owner.see(f"{OF}/schedules/calendar?day={day}")


def test_only_who_may_change_planned_charges_is_offered_it_and_can(site, owner, customer):
    [uid] = plan(site, customer)
    form = Fields(f"{OF}/schedules/change")
    form.feed(owner.see(page_of(uid)))
    for role in (Role.DEVELOPER, Role.READ_ONLY):
        assert not may(role, Permission.CHANGE_SCHEDULES)
        person = site.person(role)
        assert 'data-testid="hold"' not in person.see(page_of(uid))
        assert "schedules/change" not in person.see(f"{OF}/upcoming?span=week")
        data = form.found | {"form_token": person.token(), "change": "hold"}
        answer = person.http.post(f"{OF}/schedules/change", data=data, headers={"Origin": person.origin})
        assert answer.status_code == 403
    assert stored(site, uid).hold is None


@pytest.mark.parametrize(
    "query",
    [
        "tab=nonsense&since=yesterday&until=9999-99-99&page=0&held=x", "word=%00%27%22%3Cscript%3E", "since=2099-12-31&until=2000-01-01",
        "page=99999999999999999999",
    ],
)  # fmt: skip
def test_whatever_an_address_says_the_list_answers(owner, query):
    for page in ("schedules", "upcoming", "schedules/calendar"):
        answer = owner.http.get(f"{OF}/{page}?{query}&span=own&month={query[:7]}&day=x")
        assert answer.status_code == 200
        assert "<script>" not in answer.text.replace('<script src="/console', "")
