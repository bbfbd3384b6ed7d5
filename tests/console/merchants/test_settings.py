"""A merchant is added; its API keys and the addresses that may call."""

from __future__ import annotations

from maedal.merchants.audit_entry import AuditAction
from maedal.merchants.merchant import DEMO_API_KEY, DEMO_API_SECRET
from maedal.operators.role import Role
from tests.console.people import asked, once, text_of

MERCHANT = "imp00000000"
OF = f"/console/merchants/{MERCHANT}"
HOOK = f"{OF}/webhook"


def merchant(site):
    return asked(site.world, lambda store: store.merchants.find(MERCHANT))


def newest_audit_entry(site):
    return asked(site.world, lambda store: store.audit.entries(MERCHANT, 1))[0]


def get_token(site, secret):
    body = {"imp_key": DEMO_API_KEY, "imp_secret": secret}
    return site.world.http.post(f"{site.world.gateway}/users/getToken", json=body).json()["code"]


def test_the_keys_page_says_what_a_shop_needs_and_no_secret(site, owner):
    page = owner.see(f"{OF}/keys")
    assert MERCHANT in page
    assert f"{site.world.gateway}/v1/iamport.js" in page
    assert DEMO_API_KEY in page
    assert DEMO_API_SECRET not in page


def test_a_new_api_secret_is_shown_once_and_the_old_one_is_void(site, owner):
    page = f"{OF}/keys"
    unsure = owner.send(page)
    assert "아무것도 바뀌지 않았습니다" in unsure.text
    answer = owner.send(page, sure="on", overlap="0")
    key, secret = once(answer.text)
    assert (key, len(secret)) == (DEMO_API_KEY, 80)
    assert secret not in owner.see(page)
    assert get_token(site, secret) == 0
    assert get_token(site, DEMO_API_SECRET) == -1
    audit_entry = newest_audit_entry(site)
    assert (audit_entry.kind, audit_entry.subject, audit_entry.who) == (
        AuditAction.NEW_API_SECRET,
        DEMO_API_KEY,
        "owner",
    )
    assert secret not in repr(audit_entry)
    assert owner.send(page, sure="on", api_key="another").status_code == 422


def test_an_old_api_secret_stays_good_for_a_chosen_time_and_is_ended_by_hand(site, owner):
    page = f"{OF}/keys"
    first = once(owner.send(page, sure="on", overlap="0").text)[1]
    second = once(owner.send(page, sure="on", overlap="24").text)[1]
    assert [get_token(site, secret) for secret in (first, second)] == [0, 0]
    shown = text_of(owner.see(page))
    assert "secret 둘이 유효" in shown
    assert "이전 secret 지금 끝내기" in shown
    assert "127.0.0.1" in shown
    assert "이제 새 secret만 통합니다" in owner.send(f"{page}/end-old", page=page).text
    assert [get_token(site, secret) for secret in (first, second)] == [-1, 0]
    assert newest_audit_entry(site).kind == AuditAction.END_OLD_API_SECRET
    owner.send(f"{page}/name", page=page, name="주문 <b>서버</b>")
    assert "주문 &lt;b&gt;서버&lt;/b&gt;" in owner.see(page)


def test_addresses_are_allowed_on_a_page_which_warns_of_who_is_kept_out(site, owner):
    page = f"{OF}/allowed-addresses"
    secret = once(owner.send(f"{OF}/keys", sure="on", overlap="0").text)[1]
    assert get_token(site, secret) == 0
    assert "모든 주소 허용" in owner.see(page)
    assert "IP나 대역이 아닙니다" in owner.send(page, network="my server").text
    warned = owner.send(page, network="203.0.113.0/24", memo="주문 서버")
    assert warned.status_code == 422
    assert "최근 127.0.0.1에서" in warned.text
    assert merchant(site).allowed_addresses == ()
    token = owner.token(page)
    supplied = {"network": "203.0.113.9/24", "memo": "주문 서버", "form_token": token}
    sure = owner.http.post(page, data=supplied | {"sure": "on"}, headers={"Origin": owner.origin})
    assert sure.status_code == 303
    shown = owner.see(page)
    assert "203.0.113.0/24" in shown
    assert "지금 목록이 막는 주소에서" in shown
    audit_entry = newest_audit_entry(site)
    assert (audit_entry.kind, audit_entry.who, audit_entry.after) == (
        AuditAction.CHANGE_ADDRESSES,
        "owner",
        "203.0.113.0/24 (주문 서버)",
    )
    owner.send(f"{page}/end", page=page)
    assert merchant(site).allowed_addresses == ()


def test_who_may_not_change_settings_has_no_buttons(site):
    for page in (HOOK, f"{OF}/keys", f"{OF}/allowed-addresses"):
        text = site.person(Role.MANAGER).see(page)
        # Both menus let one sign out; the frame has the search and the three ways of its switch; to copy changes nothing.
        assert text.count("<button") - text.count("data-copy=") == 2 + 4


def test_a_merchant_is_added_and_its_secret_shown_once(site, owner):
    answer = owner.send("/console/merchants/new", name="  새   상점 <b>")
    code, key, secret = once(answer.text)
    assert "새 상점 &lt;b&gt;" in answer.text
    assert secret not in owner.see(f"/console/merchants/{code}/keys")
    body = {"imp_key": key, "imp_secret": secret}
    assert site.world.http.post(f"{site.world.gateway}/users/getToken", json=body).json()["code"] == 0
    [audit_entry] = asked(site.world, lambda store: store.audit.entries(code, 1))
    assert (audit_entry.kind, audit_entry.who, audit_entry.after) == (
        AuditAction.CREATE_MERCHANT,
        "owner",
        "name=새 상점 <b>",
    )
    # With two, the menu is of the one that a page is about, and the front page leads to both.
    front = owner.see("/console")
    assert f'href="/console/merchants/{code}"' in front
    assert f'href="{OF}"' in front
    assert f"/console/merchants/{code}/channels/new" in owner.see(f"/console/merchants/{code}")
    for name in ("", "   ", "x" * 61, "\u202e"):
        assert owner.send("/console/merchants/new", name=name).status_code == 422


def test_a_key_is_added_with_scopes_changed_and_ended(site, owner):
    page = f"{OF}/keys"
    new = f"{page}/new"
    for fields, said in (
        ({"name": "", "access": "all"}, "이름을 입력해"),
        ({"name": "정산", "access": "some"}, "권한을 하나 이상"),
        ({"name": "정산", "access": "some", "scope": "payments.all"}, "라는 권한은 없습니다"),
    ):
        refused = owner.send(new, page=page, **fields)
        assert refused.status_code == 422
        assert said in text_of(refused.text)
    answer = owner.send(new, page=page, name="정산 <b>", access="some", scope=["payments.read", "keys.read"])
    key, secret = once(answer.text)
    assert "정산 &lt;b&gt;" in answer.text
    assert secret not in owner.see(page)
    entry = newest_audit_entry(site)
    assert (entry.kind, entry.subject, entry.after) == (
        AuditAction.ADD_API_KEY,
        key,
        "name=정산 <b>; scopes=payments.read keys.read",
    )
    body = {"imp_key": key, "imp_secret": secret}
    post = site.world.http.post
    token = post(f"{site.world.gateway}/users/getToken", json=body).json()["response"]["access_token"]

    def pgs():
        return site.world.http.get(f"{site.world.gateway}/users/pg", headers={"Authorization": token}).status_code

    assert pgs() == 403
    owner.send(f"{page}/scopes", page=page, api_key=key, access="some", scope=["channels.read"])
    assert pgs() == 200
    unsure = owner.send(f"{page}/end", page=page, api_key=key)
    assert unsure.status_code == 422
    assert "폐기했습니다" in owner.send(f"{page}/end", page=page, api_key=key, sure="on").text
    assert pgs() == 401
    shown = text_of(owner.see(page))
    assert "폐기한 키" in shown
    # The one that is left cannot be ended, and no form offers it.
    assert f'action="{page}/end"' not in owner.see(page)


def test_calls_are_found_in_the_log_by_key_outcome_and_address(site, owner):
    secret = once(owner.send(f"{OF}/keys", sure="on", overlap="0").text)[1]
    body = {"imp_key": DEMO_API_KEY, "imp_secret": secret}
    token = site.world.http.post(f"{site.world.gateway}/users/getToken", json=body).json()["response"]["access_token"]
    headers = {"Authorization": token}
    site.world.http.get(f"{site.world.gateway}/payments/imp_personal", headers=headers)
    site.world.http.get(f"{site.world.gateway}/users/pg", headers=headers)
    log = f"{OF}/api-log"
    shown = owner.see(log)
    assert "GET /payments/{imp_uid}" in text_of(shown)
    assert "PAYMENT_NOT_FOUND" in shown
    assert "imp_personal" not in shown
    refused = text_of(owner.see(f"{log}?key={DEMO_API_KEY}&outcome=refused&route=imp_uid"))
    assert "GET /payments/{imp_uid}" in refused
    assert "GET /users/pg" not in refused
    assert "이 조건에 맞는 기록이 없습니다" in owner.see(f"{log}?error=SCOPE_MISSING&method=DELETE")
    assert "최신순" in site.person(Role.READ_ONLY).see(log)
