"""A merchant is added; its API keys and the addresses that may call."""

from __future__ import annotations

from maedal.merchants.act import ActKind
from maedal.merchants.merchant import DEMO_API_KEY, DEMO_API_SECRET
from maedal.operators.role import Role
from tests.console.people import asked, once, text_of

MERCHANT = "imp00000000"
OF = f"/console/merchants/{MERCHANT}"
HOOK = f"{OF}/webhook"


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
