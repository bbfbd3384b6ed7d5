"""Every role at every route: the one table decides, and a route that is not in it keeps the program from starting."""

from __future__ import annotations

import pytest
from litestar import get
from litestar.handlers import HTTPRouteHandler

from maedal.console.admission import ASKS, UndeclaredPermission, checked
from maedal.console.router import router
from maedal.operators.role import MAY, Permission, Role, may, may_give
from tests.console.people import Person

CHANNEL = "channel-key-none"


def routes():
    """Return method, path and what it asks of every route of the console."""
    found = []
    for route in router.routes:
        for handler in route.route_handlers:
            if isinstance(handler, HTTPRouteHandler) and ASKS in handler.opt:
                path = (
                    route.path.replace("{code:str}", "imp00000000")
                    .replace("{name:str}", "console.css")
                    .replace("{rest:path}", "nothing")
                )
                path = (
                    path.replace("{channel_id:str}", CHANNEL)
                    .replace("{view_id:str}", "none")
                    .replace("{export_id:str}", "none")
                    .replace("{imp_uid:str}", "imp_000000000000")
                )
                found += [
                    (
                        str(m),
                        path.replace("{user_id:str}", "nobody")
                        .replace("{session_id:str}", "none")
                        .replace("{key_id:str}", "key"),
                        handler.opt[ASKS],
                    )
                    for m in handler.http_methods
                ]
    return sorted({(method, path, asked) for method, path, asked in found if method != "OPTIONS"})


ROUTES = routes()
# What the matrix itself must not do to the people in it.
LEAVES = {"/console/sign-in", "/console/sign-out", "/console/code"}


def test_every_permission_is_in_the_table():
    assert set(MAY) == set(Permission)
    assert len(ROUTES) > 25


def test_a_route_that_declares_nothing_keeps_the_program_from_starting():
    @get("/forgotten", sync_to_thread=False)
    def forgotten() -> str:
        return ""

    with pytest.raises(UndeclaredPermission, match="forgotten"):
        checked([forgotten])


@pytest.fixture(scope="module")
def people(house):
    return {role: house.person(role) for role in Role}


@pytest.mark.parametrize(("method", "path", "asked"), ROUTES)
def test_every_role_at_every_route(people, method, path, asked):
    for role, person in people.items():
        if path in LEAVES:
            continue
        answer = _try(person, method, path)
        refused = answer.status_code == 403
        allowed = may(role, asked) or asked is Permission.ANYBODY
        if asked is Permission.HALF_SIGNED_IN:
            assert answer.status_code == 303
        else:
            assert refused is not allowed, (role, method, path, answer.status_code)


@pytest.mark.parametrize(("method", "path", "asked"), ROUTES)
def test_who_is_not_signed_in_gets_nowhere(house, method, path, asked):
    stranger = house.stranger()
    answer = stranger.http.request(method, path, headers={"Origin": stranger.origin})
    if asked is Permission.ANYBODY:
        assert answer.status_code in {200, 303, 403, 404}
    else:
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/console/sign-in")


def test_what_a_role_may_not_do_it_is_not_offered(people):
    page = "/console/merchants/imp00000000/channels"
    for role, person in people.items():
        assert ("channels/new" in person.see(page)) is may(role, Permission.CHANGE_SETTINGS), role
        assert ("/console/users" in person.see()) is may(role, Permission.MANAGE_USERS), role


def test_an_owner_is_the_business_of_owners():
    assert {role for role in Role if may_give(role, Role.OWNER)} == {Role.OWNER}
    assert {role for role in Role if may_give(role, Role.ADMIN)} == {Role.OWNER, Role.ADMIN}


def test_an_admin_cannot_make_an_owner_by_a_form_of_their_own(people):
    admin = people[Role.ADMIN]
    assert 'value="owner"' not in admin.see("/console/users")
    answer = admin.send("/console/users", name="mine", role="owner")
    assert answer.status_code == 422
    assert "소유자는 소유자만" in answer.text


def _try(person: Person, method: str, path: str):
    if method == "GET":
        return person.http.get(path)
    return person.http.post(path, data={"form_token": person.token()}, headers={"Origin": person.origin})
