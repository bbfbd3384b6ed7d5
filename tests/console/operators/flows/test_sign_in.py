"""Signing in, guessing and sessions, in hand-turned time, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from maedal.flows import manage_operators
from maedal.flows.sign_in import (
    Browser,
    NotSignedIn,
    SignedIn,
    forget_sign_ins,
    sign_in,
    sign_out,
)
from maedal.operators.actor import Actor
from maedal.operators.operator_audit_entry import OperatorAuditAction
from maedal.operators.role import Role
from maedal.operators.session import IDLE, LIFETIME
from maedal.operators.tries import FORGOTTEN_AFTER, FREE, LONGEST_WAIT, Counted
from maedal.payments.errors import InvalidParameter
from tests.console.operators.flows.conftest import HERE, IN_ANOTHER_BROWSER, SHELL


async def test_the_right_password_begins_a_session(site):
    begun = await site.sign_in()
    assert isinstance(begun, SignedIn)
    there = await site.there(begun.token)
    assert there.operator.name == "owner"
    assert there.session.address == HERE.address


async def test_a_name_is_the_same_however_it_is_capitalised(site):
    assert isinstance(await site.sign_in(name="OWNER"), SignedIn)
    with pytest.raises(InvalidParameter, match="there is a user"):
        await manage_operators.create_operator(site.services, "Owner", Role.ADMIN, SHELL)


async def test_a_wrong_password_and_an_unknown_name_are_answered_alike(site):
    assert await site.sign_in("wrong") == await site.sign_in(name="nobody") == NotSignedIn()


async def test_every_sign_in_has_a_token_of_its_own_and_none_is_kept_in_the_clear(site):
    one, other = await site.sign_in(), await site.sign_in()
    assert one.token != other.token
    rows = await site.store.engine.fetch("SELECT * FROM sessions")
    kept = repr([dict(row) for row in rows])
    assert one.token not in kept
    assert other.token not in kept


async def test_a_password_is_kept_as_argon2id(site):
    assert site.operator.password_hash.startswith("$argon2id$")
    assert site.password not in site.operator.password_hash


async def test_five_failures_make_the_sixth_wait_however_right_it_is(site):
    for _ in range(FREE[Counted.ACCOUNT]):
        assert await site.sign_in("wrong") == NotSignedIn()
    assert await site.sign_in() == NotSignedIn(site.clock.now() + timedelta(seconds=30))
    site.clock.add(29)
    assert isinstance(await site.sign_in(), NotSignedIn)
    site.clock.add(1)
    assert isinstance(await site.sign_in(), SignedIn)


async def test_each_further_failure_doubles_the_wait_up_to_a_bound(site):
    waits = []
    for _ in range(FREE[Counted.ACCOUNT]):
        await site.sign_in("wrong")
    for _ in range(8):
        refused = await site.sign_in("wrong")
        waits.append((refused.next_try_at - site.clock.now()).total_seconds())
        site.clock.add(waits[-1])
        assert await site.sign_in("wrong") == NotSignedIn()
    longest = LONGEST_WAIT.total_seconds()
    assert waits == [30, 60, 120, 240, 480, longest, longest, longest]


async def test_who_waits_is_not_counted_again(site):
    for _ in range(FREE[Counted.ACCOUNT]):
        await site.sign_in("wrong")
    until = (await site.sign_in("wrong")).next_try_at
    site.clock.add(10)
    assert (await site.sign_in("wrong")).next_try_at == until


async def test_an_unknown_name_waits_as_a_known_one_does(site):
    for _ in range(FREE[Counted.ACCOUNT]):
        await site.sign_in("wrong", name="nobody")
    assert (await site.sign_in(name="nobody")).next_try_at is not None
    assert isinstance(await site.sign_in(), SignedIn)


async def test_an_address_that_guesses_at_many_names_waits_for_all_of_them(site):
    for number in range(FREE[Counted.ADDRESS]):
        assert await site.sign_in("wrong", name=f"name{number}") == NotSignedIn()
    assert (await site.sign_in()).next_try_at is not None
    assert isinstance(await site.sign_in(browser=IN_ANOTHER_BROWSER), SignedIn)


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
async def test_an_address_is_what_one_customer_of_a_network_has(site, one, other, same):
    for number in range(FREE[Counted.ADDRESS]):
        await site.sign_in("wrong", name=f"name{number}", browser=Browser(one, ""))
    answer = await site.sign_in(browser=Browser(other, ""))
    assert isinstance(answer, NotSignedIn) is same


async def test_one_good_account_does_not_wipe_out_what_its_address_guessed_at(site):
    for number in range(FREE[Counted.ADDRESS] - 1):
        await site.sign_in("wrong", name=f"name{number}")
        assert isinstance(await site.sign_in(), SignedIn)
    await site.sign_in("wrong", name="last")
    assert (await site.sign_in()).next_try_at is not None


async def test_success_forgets_the_failures_of_the_account(site):
    for _ in range(FREE[Counted.ACCOUNT] - 1):
        await site.sign_in("wrong")
    assert isinstance(await site.sign_in(), SignedIn)
    assert await site.sign_in("wrong") == NotSignedIn()
    assert isinstance(await site.sign_in(), SignedIn)


async def test_failures_are_forgotten_after_a_day(site):
    for _ in range(FREE[Counted.ACCOUNT] - 1):
        await site.sign_in("wrong")
    site.clock.add(FORGOTTEN_AFTER.total_seconds() + 1)
    assert await site.sign_in("wrong") == NotSignedIn()
    assert await site.sign_in("wrong") == NotSignedIn()


async def test_a_session_that_is_not_used_ends(site):
    token = (await site.sign_in()).token
    site.clock.add(IDLE.total_seconds() - 1)
    assert await site.there(token) is not None
    site.clock.add(IDLE.total_seconds() - 1)
    assert await site.there(token) is not None
    site.clock.add(IDLE.total_seconds())
    assert await site.there(token) is None


async def test_a_session_that_is_used_all_the_time_ends_after_its_lifetime(site):
    token = (await site.sign_in()).token
    steps = int(LIFETIME / IDLE) * 2
    for _ in range(steps - 1):
        site.clock.add(IDLE.total_seconds() / 2)
        assert await site.there(token) is not None
    site.clock.add(IDLE.total_seconds() / 2)
    assert await site.there(token) is None


async def test_what_is_over_is_forgotten_by_the_worker(site):
    await site.sign_in()
    await site.sign_in("wrong")
    assert await forget_sign_ins(site.services) == 0
    site.clock.add(timedelta(days=2).total_seconds())
    assert await forget_sign_ins(site.services) == 1
    assert await site.store.engine.fetch("SELECT * FROM sign_in_tries") == []


async def test_signing_out_ends_this_session_and_no_other(site):
    one, other = await site.sign_in(), await site.sign_in(browser=IN_ANOTHER_BROWSER)
    await sign_out(site.services, await site.there(one.token))
    assert await site.there(one.token) is None
    assert await site.there(other.token) is not None


@pytest.mark.parametrize("token", [None, "", "wrong", "x" * 101, "한글"])
async def test_a_wrong_token_is_nobody(site, token):
    assert await site.there(token) is None


async def test_a_new_password_of_ones_own_ends_the_other_sessions(site):
    one, other = await site.sign_in(), await site.sign_in(browser=IN_ANOTHER_BROWSER)
    await manage_operators.change_password(
        site.services, one.operator, one.session, site.password, "correct horse battery"
    )
    assert await site.there(one.token) is not None
    assert await site.there(other.token) is None
    assert await site.sign_in() == NotSignedIn()
    assert isinstance(await site.sign_in("correct horse battery"), SignedIn)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("wrong", "correct horse battery", "current"),
        (None, "short", "password"),
        (None, "x" * 129, "password"),
        (None, "aaaaaaaaaaaaaaaa", "password"),
        (None, "my name is OWNER!", "password"),
        (None, "with\0nothing in it", "password"),
        (None, "password1234", "password"),
        (None, "qwertyuiop123", "password"),
        (None, "maedalmaedal1", "password"),
        (None, "123456789012", "password"),
    ],
)
async def test_a_password_that_is_no_good_changes_nothing(site, old, new, field):
    begun = await site.sign_in()
    with pytest.raises(InvalidParameter) as refused:
        await manage_operators.change_password(site.services, begun.operator, begun.session, old or site.password, new)
    assert refused.value.field == field
    assert isinstance(await site.sign_in(), SignedIn)


async def test_a_disabled_operator_is_gone_at_once_and_cannot_come_back(site):
    made = await manage_operators.create_operator(site.services, "minji", Role.ADMIN, SHELL)
    begun = await site.sign_in(made.password, "minji")
    operator = await manage_operators.disable(site.services, made.operator, SHELL)
    assert await site.there(begun.token) is None
    assert await site.sign_in(made.password, "minji") == NotSignedIn()
    await manage_operators.enable(site.services, operator, SHELL)
    assert isinstance(await site.sign_in(made.password, "minji"), SignedIn)


async def test_a_role_that_is_taken_away_is_gone_in_open_sessions_too(site):
    made = await manage_operators.create_operator(site.services, "minji", Role.ADMIN, SHELL)
    begun = await site.sign_in(made.password, "minji")
    await manage_operators.change_role(site.services, made.operator, Role.READ_ONLY, SHELL)
    assert (await site.there(begun.token)).operator.role is Role.READ_ONLY


async def test_somebody_must_stay_owner(site):
    with pytest.raises(InvalidParameter, match="somebody must stay owner"):
        await manage_operators.change_role(site.services, site.operator, Role.ADMIN, SHELL)
    with pytest.raises(InvalidParameter, match="somebody must stay owner"):
        await manage_operators.disable(site.services, site.operator, SHELL)
    other = await manage_operators.create_operator(site.services, "second", Role.OWNER, SHELL)
    await manage_operators.disable(site.services, site.operator, SHELL)
    with pytest.raises(InvalidParameter, match="somebody must stay owner"):
        await manage_operators.disable(site.services, other.operator, SHELL)


async def test_an_admin_makes_and_changes_no_owner(site):
    admin = Actor("minji", Role.ADMIN)
    for operator_entry in (
        manage_operators.create_operator(site.services, "mine", Role.OWNER, admin),
        manage_operators.change_role(site.services, site.operator, Role.ADMIN, admin),
        manage_operators.disable(site.services, site.operator, admin),
        manage_operators.reset_password(site.services, site.operator, admin),
        manage_operators.remove_second_step(site.services, site.operator, admin),
        manage_operators.end_sessions(site.services, site.operator, None, admin),
    ):
        with pytest.raises(InvalidParameter, match="owners alone"):
            await operator_entry
    made = await manage_operators.create_operator(site.services, "mine", Role.DEVELOPER, admin)
    with pytest.raises(InvalidParameter, match="owners alone"):
        await manage_operators.change_role(site.services, made.operator, Role.OWNER, admin)


async def test_two_who_change_an_operator_at_once_do_not_undo_each_other(site):
    made = await manage_operators.create_operator(site.services, "minji", Role.ADMIN, SHELL)
    await manage_operators.change_role(site.services, made.operator, Role.MANAGER, SHELL)
    with pytest.raises(InvalidParameter, match="changed by somebody else"):
        await manage_operators.change_role(site.services, made.operator, Role.DEVELOPER, SHELL)
    assert (await site.store.operators.find(made.operator.id)).role is Role.MANAGER


async def test_a_sign_in_that_overlaps_a_change_of_password_begins_nothing(site):
    class Slow:
        """Checks the password, and is then overtaken by a new one."""

        async def matches(self, password_hash, password):
            right = await site.services.passwords.matches(password_hash, password)
            await manage_operators.reset_password(site.services, site.operator, SHELL)
            return right

    assert await sign_in(replace(site.services, passwords=Slow()), "owner", site.password, HERE) == NotSignedIn()
    assert await site.store.operators.sessions(site.operator.id) == []


# -- the second step


async def test_what_is_done_about_operators_is_kept_and_cannot_be_changed(site):
    site.clock.add(1)
    made = await manage_operators.create_operator(site.services, "minji", Role.ADMIN, Actor("owner", Role.OWNER))
    site.clock.add(1)
    await manage_operators.change_role(site.services, made.operator, Role.MANAGER, SHELL)
    site.clock.add(1)
    begun = await site.sign_in(made.password, "minji")
    newest = await site.store.audit.operator_entries(3)
    assert [(d.kind, d.subject, d.who, d.before, d.after) for d in newest] == [
        (OperatorAuditAction.SIGN_IN, "minji", "minji", "", f"address={HERE.address}"),
        (OperatorAuditAction.CHANGE_ROLE, "minji", SHELL.name, "role=admin", "role=manager"),
        (OperatorAuditAction.CREATE_OPERATOR, "minji", "owner", "", "role=admin"),
    ]
    everything = repr(await site.store.audit.operator_entries(100))
    assert made.password not in everything
    assert begun.token not in everything
    for change in ("UPDATE user_log SET who = 'nobody'", "DELETE FROM user_log"):
        with pytest.raises(Exception, match=r"append-only|did not answer"):
            await site.store.engine.fetch(change)
