"""Payments in the console: found, and explained."""

from __future__ import annotations

import re
import uuid

import pytest

from maedal.operators.role import Role
from maedal.payments.failure_causes import FailureCause
from maedal.payments.failure_texts import EXPLANATIONS
from tests.console.people import text_of

OF = "/console/merchants/imp00000000/payments"


def customer() -> str:
    return f"customer_{uuid.uuid4().hex[:12]}"


def test_payments_are_found_by_what_people_know(site, owner):
    uid = customer()
    site.world.issue_key(uid)
    paid = site.world.again(uid, f"order_{uid}", 12_300, name="정기 구독 11월", buyer_name="김민지")["response"]
    for word in (paid["imp_uid"], f"order_{uid}", uid):
        page = text_of(owner.see(f"{OF}?word={word}"))
        assert "정기 구독 11월" in page
        assert "12,300원" in page
        assert "김민지" in page
    assert "1건" in text_of(owner.see(f"{OF}?word={paid['imp_uid']}"))
    assert "찾은 결제가 없습니다" in owner.see(f"{OF}?word={uid}x")
    assert "정기 구독 11월" in owner.see(OF)
    assert "정기 구독 11월" in owner.see(f"{OF}?status=paid&span=today")
    assert "정기 구독 11월" not in owner.see(f"{OF}?status=failed")


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=999999999",
        "page=²",
        "page=" + "9" * 5000,
        "span=own&since=2026-13-99&until=soon",
        "after=never~imp_1&before=0~",
        "sort=largest&after=99999999999999999999~imp_1",
        "after=0001-01-01T00:00:00%2B14:00~imp_1",
        "min=-1&max=99999999999999&mode=both&use=all",
        "columns=nothing,%00",
        "status=%00",
        "word=%00",
        "word=" + "x" * 300,
    ],
)
def test_an_odd_link_shows_the_list_all_the_same(owner, query):
    assert "결제 내역" in owner.see(f"{OF}?{query}")


def test_a_long_list_has_pages_that_keep_the_filter(site, owner):
    uid = customer()
    for number in range(27):
        site.world.open_window(f"{uid}_{number}", 100, customer_uid=uid)
    first = owner.see(f"{OF}?word={uid}")
    assert "27건" in first
    following = re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")
    assert f"word={uid}" in following
    second = owner.see(following)
    assert second.count(f"{uid}_") == 2
    assert 'rel="next"' not in second
    assert 'rel="prev"' in second


def test_a_payment_tells_what_happened_and_on_what_each_move_rests(site, owner):
    uid = customer()
    site.world.issue_key(uid)
    paid = site.world.again(uid, f"order_{uid}", 5_000, tax_free=1_000)["response"]
    site.world.call(
        "POST", "/payments/cancel", json={"imp_uid": paid["imp_uid"], "amount": 2_000, "reason": "고객 변심"}
    )
    owner.send(f"{OF}/{paid['imp_uid']}/cancel", page=f"{OF}/{paid['imp_uid']}", amount="500", tax_free="0",
               reason="배송 지연", sure="on")  # fmt: skip
    page = text_of(owner.see(f"{OF}/{paid['imp_uid']}"))
    for reported in (
        r"결제 요청 \(API\) .* 카카오페이에 요청: 빌링키 결제 .* 그중 면세 1,000원 .* partner_order_id",
        r"빌링키 결제 결과: 승인 .* 근거 PG사의 응답 걸린 시간 [0-9.]+초 tid " + paid["pg_tid"],
        r"승인 확인 결제완료 .* 카카오페이에 요청: 결제 취소 .* 취소 사유 고객 변심 요청한 곳 상점 서버 \(API\)",
        r"결제 취소 .* 처리자 owner 사유 배송 지연 .* 취소 금액 500 카카오페이에 요청: 결제 취소 .* 금액 500원 .* 취소 완료",
        r"−500원 배송 지연 · owner",
        r"취소할 수 있는 금액 2,500원",
        r"남은 면세 금액 1,000원",
    ):
        assert re.search(reported, page), reported
    assert "부분취소" in page
    assert "빌링키 결제" in page


def test_a_payment_in_a_window_tells_that_the_window_was_opened(site, owner):
    uid = customer()
    opened = site.world.open_window(f"order_{uid}", 100, customer_uid=uid)
    page = text_of(owner.see(f"{OF}/{opened['imp_uid']}"))
    assert re.search(r"결제 요청 .* 결제창 열림", page)
    assert "가져옴" not in page


def test_a_failed_payment_says_why(site, owner):
    uid = customer()
    site.world.issue_key(uid)
    site.world.fault("subscription", "decline")
    failed = site.world.again(uid, f"order_{uid}")["response"]
    page = text_of(owner.see(f"{OF}/{failed['imp_uid']}"))
    assert "결제실패" in page
    assert failed["fail_reason"].split("]")[-1].strip() in page


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("NOT_ENOUGH_BALANCE", FailureCause.BALANCE),
        ("5019", FailureCause.METHOD_ENDED),
        ("4711", FailureCause.UNEXPLAINED),
    ],
)
def test_a_failed_payment_is_explained_before_it_is_told_in_the_pgs_words(site, owner, code, cause):
    uid = customer()
    site.world.issue_key(uid)
    site.world.fault("subscription", "decline", method_result_code=code)
    page = f"{OF}/{site.world.again(uid, f'order_{uid}')['response']['imp_uid']}"
    one = EXPLANATIONS[cause]
    for language, (name, when, to_do) in (
        ("ko", (one.name[0], one.when[0], one.to_do[0])),
        ("en", (one.name[1], one.when[1], one.to_do[1])),
    ):
        owner.http.cookies.set("maedal_language", language)
        shown = re.search(r'data-testid="failure">(.*?)</section>', owner.see(page), re.DOTALL)[1]
        said = text_of(shown)
        places = [said.index(text) for text in (name, when, to_do, *one.buyer, f"-782 {code}")]
        assert places == sorted(places)
        assert [text_of(copied) for copied in re.findall(r'id="copy-buyer-.." lang="..">(.*?)</span>', shown)] == list(
            one.buyer
        )
        assert shown.count("data-copy=") == 2
    owner.http.cookies.delete("maedal_language")


def test_a_step_that_cancels_a_part_is_called_so(site, owner):
    uid = customer()
    site.world.issue_key(uid)
    paid = site.world.again(uid, f"order_{uid}", 5_000)["response"]
    for amount in (2_000, 3_000):
        site.world.call("POST", "/payments/cancel", json={"imp_uid": paid["imp_uid"], "amount": amount})
    page = text_of(owner.see(f"{OF}/{paid['imp_uid']}"))
    assert re.search(r"취소 완료 부분취소 .* 취소 완료 결제취소", page)


def test_a_refused_cancel_keeps_what_was_typed(site, owner):
    uid = customer()
    site.world.issue_key(uid)
    paid = site.world.again(uid, f"order_{uid}", 5_000)["response"]
    page = f"{OF}/{paid['imp_uid']}"
    answer = owner.send(f"{page}/cancel", page=page, amount="6000", reason="배송 지연", sure="on")
    assert answer.status_code == 422
    form = re.search(r'<section class="card" id="cancel".*?</section>', answer.text, re.DOTALL)[0]
    assert '<details class="more" open>' in form
    assert 'value="6000"' in form
    assert 'value="배송 지연"' in form
    assert "취소할 수 있는 금액" in text_of(form)
    assert site.world.payment(paid["imp_uid"])["cancel_amount"] == 0


def test_a_payment_that_differs_from_what_was_registered_shows_both_amounts(site, owner):
    order = customer()
    opened = site.world.open_window(order, 100)
    site.world.call("POST", "/payments/prepare", json={"merchant_uid": order, "amount": 10_000})
    assert site.world.finish(opened)["result"]["error_code"] == "AMOUNT_MISMATCH"
    page = owner.see(f"{OF}/{opened['imp_uid']}")
    assert text_of(re.search(r'data-testid="prepared">(.*?)</dd>', page, re.DOTALL)[1]) == "10,000원"
    assert "결제금액이 등록된 금액과 다릅니다." in page
    paid = site.world.open_window(order, 10_000)
    site.world.finish(paid)
    assert 'data-testid="prepared"' not in owner.see(f"{OF}/{paid['imp_uid']}")


def test_what_a_shop_names_is_shown_and_never_run(site, owner):
    uid = customer()
    site.world.issue_key(uid)
    hostile = "<script>alert(1)</script>"
    imp_uid = site.world.again(uid, f"order_{uid}", name=hostile, buyer_name=hostile)["response"]["imp_uid"]
    for page in (owner.see(f"{OF}?word={uid}"), owner.see(f"{OF}/{imp_uid}"), owner.see(f"{OF}?word={hostile}")):
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_everybody_sees_payments_and_only_those_there_are(site):
    for role in Role:
        person = site.person(role)
        assert person.open(OF).status_code == 200
        assert person.open(f"{OF}/imp_000000000000").status_code == 404
