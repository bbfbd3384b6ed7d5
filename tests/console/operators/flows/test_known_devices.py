"""Who guesses from afar keeps nobody out: known browsers and known addresses are counted by themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from maedal.flows import manage_operators
from maedal.flows.sign_in import NotSignedIn, SignedIn, forget_sign_ins, second_step
from maedal.operators.known_device import DEVICE_LIFETIME, PLACE_LIFETIME, read_device
from maedal.operators.role import Role
from maedal.operators.tries import FREE, Counted
from tests.console.operators.flows.conftest import HERE, IN_ANOTHER_BROWSER, SHELL

AFAR = replace(HERE, address="192.0.2.66", agent="curl")
MOVED = replace(HERE, address="198.51.100.77")


async def guess(site, browser, times=6):
    for _ in range(times):
        answer = await site.sign_in("wrong", browser=browser)
    return answer


async def test_six_wrong_passwords_from_afar_lock_out_neither_a_known_browser_nor_a_known_address(site):
    first = await site.sign_in()
    assert (await guess(site, AFAR)).next_try_at is not None
    # The same address without its cookie, and the same browser elsewhere.
    assert isinstance(await site.sign_in(), SignedIn)
    assert isinstance(await site.sign_in(browser=replace(MOVED, device=first.device)), SignedIn)
    # Whoever comes from elsewhere waits with those who guess.
    assert (await site.sign_in(browser=replace(MOVED, address="198.51.100.9"))).next_try_at is not None


async def test_the_owners_own_sign_in_gives_no_new_guesses_to_those_from_afar(site):
    first = await site.sign_in()
    waits = (await guess(site, AFAR)).next_try_at
    await site.sign_in(browser=replace(MOVED, device=first.device))
    await site.sign_in()
    assert (await site.sign_in("wrong", browser=AFAR)).next_try_at == waits


@pytest.mark.parametrize("counted", [Counted.DEVICE, Counted.PLACE])
async def test_guessing_from_what_is_known_waits_too(site, counted):
    first = await site.sign_in()
    near = replace(MOVED, device=first.device) if counted is Counted.DEVICE else HERE
    assert await guess(site, near, FREE[counted]) == NotSignedIn()
    assert (await site.sign_in(browser=near)).next_try_at == site.clock.now() + timedelta(seconds=30)


async def test_a_device_is_known_to_its_own_operator_alone_and_only_as_it_was_given(site):
    made = await manage_operators.create_operator(site.services, "minji", Role.ADMIN, SHELL)
    hers = (await site.sign_in(made.password, "minji", AFAR)).device
    await guess(site, IN_ANOTHER_BROWSER)
    mine = hers.replace(made.operator.id, site.operator.id)
    unsigned = f"{mine.rpartition('.')[0]}.{'00' * 32}"
    for device in (hers, mine, unsigned, "", "a.b.1.ff", "." * 3, "x" * 999):
        browser = replace(MOVED, device=device)
        assert (await site.sign_in(browser=browser)).next_try_at is not None


async def test_known_devices_and_places_are_forgotten(site):
    first = await site.sign_in()
    site.clock.add(PLACE_LIFETIME.total_seconds() + 1)
    await guess(site, AFAR)
    assert (await site.sign_in()).next_try_at is not None
    device = replace(MOVED, device=first.device)
    again = await site.sign_in(browser=device)
    assert isinstance(again, SignedIn)
    site.clock.add(DEVICE_LIFETIME.total_seconds())
    await guess(site, AFAR)
    assert (await site.sign_in(browser=replace(AFAR, address="192.0.2.1", device=again.device))).next_try_at is not None
    await forget_sign_ins(site.services)
    assert await site.store.engine.fetch("SELECT * FROM sign_in_places") == []


async def test_a_device_keeps_its_name_and_is_known_only_after_the_second_step(site):
    secret, _ = await site.two_steps()
    half = await site.sign_in(browser=MOVED)
    assert half.device is None
    whole = await second_step(site.services, await site.there(half.token), site.code(secret, 30), MOVED)
    site.clock.add(60)
    half = await site.sign_in(browser=replace(MOVED, device=whole.device))
    known = replace(MOVED, device=whole.device)
    again = await second_step(site.services, await site.there(half.token), site.code(secret, 30), known)
    assert read_device(again.device)[0].id == read_device(whole.device)[0].id


async def test_nothing_of_a_device_or_an_address_is_kept_in_the_clear(site):
    begun = await site.sign_in()
    kept = repr([dict(row) for row in await site.store.engine.fetch("SELECT * FROM sign_in_places")])
    assert HERE.address not in kept
    assert begun.device not in repr(begun)
