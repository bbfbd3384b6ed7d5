"""The second step of signing in, in hand-turned time, on both databases."""

from __future__ import annotations

import pytest

from maedal.flows import keep_users
from maedal.flows.sign_in import (
    NotSignedIn,
    SignedIn,
    second_step,
)
from maedal.operators.role import Role
from maedal.operators.session import HALF_LIFETIME
from maedal.payments.errors import InvalidParameter
from tests.console.operators.flows.conftest import HERE, SHELL


async def test_with_a_second_step_the_password_alone_opens_nothing(house):
    secret, _ = await house.two_steps()
    half = await house.sign_in()
    assert half.session.half
    there = await house.there(half.token)
    house.clock.add(30)
    begun = await second_step(house.parts, there, house.code(secret), HERE)
    assert isinstance(begun, SignedIn)
    assert not begun.session.half
    assert begun.token != half.token
    assert await house.there(half.token) is None
    assert not (await house.there(begun.token)).session.half


async def test_a_code_counts_once(house):
    secret, _ = await house.two_steps()
    house.clock.add(60)
    code = house.code(secret)
    assert isinstance(await second_step(house.parts, await _half(house), code, HERE), SignedIn)
    assert await second_step(house.parts, await _half(house), code, HERE) == NotSignedIn()


@pytest.mark.parametrize(("seconds", "good"), [(-60, False), (-30, True), (30, True), (60, False)])
async def test_a_code_of_the_step_before_or_after_is_taken(house, seconds, good):
    secret, _ = await house.two_steps()
    house.clock.add(300)
    answer = await second_step(house.parts, await _half(house), house.code(secret, seconds), HERE)
    assert isinstance(answer, SignedIn) is good


async def test_a_recovery_code_stands_for_a_code_once(house):
    _, codes = await house.two_steps()
    assert len(set(codes)) == 10
    assert await house.store.operators.recovery_codes_left(house.user.id) == 10
    spelt = codes[3].upper().replace("-", " ")
    assert isinstance(await second_step(house.parts, await _half(house), spelt, HERE), SignedIn)
    assert await second_step(house.parts, await _half(house), codes[3], HERE) == NotSignedIn()
    assert await house.store.operators.recovery_codes_left(house.user.id) == 9


async def test_new_recovery_codes_end_the_old_ones(house):
    secret, old = await house.two_steps()
    user = await house.store.operators.find(house.user.id)
    house.clock.add(60)
    new = await keep_users.new_recovery_codes(house.parts, user, house.password, house.code(secret))
    assert not set(new) & set(old)
    assert await second_step(house.parts, await _half(house), old[0], HERE) == NotSignedIn()
    assert isinstance(await second_step(house.parts, await _half(house), new[0], HERE), SignedIn)


async def test_guessing_codes_waits_as_guessing_passwords_does(house):
    await house.two_steps()
    half = await _half(house)
    answers = [await second_step(house.parts, half, "000000", HERE) for _ in range(5)]
    assert answers[0] == NotSignedIn()
    assert answers[-1].next_try_at is not None
    # And signing in with the password anew does not give new guesses.
    assert (await house.sign_in()).next_try_at is not None


async def test_a_half_session_lasts_minutes(house):
    await house.two_steps()
    half = await house.sign_in()
    house.clock.add(HALF_LIFETIME.total_seconds())
    assert await house.there(half.token) is None


async def test_the_second_step_begins_with_a_right_code_and_the_password(house):
    begun = await house.sign_in()
    secret, address, sealed = keep_users.draw_second_step(house.parts, begun.user)
    assert address.startswith("otpauth://totp/maedal:owner?secret=")
    for password, code, field in (("wrong", house.code(secret), "current"), (house.password, "000000", "code")):
        with pytest.raises(InvalidParameter) as refused:
            await keep_users.turn_two_steps_on(house.parts, begun.user, begun.session, sealed, password, code)
        assert refused.value.field == field
    assert not (await house.store.operators.find(house.user.id)).two_steps


async def test_a_secret_drawn_for_somebody_else_is_not_taken(house):
    begun = await house.sign_in()
    other = await keep_users.create_user(house.parts, "minji", Role.ADMIN, SHELL)
    secret, _, sealed = keep_users.draw_second_step(house.parts, other.user)
    with pytest.raises(InvalidParameter, match="begin anew"):
        await keep_users.turn_two_steps_on(
            house.parts, begun.user, begun.session, sealed, house.password, house.code(secret)
        )


async def test_the_second_step_is_turned_off_with_both(house):
    secret, _ = await house.two_steps()
    user = await house.store.operators.find(house.user.id)
    house.clock.add(60)
    with pytest.raises(InvalidParameter):
        await keep_users.turn_two_steps_off(house.parts, user, house.password, "000000")
    await keep_users.turn_two_steps_off(house.parts, user, house.password, house.code(secret))
    assert not (await house.sign_in()).session.half
    assert await house.store.operators.recovery_codes_left(user.id) == 0


async def _half(house):
    begun = await house.sign_in()
    assert begun.session.half
    return await house.there(begun.token)
