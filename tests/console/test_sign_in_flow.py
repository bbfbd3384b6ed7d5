"""Signing in, guessing, the second step and sessions, in hand-turned time, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest

from maedal.app import open_gateway
from maedal.flows import manage_operators
from maedal.flows.sign_in import (
    Browser,
    NotSignedIn,
    SignedIn,
    forget_sign_ins,
    present,
    second_step,
    sign_in,
    sign_out,
)
from maedal.operators.actor import Actor
from maedal.operators.deed import DeedKind
from maedal.operators.role import Role
from maedal.operators.session import HALF_LIFETIME, IDLE, LIFETIME
from maedal.operators.tries import FORGOTTEN_AFTER, FREE, LONGEST_WAIT, Counted
from maedal.payments.errors import InvalidParameter
from maedal.settings import Settings
from maedal.vault import create_key_file
from tests.support.builders import NOW
from tests.support.clock import HandClock

SHELL = Actor("somebody (command line)")
HERE = Browser("203.0.113.7", "Firefox")
ELSEWHERE = Browser("198.51.100.2", "Safari")


class House:
    """The parts, a clock in the hand, and an owner."""

    def __init__(self, parts, clock, made):
        self.parts, self.clock, self.store = parts, clock, parts.store
        self.user, self.password = made.user, made.password

    async def sign_in(self, password=None, name="owner", browser=HERE):
        return await sign_in(self.parts, name, self.password if password is None else password, browser)

    async def there(self, token):
        return await present(self.parts, token)

    async def two_steps(self):
        """Turn the second step on; gives its secret and the recovery codes."""
        begun = await self.sign_in()
        secret, _, sealed = manage_operators.draw_second_step(self.parts, begun.user)
        _, codes = await manage_operators.turn_two_steps_on(
            self.parts, begun.user, begun.session, sealed, self.password, self.code(secret)
        )
        return secret, codes

    def code(self, secret, seconds=0):
        return pyotp.TOTP(secret).at(self.clock.now() + timedelta(seconds=seconds))


@pytest.fixture
async def house(database_url, tmp_path):
    create_key_file(tmp_path / "keys.json")
    settings = Settings(database_url=database_url, key_file=tmp_path / "keys.json", public_url="http://gateway.test")
    clock = HandClock(NOW, running=True)
    async with open_gateway(settings, clock=clock) as gateway:
        made = await manage_operators.create_operator(gateway.parts, "owner", Role.OWNER, SHELL)
        yield House(gateway.parts, clock, made)


async def test_the_right_password_begins_a_session(house):
    begun = await house.sign_in()
    assert isinstance(begun, SignedIn)
    there = await house.there(begun.token)
    assert there.user.name == "owner"
    assert there.session.address == HERE.address


async def test_a_name_is_the_same_however_it_is_capitalised(house):
    assert isinstance(await house.sign_in(name="OWNER"), SignedIn)
    with pytest.raises(InvalidParameter, match="there is a user"):
        await manage_operators.create_operator(house.parts, "Owner", Role.ADMIN, SHELL)


async def test_a_wrong_password_and_an_unknown_name_are_answered_alike(house):
    assert await house.sign_in("wrong") == await house.sign_in(name="nobody") == NotSignedIn()


async def test_every_sign_in_has_a_token_of_its_own_and_none_is_kept_in_the_clear(house):
    one, other = await house.sign_in(), await house.sign_in()
    assert one.token != other.token
    rows = await house.store.engine.fetch("SELECT * FROM sessions")
    kept = repr([dict(row) for row in rows])
    assert one.token not in kept
    assert other.token not in kept


async def test_a_password_is_kept_as_argon2id(house):
    assert house.user.password_hash.startswith("$argon2id$")
    assert house.password not in house.user.password_hash


async def test_five_failures_make_the_sixth_wait_however_right_it_is(house):
    for _ in range(FREE[Counted.ACCOUNT]):
        assert await house.sign_in("wrong") == NotSignedIn()
    assert await house.sign_in() == NotSignedIn(house.clock.now() + timedelta(seconds=30))
    house.clock.add(29)
    assert isinstance(await house.sign_in(), NotSignedIn)
    house.clock.add(1)
    assert isinstance(await house.sign_in(), SignedIn)


async def test_each_further_failure_doubles_the_wait_up_to_a_bound(house):
    waits = []
    for _ in range(FREE[Counted.ACCOUNT]):
        await house.sign_in("wrong")
    for _ in range(8):
        refused = await house.sign_in("wrong")
        waits.append((refused.next_try_at - house.clock.now()).total_seconds())
        house.clock.add(waits[-1])
        assert await house.sign_in("wrong") == NotSignedIn()
    longest = LONGEST_WAIT.total_seconds()
    assert waits == [30, 60, 120, 240, 480, longest, longest, longest]


async def test_who_waits_is_not_counted_again(house):
    for _ in range(FREE[Counted.ACCOUNT]):
        await house.sign_in("wrong")
    until = (await house.sign_in("wrong")).next_try_at
    house.clock.add(10)
    assert (await house.sign_in("wrong")).next_try_at == until


async def test_an_unknown_name_waits_as_a_known_one_does(house):
    for _ in range(FREE[Counted.ACCOUNT]):
        await house.sign_in("wrong", name="nobody")
    assert (await house.sign_in(name="nobody")).next_try_at is not None
    assert isinstance(await house.sign_in(), SignedIn)


async def test_an_address_that_guesses_at_many_names_waits_for_all_of_them(house):
    for number in range(FREE[Counted.ADDRESS]):
        assert await house.sign_in("wrong", name=f"name{number}") == NotSignedIn()
    assert (await house.sign_in()).next_try_at is not None
    assert isinstance(await house.sign_in(browser=ELSEWHERE), SignedIn)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("203.0.113.7", "::ffff:203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("-", "-", True),
    ],
)
async def test_an_address_is_what_one_customer_of_a_network_has(house, one, other, same):
    for number in range(FREE[Counted.ADDRESS]):
        await house.sign_in("wrong", name=f"name{number}", browser=Browser(one, ""))
    answer = await house.sign_in(browser=Browser(other, ""))
    assert isinstance(answer, NotSignedIn) is same


async def test_one_good_account_does_not_wipe_out_what_its_address_guessed_at(house):
    for number in range(FREE[Counted.ADDRESS] - 1):
        await house.sign_in("wrong", name=f"name{number}")
        assert isinstance(await house.sign_in(), SignedIn)
    await house.sign_in("wrong", name="last")
    assert (await house.sign_in()).next_try_at is not None


async def test_success_forgets_the_failures_of_the_account(house):
    for _ in range(FREE[Counted.ACCOUNT] - 1):
        await house.sign_in("wrong")
    assert isinstance(await house.sign_in(), SignedIn)
    assert await house.sign_in("wrong") == NotSignedIn()
    assert isinstance(await house.sign_in(), SignedIn)


async def test_failures_are_forgotten_after_a_day(house):
    for _ in range(FREE[Counted.ACCOUNT] - 1):
        await house.sign_in("wrong")
    house.clock.add(FORGOTTEN_AFTER.total_seconds() + 1)
    assert await house.sign_in("wrong") == NotSignedIn()
    assert await house.sign_in("wrong") == NotSignedIn()


async def test_a_session_that_is_not_used_ends(house):
    token = (await house.sign_in()).token
    house.clock.add(IDLE.total_seconds() - 1)
    assert await house.there(token) is not None
    house.clock.add(IDLE.total_seconds() - 1)
    assert await house.there(token) is not None
    house.clock.add(IDLE.total_seconds())
    assert await house.there(token) is None


async def test_a_session_that_is_used_all_the_time_ends_after_its_lifetime(house):
    token = (await house.sign_in()).token
    steps = int(LIFETIME / IDLE) * 2
    for _ in range(steps - 1):
        house.clock.add(IDLE.total_seconds() / 2)
        assert await house.there(token) is not None
    house.clock.add(IDLE.total_seconds() / 2)
    assert await house.there(token) is None


async def test_what_is_over_is_forgotten_by_the_worker(house):
    await house.sign_in()
    await house.sign_in("wrong")
    assert await forget_sign_ins(house.parts) == 0
    house.clock.add(timedelta(days=2).total_seconds())
    assert await forget_sign_ins(house.parts) == 1
    assert await house.store.engine.fetch("SELECT * FROM sign_in_tries") == []


async def test_signing_out_ends_this_session_and_no_other(house):
    one, other = await house.sign_in(), await house.sign_in(browser=ELSEWHERE)
    await sign_out(house.parts, await house.there(one.token))
    assert await house.there(one.token) is None
    assert await house.there(other.token) is not None


@pytest.mark.parametrize("token", [None, "", "wrong", "x" * 101, "한글"])
async def test_a_wrong_token_is_nobody(house, token):
    assert await house.there(token) is None


async def test_a_new_password_of_ones_own_ends_the_other_sessions(house):
    one, other = await house.sign_in(), await house.sign_in(browser=ELSEWHERE)
    await manage_operators.change_password(house.parts, one.user, one.session, house.password, "correct horse battery")
    assert await house.there(one.token) is not None
    assert await house.there(other.token) is None
    assert await house.sign_in() == NotSignedIn()
    assert isinstance(await house.sign_in("correct horse battery"), SignedIn)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("wrong", "correct horse battery", "current"),
        (None, "short", "password"),
        (None, "x" * 129, "password"),
        (None, "aaaaaaaaaaaaaaaa", "password"),
        (None, "my name is OWNER!", "password"),
        (None, "with\0nothing in it", "password"),
    ],
)
async def test_a_password_that_is_no_good_changes_nothing(house, old, new, field):
    begun = await house.sign_in()
    with pytest.raises(InvalidParameter) as refused:
        await manage_operators.change_password(house.parts, begun.user, begun.session, old or house.password, new)
    assert refused.value.field == field
    assert isinstance(await house.sign_in(), SignedIn)


async def test_a_disabled_user_is_gone_at_once_and_cannot_come_back(house):
    made = await manage_operators.create_operator(house.parts, "minji", Role.ADMIN, SHELL)
    begun = await house.sign_in(made.password, "minji")
    user = await manage_operators.disable(house.parts, made.user, SHELL)
    assert await house.there(begun.token) is None
    assert await house.sign_in(made.password, "minji") == NotSignedIn()
    await manage_operators.enable(house.parts, user, SHELL)
    assert isinstance(await house.sign_in(made.password, "minji"), SignedIn)


async def test_a_role_that_is_taken_away_is_gone_in_open_sessions_too(house):
    made = await manage_operators.create_operator(house.parts, "minji", Role.ADMIN, SHELL)
    begun = await house.sign_in(made.password, "minji")
    await manage_operators.change_role(house.parts, made.user, Role.READ_ONLY, SHELL)
    assert (await house.there(begun.token)).user.role is Role.READ_ONLY


async def test_somebody_must_stay_owner(house):
    with pytest.raises(InvalidParameter, match="somebody must stay owner"):
        await manage_operators.change_role(house.parts, house.user, Role.ADMIN, SHELL)
    with pytest.raises(InvalidParameter, match="somebody must stay owner"):
        await manage_operators.disable(house.parts, house.user, SHELL)
    other = await manage_operators.create_operator(house.parts, "second", Role.OWNER, SHELL)
    await manage_operators.disable(house.parts, house.user, SHELL)
    with pytest.raises(InvalidParameter, match="somebody must stay owner"):
        await manage_operators.disable(house.parts, other.user, SHELL)


async def test_an_admin_makes_and_changes_no_owner(house):
    admin = Actor("minji", Role.ADMIN)
    for deed in (
        manage_operators.create_operator(house.parts, "mine", Role.OWNER, admin),
        manage_operators.change_role(house.parts, house.user, Role.ADMIN, admin),
        manage_operators.disable(house.parts, house.user, admin),
        manage_operators.reset_password(house.parts, house.user, admin),
        manage_operators.remove_second_step(house.parts, house.user, admin),
        manage_operators.end_sessions(house.parts, house.user, None, admin),
    ):
        with pytest.raises(InvalidParameter, match="owners alone"):
            await deed
    made = await manage_operators.create_operator(house.parts, "mine", Role.DEVELOPER, admin)
    with pytest.raises(InvalidParameter, match="owners alone"):
        await manage_operators.change_role(house.parts, made.user, Role.OWNER, admin)


async def test_two_who_change_a_user_at_once_do_not_undo_each_other(house):
    made = await manage_operators.create_operator(house.parts, "minji", Role.ADMIN, SHELL)
    await manage_operators.change_role(house.parts, made.user, Role.MANAGER, SHELL)
    with pytest.raises(InvalidParameter, match="changed by somebody else"):
        await manage_operators.change_role(house.parts, made.user, Role.DEVELOPER, SHELL)
    assert (await house.store.user(made.user.id)).role is Role.MANAGER


async def test_a_sign_in_that_overlaps_a_change_of_password_begins_nothing(house):
    class Slow:
        """Checks the password, and is then overtaken by a new one."""

        async def matches(self, password_hash, password):
            right = await house.parts.passwords.matches(password_hash, password)
            await manage_operators.reset_password(house.parts, house.user, SHELL)
            return right

    assert await sign_in(replace(house.parts, passwords=Slow()), "owner", house.password, HERE) == NotSignedIn()
    assert await house.store.sessions(house.user.id) == []


# -- the second step


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
    assert await house.store.recovery_codes_left(house.user.id) == 10
    spelt = codes[3].upper().replace("-", " ")
    assert isinstance(await second_step(house.parts, await _half(house), spelt, HERE), SignedIn)
    assert await second_step(house.parts, await _half(house), codes[3], HERE) == NotSignedIn()
    assert await house.store.recovery_codes_left(house.user.id) == 9


async def test_new_recovery_codes_end_the_old_ones(house):
    secret, old = await house.two_steps()
    user = await house.store.user(house.user.id)
    house.clock.add(60)
    new = await manage_operators.new_recovery_codes(house.parts, user, house.password, house.code(secret))
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
    secret, address, sealed = manage_operators.draw_second_step(house.parts, begun.user)
    assert address.startswith("otpauth://totp/maedal:owner?secret=")
    for password, code, field in (("wrong", house.code(secret), "current"), (house.password, "000000", "code")):
        with pytest.raises(InvalidParameter) as refused:
            await manage_operators.turn_two_steps_on(house.parts, begun.user, begun.session, sealed, password, code)
        assert refused.value.field == field
    assert not (await house.store.user(house.user.id)).two_steps


async def test_a_secret_drawn_for_somebody_else_is_not_taken(house):
    begun = await house.sign_in()
    other = await manage_operators.create_operator(house.parts, "minji", Role.ADMIN, SHELL)
    secret, _, sealed = manage_operators.draw_second_step(house.parts, other.user)
    with pytest.raises(InvalidParameter, match="begin anew"):
        await manage_operators.turn_two_steps_on(
            house.parts, begun.user, begun.session, sealed, house.password, house.code(secret)
        )


async def test_the_second_step_is_turned_off_with_both(house):
    secret, _ = await house.two_steps()
    user = await house.store.user(house.user.id)
    house.clock.add(60)
    with pytest.raises(InvalidParameter):
        await manage_operators.turn_two_steps_off(house.parts, user, house.password, "000000")
    await manage_operators.turn_two_steps_off(house.parts, user, house.password, house.code(secret))
    assert not (await house.sign_in()).session.half
    assert await house.store.recovery_codes_left(user.id) == 0


async def test_what_is_done_about_users_is_kept_and_cannot_be_changed(house):
    house.clock.add(1)
    made = await manage_operators.create_operator(house.parts, "minji", Role.ADMIN, Actor("owner", Role.OWNER))
    house.clock.add(1)
    await manage_operators.change_role(house.parts, made.user, Role.MANAGER, SHELL)
    house.clock.add(1)
    begun = await house.sign_in(made.password, "minji")
    newest = await house.store.deeds(3)
    assert [(d.kind, d.subject, d.who, d.before, d.after) for d in newest] == [
        (DeedKind.SIGN_IN, "minji", "minji", "", f"address={HERE.address}"),
        (DeedKind.CHANGE_ROLE, "minji", SHELL.name, "role=admin", "role=manager"),
        (DeedKind.CREATE_USER, "minji", "owner", "", "role=admin"),
    ]
    everything = repr(await house.store.deeds(100))
    assert made.password not in everything
    assert begun.token not in everything
    for change in ("UPDATE user_log SET who = 'nobody'", "DELETE FROM user_log"):
        with pytest.raises(Exception, match=r"append-only|did not answer"):
            await house.store.engine.fetch(change)


async def _half(house):
    begun = await house.sign_in()
    assert begun.session.half
    return await house.there(begun.token)
