"""The log of webhooks: found by what people know, and sent again once."""

from __future__ import annotations

import time

import pytest

from maedal.merchants.audit_entry import AuditAction
from maedal.operators.role import Role
from maedal.storage.webhooks.reads import DeliveryFilter
from tests.console.conftest import Site
from tests.console.open_items import items
from tests.console.open_items.items import MERCHANT
from tests.console.people import Fields, asked, make_operator, text_of
from tests.support.databases import ENGINES
from tests.support.receiver import receiver
from tests.support.world import world

HOOKS = f"/console/merchants/{MERCHANT}/webhook-log"


@pytest.fixture(scope="module", params=ENGINES)
def site(request, all_databases, tmp_path_factory):
    with (
        receiver() as shop,
        world(
            all_databases.url(request.param),
            tmp_path_factory.mktemp("logs"),
            webhook_url=shop.answer("/hook", 500, b"<script>alert(1)</script>"),
        ) as running,
    ):
        running.extra["shop"] = shop
        yield Site(running, {role: make_operator(running, role.value, role) for role in Role})


@pytest.fixture
def reported(site):
    """A payment whose webhook was given up."""
    uid = items.a_customer(site.world)
    payment = site.world.again(uid, f"told_{uid}", 9_900)["response"]
    return settled(site, payment, "failed")


def settled(site, payment, state, tries=1):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        [one] = asked(
            site.world,
            lambda store: store.webhooks.deliveries(MERCHANT, DeliveryFilter(1, imp_uid=payment["imp_uid"])),
        )
        if one.state == state and len(one.tries) == tries:
            return payment
        time.sleep(0.05)
    raise AssertionError(one)


def test_webhooks_are_found_by_every_filter(site, owner, reported):
    host = site.world.extra["shop"].url.removeprefix("http://")
    for query in (
        "", f"word={reported['imp_uid']}", f"word={reported['merchant_uid']}", "state=failed", "told=paid", "mode=test",
        "answer=5xx", f"host={host}", "host=127.0.0.1", "days=1", "since=2020-01-01", "until=2099-12-31",
        f"state=failed&told=paid&mode=test&answer=5xx&host={host}&days=30",
    ):  # fmt: skip
        assert reported["imp_uid"] in owner.see(f"{HOOKS}?{query}"), query
    for query in (
        "word=nothing", "state=delivered", "told=cancelled", "mode=live", "answer=2xx", "answer=none",
        "host=127.0.0", "until=2020-01-01", "since=2099-01-01", "id=none",
    ):  # fmt: skip
        page = owner.see(f"{HOOKS}?{query}")
        assert reported["imp_uid"] not in page, query
        assert "맞는 웹훅이 없습니다" in page, query
    for query in ("after=x", "after=2020-01-01~", "days=x", "state=%00", "since=x", "after=2020-01-01T00:00:00~a"):
        assert owner.open(f"{HOOKS}?{query}").status_code == 200, query


def test_a_webhook_tells_what_was_sent_and_what_came_back(owner, reported):
    page = owner.see(f"{HOOKS}?word={reported['imp_uid']}")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    said = text_of(page)
    assert f'"merchant_uid": "{reported["merchant_uid"]}"' in said
    assert "서명하지 않습니다." in said
    owner.send(f"/console/merchants/{MERCHANT}/webhook/secret", page=f"/console/merchants/{MERCHANT}/webhook")
    signed = text_of(owner.see(f"{HOOKS}?word={reported['imp_uid']}"))
    assert f"webhook-id {reported['imp_uid']}-" in signed
    assert "v1,…" in signed
    owner.send(f"/console/merchants/{MERCHANT}/webhook/secret/stop", page=f"/console/merchants/{MERCHANT}/webhook")


def test_webhooks_are_sent_again_once_for_one_submission(site, owner, reported):
    shop = site.world.extra["shop"]
    shop.answer("/hook", 200, b"thank you")
    [delivery] = asked(
        site.world, lambda store: store.webhooks.deliveries(MERCHANT, DeliveryFilter(1, imp_uid=reported["imp_uid"]))
    )
    page = f"{HOOKS}/resend?tick={delivery.delivery.id}&word={reported['imp_uid']}"
    before = len(shop.at("/hook"))
    preview = owner.see(page)
    assert "1건 다시 보내기" in text_of(preview)
    form = Fields(f"{HOOKS}/resend")
    form.feed(preview)
    unsure = owner.http.post(f"{HOOKS}/resend", data=form.found, headers={"Origin": owner.origin})
    assert unsure.status_code == 422
    for _ in range(3):
        answer = owner.http.post(f"{HOOKS}/resend", data=form.found | {"sure": "on"}, headers={"Origin": owner.origin})
        assert answer.status_code == 303
        settled(site, reported, "delivered", 2)
    assert len(shop.at("/hook")) == before + 1
    assert "이미 보낸 요청입니다" in owner.see(HOOKS)
    [audit_entry] = asked(site.world, lambda store: store.audit.entries(MERCHANT, 1))
    assert (audit_entry.kind, audit_entry.who, audit_entry.after) == (
        AuditAction.RESEND_WEBHOOKS,
        "owner",
        "webhooks=1; to=original",
    )
    shop.answer("/hook", 500, b"<script>alert(1)</script>")


def test_only_who_may_send_again_is_offered_it(site, reported):
    person = site.person(Role.READ_ONLY)
    page = person.see(f"{HOOKS}?word={reported['imp_uid']}")
    assert reported["imp_uid"] in page
    assert "/resend" not in page
    assert person.open(f"{HOOKS}/resend?all=on").status_code == 403


# The last one: for two seconds after it a payment may still be told to the address that it moves away from.
def test_a_whole_filter_is_sent_again_to_the_address_that_is_saved_now(site, owner, reported):
    shop = site.world.extra["shop"]
    moved = shop.answer("/moved", 200, b"ok")
    settings = f"/console/merchants/{MERCHANT}/webhook"
    old = Fields(settings)
    old.feed(owner.see(settings))
    owner.send(settings, test=moved)
    preview = owner.see(f"{HOOKS}/resend?all=on&state=failed&days=7")
    found = asked(site.world, lambda store: store.webhooks.deliveries(MERCHANT, DeliveryFilter(100, ["failed"])))
    assert f"{len(found)}건 다시 보내기" in text_of(preview)
    form = Fields(f"{HOOKS}/resend")
    form.feed(preview)
    data = form.found | {"sure": "on", "to": "current"}
    owner.http.post(f"{HOOKS}/resend", data=data, headers={"Origin": owner.origin})
    settled(site, reported, "delivered", 2)
    shop.wait_for("/moved", len(found))
    owner.send(settings, test=old.found["test"])
