"""Invites: a link that works once and lets somebody choose a password that nobody else has seen."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from maedal.app import open_gateway
from maedal.flows import manage_operators
from maedal.flows.invite_operator import accept, invite, invited
from maedal.operators.actor import Actor
from maedal.operators.invite import INVITE_LIFETIME
from maedal.operators.role import Role
from maedal.payments.errors import InvalidParameter
from maedal.settings import Settings
from maedal.vault import create_key_file
from tests.console.people import Person, asked, once, text_of
from tests.support.builders import NOW
from tests.support.clock import HandClock

MINE = "a password of my own"
SHELL = Actor("test")


def link_of(answer, gateway):
    """Return the path of the link that a page shows once."""
    [_, link] = once(answer.text)
    assert link.startswith(f"{gateway}/console/invite/")
    return link.removeprefix(gateway)


def test_an_invite_lets_somebody_choose_their_own_password_once(site, owner):
    path = link_of(owner.send("/console/users", name="invited", role="manager"), site.world.gateway)
    assert path not in owner.see("/console/users")
    person = Person(site.world)
    assert "<b>invited</b>" in person.see(path)
    wrong = person.send(path, password=MINE, again="another password")
    assert "새 비밀번호 둘이 서로 다릅니다" in text_of(wrong.text)
    assert "비밀번호가 너무 쉽습니다" in text_of(person.send(path, password="password1234", again="password1234").text)
    done = person.send(path, password=MINE, again=MINE)
    assert "이제 로그인하세요" in done.text
    # It opened no session, and nothing is owed by who chose it.
    assert person.open().status_code == 303
    assert person.sign_in("invited", MINE).status_code == 200
    for again in (Person(site.world).open(path), Person(site.world).open(path + "x")):
        assert (again.status_code, "쓸 수 없는 링크" in again.text) == (404, True)


def test_whoever_lost_a_password_gets_a_new_invite_and_everything_before_it_is_void(site, owner):
    first = link_of(owner.send("/console/users", name="lost", role="manager"), site.world.gateway)
    person = Person(site.world)
    person.send(first, password=MINE, again=MINE)
    person.sign_in("lost", MINE)
    row = next(part for part in owner.see("/console/users").split("<li>") if "<b>lost" in part)
    address = re.search(r'action="(/console/users/[^/]+/password)"', row)[1]
    links = [link_of(owner.send(address, page="/console/users"), site.world.gateway) for _ in range(2)]
    assert person.open().status_code == 303
    assert person.sign_in("lost", MINE).status_code == 422
    assert person.open(links[0]).status_code == 404
    other = "another password of mine"
    assert "이제 로그인하세요" in person.send(links[1], password=other, again=other).text
    assert person.sign_in("lost", other).status_code == 200


def test_a_form_of_another_site_uses_no_invite_up(site, owner):
    path = link_of(owner.send("/console/users", name="forged", role="manager"), site.world.gateway)
    person = Person(site.world)
    assert person.send(path, password=MINE, again=MINE, headers={"Origin": "https://evil.example"}).status_code == 403
    assert person.open(path).status_code == 200
    kinds = [e.kind for e in asked(site.world, lambda store: store.audit.operator_entries(50)) if e.subject == "forged"]
    assert sorted(kinds) == ["create_user", "invite_user"]


@pytest.fixture
async def parts(database_url, tmp_path):
    create_key_file(tmp_path / "keys.json")
    settings = Settings(database_url=database_url, key_file=tmp_path / "keys.json", public_url="http://gateway.test")
    clock = HandClock(NOW, running=True)
    async with open_gateway(settings, clock=clock, serving=False) as gateway:
        made = await manage_operators.create_operator(gateway.services, "minji", Role.ADMIN, SHELL)
        yield gateway.services, clock, made.operator


async def test_an_invite_ends_after_three_days_and_is_kept_as_a_hash(parts):
    services, clock, operator = parts
    link = await invite(services, operator, SHELL)
    assert link.token not in repr(link)
    kept = repr([dict(row) for row in await services.store.engine.fetch("SELECT * FROM invites")])
    assert link.token not in kept
    clock.add((INVITE_LIFETIME - timedelta(seconds=1)).total_seconds())
    assert (await invited(services, link.token)).name == "minji"
    clock.add(1)
    assert await invited(services, link.token) is None
    assert await invited(services, "x" * 101) is None


async def test_two_who_use_a_link_at_once_do_not_both_choose(parts):
    services, _, operator = parts
    link = await invite(services, operator, SHELL)
    operator = await invited(services, link.token)
    await accept(services, operator, link.token, MINE)
    with pytest.raises(InvalidParameter):
        await accept(services, operator, link.token, "another password of mine")
    with pytest.raises(InvalidParameter, match="the link was used already"):
        await accept(services, await services.store.operators.find(operator.id), link.token, "another password of mine")


async def test_a_disabled_operator_and_an_owner_are_not_invited_by_whoever(parts):
    services, _, operator = parts
    link = await invite(services, operator, SHELL)
    owner = await manage_operators.create_operator(services, "owner", Role.OWNER, SHELL)
    with pytest.raises(InvalidParameter, match="owners alone"):
        await invite(services, owner.operator, Actor("minji", Role.ADMIN))
    await manage_operators.disable(services, link.operator, SHELL)
    assert await invited(services, link.token) is None
