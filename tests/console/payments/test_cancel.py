"""Money is given back by a person in the console: once, with a reason, and on the record."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from maedal.merchants.audit_entry import AuditAction
from maedal.operators.role import Permission, Role, may
from tests.console.people import Fields, asked, text_of

MERCHANT = "imp00000000"


@pytest.fixture
def paid(site):
    uid = f"customer_{uuid.uuid4().hex[:12]}"
    site.world.issue_key(uid)
    return site.world.again(uid, f"order_{uid}", 10_000)["response"]


def page_of(paid):
    return f"/console/merchants/{MERCHANT}/payments/{paid['imp_uid']}"


def cancelled(site, paid):
    return site.world.payment(paid["imp_uid"])["cancel_amount"]


def test_a_payment_is_cancelled_in_part_and_then_wholly(site, owner, paid):
    page = page_of(paid)
    answer = owner.send(f"{page}/cancel", page=page, amount="3,000", reason="고객 변심", sure="on")
    assert "취소했습니다." in answer.text
    assert "부분취소" in text_of(answer.text)
    assert cancelled(site, paid) == 3_000
    [audit_entry] = asked(site.world, lambda store: store.audit.entries(MERCHANT, 1))
    assert (audit_entry.kind, audit_entry.subject, audit_entry.who, audit_entry.reason, audit_entry.before, audit_entry.after) == (
        AuditAction.CANCEL, paid["imp_uid"], "owner", "고객 변심", "cancellable=10000", "cancelling=3000",
    )  # fmt: skip
    # What is left stands in the form already.
    owner.send(f"{page}/cancel", page=page, sure="on")
    assert cancelled(site, paid) == 10_000
    rest = owner.see(page)
    assert 'data-testid="cancel"' not in rest
    assert "관리자페이지취소" in rest


def form_of(owner, page, **fields):
    form = Fields(f"{page}/cancel")
    form.feed(owner.see(page))
    return form.found | fields


def test_a_form_that_is_sent_twice_gives_back_once(site, owner, paid):
    page = page_of(paid)
    form = form_of(owner, page, amount="3000", sure="on")
    for _ in range(3):
        answer = owner.http.post(f"{page}/cancel", data=form, headers={"Origin": owner.origin})
        assert answer.status_code == 303
    assert cancelled(site, paid) == 3_000


def test_a_double_click_gives_back_once(site, owner, paid):
    page = page_of(paid)
    form = form_of(owner, page, amount="3000", sure="on")
    with ThreadPoolExecutor(4) as clicks:
        list(
            clicks.map(
                lambda _: owner.http.post(f"{page}/cancel", data=form, headers={"Origin": owner.origin}), range(4)
            )
        )
    assert cancelled(site, paid) == 3_000


def test_two_people_at_the_same_payment_do_not_both_give_back(site, owner, paid):
    page, other = page_of(paid), site.person(Role.MANAGER)
    one, two = form_of(owner, page, amount="3000", sure="on"), form_of(other, page, amount="3000", sure="on")
    owner.http.post(f"{page}/cancel", data=one, headers={"Origin": owner.origin})
    refused = other.http.post(f"{page}/cancel", data=two, headers={"Origin": other.origin})
    assert "그사이 취소할 수 있는 금액이 7000원으로 바뀌었습니다" in refused.text
    assert cancelled(site, paid) == 3_000


def test_a_cancel_whose_answer_is_lost_is_clarified_and_not_repeated(site, owner, paid):
    page = page_of(paid)
    site.world.fault("cancel", "drop_after")
    answer = owner.send(f"{page}/cancel", page=page, amount="4000", sure="on")
    assert "취소했습니다." in answer.text
    assert cancelled(site, paid) == 4_000


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"amount": "10001"}, "취소할 수 있는 금액은 10000원입니다."),
        ({"amount": "0"}, "1원 이상의 숫자로"),
        ({"amount": "-5"}, "1원 이상의 숫자로"),
        ({"amount": "½"}, "1원 이상의 숫자로"),
        ({"sure": None}, "확인란에 표시해 주세요."),
        ({"drawn": "nonsense"}, "화면이 오래되었습니다."),
        ({"drawn": ""}, "화면이 오래되었습니다."),
    ],
)
def test_what_cannot_be_cancelled_says_why_and_nothing_is_given_back(site, owner, paid, fields, said):
    page = page_of(paid)
    answer = owner.send(f"{page}/cancel", page=page, **({"sure": "on"} | fields))
    assert said in text_of(answer.text)
    assert cancelled(site, paid) == 0


def test_the_form_of_one_payment_is_no_good_for_another(site, owner, paid):
    uid = f"customer_{uuid.uuid4().hex[:12]}"
    site.world.issue_key(uid)
    other = site.world.again(uid, f"order_{uid}", 10_000)["response"]
    form = form_of(owner, page_of(other), sure="on")
    owner.http.post(f"{page_of(paid)}/cancel", data=form, headers={"Origin": owner.origin})
    assert cancelled(site, paid) == cancelled(site, other) == 0


def test_only_who_may_cancel_is_offered_it_and_can(site, owner, paid):
    page = page_of(paid)
    form = form_of(owner, page, sure="on")
    for role in (Role.DEVELOPER, Role.READ_ONLY):
        assert not may(role, Permission.CANCEL_PAYMENTS)
        person = site.person(role)
        assert 'data-testid="cancel"' not in person.see(page)
        data = form | {"form_token": person.token()}
        assert person.http.post(f"{page}/cancel", data=data, headers={"Origin": person.origin}).status_code == 403
    assert cancelled(site, paid) == 0
    site.person(Role.MANAGER).send(f"{page}/cancel", page=page, sure="on")
    assert cancelled(site, paid) == 10_000


def test_a_refund_has_a_kind_that_is_shown_filtered_by_and_written_out(site, owner, paid):
    page = page_of(paid)
    owner.send(f"{page}/cancel", page=page, amount="3000", kind="paid_twice", sure="on")
    assert site.world.payment(paid["imp_uid"])["cancel_reason"] == "중복 결제"
    shown = text_of(owner.see(page))
    assert "중복 결제" in shown
    assert "취소 사유 종류" in shown
    lists = f"/console/merchants/{MERCHANT}/payments"
    assert paid["merchant_uid"] in owner.see(f"{lists}?refund=paid_twice")
    assert paid["merchant_uid"] in owner.see(f"{lists}?refund=paid_twice&basis=status")
    assert paid["merchant_uid"] not in owner.see(f"{lists}?refund=test")
    assert "중복 결제" in text_of(owner.see(f"{lists}?word={paid['merchant_uid']}&columns=order,refund"))
    # What a person typed goes before the kind, and a kind that nobody knows is none.
    owner.send(f"{page}/cancel", page=page, amount="1000", kind="other", reason="늦은 배송", sure="on")
    owner.send(f"{page}/cancel", page=page, amount="1000", kind="nonsense", sure="on")
    kinds = [one.kind for one in asked(site.world, lambda s: s.cancellations.of_payments(MERCHANT, [paid["imp_uid"]]))]
    assert kinds == ["paid_twice", "other", None]
    assert site.world.payment(paid["imp_uid"])["cancel_reason"] == "관리자페이지취소"


def test_a_refund_that_was_refused_waits_for_a_person_until_another_is_made(site, owner, paid):
    page, refused = page_of(paid), f"/console/merchants/{MERCHANT}/desk?tab=refunds"
    site.world.fault("cancel", "decline", method_result_code="INVALID_CANCEL_STATUS")
    owner.send(f"{page}/cancel", page=page, amount="3000", sure="on")
    assert paid["imp_uid"] in owner.see(refused)
    home = owner.see(f"/console/merchants/{MERCHANT}")
    assert "desk?tab=refunds" in home
    owner.send("/console/mode", page="/console/account", mode="live", back="/console")
    assert paid["imp_uid"] not in owner.see(refused)
    owner.send("/console/mode", page="/console/account", mode="", back="/console")
    owner.send(f"{page}/cancel", page=page, amount="3000", sure="on")
    assert paid["imp_uid"] not in owner.see(refused)
