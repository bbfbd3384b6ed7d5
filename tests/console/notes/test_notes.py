"""Notes and tags beside payments and customers: who wrote what, at most so many, found by tag, forgotten with a buyer."""

from __future__ import annotations

import uuid

import pytest

from maedal.app import open_gateway
from maedal.flows.erase_personal_data import erase_buyer
from maedal.merchants.audit_entry import AuditAction
from maedal.operators.role import Role
from maedal.payments.notes import TAGS_MAX, NoteSubject
from tests.console.people import Fields, asked, in_a_thread, text_of

MERCHANT = "imp00000000"
OF = f"/console/merchants/{MERCHANT}"


@pytest.fixture
def paid(site):
    uid = f"noted_{uuid.uuid4().hex[:10]}"
    site.world.issue_key(uid)
    payment = site.world.again(uid, f"order_{uid}", 9_900, buyer_name="이지은", buyer_tel="010-1212-3434")["response"]
    return payment | {"uid": uid}


def page_of(paid):
    return f"{OF}/payments/{paid['imp_uid']}"


def written(site, kind, subject):
    return asked(site.world, lambda store: store.notes.of(MERCHANT, kind, [subject]))[subject]


def press(person, action, **fields):
    """Send a form of this session, also one that no page shows."""
    data = fields | {"form_token": person.token()}
    return person.http.post(f"{OF}/{action}", data=data, headers={"Origin": person.origin}, follow_redirects=True)


def note(person, page, text):
    form = Fields(f"{OF}/notes")
    form.feed(person.see(page))
    data = form.found | {"text": text}
    return data, person.http.post(f"{OF}/notes", data=data, headers={"Origin": person.origin}, follow_redirects=True)


def test_a_note_is_kept_once_with_who_and_when_and_not_in_the_audit_log(site, owner, paid):
    data, answer = note(owner, page_of(paid), "환불 문의\n다시 전화하기로 함")
    assert "환불 문의" in answer.text
    owner.http.post(f"{OF}/notes", data=data, headers={"Origin": owner.origin})
    [kept] = written(site, NoteSubject.PAYMENT, paid["imp_uid"]).notes
    assert (kept.author, kept.text) == ("owner", "환불 문의\n다시 전화하기로 함")
    [entry] = asked(site.world, lambda store: store.audit.entries(MERCHANT, 1))
    assert (entry.kind, entry.subject, entry.before, entry.after) == (AuditAction.ADD_NOTE, paid["imp_uid"], "", "")


def test_a_note_that_is_too_long_is_refused_as_it_was_typed(site, owner, paid):
    _, answer = note(owner, page_of(paid), "가" * 1_001)
    assert answer.status_code == 422
    assert "메모는 1~1000자" in text_of(answer.text)
    assert "가" * 1_001 in answer.text
    assert not written(site, NoteSubject.PAYMENT, paid["imp_uid"]).notes


def test_one_removes_ones_own_notes_and_an_owner_those_of_others(site, owner, paid):
    page = page_of(paid)
    note(owner, page, "of the owner")
    manager = site.person(Role.MANAGER)
    [kept] = written(site, NoteSubject.PAYMENT, paid["imp_uid"]).notes
    fields = {"kind": "payment", "subject": paid["imp_uid"], "note": kept.id}
    press(manager, "notes/delete", **fields)
    assert written(site, NoteSubject.PAYMENT, paid["imp_uid"]).notes
    press(owner, "notes/delete", **fields)
    assert not written(site, NoteSubject.PAYMENT, paid["imp_uid"]).notes
    assert 'data-testid="add-note"' not in site.person(Role.READ_ONLY).see(page)


def test_payments_are_found_by_their_tags_and_written_out_with_them(site, owner, paid):
    page, tag = page_of(paid), f"t{uuid.uuid4().hex[:6]}"
    fields = {"kind": "payment", "subject": paid["imp_uid"]}
    press(owner, "tags", tag=f"#{tag.upper()}", **fields)
    note(owner, page, "=1+1")
    assert paid["merchant_uid"] in owner.see(f"{OF}/payments?tag={tag}")
    assert paid["merchant_uid"] not in owner.see(f"{OF}/payments?tag=none")
    form = Fields(f"{OF}/payments/export")
    form.feed(owner.see(f"{OF}/payments/export?tag={tag}&columns=order,tags,notes"))
    data = form.found | {"format": "csv"}
    data.pop("seal", None)
    text = owner.http.post(f"{OF}/payments/export", data=data, headers={"Origin": owner.origin}).text
    assert tag in text
    assert "owner: =1+1" in text
    press(owner, "tags/delete", tag=tag, **fields)
    assert paid["merchant_uid"] not in owner.see(f"{OF}/payments?tag={tag}")


def test_there_are_at_most_so_many_tags(owner, paid):
    fields = {"kind": "payment", "subject": paid["imp_uid"]}
    for n in range(TAGS_MAX):
        press(owner, "tags", tag=f"tag {n}", **fields)
    assert "태그가 이미 10개 있습니다" in text_of(press(owner, "tags", tag="one more", **fields).text)
    assert "쉼표가 없는" in text_of(press(owner, "tags", tag="a,b", **fields).text)


def test_nothing_is_written_beside_what_is_not_there(owner, paid):
    for kind, subject in (("payment", "imp_000000000000"), ("customer", "nobody"), ("merchant", "x")):
        answer = press(owner, "tags", kind=kind, subject=subject, tag="x")
        assert answer.status_code in {404, 422}, kind


def test_forgetting_a_buyer_removes_what_was_written_of_them_and_the_terms_they_are_found_by(site, owner, paid):
    uid = paid["uid"]
    note(owner, page_of(paid), "speaks loudly")
    for kind, subject in (("payment", paid["imp_uid"]), ("customer", uid)):
        press(owner, "tags", kind=kind, subject=subject, tag="loud")
    assert f"customers/one?uid={uid}" in owner.see(f"{OF}/find?q=이지은")

    async def erase():
        async with open_gateway(site.world.settings, serving=False) as gateway:
            return await erase_buyer(gateway.services, MERCHANT, uid, None, who="test", reason="asked for")

    counts = in_a_thread(erase())
    assert counts.customers == 1
    for kind, subject in ((NoteSubject.PAYMENT, paid["imp_uid"]), (NoteSubject.CUSTOMER, uid)):
        kept = written(site, kind, subject)
        assert not kept.notes
        assert not kept.tags
    for word in ("이지은", "01012123434"):
        assert f"customers/one?uid={uid}" not in owner.see(f"{OF}/find?q={word}")
    # Ids are nobody's secret, and money stays.
    assert f"customers/one?uid={uid}" in owner.see(f"{OF}/find?q={uid}")
    assert paid["imp_uid"] in owner.see(f"{OF}/find?q={paid['pg_tid']}")
    # What is written after that can be forgotten, too.
    press(owner, "tags", kind="payment", subject=paid["imp_uid"], tag="again")
    assert in_a_thread(erase()).payments == 1
