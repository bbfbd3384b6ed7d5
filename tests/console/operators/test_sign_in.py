"""Who comes in, and what keeps others out: sessions, and links that lead away."""

from __future__ import annotations

import re

import httpx
import pytest

from maedal.app import create_app, open_gateway
from maedal.flows.manage_operators import create_operator
from maedal.operators.actor import Actor
from maedal.operators.role import Role
from maedal.settings import Settings
from maedal.vault import create_key_file
from tests.console.people import in_a_thread
from tests.support.world import free_port, served

SESSION = "maedal_session"
CHANNELS = "/console/merchants/imp00000000/channels"


def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(site):
    stranger = site.stranger()
    answer = stranger.open(f"{CHANNELS}?a=b")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/console/sign-in?next={CHANNELS}%3Fa%3Db"
    answer = stranger.send(
        "/console/sign-in",
        page=answer.headers["location"],
        follow=False,
        name="owner",
        password=site.passwords[Role.OWNER],
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
def test_a_link_cannot_lead_away_after_signing_in(site, goal):
    stranger = site.stranger()
    page = stranger.http.get("/console/sign-in", params={"next": goal})
    assert page.status_code == 200
    answer = stranger.send(
        "/console/sign-in", follow=False, name="owner", password=site.passwords[Role.OWNER], next=goal
    )
    assert answer.headers["location"] == "/console"
    again = stranger.http.get("/console/look", params={"language": "en", "back": goal})
    assert again.headers["location"] == "/console"


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(site):
    answer = site.stranger().sign_in("owner", site.passwords[Role.OWNER], follow=False)
    [cookie] = [c for c in answer.headers.get_list("set-cookie") if c.startswith(f"{SESSION}=")]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie  # over http, as on one's own machine, the browser would not keep it


def test_signing_in_takes_no_session_that_somebody_planted(site):
    stranger = site.stranger()
    stranger.http.cookies.set(SESSION, "planted-by-an-attacker")
    stranger.sign_in("owner", site.passwords[Role.OWNER])
    tokens = [c.value for c in stranger.http.cookies.jar if c.name == SESSION]
    assert "planted-by-an-attacker" not in tokens[-1:]
    attacker = site.stranger()
    attacker.http.cookies.set(SESSION, "planted-by-an-attacker")
    assert attacker.open().status_code == 303


def test_signing_in_again_ends_the_session_before(site):
    person = site.person()
    before = person.http.cookies[SESSION]
    person.sign_in("owner", site.passwords[Role.OWNER])
    assert person.http.cookies[SESSION] != before
    other = site.stranger()
    other.http.cookies.set(SESSION, before)
    assert other.open().status_code == 303


def test_signing_out_ends_the_session_and_not_only_the_cookie(site):
    person = site.person()
    token = person.http.cookies[SESSION]
    person.send("/console/sign-out", page="/console")
    assert SESSION not in person.http.cookies
    thief = site.stranger()
    thief.http.cookies.set(SESSION, token)
    assert thief.open().status_code == 303


def test_wrong_words_are_told_without_saying_which(site):
    stranger = site.stranger()
    one = stranger.sign_in("owner", "wrong")
    other = stranger.sign_in("nobody-at-all", "wrong")
    assert one.status_code == other.status_code == 422
    assert "이름이나 비밀번호가 맞지 않습니다." in one.text
    assert re.sub(r'value="[^"]*"', "", one.text) == re.sub(r'value="[^"]*"', "", other.text)


def test_many_wrong_passwords_have_to_wait(site, another):
    _, password = another("guessed", Role.READ_ONLY)
    stranger = site.stranger()
    for _ in range(5):
        stranger.sign_in("guessed", "wrong")
    answer = stranger.sign_in("guessed", password)
    assert answer.status_code == 422
    assert "잠시 막았습니다" in answer.text


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
        return (
            await create_operator(gateway.services, "owner", Role.OWNER, Actor("test"), to_be_changed=False)
        ).password
