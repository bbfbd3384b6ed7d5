"""Keys, webhooks and the audit log of a merchant."""

from __future__ import annotations

import re

import pytest

from maedal.merchants.act import ActKind
from maedal.merchants.merchant import DEMO_API_KEY, DEMO_API_SECRET
from maedal.operators.role import Role
from tests.console.people import asked, once, text_of
from tests.support.receiver import receiver

MERCHANT = "imp00000000"
OF = f"/console/merchants/{MERCHANT}"
HOOK = f"{OF}/webhook"


@pytest.fixture(scope="module")
def listening():
    with receiver() as running:
        yield running


def merchant(house):
    return asked(house.world, lambda store: store.merchants.find(MERCHANT))


def newest_act(house):
    return asked(house.world, lambda store: store.audit.acts(MERCHANT, 1))[0]


def get_token(house, secret):
    body = {"imp_key": DEMO_API_KEY, "imp_secret": secret}
    return house.world.http.post(f"{house.world.gateway}/users/getToken", json=body).json()["code"]


def test_the_keys_page_says_what_a_shop_needs_and_no_secret(house, owner):
    page = owner.see(f"{OF}/keys")
    assert MERCHANT in page
    assert f"{house.world.gateway}/v1/iamport.js" in page
    assert DEMO_API_KEY in page
    assert DEMO_API_SECRET not in page


def test_a_new_api_secret_is_shown_once_and_the_old_one_is_void(house, owner):
    page = f"{OF}/keys"
    unsure = owner.send(page)
    assert "아무것도 바뀌지 않았습니다" in unsure.text
    answer = owner.send(page, sure="on", overlap="0")
    key, secret = once(answer.text)
    assert (key, len(secret)) == (DEMO_API_KEY, 80)
    assert secret not in owner.see(page)
    assert get_token(house, secret) == 0
    assert get_token(house, DEMO_API_SECRET) == -1
    act = newest_act(house)
    assert (act.kind, act.subject, act.who) == (ActKind.NEW_API_SECRET, DEMO_API_KEY, "owner")
    assert secret not in repr(act)
    assert owner.send(page, sure="on", api_key="another").status_code == 422


def test_an_old_api_secret_stays_good_for_a_chosen_time_and_is_ended_by_hand(house, owner):
    page = f"{OF}/keys"
    first = once(owner.send(page, sure="on", overlap="0").text)[1]
    second = once(owner.send(page, sure="on", overlap="24").text)[1]
    assert [get_token(house, secret) for secret in (first, second)] == [0, 0]
    shown = text_of(owner.see(page))
    assert "secret 둘이 유효" in shown
    assert "이전 secret 지금 끝내기" in shown
    assert "127.0.0.1" in shown
    assert "이제 새 secret만 통합니다" in owner.send(f"{page}/end-old", page=page).text
    assert [get_token(house, secret) for secret in (first, second)] == [-1, 0]
    assert newest_act(house).kind == ActKind.END_OLD_API_SECRET
    owner.send(f"{page}/name", page=page, name="주문 <b>서버</b>")
    assert "주문 &lt;b&gt;서버&lt;/b&gt;" in owner.see(page)


def test_addresses_are_allowed_on_a_page_which_warns_of_who_is_kept_out(house, owner):
    page = f"{OF}/allowed-addresses"
    secret = once(owner.send(f"{OF}/keys", sure="on", overlap="0").text)[1]
    assert get_token(house, secret) == 0
    assert "모든 주소 허용" in owner.see(page)
    assert "IP나 대역이 아닙니다" in owner.send(page, network="my server").text
    warned = owner.send(page, network="203.0.113.0/24", memo="주문 서버")
    assert warned.status_code == 422
    assert "최근 127.0.0.1에서" in warned.text
    assert merchant(house).allowed_addresses == ()
    token = owner.token(page)
    given = {"network": "203.0.113.9/24", "memo": "주문 서버", "form_token": token}
    sure = owner.http.post(page, data=given | {"sure": "on"}, headers={"Origin": owner.origin})
    assert sure.status_code == 303
    shown = owner.see(page)
    assert "203.0.113.0/24" in shown
    assert "지금 목록이 막는 주소에서" in shown
    act = newest_act(house)
    assert (act.kind, act.who, act.after) == (ActKind.CHANGE_ADDRESSES, "owner", "203.0.113.0/24 (주문 서버)")
    owner.send(f"{page}/end", page=page)
    assert merchant(house).allowed_addresses == ()


def test_webhooks_are_set_and_the_change_is_in_the_log(house, owner):
    owner.send(
        HOOK, test="https://shop.example/hook?token=hidden", live="", type_test="form", retry="few", failures="on"
    )
    kept = merchant(house)
    assert (kept.webhook_url_test, kept.webhook_url_live, kept.webhook_type_test, kept.webhook_type_live, kept.webhook_retry) == (
        "https://shop.example/hook?token=hidden", None, "form", "json", "few",
    )  # fmt: skip
    act = newest_act(house)
    assert (act.kind, act.who) == (ActKind.CHANGE_WEBHOOK, "owner")
    assert act.after == "test=https://shop.example/hook?…; type_test=form; retry=few; failures=yes"
    owner.send(HOOK, type_test="json", retry="none", failures=None, confirm=None)
    assert newest_act(house).before == "type_test=form; retry=few; failures=yes; confirm=yes"
    assert merchant(house).confirm_url_ignored


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"test": "shop.example/hook"}, "http:// 또는 https://로 시작해야"),
        ({"live": "javascript:alert(1)"}, "http:// 또는 https://로 시작해야"),
        ({"retry": "always"}, "재시도는"),
        ({"type_live": "xml"}, "본문 형식은"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(house, owner, fields, said):
    before = merchant(house)
    answer = owner.send(HOOK, **fields)
    assert answer.status_code == 422
    assert said in text_of(answer.text)
    assert merchant(house) == before


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


def test_signing_is_begun_changed_without_a_gap_and_given_up(house, owner):
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
    assert merchant(house).sealed_old_webhook_secret is None
    owner.send(f"{HOOK}/secret/stop", page=HOOK)
    assert merchant(house).sealed_webhook_secret is None
    acts = asked(house.world, lambda store: store.audit.acts(MERCHANT, 4))
    assert [(a.before, a.after) for a in acts] == [
        ("signing=one secret", "signing=none"),
        ("signing=two secrets", "signing=one secret"),
        ("signing=one secret", "signing=two secrets"),
        ("signing=none", "signing=one secret"),
    ]


def test_signing_a_form_is_warned_of_in_both_languages(house, owner):
    owner.send(HOOK, type_test="json", type_live="json")
    assert "signed-form" not in owner.see(HOOK)
    owner.send(HOOK, type_test="json", type_live="form")
    once(owner.send(f"{HOOK}/secret", page=HOOK).text)
    page = text_of(owner.see(HOOK))
    assert "폼 본문으로 보내는 웹훅이 있습니다(실결제)" in page
    assert "웹훅 받기" in page
    owner.http.get(f"{house.world.gateway}/console/look?language=en&back={HOOK}")
    assert "Some webhooks go out as forms (live)" in text_of(owner.see(HOOK))
    owner.http.get(f"{house.world.gateway}/console/look?language=ko&back={HOOK}")
    owner.send(f"{HOOK}/secret/stop", page=HOOK)
    owner.send(HOOK, type_test="json", type_live="json")


def test_the_audit_log_is_for_owners_and_admins(house, owner):
    owner.send(f"{OF}/channels/new", name="<i>Logged</i>")
    for role in Role:
        answer = house.person(role).open(f"{OF}/log")
        assert answer.status_code == (200 if role in {Role.OWNER, Role.ADMIN} else 403)
    page = owner.see(f"{OF}/log")
    assert "채널 추가" in page
    assert "<ins>&lt;i&gt;Logged&lt;/i&gt;</ins>" in page
    owner.open("/console/look?language=en&back=/console")
    assert "Channel added" in owner.see(f"{OF}/log")


def test_who_may_not_change_settings_has_no_buttons(house):
    for page in (HOOK, f"{OF}/keys", f"{OF}/allowed-addresses"):
        text = house.person(Role.MANAGER).see(page)
        # Both menus let one sign out, and to copy changes nothing.
        assert text.count("<button") - text.count("data-copy=") == 2


def test_a_merchant_is_added_and_its_secret_shown_once(house, owner):
    answer = owner.send("/console/merchants/new", name="  새   상점 <b>")
    code, key, secret = once(answer.text)
    assert "새 상점 &lt;b&gt;" in answer.text
    assert secret not in owner.see(f"/console/merchants/{code}/keys")
    body = {"imp_key": key, "imp_secret": secret}
    assert house.world.http.post(f"{house.world.gateway}/users/getToken", json=body).json()["code"] == 0
    [act] = asked(house.world, lambda store: store.audit.acts(code, 1))
    assert (act.kind, act.who, act.after) == (ActKind.CREATE_MERCHANT, "owner", "name=새 상점 <b>")
    # With two, the menu is of the one that a page is about, and the front page leads to both.
    front = owner.see("/console")
    assert f'href="/console/merchants/{code}"' in front
    assert f'href="{OF}"' in front
    assert f"/console/merchants/{code}/channels/new" in owner.see(f"/console/merchants/{code}")
    for name in ("", "   ", "x" * 61, "\u202e"):
        assert owner.send("/console/merchants/new", name=name).status_code == 422


def test_retries_are_set_for_each_reason(house, owner):
    page = f"{OF}/recovery"
    owner.send(page, reason="limit", after="1d, 36h,90m")
    owner.send(page, reason="balance", after="3d")
    assert {reason: len(waits) for reason, waits in merchant(house).recovery.items() if waits} == {
        "limit": 3,
        "balance": 1,
    }
    assert 'value="1d,36h,90m"' in owner.see(page)
    act = newest_act(house)
    assert (act.kind, act.before, act.after) == (ActKind.CHANGE_RECOVERY, "balance=never", "balance=3d")
    owner.send(page, reason="limit", after="")
    assert not merchant(house).recovery.get("limit")
    for after, said in (("soon", "1d,3d,7d처럼"), ("5m", "10분 이상"), (",".join(["1d"] * 11), "최대 10번")):
        answer = owner.send(page, reason="limit", after=after)
        assert answer.status_code == 422
        assert said in text_of(answer.text)
        assert f'value="{after}"' in answer.text
    assert owner.send(page, reason="mood", after="1d").status_code == 422
