"""Operators made and changed in the console."""

from __future__ import annotations

import re

from maedal.console.operators.words import PERMISSIONS
from maedal.operators.role import Permission, Role, may
from tests.console.people import Person, asked, once


def test_an_owner_adds_changes_and_disables_somebody(site, owner):
    name, link = once(owner.send("/console/users", name="jiwoo", role="manager").text)
    assert name == "jiwoo"
    jiwoo, mine = Person(site.world), "a password of my own"
    jiwoo.send(link.removeprefix(site.world.gateway), password=mine, again=mine)
    assert jiwoo.sign_in("jiwoo", mine).status_code == 200
    operator_id = re.findall(r'action="/console/users/([^/]+)/role".*?\n?.*?jiwoo', owner.see("/console/users"))[-1]
    address = f"/console/users/{operator_id}"
    assert "역할을 바꾸었습니다" in owner.send(f"{address}/role", page="/console/users", role="developer").text
    assert "채널 추가" in jiwoo.see("/console/merchants/imp00000000/channels/new")
    assert "로그인을 막았습니다" in owner.send(f"{address}/disable", page="/console/users").text
    assert jiwoo.open().status_code == 303
    assert jiwoo.sign_in("jiwoo", mine).status_code == 422
    assert "로그인할 수 있습니다" in owner.send(f"{address}/enable", page="/console/users").text
    assert jiwoo.sign_in("jiwoo", mine).status_code == 200


def test_the_log_of_operators_is_on_the_page(owner):
    owner.send("/console/users", name="logged", role="admin")
    page = owner.see("/console/users")
    assert re.search(r"사용자 추가</td>(<td[^>]*>)logged</td>\1owner</td><td><code>role=admin</code>", page)


def test_a_name_that_is_taken_or_cannot_be_is_refused(owner):
    assert "이미 있는 이름" in owner.send("/console/users", name="OWNER", role="admin").text
    assert "공백 없이 2~60자" in owner.send("/console/users", name="<script>", role="admin").text
    assert "역할을 선택" in owner.send("/console/users", name="roleless", role="king").text


def test_nobody_disables_themselves_or_the_last_owner(site, owner):
    page = owner.see("/console/users")
    assert not re.search(r'owner <span class="quiet">\(나\)</span></b>.*?/disable', page.split("</li>")[0], re.DOTALL)
    other = site.person(Role.ADMIN)
    assert re.findall(r'action="/console/users/([^/]+)/disable"', other.see("/console/users"))


def test_an_invite_that_waits_to_be_shown_is_sealed_and_good_in_one_session(site, owner):
    answer = owner.send("/console/users", name="sealed", role="read_only", follow=False)
    cookie = answer.cookies["maedal_note"]
    thief = site.person()
    thief.http.cookies.set("maedal_note", cookie, path="/console")
    assert once(thief.see("/console/users")) == []
    assert len(once(owner.see("/console/users"))) == 2
    assert once(owner.see("/console/users")) == []


def test_the_page_shows_who_may_do_what_from_the_table_that_decides(owner):
    page = owner.see("/console/users")
    rows = dict(re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', page, re.DOTALL))
    shown = {name: [">✓<" in cell for cell in cells.split("<td>")[1:]] for name, cells in rows.items()}
    for permission in set(Permission) - {Permission.ANYBODY, Permission.HALF_SIGNED_IN}:
        assert shown[PERMISSIONS[permission][0]] == [may(role, permission) for role in Role], permission


def test_who_was_given_another_role_in_the_database_is_out_at_once_until_somebody_who_may_says_so(site, owner, another):
    person, _ = another("tampered", Role.READ_ONLY)
    assert "권한이 밖에서 바뀜" not in owner.see("/console/users")
    sql = "UPDATE users SET role = 'admin' WHERE name = 'tampered'"
    asked(site.world, lambda store: store.engine.fetch(sql))
    assert person.open("/console/users").status_code == 303
    page = owner.see("/console/users")
    assert "권한이 밖에서 바뀜" in page
    assert "역할을 다시 정하세요" in page
    operator = asked(site.world, lambda store: store.operators.find_by_name("tampered"))
    owner.send(f"/console/users/{operator.id}/role", page="/console/users", role="read_only")
    assert "권한이 밖에서 바뀜" not in owner.see("/console/users")
    assert person.open("/console").status_code == 200
    assert person.open("/console/users").status_code == 403
