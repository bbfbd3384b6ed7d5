"""Signing in, guessing and sessions, in hand-turned time, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from maedal.flows import keep_users
from maedal.flows.sign_in import (
    Browser,
    NotSignedIn,
    SignedIn,
    forget_sign_ins,
    sign_in,
    sign_out,
)
from maedal.operators.author import Author
from maedal.operators.deed import DeedKind
from maedal.operators.role import Role
from maedal.operators.session import IDLE, LIFETIME
from maedal.operators.tries import FORGOTTEN_AFTER, FREE, LONGEST_WAIT, Counted
from maedal.payments.errors import InvalidParameter
from tests.console.operators.flows.conftest import ELSEWHERE, HERE, SHELL


async def test_the_right_password_begins_a_session(house):
    begun = await house.sign_in()
    assert isinstance(begun, SignedIn)
    there = await house.there(begun.token)
    assert there.user.name == "owner"
    assert there.session.address == HERE.address


async def test_a_name_is_the_same_however_it_is_capitalised(house):
    assert isinstance(await house.sign_in(name="OWNER"), SignedIn)
    with pytest.raises(InvalidParameter, match="there is a user"):
        await keep_users.create_user(house.parts, "Owner", Role.ADMIN, SHELL)


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
    await keep_users.choose_password(house.parts, one.user, one.session, house.password, "correct horse battery")
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
        await keep_users.choose_password(house.parts, begun.user, begun.session, old or house.password, new)
    assert refused.value.field == field
    assert isinstance(await house.sign_in(), SignedIn)


async def test_a_disabled_user_is_gone_at_once_and_cannot_come_back(house):
    made = await keep_users.create_user(house.parts, "minji", Role.ADMIN, SHELL)
    begun = await house.sign_in(made.password, "minji")
    user = await keep_users.disable(house.parts, made.user, SHELL)
    assert await house.there(begun.token) is None
    assert await house.sign_in(made.password, "minji") == NotSignedIn()
    await keep_users.enable(house.parts, user, SHELL)
    assert isinstance(await house.sign_in(made.password, "minji"), SignedIn)


async def test_a_role_that_is_taken_away_is_gone_in_open_sessions_too(house):
    made = await keep_users.create_user(house.parts, "minji", Role.ADMIN, SHELL)
    begun = await house.sign_in(made.password, "minji")
    await keep_users.change_role(house.parts, made.user, Role.READ_ONLY, SHELL)
    assert (await house.there(begun.token)).user.role is Role.READ_ONLY


async def test_somebody_must_stay_owner(house):
    with pytest.raises(InvalidParameter, match="somebody must stay owner"):
        await keep_users.change_role(house.parts, house.user, Role.ADMIN, SHELL)
    with pytest.raises(InvalidParameter, match="somebody must stay owner"):
        await keep_users.disable(house.parts, house.user, SHELL)
    other = await keep_users.create_user(house.parts, "second", Role.OWNER, SHELL)
    await keep_users.disable(house.parts, house.user, SHELL)
    with pytest.raises(InvalidParameter, match="somebody must stay owner"):
        await keep_users.disable(house.parts, other.user, SHELL)


async def test_an_admin_makes_and_changes_no_owner(house):
    admin = Author("minji", Role.ADMIN)
    for deed in (
        keep_users.create_user(house.parts, "mine", Role.OWNER, admin),
        keep_users.change_role(house.parts, house.user, Role.ADMIN, admin),
        keep_users.disable(house.parts, house.user, admin),
        keep_users.give_password(house.parts, house.user, admin),
        keep_users.take_second_step_away(house.parts, house.user, admin),
        keep_users.end_sessions(house.parts, house.user, None, admin),
    ):
        with pytest.raises(InvalidParameter, match="owners alone"):
            await deed
    made = await keep_users.create_user(house.parts, "mine", Role.DEVELOPER, admin)
    with pytest.raises(InvalidParameter, match="owners alone"):
        await keep_users.change_role(house.parts, made.user, Role.OWNER, admin)


async def test_two_who_change_a_user_at_once_do_not_undo_each_other(house):
    made = await keep_users.create_user(house.parts, "minji", Role.ADMIN, SHELL)
    await keep_users.change_role(house.parts, made.user, Role.MANAGER, SHELL)
    with pytest.raises(InvalidParameter, match="changed by somebody else"):
        await keep_users.change_role(house.parts, made.user, Role.DEVELOPER, SHELL)
    assert (await house.store.operators.find(made.user.id)).role is Role.MANAGER


async def test_a_sign_in_that_overlaps_a_change_of_password_begins_nothing(house):
    class Slow:
        """Checks the password, and is then overtaken by a new one."""

        async def matches(self, password_hash, password):
            right = await house.parts.passwords.matches(password_hash, password)
            await keep_users.give_password(house.parts, house.user, SHELL)
            return right

    assert await sign_in(replace(house.parts, passwords=Slow()), "owner", house.password, HERE) == NotSignedIn()
    assert await house.store.operators.sessions(house.user.id) == []


# -- the second step


async def test_what_is_done_about_users_is_kept_and_cannot_be_changed(house):
    house.clock.add(1)
    made = await keep_users.create_user(house.parts, "minji", Role.ADMIN, Author("owner", Role.OWNER))
    house.clock.add(1)
    await keep_users.change_role(house.parts, made.user, Role.MANAGER, SHELL)
    house.clock.add(1)
    begun = await house.sign_in(made.password, "minji")
    newest = await house.store.audit.deeds(3)
    assert [(d.kind, d.subject, d.who, d.before, d.after) for d in newest] == [
        (DeedKind.SIGN_IN, "minji", "minji", "", f"address={HERE.address}"),
        (DeedKind.CHANGE_ROLE, "minji", SHELL.name, "role=admin", "role=manager"),
        (DeedKind.CREATE_USER, "minji", "owner", "", "role=admin"),
    ]
    everything = repr(await house.store.audit.deeds(100))
    assert made.password not in everything
    assert begun.token not in everything
    for change in ("UPDATE user_log SET who = 'nobody'", "DELETE FROM user_log"):
        with pytest.raises(Exception, match=r"append-only|did not answer"):
            await house.store.engine.fetch(change)
