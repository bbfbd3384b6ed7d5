"""The second step of signing in, in hand-turned time, on both databases."""

from __future__ import annotations

import pytest

from maedal.flows import manage_operators
from maedal.flows.demand_second_step import demand_second_step
from maedal.flows.sign_in import (
    NotSignedIn,
    SignedIn,
    second_step,
)
from maedal.operators.actor import Actor
from maedal.operators.operator import Owed
from maedal.operators.operator_audit_entry import OperatorAuditAction
from maedal.operators.role import Role
from maedal.operators.session import HALF_LIFETIME
from maedal.operators.tries import FREE, Counted
from maedal.payments.errors import InvalidParameter
from tests.console.operators.flows.conftest import HERE, SHELL


async def test_with_a_second_step_the_password_alone_opens_nothing(site):
    secret, _ = await site.two_steps()
    half = await site.sign_in()
    assert half.session.half
    there = await site.there(half.token)
    site.clock.add(30)
    begun = await second_step(site.services, there, site.code(secret), HERE)
    assert isinstance(begun, SignedIn)
    assert not begun.session.half
    assert begun.token != half.token
    assert await site.there(half.token) is None
    assert not (await site.there(begun.token)).session.half


async def test_a_code_counts_once(site):
    secret, _ = await site.two_steps()
    site.clock.add(60)
    code = site.code(secret)
    assert isinstance(await second_step(site.services, await _half(site), code, HERE), SignedIn)
    assert await second_step(site.services, await _half(site), code, HERE) == NotSignedIn()


@pytest.mark.parametrize(("seconds", "good"), [(-60, False), (-30, True), (30, True), (60, False)])
async def test_a_code_of_the_step_before_or_after_is_taken(site, seconds, good):
    secret, _ = await site.two_steps()
    site.clock.add(300)
    answer = await second_step(site.services, await _half(site), site.code(secret, seconds), HERE)
    assert isinstance(answer, SignedIn) is good


async def test_a_recovery_code_stands_for_a_code_once(site):
    _, codes = await site.two_steps()
    assert len(set(codes)) == 10
    assert await site.store.operators.recovery_codes_left(site.operator.id) == 10
    spelt = codes[3].upper().replace("-", " ")
    assert isinstance(await second_step(site.services, await _half(site), spelt, HERE), SignedIn)
    assert await second_step(site.services, await _half(site), codes[3], HERE) == NotSignedIn()
    assert await site.store.operators.recovery_codes_left(site.operator.id) == 9


async def test_new_recovery_codes_end_the_old_ones(site):
    secret, old = await site.two_steps()
    operator, session = await _whole(site, secret)
    new = await manage_operators.new_recovery_codes(site.services, operator, session, site.password, site.code(secret))
    assert not set(new) & set(old)
    assert await second_step(site.services, await _half(site), old[0], HERE) == NotSignedIn()
    assert isinstance(await second_step(site.services, await _half(site), new[0], HERE), SignedIn)


async def test_guessing_codes_waits_as_guessing_passwords_does(site):
    await site.two_steps()
    half = await _half(site)
    answers = [await second_step(site.services, half, "000000", HERE) for _ in range(5)]
    assert answers[0] == NotSignedIn()
    assert answers[-1].next_try_at is not None
    # And signing in with the password anew does not give new guesses.
    assert (await site.sign_in()).next_try_at is not None


async def test_a_half_session_lasts_minutes(site):
    await site.two_steps()
    half = await site.sign_in()
    site.clock.add(HALF_LIFETIME.total_seconds())
    assert await site.there(half.token) is None


async def test_the_second_step_begins_with_a_right_code_and_the_password(site):
    begun = await site.sign_in()
    secret, address, sealed = manage_operators.draw_second_step(site.services, begun.operator)
    assert address.startswith("otpauth://totp/maedal:owner?secret=")
    for password, code, field in (("wrong", site.code(secret), "current"), (site.password, "000000", "code")):
        with pytest.raises(InvalidParameter) as refused:
            await manage_operators.turn_two_steps_on(
                site.services, begun.operator, begun.session, sealed, password, code
            )
        assert refused.value.field == field
    assert not (await site.store.operators.find(site.operator.id)).two_steps


async def test_a_secret_drawn_for_somebody_else_is_not_taken(site):
    begun = await site.sign_in()
    other = await manage_operators.create_operator(site.services, "minji", Role.ADMIN, SHELL)
    secret, _, sealed = manage_operators.draw_second_step(site.services, other.operator)
    with pytest.raises(InvalidParameter, match="begin anew"):
        await manage_operators.turn_two_steps_on(
            site.services, begun.operator, begun.session, sealed, site.password, site.code(secret)
        )


async def test_the_second_step_is_turned_off_with_both(site):
    secret, _ = await site.two_steps()
    operator, session = await _whole(site, secret)
    with pytest.raises(InvalidParameter):
        await manage_operators.turn_two_steps_off(site.services, operator, session, site.password, "000000")
    await manage_operators.turn_two_steps_off(site.services, operator, session, site.password, site.code(secret))
    assert not (await site.sign_in()).session.half
    assert await site.store.operators.recovery_codes_left(operator.id) == 0


async def _half(site):
    begun = await site.sign_in()
    assert begun.session.half
    return await site.there(begun.token)


async def _whole(site, secret):
    """Give the operator and a whole session, at a time whose code has not been used."""
    site.clock.add(60)
    begun = await second_step(site.services, await _half(site), site.code(secret), HERE)
    site.clock.add(60)
    return begun.operator, begun.session


async def test_the_code_that_set_it_up_is_used_up_with_that(site):
    secret, _ = await site.two_steps()
    half = await _half(site)
    for seconds in (0, -30):
        assert await second_step(site.services, half, site.code(secret, seconds), HERE) == NotSignedIn()
    assert isinstance(await second_step(site.services, half, site.code(secret, 30), HERE), SignedIn)


async def test_an_open_session_does_not_guess_the_password_without_end(site):
    begun = await site.sign_in()
    args = (site.services, begun.operator, begun.session)
    for _ in range(FREE[Counted.SESSION]):
        with pytest.raises(InvalidParameter, match="the present password is wrong"):
            await manage_operators.change_password(*args, "wrong", "an entirely new one")
    with pytest.raises(InvalidParameter, match="try again in 30 seconds"):
        await manage_operators.change_password(*args, site.password, "an entirely new one")
    # The owner's other sessions and the door are not touched by it.
    other = await site.sign_in()
    await manage_operators.confirm_password(site.services, other.operator, other.session, site.password)
    site.clock.add(30)
    await manage_operators.change_password(*args, site.password, "an entirely new one")


async def test_an_open_session_does_not_guess_codes_without_end_either(site):
    secret, _ = await site.two_steps()
    operator, session = await _whole(site, secret)
    for _ in range(FREE[Counted.SESSION]):
        with pytest.raises(InvalidParameter, match="the code is wrong"):
            await manage_operators.turn_two_steps_off(site.services, operator, session, site.password, "000000")
    with pytest.raises(InvalidParameter, match="try again in"):
        await manage_operators.turn_two_steps_off(site.services, operator, session, site.password, site.code(secret))


async def test_an_owner_demands_the_second_step_of_a_role_and_nobody_else_does(site):
    begun = await site.sign_in()
    assert begun.operator.owes() is None
    with pytest.raises(InvalidParameter, match="an owner alone"):
        await demand_second_step(site.services, frozenset(Role), Actor("minji", Role.ADMIN))
    await demand_second_step(site.services, frozenset({Role.OWNER}), Actor("owner", Role.OWNER))
    there = await site.there(begun.token)
    assert there.operator.owes() is Owed.SECOND_STEP
    secret, _, sealed = manage_operators.draw_second_step(site.services, there.operator)
    operator, _ = await manage_operators.turn_two_steps_on(
        site.services, there.operator, there.session, sealed, site.password, site.code(secret)
    )
    assert operator.owes() is None
    with pytest.raises(InvalidParameter, match="an owner demands"):
        await manage_operators.turn_two_steps_off(
            site.services, operator, there.session, site.password, site.code(secret)
        )
    await demand_second_step(site.services, frozenset(), Actor("owner", Role.OWNER))
    assert await site.store.operators.second_step_roles() == frozenset()
    entries = await site.store.audit.operator_entries(20)
    demanded = {(e.before, e.after) for e in entries if e.kind is OperatorAuditAction.DEMAND_SECOND_STEP}
    assert demanded == {("roles=", "roles=owner"), ("roles=owner", "roles=")}
