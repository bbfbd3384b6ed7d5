"""What holds for every page: forms of other sites, frames, caches, what is not there, language and theme."""

from __future__ import annotations

import re

import pytest

from maedal.operators.role import Role
from tests.console.people import CSP, text_of

SESSION = "maedal_session"
CHANNELS = "/console/merchants/imp00000000/channels"


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
def test_a_form_that_comes_from_elsewhere_changes_nothing(site, owner, headers):
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


def test_the_token_of_one_session_is_no_good_in_another(site, owner):
    other = site.person()
    data = {"form_token": other.token(), "name": "intruder", "role": "owner"}
    assert owner.http.post("/console/users", data=data, headers={"Origin": owner.origin}).status_code == 403
    assert other.token() == other.token()


def test_signing_in_too_takes_a_form_of_ours(site):
    stranger = site.stranger()
    stranger.open("/console/sign-in")
    data = {"name": "owner", "password": site.passwords[Role.OWNER]}
    assert stranger.http.post("/console/sign-in", data=data, headers={"Origin": stranger.origin}).status_code == 403
    assert SESSION not in stranger.http.cookies
    # A token that the attacker was given belongs to the attacker's browser.
    attacker = site.stranger()
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


def test_language_and_theme_are_chosen_and_kept(site):
    stranger = site.stranger()
    assert '<html lang="ko" data-theme="auto">' in stranger.see("/console/sign-in")
    stranger.open("/console/look?language=en&back=/console/sign-in")
    stranger.open("/console/look?theme=dark&back=/console/sign-in")
    page = stranger.see("/console/sign-in")
    assert '<html lang="en" data-theme="dark">' in page
    assert not re.search(r"[가-힣]", re.sub(r'<a [^>]*lang="ko".*?</a>', "", text_of(page).replace("한국어", "")))
    for odd in ("language=xx", "theme=<script>", ""):
        assert stranger.open(f"/console/look?{odd}").headers["location"] == "/console"
