"""A served gateway of either database with one operator of each role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from maedal.operators.role import Role
from tests.console.people import Person, make_operator
from tests.support.databases import ENGINES
from tests.support.world import World, world


@dataclass
class Site:
    """A running gateway, and everybody's password."""

    world: World
    passwords: dict[Role, str]

    def person(self, role: Role = Role.OWNER) -> Person:
        """Somebody of this role, signed in in a browser of their own."""
        person = Person(self.world)
        answer = person.sign_in(role.value, self.passwords[role])
        assert answer.status_code == 200, answer.text
        return person

    def stranger(self) -> Person:
        return Person(self.world)


@pytest.fixture(scope="module", params=ENGINES)
def site(request, all_databases, tmp_path_factory) -> Iterator[Site]:
    with world(all_databases.url(request.param), tmp_path_factory.mktemp("console")) as running:
        yield Site(running, {role: make_operator(running, role.value, role) for role in Role})
        while Person.browsers:
            Person.browsers.pop().close()


@pytest.fixture
def owner(site: Site) -> Person:
    return site.person()


@pytest.fixture
def another(site: Site) -> Callable[[str, Role], tuple[Person, str]]:
    """An operator of one's own for a test that changes it: `another("minji", Role.ADMIN)`, signed in, with the password."""

    def made(name: str, role: Role) -> tuple[Person, str]:
        password = make_operator(site.world, name, role)
        person = Person(site.world)
        person.sign_in(name, password)
        return person, password

    return made
