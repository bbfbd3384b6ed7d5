"""Every role at every route: what stands in matrix.txt holds, and a route without a place in it fails."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from litestar import get
from litestar.handlers import HTTPRouteHandler

from maedal.console.frame.admission import REQUIRED, UndeclaredPermission, checked
from maedal.console.router import router, time_travel_router
from maedal.operators.role import MAY, Permission, Role, may, may_give

PLACE = re.compile(r"(GET|POST) +(/\S+) +(anybody|half|(?:[OADMR-] ){4}[OADMR-])")
# Where evil links and forms would like to lead.
EVIL = {"next": "https://evil.example/", "back": "//evil.example/", "goal": "javascript:alert(1)"}
FILLED = {"{code}": "imp00000000", "{name}": "console.css", "{rest}": "nothing", "{imp_uid}": "imp_000000000000"}
# What the matrix itself must not do to the people in it.
LEAVES = {"/console/sign-in", "/console/sign-out", "/console/code"}


def matrix():
    """Return who may ask what, as it is written down."""
    lines = (Path(__file__).parents[1] / "matrix.txt").read_text().splitlines()[3:]
    found = [PLACE.fullmatch(line) for line in lines]
    assert all(found), [line for line, row in zip(lines, found, strict=True) if row is None]
    return {(row[1], row[2]): row[3] for row in found}


def routes():
    """Return every method and path that the program has, with what its route declares."""
    handlers = [
        (route.path, handler)
        for one in (router, time_travel_router)
        for route in one.routes
        for handler in route.route_handlers
        if isinstance(handler, HTTPRouteHandler) and REQUIRED in handler.opt
    ]
    return {
        (str(method), re.sub(r":\w+\}", "}", path)): handler.opt[REQUIRED]
        for path, handler in handlers
        for method in handler.http_methods
        if str(method) not in {"OPTIONS", "HEAD"}
    }


MATRIX, ROUTES = matrix(), routes()
SERVED = sorted((method, path) for method, path in ROUTES if not path.startswith("/console/dev/"))
"""Time travel is served by `maedal dev` alone."""


def address(path: str) -> str:
    """Return a path with something in the place of its parameters."""
    for name, value in FILLED.items():
        path = path.replace(name, value)
    return re.sub(r"\{\w+\}", "none", path)


def letters(roles):
    return " ".join(role.value[0].upper() if role in roles else "-" for role in Role)


def test_every_route_has_its_place_in_the_matrix_and_every_place_its_route():
    assert {" ".join(route) for route in ROUTES} == {" ".join(place) for place in MATRIX}
    assert len(ROUTES) > 50


def test_every_route_declares_what_the_matrix_says():
    words = {Permission.ANYBODY: "anybody", Permission.HALF_SIGNED_IN: "half"}
    declared = {route: words.get(asked, letters(MAY[asked])) for route, asked in ROUTES.items()}
    assert declared == MATRIX


def test_every_permission_is_in_the_table():
    assert set(MAY) == set(Permission)


def test_a_route_that_declares_nothing_keeps_the_program_from_starting():
    @get("/forgotten", sync_to_thread=False)
    def forgotten() -> str:
        return ""

    with pytest.raises(UndeclaredPermission, match="forgotten"):
        checked([forgotten])


@pytest.fixture(scope="module")
def people(site):
    return {role: site.person(role) for role in Role}


def ask(person, method, path, token):
    """Ask as a browser would, and with every wish to be led away."""
    if method == "GET":
        return person.http.get(path, params=EVIL)
    data = {"form_token": token} | EVIL
    return person.http.post(path, data=data, params=EVIL, headers={"Origin": person.origin})


def test_every_role_at_every_route(people):
    wrong = []
    tokens = {role: person.token() for role, person in people.items()}
    for method, path in SERVED:
        if path in LEAVES:
            continue
        place = MATRIX[method, path]
        for role, person in people.items():
            answer = ask(person, method, address(path), tokens[role])
            allowed = place == "anybody" or role.value[0].upper() in place.split()
            fits = answer.status_code == 303 if place == "half" else (answer.status_code != 403) is allowed
            if not fits or answer.status_code >= 500 or leads_away(answer) or could_be_framed(answer):
                wrong.append((role.value, method, path, answer.status_code, dict(answer.headers)))
    assert wrong == []


def test_who_is_not_signed_in_gets_nowhere(site):
    wrong, stranger = [], site.stranger()
    for method, path in SERVED:
        answer = stranger.http.request(method, address(path), params=EVIL, headers={"Origin": stranger.origin})
        if MATRIX[method, path] == "anybody":
            fits = answer.status_code in {200, 303, 403, 404}
        else:
            fits = (answer.status_code, answer.headers.get("location", "").partition("?")[0]) == (
                303, "/console/sign-in",
            )  # fmt: skip
        if not fits or leads_away(answer) or could_be_framed(answer):
            wrong.append((method, path, answer.status_code, dict(answer.headers)))
    assert wrong == []


def leads_away(answer):
    """Return whether an answer sends the browser anywhere but to a page of the console."""
    goals = [answer.headers[name] for name in ("location", "hx-redirect", "refresh") if name in answer.headers]
    return any(not re.fullmatch(r"/console([/?#][^\\]*)?", goal) or "//" in goal.partition("?")[0] for goal in goals)


def could_be_framed(answer):
    """Return whether another site could show the answer in a frame, or a browser take it for what it is not."""
    if answer.headers["x-content-type-options"] != "nosniff":
        return True
    if not answer.headers.get("content-type", "text/html").startswith("text/html"):
        return False
    policy = answer.headers.get("content-security-policy", "")
    return answer.headers.get("x-frame-options") != "DENY" or "frame-ancestors 'none'" not in policy


def test_what_a_role_may_not_do_it_is_not_offered(people):
    page = "/console/merchants/imp00000000/channels"
    for role, person in people.items():
        assert ("channels/new" in person.see(page)) is may(role, Permission.CHANGE_SETTINGS), role
        assert ("/console/users" in person.see()) is may(role, Permission.MANAGE_OPERATORS), role


def test_an_owner_is_the_business_of_owners():
    assert {role for role in Role if may_give(role, Role.OWNER)} == {Role.OWNER}
    assert {role for role in Role if may_give(role, Role.ADMIN)} == {Role.OWNER, Role.ADMIN}


def test_an_admin_cannot_make_an_owner_by_a_form_of_their_own(people):
    admin = people[Role.ADMIN]
    assert 'value="owner"' not in admin.see("/console/users")
    answer = admin.send("/console/users", name="mine", role="owner")
    assert answer.status_code == 422
    assert "소유자는 소유자만" in answer.text
