"""An operator who is limited to some merchants: of every other there is nothing, at every route and for every role."""

from __future__ import annotations

import re

import pytest

from maedal.app import open_gateway
from maedal.flows.manage_operators import create_operator, limit_merchants
from maedal.flows.set_up_merchant import create_merchant
from maedal.operators.actor import Actor
from maedal.operators.role import OF_THE_INSTALLATION, Role
from maedal.payments.errors import InvalidParameter
from tests.console.frame.test_permissions import LEAVES, MATRIX, SERVED, address, ask
from tests.console.people import Person, asked, in_a_thread

HIDDEN, HIDDEN_NAME = "imp00000000", "남의 상점"
MINE = "imp11112222"
SHELL = Actor("test")
LIMITED = [role for role in Role if role is not Role.OWNER]


@pytest.fixture(scope="module")
def limited(site):
    """Somebody of each role but owner who sees one merchant alone, and not the one that has payments."""

    async def work():
        async with open_gateway(site.world.settings, serving=False) as gateway:
            await create_merchant(gateway.services, HIDDEN_NAME, code="imp33334444", api_key="3333444455556666")
            await create_merchant(gateway.services, "내 상점", code=MINE, api_key="1111222233334444")
            names = {}
            for role in LIMITED:
                made = await create_operator(
                    gateway.services, f"one-{role}", role, SHELL, merchant_codes=frozenset({MINE}), to_be_changed=False
                )
                names[role] = made.password
            return names

    passwords = in_a_thread(work())
    people = {}
    for role, password in passwords.items():
        people[role] = Person(site.world)
        people[role].sign_in(f"one-{role}", password)
    return people


def test_at_every_route_another_merchant_is_as_if_it_did_not_exist(limited):
    wrong = []
    tokens = {role: person.token() for role, person in limited.items()}
    for method, path in SERVED:
        if "{code}" not in path:
            continue
        for role, person in limited.items():
            answer = ask(person, method, address(path), tokens[role])
            if answer.status_code != 404 or HIDDEN_NAME in answer.text:
                wrong.append((role.value, method, path, answer.status_code))
    assert wrong == []


def test_their_own_merchant_is_theirs_as_their_role_says(limited):
    wrong = []
    tokens = {role: person.token() for role, person in limited.items()}
    for method, path in SERVED:
        if "{code}" not in path or method != "GET":
            continue
        for role, person in limited.items():
            answer = ask(person, method, address(path.replace("{code}", MINE)), tokens[role])
            allowed = role.value[0].upper() in MATRIX[method, path].split()
            if (answer.status_code != 403) is not allowed or HIDDEN_NAME in answer.text:
                wrong.append((role.value, method, path, answer.status_code))
    assert wrong == []


def test_no_other_page_tells_of_another_merchant_or_of_the_installation(limited):
    wrong = []
    tokens = {role: person.token() for role, person in limited.items()}
    for method, path in SERVED:
        if "{code}" in path or path in LEAVES:
            continue
        of_the_installation = path.startswith(("/console/users", "/console/merchants/new"))
        for role, person in limited.items():
            answer = ask(person, method, address(path), tokens[role])
            fits = answer.status_code == 403 if of_the_installation else answer.status_code != 403
            if not fits or HIDDEN in answer.text or HIDDEN_NAME in answer.text:
                wrong.append((role.value, method, path, answer.status_code))
    assert wrong == []
    home = limited[Role.ADMIN].see()
    assert "내 상점" in home
    assert "/console/users" not in home


def test_an_owner_chooses_the_merchants_of_somebody_in_the_console(site, limited, owner, another):
    person, _ = another("narrowed", Role.MANAGER)
    payments = f"/console/merchants/{HIDDEN}/payments"
    assert person.open(payments).status_code == 200
    row = next(part for part in owner.see("/console/users").split("<li>") if "<b>narrowed" in part)
    path = re.search(r'action="(/console/users/[^/]+/merchants)"', row)[1]
    done = owner.send(path, page="/console/users", only="these", merchant=MINE)
    assert "볼 수 있는 가맹점을 바꾸었습니다" in done.text
    # Open sessions too, from the next page on.
    assert person.open(payments).status_code == 404
    assert person.open(f"/console/merchants/{MINE}/payments").status_code == 200
    owner.send(path, page="/console/users", only="these", merchant=None)
    assert person.open(f"/console/merchants/{MINE}/payments").status_code == 404
    assert "아직 가맹점이 없습니다" in person.see()
    refused = owner.send(path, page="/console/users", only="these", merchant="imp99999999")
    assert (refused.status_code, "imp99999999" in refused.text) == (422, True)
    owner.send(path, page="/console/users", only="", merchant=None)
    assert person.open(payments).status_code == 200
    entries = asked(site.world, lambda store: store.audit.operator_entries(20))
    facts = [(e.before, e.after) for e in entries if (e.kind, e.subject) == ("change_merchants", "narrowed")]
    assert facts[::-1] == [
        ("merchants=all", f"merchants={MINE}"),
        (f"merchants={MINE}", "merchants=none"),
        ("merchants=none", "merchants=all"),
    ]


def test_an_owner_sees_every_merchant_and_nobody_limited_becomes_one(site):
    async def work():
        async with open_gateway(site.world.settings, serving=False) as gateway:
            services = gateway.services
            owner = await services.store.operators.find_by_name("owner")
            with pytest.raises(InvalidParameter, match="an owner sees every merchant"):
                await limit_merchants(services, owner, frozenset(), SHELL)
            with pytest.raises(InvalidParameter, match="an owner sees every merchant"):
                await create_operator(services, "mine", Role.OWNER, SHELL, merchant_codes=frozenset({HIDDEN}))
            made = await create_operator(services, "none", Role.ADMIN, SHELL, merchant_codes=frozenset())
            return made.operator, await services.store.operators.find(made.operator.id)

    made, kept = in_a_thread(work())
    assert made.merchant_codes == kept.merchant_codes == frozenset()
    assert not any(kept.may(permission) for permission in OF_THE_INSTALLATION)
