"""The parts of a gateway with a clock in the hand, and an owner who signs in."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest

from maedal.app import open_gateway
from maedal.flows import manage_operators
from maedal.flows.sign_in import (
    Browser,
    present,
    sign_in,
)
from maedal.operators.actor import Actor
from maedal.operators.role import Role
from maedal.settings import Settings
from maedal.vault import create_key_file
from tests.support.builders import NOW
from tests.support.clock import HandClock

SHELL = Actor("somebody (command line)")
HERE = Browser("203.0.113.7", "Firefox")
IN_ANOTHER_BROWSER = Browser("198.51.100.2", "Safari")


class Site:
    """The parts, a clock in the hand, and an owner."""

    def __init__(self, services, clock, made):
        self.services, self.clock, self.store = services, clock, services.store
        self.operator, self.password = made.operator, made.password

    async def sign_in(self, password=None, name="owner", browser=HERE):
        return await sign_in(self.services, name, self.password if password is None else password, browser)

    async def there(self, token):
        return await present(self.services, token)

    async def two_steps(self):
        """Turn the second step on; gives its secret and the recovery codes."""
        begun = await self.sign_in()
        secret, _, sealed = manage_operators.draw_second_step(self.services, begun.operator)
        _, codes = await manage_operators.turn_two_steps_on(
            self.services, begun.operator, begun.session, sealed, self.password, self.code(secret)
        )
        return secret, codes

    def code(self, secret, seconds=0):
        return pyotp.TOTP(secret).at(self.clock.now() + timedelta(seconds=seconds))


@pytest.fixture
async def site(database_url, tmp_path):
    create_key_file(tmp_path / "keys.json")
    settings = Settings(database_url=database_url, key_file=tmp_path / "keys.json", public_url="http://gateway.test")
    clock = HandClock(NOW, running=True)
    async with open_gateway(settings, clock=clock) as gateway:
        made = await manage_operators.create_operator(gateway.services, "owner", Role.OWNER, SHELL, to_be_changed=False)
        yield Site(gateway.services, clock, made)
