"""A customer's page: everything under one customer_uid, and a charge that is scheduled there."""

from __future__ import annotations

import uuid
from urllib.parse import quote

import pytest

from maedal.merchants.audit_entry import AuditAction
from maedal.operators.role import Role
from tests.console.people import Fields, asked, text_of

MERCHANT = "imp00000000"
OF = f"/console/merchants/{MERCHANT}"


@pytest.fixture
def customer(site):
    # A customer_uid may hold any sign.
    uid = f"고객/{uuid.uuid4().hex[:10]}?&"
    site.world.issue_key(uid)
    return uid


def page_of(uid):
    return f"{OF}/customers/one?uid={quote(uid, safe='')}"


def test_a_customer_page_tells_keys_payments_sums_and_the_last_failure(site, owner, customer):
    world = site.world
    paid = world.again(customer, f"a_{customer}", 10_000, buyer_name="박서준", name="월간")["response"]
    world.again(customer, f"b_{customer}", 5_000)
    world.call("POST", "/payments/cancel", json={"imp_uid": paid["imp_uid"], "amount": 3_000, "reason": "x"})
    world.fault("subscription", "decline", method_result_code="LACK_BALANCE")
    world.again(customer, f"c_{customer}", 7_000)
    shown = owner.see(page_of(customer))
    text = text_of(shown)
    for said in ("결제 15,000원 2건", "취소 3,000원", "순매출 12,000원", "실패 1건", "잔액 부족", "사용 중"):
        assert said in text, said
    assert f"{OF}/payments/{paid['imp_uid']}" in shown
    assert "last-failure" in shown


def test_nothing_is_known_of_a_customer_who_does_not_exist(owner):
    assert owner.open(page_of("nobody")).status_code == 404
    assert owner.open(f"{OF}/customers/one").status_code == 404


def test_a_charge_is_scheduled_once_however_often_the_form_is_sent(site, owner, customer):
    form = Fields(f"{OF}/customers/plan")
    form.feed(owner.see(page_of(customer)))
    data = form.found | {"name": "추가 결제", "amount": "12,000", "at": "2099-01-01T10:00"}
    refused = owner.http.post(f"{OF}/customers/plan", data=data, headers={"Origin": owner.origin})
    assert refused.status_code == 422
    assert 'value="12,000"' in refused.text
    data["at"] = form.found["at"]
    for _ in range(2):
        answer = owner.http.post(
            f"{OF}/customers/plan", data=data, headers={"Origin": owner.origin}, follow_redirects=True
        )
        assert "결제를 예약했습니다." in answer.text
    assert "대기 1건" in text_of(owner.see(page_of(customer)))
    [entry] = [
        one
        for one in asked(site.world, lambda store: store.audit.entries(MERCHANT, 5))
        if one.kind is AuditAction.PLAN_CHARGE
    ]
    assert entry.who == "owner"
    assert entry.after.startswith("amount=12000; at=")


def test_who_may_not_change_schedules_is_not_offered_it(site, customer):
    assert 'data-testid="plan"' not in site.person(Role.READ_ONLY).see(page_of(customer))


def test_a_customer_whose_key_has_ended_is_asked_to_register_again(site, owner, customer):
    site.world.call("DELETE", f"/subscribe/customers/{quote(customer, safe='')}")
    shown = text_of(owner.see(page_of(customer)))
    assert "다시 등록해야" in shown
    assert "상점이 삭제" in shown


def test_the_list_shows_who_registered_last_and_those_under_a_tag(owner, customer):
    assert customer in text_of(owner.see(f"{OF}/customers"))
    owner.send(f"{OF}/tags", page=page_of(customer), kind="customer", subject=customer, tag="VIP")
    assert customer in text_of(owner.see(f"{OF}/customers?tag=vip"))
    assert customer not in text_of(owner.see(f"{OF}/customers?tag=other"))
