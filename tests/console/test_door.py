"""Who comes in, and what keeps others out: sessions, forms of other sites, frames, links that lead away."""

from __future__ import annotations

import re

import httpx
import pyotp
import pytest

from maedal.app import create_app, open_gateway
from maedal.flows.manage_operators import create_operator
from maedal.operators.actor import Actor
from maedal.operators.role import Role
from maedal.settings import Settings
from maedal.vault import create_key_file
from tests.console.people import CSP, Person, in_a_thread, once, text_of
from tests.support.world import free_port, served

SESSION = "maedal_session"
CHANNELS = "/console/merchants/imp00000000/channels"


def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(house):
    stranger = house.stranger()
    answer = stranger.open(f"{CHANNELS}?a=b")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/console/sign-in?next={CHANNELS}%3Fa%3Db"
    answer = stranger.send(
        "/console/sign-in",
        page=answer.headers["location"],
        follow=False,
        name="owner",
        password=house.passwords[Role.OWNER],
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"{CHANNELS}?a=b")


@pytest.mark.parametrize(
    "goal",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/console//evil.example",
        "/console\\..\\evil",
        "/consoleevil.example",
        "/console@evil.example",
        "javascript:alert(1)",
        "/sdk/payments",
        "/console\r\nLocation: https://evil.example",
        "/console?next=https://evil.example",
        "/console/한글",
    ],
)
def test_a_link_cannot_lead_away_after_signing_in(house, goal):
    stranger = house.stranger()
    page = stranger.http.get("/console/sign-in", params={"next": goal})
    assert page.status_code == 200
    answer = stranger.send(
        "/console/sign-in", follow=False, name="owner", password=house.passwords[Role.OWNER], next=goal
    )
    assert answer.headers["location"] == "/console"
    again = stranger.http.get("/console/look", params={"language": "en", "back": goal})
    assert again.headers["location"] == "/console"


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(house):
    answer = house.stranger().sign_in("owner", house.passwords[Role.OWNER], follow=False)
    [cookie] = [c for c in answer.headers.get_list("set-cookie") if c.startswith(f"{SESSION}=")]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie  # over http, as on one's own machine, the browser would not keep it


def test_signing_in_takes_no_session_that_somebody_planted(house):
    stranger = house.stranger()
    stranger.http.cookies.set(SESSION, "planted-by-an-attacker")
    stranger.sign_in("owner", house.passwords[Role.OWNER])
    tokens = [c.value for c in stranger.http.cookies.jar if c.name == SESSION]
    assert "planted-by-an-attacker" not in tokens[-1:]
    attacker = house.stranger()
    attacker.http.cookies.set(SESSION, "planted-by-an-attacker")
    assert attacker.open().status_code == 303


def test_signing_in_again_ends_the_session_before(house):
    person = house.person()
    before = person.http.cookies[SESSION]
    person.sign_in("owner", house.passwords[Role.OWNER])
    assert person.http.cookies[SESSION] != before
    other = house.stranger()
    other.http.cookies.set(SESSION, before)
    assert other.open().status_code == 303


def test_signing_out_ends_the_session_and_not_only_the_cookie(house):
    person = house.person()
    token = person.http.cookies[SESSION]
    person.send("/console/sign-out", page="/console")
    assert SESSION not in person.http.cookies
    thief = house.stranger()
    thief.http.cookies.set(SESSION, token)
    assert thief.open().status_code == 303


def test_wrong_words_are_told_without_saying_which(house):
    stranger = house.stranger()
    one = stranger.sign_in("owner", "wrong")
    other = stranger.sign_in("nobody-at-all", "wrong")
    assert one.status_code == other.status_code == 422
    assert "이름이나 비밀번호가 맞지 않습니다." in one.text
    assert re.sub(r'value="[^"]*"', "", one.text) == re.sub(r'value="[^"]*"', "", other.text)


def test_many_wrong_passwords_have_to_wait(house, another):
    _, password = another("guessed", Role.READ_ONLY)
    stranger = house.stranger()
    for _ in range(5):
        stranger.sign_in("guessed", "wrong")
    answer = stranger.sign_in("guessed", password)
    assert answer.status_code == 422
    assert "잠시 막았습니다" in answer.text


# -- forms of other sites


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_a_form_that_comes_from_elsewhere_changes_nothing(house, owner, headers):
    data = {"form_token": owner.token(), "name": "intruder", "role": "owner"}
    answer = owner.http.post("/console/users", data=data, headers=headers)
    assert answer.status_code == 403
    assert "intruder" not in owner.see("/console/users")


@pytest.mark.parametrize("token", [None, "", "00", "not hexadecimal", "0" * 64])
def test_a_form_without_the_token_of_its_session_changes_nothing(owner, token):
    data = {"name": "intruder", "role": "owner"} | ({} if token is None else {"form_token": token})
    answer = owner.http.post("/console/users", data=data, headers={"Origin": owner.origin})
    assert answer.status_code == 403
    assert "intruder" not in owner.see("/console/users")


def test_the_token_of_one_session_is_no_good_in_another(house, owner):
    other = house.person()
    data = {"form_token": other.token(), "name": "intruder", "role": "owner"}
    assert owner.http.post("/console/users", data=data, headers={"Origin": owner.origin}).status_code == 403
    assert other.token() == other.token()


def test_signing_in_too_takes_a_form_of_ours(house):
    stranger = house.stranger()
    stranger.open("/console/sign-in")
    data = {"name": "owner", "password": house.passwords[Role.OWNER]}
    assert stranger.http.post("/console/sign-in", data=data, headers={"Origin": stranger.origin}).status_code == 403
    assert SESSION not in stranger.http.cookies
    # A token that the attacker was given belongs to the attacker's browser.
    attacker = house.stranger()
    data["form_token"] = attacker.token("/console/sign-in")
    assert stranger.http.post("/console/sign-in", data=data, headers={"Origin": stranger.origin}).status_code == 403


def test_a_form_by_json_or_multipart_is_none(owner):
    headers = {"Origin": owner.origin}
    body = {"form_token": owner.token(), "name": "intruder", "role": "owner"}
    assert owner.http.post("/console/users", json=body, headers=headers).status_code == 403
    files = {name: (None, value) for name, value in body.items()}
    assert owner.http.post("/console/users", files=files, headers=headers).status_code == 403


@pytest.mark.parametrize("path", ["/console", "/console/sign-in", "/console/nothing", CHANNELS, "/console/account"])
def test_every_page_keeps_frames_scripts_and_caches_away(owner, path):
    answer = owner.open(path)
    assert answer.headers["content-security-policy"] == CSP
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<script(?! src=)|\son\w+=|style=|javascript:", answer.text)


def test_what_is_not_there_says_so_in_the_consoles_own_page(owner):
    for path in ("/console/nothing", "/console/merchants/imp99999999/channels", f"{CHANNELS}/channel-key-none"):
        answer = owner.open(path)
        assert answer.status_code == 404, path
        assert "찾을 수 없습니다" in answer.text
    assert owner.http.delete("/console/users").status_code == 405


# -- the account


def test_a_password_is_changed_and_other_browsers_are_signed_out(house, another):
    person, password = another("changes", Role.DEVELOPER)
    other = Person(house.world)
    other.sign_in("changes", password)
    new = "a better password than before"
    wrong = person.send(
        "/console/account/password", page="/console/account", current=password, password=new, again="another one here"
    )
    assert "새 비밀번호 둘이 서로 다릅니다." in text_of(wrong.text)
    done = person.send("/console/account/password", page="/console/account", current=password, password=new, again=new)
    assert "비밀번호를 바꾸었습니다" in done.text
    assert person.open().status_code == 200
    assert other.open().status_code == 303


def test_the_second_step_is_set_up_used_and_turned_off(house, another):
    person, password = another("two", Role.MANAGER)
    page = person.see("/console/account/two-steps")
    secret = re.search(r'data-testid="secret">([A-Z2-7 ]+)<', page)[1].replace(" ", "")
    assert "<svg" in page
    drawn = re.search(r'name="drawn" value="([^"]+)"', page)[1]
    wrong = person.send("/console/account/two-steps", current=password, code="000000", drawn=drawn)
    assert wrong.status_code == 422
    # The same secret is shown again: the phone has it already. (A page opened anew draws another.)
    assert secret in wrong.text.replace(" ", "")
    done = person.send("/console/account/two-steps", current=password, code=pyotp.TOTP(secret).now(), drawn=drawn)
    codes = once(done.text)
    assert len(codes) == 10
    assert codes[0] not in person.see("/console/account")
    other = Person(house.world)
    half = other.sign_in("two", password, follow=False)
    assert half.headers["location"] == "/console/code?next=/console"
    before = other.http.cookies[SESSION]
    # Half is not in: every page asks for the code, and nothing but the code is taken.
    assert other.open("/console/account").headers["location"].startswith("/console/code?next=")
    assert other.send("/console/code", code="000000").status_code == 422
    assert other.send("/console/code", code=codes[0], follow=False).headers["location"] == "/console"
    assert other.http.cookies[SESSION] != before
    assert other.open().status_code == 200
    # Who is wholly in has no second step to do.
    assert other.open("/console/code").status_code == 303
    other.send("/console/account/recovery-codes", page="/console/account", current=password, code="000000")
    drawn_anew = other.send("/console/account/recovery-codes", page="/console/account", current=password, code=codes[1])
    fresh = once(drawn_anew.text)
    assert len({*fresh, *codes}) == 20
    third = Person(house.world)
    third.sign_in("two", password, follow=False)
    assert third.send("/console/code", code=codes[2]).status_code == 422
    off = other.send("/console/account/two-steps/off", page="/console/account", current=password, code=fresh[0])
    assert "2단계 인증을 껐습니다." in off.text
    assert Person(house.world).sign_in("two", password, follow=False).headers["location"] == "/console"


def test_a_session_elsewhere_is_seen_and_ended(house, another):
    person, password = another("sessions", Role.READ_ONLY)
    other = Person(house.world)
    other.http.headers["User-Agent"] = "A lost <b>phone</b>"
    other.sign_in("sessions", password)
    page = person.see("/console/account")
    assert "A lost &lt;b&gt;phone&lt;/b&gt;" in page
    [address] = re.findall(r'action="(/console/account/sessions/[^"]+/end)"', page)
    person.send(address, page="/console/account")
    assert other.open().status_code == 303
    assert person.open().status_code == 200


def test_nobody_ends_the_session_of_somebody_else(house, owner, another):
    person, _ = another("bystander", Role.READ_ONLY)
    mine = re.findall(r"/console/account/sessions/([^/]+)/end", house.person().see("/console/account"))[0]
    data = {"form_token": person.token()}
    person.http.post(f"/console/account/sessions/{mine}/end", data=data, headers={"Origin": person.origin})
    assert owner.open().status_code == 200


def test_language_and_theme_are_chosen_and_kept(house):
    stranger = house.stranger()
    assert '<html lang="ko" data-theme="auto">' in stranger.see("/console/sign-in")
    stranger.open("/console/look?language=en&back=/console/sign-in")
    stranger.open("/console/look?theme=dark&back=/console/sign-in")
    page = stranger.see("/console/sign-in")
    assert '<html lang="en" data-theme="dark">' in page
    assert not re.search(r"[가-힣]", re.sub(r'<a [^>]*lang="ko".*?</a>', "", text_of(page).replace("한국어", "")))
    for odd in ("language=xx", "theme=<script>", ""):
        assert stranger.open(f"/console/look?{odd}").headers["location"] == "/console"


def test_over_https_the_cookies_go_no_other_way_and_belong_to_this_host_alone(all_databases, tmp_path):
    create_key_file(tmp_path / "keys.json")
    settings = Settings(
        database_url=all_databases.url("sqlite"), key_file=tmp_path / "keys.json", public_url="https://pay.example"
    )
    password = in_a_thread(_owner(settings))
    port = free_port()
    with (
        served(create_app(settings, with_worker=False), port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as browser,
    ):
        page = browser.get("/console/sign-in")
        [door] = page.headers.get_list("set-cookie")
        assert door.startswith("__Host-maedal_door=")
        token = re.search(r'name="form_token" value="(\w+)"', page.text)[1]
        answer = browser.post(
            "/console/sign-in",
            data={"form_token": token, "name": "owner", "password": password},
            # Behind its proxy the gateway is asked under its public name.
            headers={"Origin": "https://pay.example", "Cookie": door.partition(";")[0]},
        )
        [session] = [c for c in answer.headers.get_list("set-cookie") if c.startswith("__Host-maedal_session=")]
        assert {"HttpOnly", "SameSite=lax", "Path=/", "Secure"} <= set(session.split("; "))
        assert "Domain" not in session


async def _owner(settings):
    async with open_gateway(settings, serving=False) as gateway:
        return (await create_operator(gateway.parts, "owner", Role.OWNER, Actor("test"))).password
