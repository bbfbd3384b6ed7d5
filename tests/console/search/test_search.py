"""The search of the frame: whatever a merchant has under a word, and the list of keys."""

from __future__ import annotations

import time
import uuid

import pytest

from maedal.operators.role import Role
from maedal.storage.webhooks.reads import DeliveryFilter
from tests.console.people import asked, text_of

MERCHANT = "imp00000000"
OF = f"/console/merchants/{MERCHANT}"


@pytest.fixture(scope="module")
def paid(site):
    """A customer with a key, a payment with a buyer, and something planned."""
    uid = f"kim_{uuid.uuid4().hex[:10]}"
    site.world.issue_key(uid)
    payment = site.world.again(
        uid,
        f"order_{uid}",
        9_900,
        name="월간",
        buyer_name="김민지",
        buyer_tel="010-7788-9900",
        buyer_email="MinJi@Shop.example",
    )["response"]
    at = int(time.time()) + 90_000
    planned = {"merchant_uid": f"plan_{uid}", "schedule_at": at, "amount": 9_900, "name": "다음 달"}
    site.world.call("POST", "/subscribe/payments/schedule", json={"customer_uid": uid, "schedules": [planned]})
    return payment | {"uid": uid}


def found(owner, word):
    return text_of(owner.see(f"{OF}/find?q={word}"))


def test_each_thing_is_found_by_its_whole_id(site, owner, paid):
    uid = paid["uid"]
    for word in (paid["imp_uid"], paid["merchant_uid"], paid["pg_tid"]):
        page = owner.see(f"{OF}/find?q={word}")
        assert f"{OF}/payments/{paid['imp_uid']}" in page, word
    assert f"{OF}/customers/one?uid={uid}" in owner.see(f"{OF}/find?q={uid}")
    assert f"{OF}/schedules/one?uid=plan_{uid}" in owner.see(f"{OF}/find?q=plan_{uid}")
    [key] = asked(site.world, lambda store: store.billing_keys.of_customer(MERCHANT, uid, 1))
    assert f"{OF}/billing-keys/{key.id}" in owner.see(f"{OF}/find?q={key.id}")
    logs = asked(
        site.world, lambda store: store.webhooks.deliveries(MERCHANT, DeliveryFilter(1, imp_uid=paid["imp_uid"]))
    )
    for delivery in (one.delivery for one in logs):
        for word in (delivery.id, delivery.event_id):
            assert f"{OF}/webhook-log?id={delivery.id}" in owner.see(f"{OF}/find?q={word}")


@pytest.mark.parametrize(
    "word",
    [
        "01077889900",
        "010-7788-9900",
        "010 7788",
        "%2B82%2010-7788-9900",
        "김민지",
        "김민",
        "minji@shop.example",
        "MINJI@",
    ],
)
def test_a_customer_is_found_by_what_a_caller_says(owner, paid, word):
    assert f"{OF}/customers/one?uid={paid['uid']}" in owner.see(f"{OF}/find?q={word}")


def test_pages_are_found_by_their_names_in_either_language(site, owner):
    assert f'href="{OF}/webhook"' in owner.see(f"{OF}/find?q=웹훅 설정")
    assert f'href="{OF}/schedules/calendar"' in owner.see(f"{OF}/find?q=calendar")
    results = site.person(Role.READ_ONLY).see(f"{OF}/find?q=변경 기록").partition('id="results"')[2]
    assert f"{OF}/log" not in results


def test_nothing_is_said_to_be_found_where_nothing_is(owner):
    assert "글자 이상" in found(owner, "a")
    assert "찾은 것이 없습니다" in found(owner, "zzzz-nothing")
    # What looks like a pattern is a word like any other.
    assert "찾은 것이 없습니다" in found(owner, "%25%25")


def test_the_switch_restricts_what_is_found(owner, paid):
    owner.send("/console/mode", page=OF, mode="live", back=OF)
    assert "찾은 것이 없습니다" in found(owner, paid["imp_uid"])
    assert "찾은 것이 없습니다" in found(owner, "01077889900")
    owner.send("/console/mode", page=OF, mode="", back=OF)
    assert paid["imp_uid"] in found(owner, paid["imp_uid"])


def test_letter_keys_are_listed_and_can_be_switched_off(owner):
    assert "data-shortcuts" in owner.see(OF)
    assert "검색으로 이동" in text_of(owner.see("/console/shortcuts"))
    owner.see("/console/look?shortcuts=off&back=/console/shortcuts")
    assert "data-shortcuts" not in owner.see(OF)
