"""The settings of webhooks: addresses, a call for a test, and signing."""

from __future__ import annotations

import re

import pytest

from maedal.merchants.audit_entry import AuditAction
from tests.console.people import asked, once, text_of
from tests.support.receiver import receiver

MERCHANT = "imp00000000"
OF = f"/console/merchants/{MERCHANT}"
HOOK = f"{OF}/webhook"


@pytest.fixture(scope="module")
def listening():
    with receiver() as running:
        yield running


def merchant(site):
    return asked(site.world, lambda store: store.merchants.find(MERCHANT))


def newest_audit_entry(site):
    return asked(site.world, lambda store: store.audit.entries(MERCHANT, 1))[0]


def test_webhooks_are_set_and_the_change_is_in_the_log(site, owner):
    owner.send(
        HOOK,
        test="https://shop.example/hook?token=hidden",
        live="",
        type_test="form",
        retry="few",
        failures="on",
        page_notices="replace",
    )
    kept = merchant(site)
    assert (kept.webhook_url_test, kept.webhook_url_live, kept.webhook_type_test, kept.webhook_type_live, kept.webhook_retry) == (
        "https://shop.example/hook?token=hidden", None, "form", "json", "few",
    )  # fmt: skip
    audit_entry = newest_audit_entry(site)
    assert (audit_entry.kind, audit_entry.who) == (AuditAction.CHANGE_WEBHOOK, "owner")
    assert (
        audit_entry.after
        == "test=https://shop.example/hook?…; type_test=form; retry=few; failures=yes; page_notices=replace"
    )
    assert kept.page_notices == "replace"
    owner.send(HOOK, type_test="json", retry="none", failures=None, confirm=None)
    assert newest_audit_entry(site).before == "type_test=form; retry=few; failures=yes; confirm=yes"
    assert merchant(site).confirm_url_ignored


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"test": "shop.example/hook"}, "http:// 또는 https://로 시작해야"),
        ({"live": "javascript:alert(1)"}, "http:// 또는 https://로 시작해야"),
        ({"retry": "always"}, "재시도는"),
        ({"type_live": "xml"}, "본문 형식은"),
        ({"page_notices": "all"}, "페이지의 notice_url은"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(site, owner, fields, said):
    before = merchant(site)
    answer = owner.send(HOOK, **fields)
    assert answer.status_code == 422
    assert said in text_of(answer.text)
    assert merchant(site) == before


def test_a_test_call_shows_what_the_receiver_answered(owner, listening):
    call = f"{HOOK}/test"
    taken = listening.answer("/taken", 200, b"<b>thanks</b>")
    owner.send(HOOK, test=taken, live="")
    answer = owner.send(call, page=HOOK, mode="test")
    assert re.search(r'class="note".*?→ 200 \(\d+ ms\) &lt;b&gt;thanks', answer.text, re.DOTALL)
    assert "imp_uid" in listening.at("/taken")[0].body
    owner.send(HOOK, test=listening.answer("/broken", 500, b"no"))
    assert "→ 500" in owner.send(call, page=HOOK, mode="test").text
    assert "저장된 주소가 없습니다" in owner.send(call, page=HOOK, mode="live").text


def test_signing_is_begun_changed_without_a_gap_and_given_up(site, owner):
    secret = once(owner.send(f"{HOOK}/secret", page=HOOK).text)[0]
    assert secret.startswith("whsec_")
    other = once(owner.send(f"{HOOK}/secret", page=HOOK).text)[0]
    assert other != secret
    page = owner.see(HOOK)
    assert "비밀 값 둘이 함께 서명" in page
    assert secret not in page
    # A third would lock out who knows the first; the page does not offer it, and a form of one's own is refused.
    headers = {"Origin": owner.origin}
    third = owner.http.post(f"{HOOK}/secret", data={"form_token": owner.token()}, headers=headers)
    assert third.status_code == 422
    owner.send(f"{HOOK}/secret/end-old", page=HOOK)
    assert merchant(site).sealed_old_webhook_secret is None
    owner.send(f"{HOOK}/secret/stop", page=HOOK)
    assert merchant(site).sealed_webhook_secret is None
    acts = asked(site.world, lambda store: store.audit.entries(MERCHANT, 4))
    assert [(a.before, a.after) for a in acts] == [
        ("signing=one secret", "signing=none"),
        ("signing=two secrets", "signing=one secret"),
        ("signing=one secret", "signing=two secrets"),
        ("signing=none", "signing=one secret"),
    ]


def test_signing_a_form_is_warned_of_in_both_languages(site, owner):
    owner.send(HOOK, type_test="json", type_live="json")
    assert "signed-form" not in owner.see(HOOK)
    owner.send(HOOK, type_test="json", type_live="form")
    once(owner.send(f"{HOOK}/secret", page=HOOK).text)
    page = text_of(owner.see(HOOK))
    assert "폼 본문으로 보내는 웹훅이 있습니다(실결제)" in page
    assert "웹훅 받기" in page
    owner.http.get(f"{site.world.gateway}/console/look?language=en&back={HOOK}")
    assert "Some webhooks go out as forms (live)" in text_of(owner.see(HOOK))
    owner.http.get(f"{site.world.gateway}/console/look?language=ko&back={HOOK}")
    owner.send(f"{HOOK}/secret/stop", page=HOOK)
    owner.send(HOOK, type_test="json", type_live="json")


def test_a_further_address_is_added_tested_changed_and_removed(site, owner, listening):
    new = f"{HOOK}/addresses/new"
    hook = listening.answer("/books", 200, b"taken")
    refused = owner.send(new, name="회계", url="shop.example")
    assert refused.status_code == 422
    assert "http:// 또는 https://로 시작하는" in text_of(refused.text)
    answer = owner.send(new, name="회계 <b>", url=hook, event=["payment.paid", "payment.cancelled"])
    [secret] = once(answer.text)
    assert secret.startswith("whsec_")
    page = re.search(rf'action="({HOOK}/addresses/[^"/]+)"', answer.text)[1]
    assert "회계 &lt;b&gt;" in owner.see(HOOK)
    assert secret not in owner.see(page)
    entry = newest_audit_entry(site)
    assert (entry.kind, entry.who) == (AuditAction.ADD_WEBHOOK_ADDRESS, "owner")
    assert "events=payment.paid payment.cancelled" in entry.after
    called = owner.send(f"{page}/test", page=page, status="cancelled")
    assert "200" in text_of(called.text)
    assert "taken" in called.text
    again = owner.send(f"{page}/secret", page=page)
    assert once(again.text) != [secret]
    assert "이제 새 비밀 값만" in owner.send(f"{page}/secret/end-old", page=page).text
    owner.send(page, active=None, event=["payment.failed"])
    [kept] = asked(site.world, lambda store: store.webhooks.addresses(MERCHANT))
    assert (kept.active, set(kept.events)) == (False, {"payment.failed"})
    assert "꺼짐" in owner.see(HOOK)
    assert owner.see(f"{OF}/webhook-log?address={kept.id}")
    assert "주소를 삭제했습니다" in owner.send(f"{page}/remove", page=page, sure="on").text
    assert "그런 웹훅 주소가 없습니다" in owner.see(page)
    assert asked(site.world, lambda store: store.webhooks.addresses(MERCHANT)) == []
