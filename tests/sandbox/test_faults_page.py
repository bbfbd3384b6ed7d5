"""The page on which people make things go wrong: docs/wire/kakaopay.md, section 14.21. Without any script."""

import re
from typing import Any

import httpx
import pytest

from kakaopay_sandbox.control_faults import ALL_OPERATIONS
from kakaopay_sandbox.faults import Extras, Kind
from kakaopay_sandbox.pages import fault_texts
from tests.sandbox.support import Shop, code_of


def arm(shop: Shop, kind: str, **fields: str) -> httpx.Response:
    form = {"operation": "subscription", "sid": "", "times": "1", "kind": kind} | fields
    return shop.http.post("/faults/arm", data=form, follow_redirects=True)


def armed(shop: Shop) -> list[dict[str, Any]]:
    return list(shop.control("GET", "/faults"))


def test_every_fault_call_and_way_of_telling_has_its_words_in_both_languages(shop: Shop) -> None:
    assert set(fault_texts.BY_KIND) == {kind.value for kind in Kind}
    assert set(fault_texts.OPERATIONS) == set(ALL_OPERATIONS)
    assert set(fault_texts.EXTRAS) == set(Extras)
    korean, english = shop.http.get("/faults").text, shop.http.get("/faults?lang=en").text
    for words in fault_texts.KINDS:
        assert words.name[0] in korean
        assert words.name[1] in english
        assert f'name="kind" value="{words.kind}"' in korean
    assert not re.search("[가-힣]", re.sub(r"<option.*?</option>|<strong>.*?</strong>|>한국어<", "", english))


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in {Kind.DECLINE, Kind.DELAY}])
def test_a_button_arms_its_fault_for_the_next_call(shop: Shop, kind: Kind) -> None:
    page = arm(shop, kind, **{f"error_code_{kind}": "-429"}).text
    (fault,) = armed(shop)
    assert (fault["operation"], fault["kind"], fault["times"], fault["sid"]) == ("subscription", kind, 1, None)
    assert f'data-testid="armed-{kind}"' in page
    assert "걸었습니다" in page


def test_a_delay_takes_its_seconds_and_its_place(shop: Shop) -> None:
    page = arm(shop, "delay", delay_seconds="2.5", delay_at="after").text
    assert (armed(shop)[0]["delay_seconds"], armed(shop)[0]["delay_at"]) == (2.5, "after")
    assert "2.5초, 처리한 뒤에" in page


def test_a_decline_takes_its_reason_and_how_it_is_told(shop: Shop) -> None:
    sid = shop.seed_sid()
    arm(shop, "decline", method_result_code="BANK_FIRM_UNKNOWN", extras="without_code")
    assert "method_result_code" not in shop.charge(sid).json()["extras"]
    arm(shop, "decline", method_result_code="", extras="given")
    assert shop.charge(sid).json()["extras"]["method_result_code"] == "NOT_ENOUGH_BALANCE"


def test_a_refusal_takes_a_known_code_or_another_and_may_end_at_midnight(shop: Shop) -> None:
    sid = shop.seed_sid()
    arm(shop, "refuse", error_code_refuse="-429", other_code_refuse="-700")
    assert code_of(shop.charge(sid)) == -700
    page = arm(shop, "refuse", operation="any", times="1,000", error_code_refuse="-429", until_midnight="on").text
    assert "-429 하루 호출 한도를 다 씀 · 자정까지" in page
    assert code_of(shop.status(sid)) == -429
    shop.advance(12 * 3600)
    assert shop.status(sid).status_code == 200


def test_one_billing_key_alone_is_struck_as_often_as_asked(shop: Shop) -> None:
    struck, spared = shop.seed_sid(item_name="매달 원두"), shop.seed_sid()
    page = arm(shop, "error_500_before", sid=struck, times="2").text
    assert f"매달 원두 · …{struck[-6:]}" in page
    assert [shop.charge(sid).status_code for sid in (spared, struck)] == [200, 500]
    assert "지금까지 1번" in shop.http.get("/faults").text
    assert [shop.charge(sid).status_code for sid in (struck, struck)] == [500, 200]


def test_the_page_of_the_account_leads_to_a_keys_own_faults(shop: Shop) -> None:
    sid = shop.seed_sid()
    assert f'href="/faults?sid={sid}"' in shop.http.get("/account").text
    assert f'<option value="{sid}" selected>' in shop.http.get(f"/faults?sid={sid}").text


def test_the_start_page_leads_here(shop: Shop) -> None:
    assert 'href="/faults"' in shop.http.get("/").text
    assert 'href="/faults?lang=en"' in shop.http.get("/?lang=en").text


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "decline", "operation": "order"}, "고른 호출에는 걸 수 없습니다"),
        ({"kind": "refuse", "operation": "file", "error_code_refuse": "-429"}, "고른 호출에는 걸 수 없습니다"),
        ({"kind": "nonsense"}, "고른 호출에는 걸 수 없습니다"),
        ({"kind": "drop_after", "times": "0"}, "1부터"),
        ({"kind": "drop_after", "times": "many"}, "1부터"),
        ({"kind": "delay", "delay_seconds": "soon"}, "몇 초인지"),
        ({"kind": "delay", "delay_seconds": "3601"}, "몇 초인지"),
        ({"kind": "refuse", "error_code_refuse": "-429", "other_code_refuse": "7"}, "-99999부터"),
        ({"kind": "drop_after", "sid": "S0000000000000000000"}, "그런 빌링키가 없습니다"),
    ],
)
def test_what_cannot_be_is_said_and_what_was_chosen_is_kept(shop: Shop, fields: dict[str, str], message: str) -> None:
    reply = arm(shop, **{"times": "7"} | fields)
    assert reply.status_code == 400
    assert message in reply.text
    assert f'value="{fields.get("times", "7")}"' in reply.text
    # The other language is a page, not the address of the form.
    assert 'href="/faults?lang=en"' in reply.text
    assert armed(shop) == []


def test_one_fault_is_removed_and_the_others_stay(shop: Shop) -> None:
    arm(shop, "drop_after")
    arm(shop, "drop_before")
    first, second = armed(shop)
    page = shop.http.post(f"/faults/remove/{first['id']}", follow_redirects=True).text
    assert [fault["id"] for fault in armed(shop)] == [second["id"]]
    assert "armed-drop_after" not in page
    again = shop.http.post(f"/faults/remove/{first['id']}")
    assert (again.status_code, "이미 다 쓰였거나" in again.text) == (400, True)
    assert shop.control("DELETE", f"/faults/{second['id']}") == {"cleared": 1}
    assert shop.http.delete("/_sim/faults/99").status_code == 404


def test_times_are_told_a_second_off_where_it_was_asked_for(shop: Shop) -> None:
    paid = shop.pay()
    page = shop.http.post(
        "/faults/times", data={"seconds": "-1", "spread": "0", "of_order": "on"}, follow_redirects=True
    ).text
    assert "armed-times" in page
    assert shop.order(paid["tid"]).json()["approved_at"] == "2026-11-23T11:59:59"
    assert shop.status(paid["sid"]).json()["last_approved_at"] == paid["approved_at"]
    for wrong in ({"seconds": "11", "spread": "0"}, {"seconds": "x", "spread": "0"}, {"seconds": "0", "spread": "-1"}):
        assert shop.http.post("/faults/times", data=wrong).status_code == 400


def test_points_and_discount_hold_from_the_next_payment_on(shop: Shop) -> None:
    fields = {"points": "3,000", "discount": "500", "use_points": "on"}
    page = shop.http.post("/faults/points", data=fields, follow_redirects=True).text
    assert "armed-discount" in page
    amount = shop.charge(shop.seed_sid()).json()["amount"]
    assert (amount["total"], amount["point"], amount["discount"]) == (9900, 3000, 500)
    assert shop.http.post("/faults/points", data={"points": "-1", "discount": "0"}).status_code == 400


def test_everything_is_made_well_at_once(shop: Shop) -> None:
    arm(shop, "drop_after")
    shop.http.post("/faults/times", data={"seconds": "2", "spread": "1"})
    shop.http.post("/faults/points", data={"points": "3000", "discount": "500", "use_points": "on"})
    page = shop.http.post("/faults/clear", follow_redirects=True).text
    assert "nothing-armed" in page
    assert armed(shop) == []
    assert shop.control("GET", "/time-offset")["seconds"] == 0
    notices = shop.control("GET", "/buyer")
    assert (notices["points"], notices["discount"], notices["use_points"]) == (3000, 0, False)


def test_a_refund_at_kakaopay_is_made_and_told(shop: Shop) -> None:
    paid = shop.pay()
    page = shop.http.post(f"/faults/refund/{paid['tid']}", data={"amount": "2,000"}, follow_redirects=True).text
    assert shop.order(paid["tid"]).json()["canceled_amount"]["total"] == 2000
    assert "카카오페이에서 환불" in page
    assert "아무것도 듣지 못함" in page
    for wrong in ("7901", "0", "all", ""):
        refused = shop.http.post(f"/faults/refund/{paid['tid']}", data={"amount": wrong})
        assert (refused.status_code, "환불할 수 있는 금액" in refused.text) == (400, True)


def test_the_log_tells_what_kakaopay_did_and_what_the_merchant_heard(shop: Shop) -> None:
    sid = shop.seed_sid(item_name="<b>원두</b>")
    for kind in ("drop_after", "error_500_before", "decline", "garbled_after"):
        shop.fault("subscription", kind)
        try:
            shop.charge(sid, partner_order_id=f"o-{kind}")
        except httpx.TransportError:
            continue
    shop.charge(sid, partner_order_id="o-well")
    notices = re.sub(r"<[^>]+>|\s+", " ", shop.http.get("/faults/now").text)
    notices = re.sub(r" +", " ", notices)
    assert "결제됨 가맹점 응답 없음, 연결 끊김" in notices
    assert "아무것도 하지 않음 가맹점 HTTP 500" in notices
    assert "거절됨 가맹점 거절 -782 NOT_ENOUGH_BALANCE" in notices
    assert "결제됨 가맹점 HTTP 200, 깨진 JSON" in notices
    assert notices.index("o-garbled_after") < notices.index("o-drop_after")
    assert "o-well" not in notices
    assert "&lt;b&gt;원두" in notices


def test_forms_of_other_sites_arm_nothing(shop: Shop) -> None:
    paid = shop.pay()
    foreign = {"sec-fetch-site": "cross-site"}
    form = {"operation": "subscription", "kind": "drop_after", "times": "1"}
    for path in ("arm", "clear", "times", "points", "remove/1", f"refund/{paid['tid']}"):
        assert shop.http.post(f"/faults/{path}", data=form, headers=foreign).status_code == 403
    assert armed(shop) == []
    assert shop.order(paid["tid"]).json()["status"] == "SUCCESS_PAYMENT"


def test_no_script_and_no_style_is_inline(shop: Shop) -> None:
    reply = shop.http.get("/faults")
    assert "unsafe" not in reply.headers["content-security-policy"]
    assert not re.search(r"<script(?![^>]* src=)|\son\w+=|\sstyle=", reply.text)
