"""What somebody must do before anything else: change a drawn password, set up a second step."""

from __future__ import annotations

import itertools
import re

import pyotp
import pytest

from maedal.operators.role import Role
from tests.console.people import Person, make_operator, once, text_of

PAGES = ("/console", "/console/merchants/imp00000000/payments", "/console/users", "/console/account/two-steps")
NUMBERS = itertools.count(1)
NEW = "an entirely new password"


@pytest.fixture
def newcomer(site):
    """Somebody who was given a password at the command line; gives the person and that password."""
    name = f"newcomer{next(NUMBERS)}"
    password = make_operator(site.world, name, Role.ADMIN, to_be_changed=True)
    person = Person(site.world)
    person.sign_in(name, password)
    return person, password


def test_a_drawn_password_is_changed_before_anything_else(newcomer):
    person, password = newcomer
    for path in PAGES:
        answer = person.open(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/account")
    moved = person.open("/console", headers={"HX-Request": "true"})
    assert moved.headers["hx-redirect"] == "/console/account"
    page = person.see("/console/account")
    assert "받은 비밀번호를 새 비밀번호로 바꾸세요" in page
    # Nothing of merchants is in the menu yet, and no form but this one leads anywhere.
    assert "데모 상점" not in page
    forged = {"form_token": person.token(), "name": "forged", "role": "admin"}
    answer = person.http.post("/console/users", data=forged, headers={"Origin": person.origin})
    assert answer.headers["location"] == "/console/account"
    easy = {"password": "password1234", "again": "password1234"}
    refused = person.send("/console/account/password", page="/console/account", current=password, **easy)
    assert "비밀번호가 너무 쉽습니다" in text_of(refused.text)
    done = person.send("/console/account/password", page="/console/account", current=password, password=NEW, again=NEW)
    assert "비밀번호를 바꾸었습니다" in done.text
    assert [person.open(path).status_code for path in PAGES] == [200] * 4


def test_who_must_change_the_password_may_sign_out(newcomer):
    person, _ = newcomer
    form = {"form_token": person.token()}
    answer = person.http.post("/console/sign-out", data=form, headers={"Origin": person.origin})
    assert answer.headers["location"] == "/console/sign-in"


def test_an_owner_demands_the_second_step_of_a_role(site, owner, another):
    person, password = another("demanded", Role.DEVELOPER)
    saved = owner.send("/console/users/second-step", page="/console/users", role="developer")
    assert "저장했습니다" in saved.text
    assert re.search(r'name="role" value="developer" checked', saved.text)
    for path in ("/console", "/console/account", "/console/merchants/imp00000000/channels"):
        assert person.open(path).headers["location"] == "/console/account/two-steps"
    page = person.see("/console")
    assert "소유자가 이 역할에 2단계 인증을 요구합니다" in page
    secret = re.search(r'data-testid="secret">([A-Z2-7 ]+)<', page)[1].replace(" ", "")
    drawn = re.search(r'name="drawn" value="([^"]+)"', page)[1]
    code = pyotp.TOTP(secret).now()
    done = person.send("/console/account/two-steps", current=password, code=code, drawn=drawn)
    assert len(once(done.text)) == 10
    assert 'action="/console/account/two-steps/off"' not in done.text
    assert person.open("/console").status_code == 200
    owner.send("/console/users/second-step", page="/console/users", role=None)
    assert 'action="/console/account/two-steps/off"' in person.see("/console/account")


def test_only_an_owner_sees_where_it_is_demanded(site, owner):
    assert "second-step" in owner.see("/console/users")
    assert "second-step" not in site.person(Role.ADMIN).see("/console/users")


def test_a_browser_keeps_a_sign_of_the_sign_in_that_scripts_and_other_sites_do_not_reach(site):
    answer = site.stranger().sign_in("owner", site.passwords[Role.OWNER], follow=False)
    [cookie] = [c for c in answer.headers.get_list("set-cookie") if c.startswith("maedal_device=")]
    assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=15552000"} <= set(cookie.split("; "))
