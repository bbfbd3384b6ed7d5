"""Billing keys in the console: found by what people know, each with its story, ended by hand with what hangs on it."""

from __future__ import annotations

import re
import time
import uuid

import pytest

from maedal.merchants.audit_entry import AuditAction
from maedal.operators.role import Permission, Role, may
from tests.console.people import Fields, asked, text_of
from tests.console.schedules.test_schedules import MERCHANT, OF, plan, press, stored


@pytest.fixture
def customer(site):
    uid = f"Customer_{uuid.uuid4().hex[:12]}"
    site.world.issue_key(uid)
    return uid


def key_of(site, customer):
    return asked(site.world, lambda store: store.billing_keys.find(MERCHANT, customer))


def page_of(key):
    return f"{OF}/billing-keys/{key.id}"


def listed(owner, query):
    return text_of(owner.see(f"{OF}/billing-keys?{query}"))


def test_keys_are_found_by_what_people_know(site, owner, customer):
    word = customer[9:].upper()
    assert customer in listed(owner, f"word={word}")
    assert customer in listed(owner, f"word={word}&method=money&mode=test")
    for query in ("method=card", "mode=live", "standing=deleted", "standing=gone", "channel=none"):
        assert f"{customer} " not in listed(owner, f"word={word}&{query}"), query
    assert customer in listed(owner, f"word={word}&standing=nonsense&page=x&method=%00")
    assert customer not in listed(owner, "word=%25%25")


def test_a_key_tells_its_story(site, owner, customer):
    time.sleep(1.1)
    paid = site.world.again(customer, f"order_{customer}", 3_000)["response"]
    [uid] = plan(site, customer)
    key = key_of(site, customer)
    shown = owner.see(page_of(key))
    assert paid["imp_uid"] in shown
    assert "승인 1회" in text_of(shown)
    assert uid in shown
    assert re.search(r'href="[^"]*/payments/imp_\d+">발급한 결제', shown)
    # The limit of the contract, once it is kept with the channel, stands beside the count.
    owner.send(f"{OF}/channels/{key.channel_id}", per_month="20", cid="TCSUBSCRIP", pg="kakaopay", test_mode="on")
    assert "승인 1회 / 한도 20회" in text_of(owner.see(page_of(key)))
    assert "이번 달 1회 / 20" in listed(owner, f"word={customer}")
    refused = owner.send(f"{OF}/channels/{key.channel_id}", per_month="many", cid="TCSUBSCRIP")
    assert "한 달 결제 횟수는" in refused.text


def test_a_key_that_the_buyer_ended_says_so_and_what_to_offer(site, owner, customer):
    sid = site.world.log(operation="approve")[-1]["sid"]
    site.world.http.post(f"{site.world.sandbox}/_sim/sids/{sid}/end-by-buyer").raise_for_status()
    time.sleep(1.1)
    assert site.world.again(customer, f"order_{customer}")["response"]["status"] == "failed"
    assert "카카오페이에서 해지되었습니다" in text_of(owner.see(page_of(key_of(site, customer))))
    assert customer in listed(owner, f"word={customer}&standing=gone")
    assert f"{customer} " not in listed(owner, f"word={customer}&standing=living")


def test_a_replaced_key_leads_to_the_newer_one(site, owner, customer):
    old = key_of(site, customer)
    opened = site.world.open_window(f"again_{customer}", 0, customer_uid=customer)
    site.world.finish(opened, "MONEY")
    new = key_of(site, customer)
    assert new.id != old.id
    shown = re.search(r"<dt>끝남</dt><dd>(.*?)</dd>", owner.see(page_of(old)))
    assert shown, old
    assert new.id in shown[1]
    assert customer in listed(owner, f"word={customer}&standing=replaced")


@pytest.mark.parametrize(("choice", "status"), [("keep", "scheduled"), ("revoke", "revoked")])
def test_a_key_is_ended_with_what_is_planned_for_it(site, owner, customer, choice, status):
    uids = plan(site, customer, 2)
    key = key_of(site, customer)
    shown = text_of(owner.see(page_of(key)))
    assert "대기 중인 예약 2건" in shown
    assert all(uid in shown for uid in uids)
    _, _, refused = press(owner, page_of(key), "end", planned=choice)
    assert "확인란에 표시해 주세요" in refused
    assert key_of(site, customer) == key
    data, address, after = press(owner, page_of(key), "end", planned=choice, sure="on", reason="탈퇴")
    assert "빌링키를 해지했습니다." in after
    assert key_of(site, customer) is None
    assert [stored(site, uid).status for uid in uids] == [status] * 2
    [audit_entry] = asked(site.world, lambda store: store.audit.about(MERCHANT, key.id, 10))
    assert (audit_entry.kind, audit_entry.who, audit_entry.reason) == (AuditAction.END_KEY, "owner", "탈퇴")
    assert site.world.log(operation="inactive")[-1]["outcome"]
    # The form of an ended key does not end the one that came after it.
    opened = site.world.open_window(f"again_{customer}", 0, customer_uid=customer)
    site.world.finish(opened, "MONEY")
    owner.http.post(address, data=data, headers={"Origin": owner.origin})
    assert key_of(site, customer) is not None


def test_only_who_may_end_keys_is_offered_it_and_can(site, owner, customer):
    key = key_of(site, customer)
    form = Fields(f"{page_of(key)}/end")
    form.feed(owner.see(page_of(key)))
    for role in (Role.DEVELOPER, Role.READ_ONLY):
        assert not may(role, Permission.END_KEYS)
        person = site.person(role)
        assert 'data-testid="end"' not in person.see(page_of(key))
        data = form.found | {"form_token": person.token(), "sure": "on"}
        answer = person.http.post(f"{page_of(key)}/end", data=data, headers={"Origin": person.origin})
        assert answer.status_code == 403
    assert key_of(site, customer) == key
