"""Who can write rows with SQL cannot make a sealed value, a digest or a password good for another row, and is noticed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import structlog

from maedal.flows import manage_operators
from maedal.flows.call_pg import account_of
from maedal.flows.charge import charge
from maedal.flows.check_invariants import InvariantWatch
from maedal.flows.demand_second_step import demand_second_step
from maedal.flows.invite_operator import invite, invited
from maedal.flows.issue_token import issue_token, owner_of
from maedal.flows.seal_rights import seal_rights
from maedal.flows.set_up_merchant import ChannelSettings, add_channel, create_merchant
from maedal.flows.sign_in import Browser, SignedIn, present, second_step, sign_in
from maedal.flows.sign_webhook import new_secret, signature_headers
from maedal.merchants.errors import ChannelMisconfigured, WrongApiSecret
from maedal.operators.actor import Actor
from maedal.operators.role import Role
from maedal.payments.moves import Status
from maedal.storage.invariants.reads import Invariant
from maedal.vault import NotOpened
from tests.support.builders import CHANNEL, MERCHANT, an_order

HERE = Browser("203.0.113.7", "Firefox")
LIVE_SECRET = "PRD" + "A1" * 18


async def sql(flows, statement, *values):
    await flows.store.engine.fetch(statement, *values)


async def broken(flows):
    """Return what the watch tells of sealed values."""
    return {v.subject for v in await InvariantWatch(flows.services).check() if v.invariant is Invariant.SEALED_IN_PLACE}


async def second_merchant(flows):
    return await create_merchant(flows.services, "Another shop", code="imp22222222")


# -- billing keys

MOVED = {
    "the customer": "UPDATE billing_keys SET customer_uid = 'c_1' WHERE customer_uid = 'c_2'",
    "the sealed value": """
        UPDATE billing_keys SET sealed_pg_key = (SELECT sealed_pg_key FROM billing_keys WHERE customer_uid = 'c_2')
         WHERE customer_uid = 'c_1'""",
    "the PG's user": "UPDATE billing_keys SET pg_user_id = 'u-2' WHERE customer_uid = 'c_1'",
    "the contract": "UPDATE billing_keys SET pg_merchant_id = 'CA00000000' WHERE customer_uid = 'c_1'",
    "the mode": "UPDATE billing_keys SET test_mode = NOT test_mode WHERE customer_uid = 'c_1'",
}


@pytest.mark.parametrize("what", MOVED)
async def test_a_billing_key_of_another_customer_is_not_charged_and_it_is_noticed(flows, what):
    await flows.issue_key("c_1")
    await flows.issue_key("c_2")
    assert await broken(flows) == set()
    if what == "the customer":
        await sql(flows, "UPDATE billing_keys SET customer_uid = 'c_0' WHERE customer_uid = 'c_1'")
    await sql(flows, MOVED[what])
    flows.clock.add(60)
    payment = await charge(flows.services, MERCHANT, an_order("m_1", customer_uid="c_1"))
    assert payment.status is Status.FAILED
    assert flows.network.count("subscription") == 0
    assert "billing_keys.sealed_pg_key c_1" in await broken(flows)


async def test_a_billing_key_that_is_moved_to_another_merchant_is_not_charged(flows):
    await flows.issue_key("c_1")
    other = (await second_merchant(flows)).merchant.code
    channel = await add_channel(flows.services, other, ChannelSettings(cid="TCSUBSCRIP", test_mode=True))
    [key] = await flows.store.engine.fetch("SELECT * FROM billing_keys")
    columns = [name for name in dict(key) if name not in {"merchant_id", "channel_id"}]
    copied = ", ".join(columns)
    await sql(
        flows,
        f"INSERT INTO billing_keys (merchant_id, channel_id, {copied}) SELECT '{other}', '{channel.id}', {copied}"
        " FROM billing_keys",
    )
    flows.clock.add(60)
    payment = await charge(flows.services, other, an_order("m_1", customer_uid="c_1"))
    assert (payment.status, flows.network.count("subscription")) == (Status.FAILED, 0)
    assert await broken(flows) == {"billing_keys.sealed_pg_key c_1"}


async def test_what_is_put_right_is_told_no_more(flows):
    await flows.issue_key("c_1")
    watch = InvariantWatch(flows.services)
    await sql(flows, "UPDATE billing_keys SET customer_uid = 'c_9'")
    assert [v.subject for v in await watch.check()] == ["billing_keys.sealed_pg_key c_9"]
    await sql(flows, "UPDATE billing_keys SET customer_uid = 'c_1'")
    assert await watch.check() == []


# -- channels and webhooks


async def test_a_channels_secret_is_good_for_its_own_contract_only(flows):
    other = (await second_merchant(flows)).merchant.code
    settings = ChannelSettings(cid="CA12345678", test_mode=False, secret=LIVE_SECRET)
    channel = await add_channel(flows.services, MERCHANT, settings)
    assert account_of(flows.services, channel).secret == LIVE_SECRET
    for stolen in (
        replace(channel, merchant_id=other),
        replace(channel, id=CHANNEL),
        replace(channel, pg_merchant_id="CA87654321"),
    ):
        with pytest.raises(ChannelMisconfigured):
            account_of(flows.services, stolen)
    await sql(flows, "UPDATE channels SET pg_merchant_id = 'CA87654321' WHERE id = $1", channel.id)
    assert await broken(flows) == {f"channels.sealed_secret {channel.id}"}


async def test_a_merchants_webhooks_are_not_signed_with_anothers_secret(flows):
    other = (await second_merchant(flows)).merchant.code
    await new_secret(flows.services, MERCHANT)
    await sql(
        flows,
        "UPDATE merchants SET sealed_webhook_secret = (SELECT sealed_webhook_secret FROM merchants WHERE code = $1)"
        " WHERE code = $2",
        MERCHANT,
        other,
    )
    with pytest.raises(NotOpened):
        signature_headers(flows.services, await flows.store.merchants.find(other), "e", 1, "{}")
    assert await broken(flows) == {f"merchants.sealed_webhook_secret {other}"}


# -- API secrets and tokens


async def test_an_api_secret_is_good_for_its_own_key_only(flows):
    attacker = await second_merchant(flows)
    victim = await create_merchant(flows.services, "A victim", code="imp33333333")
    await sql(
        flows,
        "UPDATE api_keys SET secret_digest = (SELECT secret_digest FROM api_keys WHERE api_key = $1)"
        " WHERE api_key = $2",
        attacker.api_key,
        victim.api_key,
    )
    with pytest.raises(WrongApiSecret):
        await issue_token(flows.services, victim.api_key, attacker.api_secret)
    assert await broken(flows) == {f"api_keys.secret_digest {victim.api_key}"}


async def test_an_api_key_that_is_moved_to_another_merchant_opens_nothing_there(flows):
    attacker = await second_merchant(flows)
    token = await issue_token(flows.services, attacker.api_key, attacker.api_secret)
    assert (await owner_of(flows.services, token.text)).merchant_id == attacker.merchant.code
    await sql(flows, "UPDATE api_keys SET merchant_id = $1 WHERE api_key = $2", MERCHANT, attacker.api_key)
    assert await owner_of(flows.services, token.text) is None
    with pytest.raises(WrongApiSecret):
        await issue_token(flows.services, attacker.api_key, attacker.api_secret)


async def test_a_tokens_digest_in_another_keys_row_is_no_token_of_it(flows):
    attacker = await second_merchant(flows)
    victim = await create_merchant(flows.services, "A victim", code="imp33333333")
    await issue_token(flows.services, victim.api_key, victim.api_secret)
    token = await issue_token(flows.services, attacker.api_key, attacker.api_secret)
    [row] = await flows.store.engine.fetch("SELECT * FROM api_keys WHERE api_key = $1", attacker.api_key)
    await sql(flows, "UPDATE api_keys SET token_digest = $1 WHERE api_key = $2", b"moved", attacker.api_key)
    await sql(flows, "UPDATE api_keys SET token_digest = $1 WHERE api_key = $2", row["token_digest"], victim.api_key)
    with structlog.testing.capture_logs() as logs:
        assert await owner_of(flows.services, token.text) is None
    assert "token_of_another_row" in {line["event"] for line in logs}
    # Who has the secret is given a token that works, all the same.
    again = await issue_token(flows.services, victim.api_key, victim.api_secret)
    assert (await owner_of(flows.services, again.text)).merchant_id == victim.merchant.code


# -- operators


async def operators(flows):
    """Make an owner and somebody who may only look; gives both with their passwords."""
    by = Actor("tests")
    owner = await manage_operators.create_operator(flows.services, "owner", Role.OWNER, by)
    reader = await manage_operators.create_operator(flows.services, "reader", Role.READ_ONLY, by)
    return owner, reader


async def test_a_password_hash_is_good_for_its_own_operator_only(flows):
    _, reader = await operators(flows)
    assert isinstance(await sign_in(flows.services, "reader", reader.password, HERE), SignedIn)
    await sql(flows, "UPDATE users SET password_hash = $1 WHERE name = 'owner'", reader.operator.password_hash)
    assert not isinstance(await sign_in(flows.services, "owner", reader.password, HERE), SignedIn)
    assert await broken(flows) == {"users.row_seal owner"}
    # Nor with the seal that belongs to it, and nor by a change of something else.
    await sql(flows, "UPDATE users SET row_seal = $1 WHERE name = 'owner'", reader.operator.row_seal)
    tampered = await flows.store.operators.find_by_name("owner")
    await manage_operators.end_sessions(flows.services, tampered, None, Actor("owner"))
    await manage_operators.disable(flows.services, reader.operator, Actor("tests"))
    assert not isinstance(await sign_in(flows.services, "owner", reader.password, HERE), SignedIn)
    # A new password by somebody who may is a new beginning.
    made = await manage_operators.reset_password(flows.services, tampered, Actor("tests"))
    assert isinstance(await sign_in(flows.services, "owner", made.password, HERE), SignedIn)
    assert await broken(flows) == set()


async def with_two_steps(flows, name, password):
    begun = await sign_in(flows.services, name, password, HERE)
    secret, _, sealed = manage_operators.draw_second_step(flows.services, begun.operator)
    code = flows.services.second_step
    import pyotp

    shown = pyotp.TOTP(secret).at(flows.clock.now())
    assert code.step_of(secret, shown, flows.clock.now()) is not None
    _, codes = await manage_operators.turn_two_steps_on(
        flows.services, begun.operator, begun.session, sealed, password, shown
    )
    return codes


async def test_a_second_step_cannot_be_left_out_nor_taken_from_somebody_else(flows):
    owner, reader = await operators(flows)
    await with_two_steps(flows, "owner", owner.password)
    codes = await with_two_steps(flows, "reader", reader.password)
    half = await sign_in(flows.services, "owner", owner.password, HERE)
    assert half.session.half
    # A session that is made whole, or another's, is nobody's.
    await sql(flows, "UPDATE sessions SET half = NOT half WHERE id = $1", half.session.id)
    assert await present(flows.services, half.token) is None
    await sql(flows, "UPDATE sessions SET half = NOT half WHERE id = $1", half.session.id)
    there = await present(flows.services, half.token)
    # Another's recovery codes do not count.
    await sql(flows, "DELETE FROM recovery_codes WHERE user_id = $1", owner.operator.id)
    await sql(flows, "UPDATE recovery_codes SET user_id = $1 WHERE user_id = $2", owner.operator.id, reader.operator.id)
    assert not isinstance(await second_step(flows.services, there, codes[0], HERE), SignedIn)
    await sql(flows, "UPDATE users SET sealed_totp_secret = NULL WHERE name = 'owner'")
    assert not isinstance(await sign_in(flows.services, "owner", owner.password, HERE), SignedIn)


async def test_a_session_is_of_the_operator_who_signed_in(flows):
    owner, reader = await operators(flows)
    begun = await sign_in(flows.services, "reader", reader.password, HERE)
    assert (await present(flows.services, begun.token)).operator.name == "reader"
    await sql(flows, "UPDATE sessions SET user_id = $1", owner.operator.id)
    with structlog.testing.capture_logs() as logs:
        assert await present(flows.services, begun.token) is None
    assert "session_row_changed_outside" in {line["event"] for line in logs}


# -- what operators may do

RIGHTS = {
    "the role": "UPDATE users SET role = 'owner' WHERE name = 'reader'",
    "the merchants": "UPDATE users SET merchant_codes = NULL WHERE name = 'reader'",
    "being disabled": "UPDATE users SET disabled_at = NULL WHERE name = 'reader'",
    "a drawn password": "UPDATE users SET password_drawn = FALSE WHERE name = 'reader'",
    "the second step": "UPDATE users SET second_step_required = FALSE WHERE name = 'reader'",
    "another's seal": "UPDATE users SET role = 'owner', rights_seal = "
    "(SELECT rights_seal FROM users WHERE name = 'owner') WHERE name = 'reader'",
    "no seal": "UPDATE users SET role = 'owner', rights_seal = NULL WHERE name = 'reader'",
}


async def a_limited_reader(flows):
    owner, reader = await operators(flows)
    await demand_second_step(flows.services, frozenset({Role.READ_ONLY}), Actor("tests"))
    operator = await flows.store.operators.find_by_name("reader")
    operator = await manage_operators.limit_merchants(flows.services, operator, frozenset({MERCHANT}), Actor("tests"))
    return owner, replace(reader, operator=operator)


@pytest.mark.parametrize("what", RIGHTS)
async def test_rights_that_were_changed_with_sql_let_nobody_in_and_are_noticed(flows, what):
    _, reader = await a_limited_reader(flows)
    begun = await sign_in(flows.services, "reader", reader.password, HERE)
    assert (await present(flows.services, begun.token)).operator.role is Role.READ_ONLY
    assert await broken(flows) == set()
    if what == "being disabled":
        await manage_operators.disable(flows.services, reader.operator, Actor("tests"))
    await sql(flows, RIGHTS[what])
    # Neither the session that is open, at its next request, nor a new one.
    with structlog.testing.capture_logs() as logs:
        assert await present(flows.services, begun.token) is None
        assert not isinstance(await sign_in(flows.services, "reader", reader.password, HERE), SignedIn)
    assert "user_rights_changed_outside" in {line["event"] for line in logs}
    assert await broken(flows) == {"users.rights_seal reader"}


async def test_rights_that_were_changed_with_sql_are_good_again_once_somebody_who_may_says_them(flows):
    await operators(flows)
    await sql(flows, "UPDATE users SET role = 'admin' WHERE name = 'reader'")
    tampered = await flows.store.operators.find_by_name("reader")
    # A new password says nothing of rights.
    made = await manage_operators.reset_password(flows.services, tampered, Actor("owner", Role.OWNER))
    assert not isinstance(await sign_in(flows.services, "reader", made.password, HERE), SignedIn)
    await manage_operators.change_role(flows.services, made.operator, Role.READ_ONLY, Actor("owner", Role.OWNER))
    begun = await sign_in(flows.services, "reader", made.password, HERE)
    assert (await present(flows.services, begun.token)).operator.role is Role.READ_ONLY
    assert await broken(flows) == set()


async def test_a_second_step_stays_demanded_when_the_list_of_roles_is_emptied_with_sql(flows):
    await a_limited_reader(flows)
    await sql(flows, "DELETE FROM second_step_roles")
    assert (await flows.store.operators.find_by_name("reader")).second_step_demanded
    # Whoever may says so, and it is demanded no more.
    await demand_second_step(flows.services, frozenset({Role.READ_ONLY}), Actor("tests"))
    await demand_second_step(flows.services, frozenset(), Actor("tests"))
    assert not (await flows.store.operators.find_by_name("reader")).second_step_demanded
    assert await broken(flows) == set()


async def test_an_invite_that_was_moved_to_somebody_else_with_sql_is_nobodys(flows):
    owner, reader = await operators(flows)
    link = await invite(flows.services, reader.operator, Actor("tests"))
    assert (await invited(flows.services, link.token)).name == "reader"
    await sql(flows, "UPDATE invites SET user_id = $1", owner.operator.id)
    assert await invited(flows.services, link.token) is None
    assert await broken(flows) == {f"invites.row_seal {owner.operator.id}"}


async def test_an_invite_does_not_live_longer_because_sql_says_so(flows):
    _, reader = await operators(flows)
    link = await invite(flows.services, reader.operator, Actor("tests"))
    await sql(flows, "UPDATE invites SET expires_at = $1", flows.clock.now() + timedelta(days=30))
    assert await invited(flows.services, link.token) is None


async def test_rights_of_before_there_was_a_seal_are_sealed_as_they_stand_and_no_others(flows):
    _, reader = await operators(flows)
    await sql(flows, "UPDATE users SET rights_seal = NULL WHERE name = 'reader'")
    await sql(flows, "UPDATE users SET role = 'admin' WHERE name = 'owner'")
    assert await seal_rights(flows.services) == 1
    assert isinstance(await sign_in(flows.services, "reader", reader.password, HERE), SignedIn)
    assert await broken(flows) == {"users.rights_seal owner"}
