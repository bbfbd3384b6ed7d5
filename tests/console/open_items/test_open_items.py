"""The desk: what the gateway could not settle by itself, what is known of it, and what a person does about it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from maedal.merchants.audit_entry import AuditAction
from maedal.operators.role import Role
from maedal.reconciliation.finding import FindingKind
from maedal.webhooks.webhook import GIVEN_UP_OPEN_FOR
from tests.console.conftest import Site
from tests.console.open_items import items
from tests.console.open_items.items import MERCHANT
from tests.console.people import Fields, asked, make_operator, text_of
from tests.support.databases import ENGINES
from tests.support.receiver import receiver
from tests.support.world import world

OPEN_ITEMS = f"/console/merchants/{MERCHANT}/desk"
SURE = {"sure": "on", "reason": "파트너 어드민에서 확인"}


@pytest.fixture(scope="module", params=ENGINES)
def site(request, all_databases, tmp_path_factory):
    with (
        receiver() as shop,
        world(
            all_databases.url(request.param),
            tmp_path_factory.mktemp("desk"),
            webhook_url=shop.answer("/broken", 500, b"<b>out of order</b>"),
            clarify_wait_seconds=0.5,
            asks_by_itself=False,
        ) as running,
    ):
        running.extra["shop"] = shop
        yield Site(running, {role: make_operator(running, role.value, role) for role in Role})


@pytest.fixture(autouse=True)
def answering(site):
    yield
    items.answering_again(site.world)


def newest_audit_entry(site):
    return asked(site.world, lambda store: store.audit.entries(MERCHANT, 1))[0]


def status_of(site, payment):
    return site.world.payment(payment["imp_uid"])["status"]


def test_an_unknown_outcome_lies_there_with_its_evidence_and_asking_finds_it_out(site, owner):
    payment = items.an_unknown_charge(site.world, name="11월 정기배송 <i>")
    page = owner.see(f"{OPEN_ITEMS}?tab=unknown")
    said = text_of(page)
    assert "11월 정기배송 <i>" in said
    assert "<i>" not in page
    for evidence in (
        "19,900원",
        "카카오페이의 주문번호",
        "돌아온 것",
        "빌링키의 마지막 승인",
        "물어본 횟수",
        "다음 확인",
    ):
        assert evidence in said, evidence
    assert "응답을 받지 못함" in said
    assert 'class="badge"' in owner.see(f"/console/merchants/{MERCHANT}/channels")
    # KakaoPay answers again, and a person does not wait for the next look.
    ask = f"{OPEN_ITEMS}/unknown/{payment['imp_uid']}/ask"
    still = owner.send(ask, page=f"{OPEN_ITEMS}?tab=unknown")
    assert "아직 알 수 없습니다" in text_of(still.text)
    items.answering_again(site.world)
    form = Fields(ask)
    form.feed(owner.see(f"{OPEN_ITEMS}?tab=unknown"))
    reported = owner.send(ask, page=f"{OPEN_ITEMS}?tab=unknown")
    assert "카카오페이가 결제된 것으로 확인해 주었습니다." in text_of(reported.text)
    audit_entry = newest_audit_entry(site)
    assert (audit_entry.kind, audit_entry.subject, audit_entry.who) == (AuditAction.ASK_PG, payment["imp_uid"], "owner")
    assert status_of(site, payment) == "paid"
    # What is known now is not asked for a second time.
    again = owner.http.post(ask, data=form.found, headers={"Origin": owner.origin})
    assert again.status_code == 422


@pytest.mark.parametrize(("verdict", "status", "kind"), [
    ("charged", "paid", AuditAction.SETTLE_CHARGED), ("not-charged", "failed", AuditAction.SETTLE_NOT_CHARGED),
])  # fmt: skip
def test_a_person_settles_what_nobody_tells(site, owner, verdict, status, kind):
    payment = items.an_unknown_charge(site.world)
    settle = f"{OPEN_ITEMS}/unknown/{payment['imp_uid']}/settle"
    form = Fields(settle)
    form.feed(owner.see(f"{OPEN_ITEMS}?tab=unknown"))
    answer = owner.send(settle, page=f"{OPEN_ITEMS}?tab=unknown", verdict=verdict, **SURE)
    assert "확정했습니다." in answer.text
    assert status_of(site, payment) == status
    audit_entry = newest_audit_entry(site)
    assert (audit_entry.kind, audit_entry.subject, audit_entry.who, audit_entry.reason) == (
        kind,
        payment["imp_uid"],
        "owner",
        SURE["reason"],
    )
    # The form that is still open in another window settles nothing more.
    again = owner.http.post(settle, data=form.found | SURE | {"verdict": verdict}, headers={"Origin": owner.origin})
    assert again.status_code == 422
    assert newest_audit_entry(site).id == audit_entry.id


def test_what_cannot_be_settled_says_why_and_keeps_what_was_typed(site, owner):
    payment = items.an_unknown_charge(site.world)
    settle = f"{OPEN_ITEMS}/unknown/{payment['imp_uid']}/settle"
    for fields, said in (
        ({"verdict": "charged", "reason": "typed", "sure": None}, "확인란에 표시해 주세요."),
        ({"verdict": "charged", "reason": "", "sure": "on"}, "사유를"),
        ({"verdict": "cancelled", "reason": "typed", "sure": "on"}, "맞지 않습니다"),
        ({"verdict": "charged", "reason": "typed", "sure": "on", "tid": "T0"}, "거래번호"),
        ({"verdict": "", "reason": "typed", "sure": "on"}, "결과를 선택해 주세요."),
        ({"verdict": "charged", "reason": "typed", "sure": "on", "attempt": "of another call"}, "다시 확인해 주세요"),
    ):
        answer = owner.send(settle, page=f"{OPEN_ITEMS}?tab=unknown", **fields)
        assert answer.status_code == 422
        assert said in text_of(answer.text), (fields, text_of(answer.text))
        assert f'value="{fields["reason"]}"' in answer.text
    assert status_of(site, payment) == "ready"


def test_a_missing_tid_is_supplied_once_kakaopay_confirms_it(site, owner):
    payment, tid = items.a_charge_without_tid(site.world)
    page, form = f"{OPEN_ITEMS}?tab=tid", f"{OPEN_ITEMS}/tid/{payment['imp_uid']}"
    assert payment["imp_uid"] in owner.see(page)
    wrong = owner.send(form, page=page, tid="T0123456789abcdef012", **SURE)
    assert wrong.status_code == 422
    assert owner.send(form, page=page, tid=tid, **SURE).status_code == 200
    assert site.world.payment(payment["imp_uid"])["pg_tid"] == tid
    audit_entry = newest_audit_entry(site)
    assert (audit_entry.kind, audit_entry.who, audit_entry.after) == (AuditAction.SUPPLY_TID, "owner", f"tid={tid}")
    assert payment["imp_uid"] not in owner.see(page)


def test_a_double_charge_is_proposed_to_be_given_back_and_never_is_by_itself(site, owner):
    uid = items.a_customer(site.world)
    payment = site.world.again(uid, f"twice_{uid}", 9_900)["response"]
    there = items.a_finding(
        site.world, FindingKind.CHARGED_TWICE, payment["imp_uid"], amount_here=9_900, order_id="the order"
    )
    here = items.a_finding(
        site.world, FindingKind.CHARGED_TWICE, payment["imp_uid"], pg_tid=payment["pg_tid"], order_id="another"
    )
    page = owner.see(f"{OPEN_ITEMS}?tab=findings")
    said = text_of(page)
    assert "제안: 구매자에게 9,900원 환불" in said
    assert "카카오페이 파트너 어드민 › 거래내역" in said
    assert f'href="/console/merchants/{MERCHANT}/payments/{payment["imp_uid"]}#cancel"' in page
    for side in ("카카오페이의 파일", "이 게이트웨이", there.pg_tid, payment["pg_tid"]):
        assert side in said
    assert site.world.payment(payment["imp_uid"])["cancel_amount"] == 0
    for one in (there, here):
        close = f"{OPEN_ITEMS}/findings/{one.id}/close"
        form = Fields(close)
        form.feed(owner.see(f"{OPEN_ITEMS}?tab=findings"))
        assert "닫았습니다." in owner.send(close, page=f"{OPEN_ITEMS}?tab=findings", **SURE).text
        again = owner.http.post(close, data=form.found | SURE, headers={"Origin": owner.origin})
        assert again.status_code == 303
    acts = asked(site.world, lambda store: store.audit.entries(MERCHANT, 2))
    assert {(a.kind, a.subject) for a in acts} == {
        (AuditAction.CLOSE_FINDING, there.id),
        (AuditAction.CLOSE_FINDING, here.id),
    }
    assert "카카오페이와 다른 것이 없습니다" in owner.see(f"{OPEN_ITEMS}?tab=findings")


def test_every_kind_of_finding_is_told_in_words(site, owner):
    made = [items.a_finding(site.world, kind, order_id=f"of {kind}") for kind in FindingKind]
    said = text_of(owner.see(f"{OPEN_ITEMS}?tab=findings"))
    for word in (
        "카카오페이에만 있는 결제",
        "이중 결제",
        "여기에만 있는 결제",
        "금액이 다름",
        "카카오페이에서 직접 한 취소",
        "여기에만 있는 취소",
    ):
        assert word in said
    for one in made:
        owner.send(f"{OPEN_ITEMS}/findings/{one.id}/close", page=f"{OPEN_ITEMS}?tab=findings", **SURE)


def test_a_key_that_kakaopay_has_not_ended_is_told_again_by_a_person(site, owner):
    uid = items.an_unconfirmed_ending(site.world)
    page = owner.see(f"{OPEN_ITEMS}?tab=keys")
    assert uid in page
    [pending] = asked(site.world, lambda store: store.billing_keys.pending_endings_of(MERCHANT, 10))
    address = f"{OPEN_ITEMS}/keys/{pending.ending.attempt_id}/end"
    assert "아직 확인되지 않았습니다" in text_of(owner.send(address, page=f"{OPEN_ITEMS}?tab=keys").text)
    items.answering_again(site.world)
    assert "카카오페이가 종료를 확인했습니다." in text_of(owner.send(address, page=f"{OPEN_ITEMS}?tab=keys").text)
    assert newest_audit_entry(site).kind is AuditAction.END_KEY_AGAIN
    assert uid not in owner.see(f"{OPEN_ITEMS}?tab=keys")


def test_a_webhook_that_was_given_up_lies_there_until_it_is_taken(site, owner):
    uid = items.a_customer(site.world)
    site.world.again(uid, f"told_{uid}", 9_900)
    deadline = time.monotonic() + 60
    while "보내지 못한 웹훅이 없습니다" in owner.see(f"{OPEN_ITEMS}?tab=webhooks") and time.monotonic() < deadline:
        time.sleep(0.1)
    page = owner.see(f"{OPEN_ITEMS}?tab=webhooks")
    assert "/broken" in page
    assert f"/console/merchants/{MERCHANT}/webhook-log?state=failed" in page


def test_the_count_in_the_menu_is_what_lies_on_the_desk(site, owner):
    payment = items.an_unknown_charge(site.world)
    since = datetime.now(UTC) - GIVEN_UP_OPEN_FOR
    counts = asked(site.world, lambda store: store.unknown_outcomes.open_counts(MERCHANT, since))
    assert counts.unknown >= 1
    page = text_of(owner.see(f"/console/merchants/{MERCHANT}/keys"))
    assert f"확인 필요 열린 일 {counts.total}" in page
    owner.send(
        f"{OPEN_ITEMS}/unknown/{payment['imp_uid']}/settle",
        page=f"{OPEN_ITEMS}?tab=unknown",
        verdict="not-charged",
        **SURE,
    )
    assert (
        asked(site.world, lambda store: store.unknown_outcomes.open_counts(MERCHANT, since)).unknown
        == counts.unknown - 1
    )


def test_who_may_not_settle_sees_the_evidence_and_no_form(site):
    payment = items.an_unknown_charge(site.world)
    for role in (Role.DEVELOPER, Role.READ_ONLY):
        person = site.person(role)
        page = person.see(f"{OPEN_ITEMS}?tab=unknown")
        assert payment["merchant_uid"] in page
        assert f"{OPEN_ITEMS}/unknown" not in page


@pytest.mark.parametrize(("fate", "shown", "hidden"), [
    ("error_500_after", "결과 불명확한 응답", "응답 유실"), ("drop_after", "응답 유실", "결과 불명확한 응답"),
])  # fmt: skip
def test_an_answer_that_does_not_say_what_happened_is_not_called_lost(site, owner, fate, shown, hidden):
    payment = items.an_unknown_charge(site.world, fate=fate)
    items.answering_again(site.world)
    page = text_of(owner.see(f"/console/merchants/{MERCHANT}/payments/{payment['imp_uid']}"))
    assert shown in page
    assert hidden not in page
