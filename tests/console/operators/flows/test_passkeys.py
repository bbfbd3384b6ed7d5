"""Passkeys as the second step of signing in: what is taken and what is refused, on both databases."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import structlog

from maedal.flows import manage_operators, manage_passkeys
from maedal.flows.demand_second_step import demand_second_step
from maedal.flows.passkeys import ask_for_passkey
from maedal.flows.sign_in import NotSignedIn, SignedIn, forget_sign_ins, second_step
from maedal.operators.operator_audit_entry import OperatorAuditAction
from maedal.operators.passkey import CHALLENGE_LIFETIME
from maedal.operators.role import Role
from maedal.payments.errors import InvalidParameter
from maedal.vault.passkeys import Passkeys
from tests.console.operators.flows.conftest import HERE, IN_ANOTHER_BROWSER, SHELL
from tests.support.authenticator import Authenticator

ORIGIN = "https://pay.shop.test"


@pytest.fixture
def account(site):
    """The parts at an address where browsers know passkeys, with hands for a device."""
    site.services = replace(site.services, passkeys=Passkeys(ORIGIN))
    return Account(site)


class Account:
    def __init__(self, site):
        self.site, self.services, self.clock, self.store = site, site.services, site.clock, site.store

    async def add(self, device, name="my phone", password=None, who="owner"):
        """Sign in and add a passkey; gives recovery codes if it is the first second step."""
        password = password or self.site.password
        begun = await self.site.sign_in(password, who)
        assert not begun.session.half
        options = await manage_passkeys.ask_to_add(self.services, begun.operator, begun.session, name, password)
        _, codes = await manage_passkeys.add_passkey(
            self.services, begun.operator, begun.session, name, device.create(options)
        )
        return codes

    async def half(self, name="owner", password=None):
        begun = await self.site.sign_in(password, name)
        assert begun.session.half
        return await self.site.there(begun.token)

    async def question(self, half):
        return await ask_for_passkey(self.services, half.operator, half.session)

    async def answer(self, half, answer):
        return await second_step(self.services, half, "", HERE, answer=answer)

    async def whole(self, device):
        """Sign in with password and passkey."""
        half = await self.half()
        device.count += 1
        return await self.answer(half, device.get(await self.question(half)))

    async def entries(self):
        return [entry.kind for entry in await self.store.audit.operator_entries(50)]


async def test_a_passkey_is_the_second_step(account):
    device = Authenticator(ORIGIN)
    codes = await account.add(device)
    assert len(set(codes)) == 10
    half = await account.half()
    device.count = 7
    account.clock.add(30)
    begun = await account.answer(half, device.get(await account.question(half)))
    assert isinstance(begun, SignedIn)
    assert not begun.session.half
    [kept] = await account.store.operators.passkeys(account.site.operator.id)
    assert (kept.name, kept.sign_count, kept.transports) == ("my phone", 7, ("hybrid", "internal"))
    assert kept.last_used_at > kept.created_at
    assert OperatorAuditAction.ADD_PASSKEY in await account.entries()


async def test_a_recovery_code_opens_where_the_passkey_is_lost(account):
    codes = await account.add(Authenticator(ORIGIN))
    assert isinstance(await second_step(account.services, await account.half(), codes[0], HERE), SignedIn)
    assert await second_step(account.services, await account.half(), "123456", HERE) == NotSignedIn()


async def test_the_question_asks_the_device_to_look_who_is_there(account):
    device = Authenticator(ORIGIN)
    await account.add(device)
    asked = json.loads(await account.question(await account.half()))
    assert asked["userVerification"] == "required"
    assert asked["rpId"] == "pay.shop.test"
    assert len(asked["allowCredentials"]) == 1


LIES = {
    "another site's page": {"origin": "https://pay.shop.test.evil.example", "rp_id": "pay.shop.test"},
    "an unencrypted page": {"origin": "http://pay.shop.test"},
    "another port": {"origin": "https://pay.shop.test:8443", "rp_id": "pay.shop.test"},
    "another relying party": {"rp_id": "shop.test"},
    "nobody looked who is there": {"verifies": False},
}


@pytest.mark.parametrize("lie", LIES)
async def test_an_answer_that_is_not_of_this_person_at_this_address_is_refused(account, lie):
    device = Authenticator(ORIGIN)
    await account.add(device)
    half = await account.half()
    false = replace(device, count=1, **LIES[lie])
    assert await account.answer(half, false.get(await account.question(half))) == NotSignedIn()
    # What it was refused for was the lie.
    assert isinstance(await account.answer(half, replace(device, count=1).get(await account.question(half))), SignedIn)


@pytest.mark.parametrize("lie", LIES)
async def test_a_passkey_that_was_not_made_by_this_person_at_this_address_is_not_kept(account, lie):
    begun = await account.site.sign_in()
    operator, session = begun.operator, begun.session
    options = await manage_passkeys.ask_to_add(account.services, operator, session, "mine", account.site.password)
    false = replace(Authenticator(ORIGIN), **LIES[lie])
    with pytest.raises(InvalidParameter, match="begin anew"):
        await manage_passkeys.add_passkey(account.services, operator, session, "mine", false.create(options))
    assert await account.store.operators.passkeys(operator.id) == []


async def test_an_answer_counts_once(account):
    device = Authenticator(ORIGIN)
    await account.add(device)
    half = await account.half()
    device.count = 0  # as of keys that are kept on several devices: only the challenge tells a repetition
    answer = device.get(await account.question(half))
    assert isinstance(await account.answer(half, answer), SignedIn)
    assert await account.answer(await account.half(), answer) == NotSignedIn()


async def test_a_challenge_is_used_up_also_by_an_answer_that_is_refused(account):
    device = Authenticator(ORIGIN)
    await account.add(device)
    half = await account.half()
    options = await account.question(half)
    assert await account.answer(half, replace(device, verifies=False).get(options)) == NotSignedIn()
    assert await account.answer(half, device.get(options)) == NotSignedIn()


async def test_a_challenge_is_good_in_its_own_session_and_for_minutes(account):
    device = Authenticator(ORIGIN)
    await account.add(device)
    half, other = await account.half(), await account.half()
    await account.question(other)
    assert await account.answer(other, device.get(await account.question(half))) == NotSignedIn()
    late = device.get(await account.question(half))
    account.clock.add(CHALLENGE_LIFETIME.total_seconds())
    assert await account.answer(half, late) == NotSignedIn()


async def test_a_challenge_that_is_moved_to_another_session_with_sql_is_not_its_own(account):
    device = Authenticator(ORIGIN)
    await account.add(device)
    half, other = await account.half(), await account.half()
    answer = device.get(await account.question(half))
    await account.store.engine.fetch("UPDATE passkey_challenges SET session_id = $1", other.session.id)
    assert await account.answer(other, answer) == NotSignedIn()


async def test_challenges_that_are_over_are_forgotten(account):
    await account.add(Authenticator(ORIGIN))
    await account.question(await account.half())
    await forget_sign_ins(account.services)
    assert len(await account.store.engine.fetch("SELECT * FROM passkey_challenges")) == 1
    account.clock.add(CHALLENGE_LIFETIME.total_seconds() + 1)
    await forget_sign_ins(account.services)
    assert await account.store.engine.fetch("SELECT * FROM passkey_challenges") == []


async def test_a_challenge_for_adding_is_good_for_nothing_else(account):
    device = Authenticator(ORIGIN)
    await account.add(device)
    begun = await account.whole(device)
    options = await manage_passkeys.ask_to_add(
        account.services, begun.operator, begun.session, "another", account.site.password
    )
    with pytest.raises(InvalidParameter):
        await manage_operators.new_recovery_codes(
            account.services, begun.operator, begun.session, account.site.password, "", device.get(options)
        )


@pytest.mark.parametrize("said", [5, 4, 0])
async def test_a_count_that_does_not_grow_is_refused_and_told(account, said):
    device = Authenticator(ORIGIN)
    await account.add(device)
    device.count = 4
    assert isinstance(await account.whole(device), SignedIn)
    half = await account.half()
    with structlog.testing.capture_logs() as logs:
        copy = replace(device, count=said)
        assert await account.answer(half, copy.get(await account.question(half))) == NotSignedIn()
    assert "passkey_counted_back" in {one["event"] for one in logs}
    assert OperatorAuditAction.PASSKEY_COUNTED_BACK in await account.entries()
    device.count = 5
    assert isinstance(await account.whole(device), SignedIn)


async def test_another_operators_passkey_opens_nothing(account):
    made = await manage_operators.create_operator(account.services, "minji", Role.ADMIN, SHELL, to_be_changed=False)
    mine, hers = Authenticator(ORIGIN), Authenticator(ORIGIN)
    await account.add(mine)
    await account.add(hers, password=made.password, who="minji")
    half = await account.half()
    assert await account.answer(half, hers.get(await account.question(half))) == NotSignedIn()


async def test_a_key_that_somebody_has_is_not_added_again(account):
    made = await manage_operators.create_operator(account.services, "minji", Role.ADMIN, SHELL, to_be_changed=False)
    device = Authenticator(ORIGIN)
    await account.add(device)
    with pytest.raises(InvalidParameter):
        await account.add(device, password=made.password, who="minji")
    assert not (await account.store.operators.find_by_name("minji")).two_steps


async def test_a_passkey_is_added_by_who_knows_the_password(account):
    begun = await account.site.sign_in()
    with pytest.raises(InvalidParameter) as refused:
        await manage_passkeys.ask_to_add(account.services, begun.operator, begun.session, "mine", "not the password")
    assert refused.value.field == "current"


async def test_a_passkey_is_removed_with_the_second_step_and_the_last_takes_the_recovery_codes_along(account):
    device, spare = Authenticator(ORIGIN), Authenticator(ORIGIN)
    codes = await account.add(device)
    begun = await account.whole(device)
    options = await manage_passkeys.ask_to_add(
        account.services, begun.operator, begun.session, "spare", account.site.password
    )
    operator, more = await manage_passkeys.add_passkey(
        account.services, begun.operator, begun.session, "spare", spare.create(options)
    )
    assert more == ()
    both = {one.name: one for one in await account.store.operators.passkeys(operator.id)}
    first, second = both["my phone"], both["spare"]
    with pytest.raises(InvalidParameter, match="code is wrong"):
        await manage_passkeys.remove_passkey(
            account.services, operator, begun.session, first.id, account.site.password, "000000"
        )
    asked = await ask_for_passkey(account.services, operator, begun.session)
    operator = await manage_passkeys.remove_passkey(
        account.services, operator, begun.session, first.id, account.site.password, "", spare.get(asked)
    )
    half = await account.half()
    device.count += 1
    assert await account.answer(half, device.get(await account.question(half))) == NotSignedIn()
    operator = await manage_passkeys.remove_passkey(
        account.services, operator, begun.session, second.id, account.site.password, codes[0]
    )
    assert not operator.two_steps
    assert await account.store.operators.recovery_codes_left(operator.id) == 0
    assert isinstance(await account.site.sign_in(), SignedIn)


async def test_a_demanded_second_step_is_met_by_a_passkey_and_the_last_one_stays(account):
    await demand_second_step(account.services, frozenset({Role.OWNER}), SHELL)
    device = Authenticator(ORIGIN)
    assert (await account.site.sign_in()).operator.owes() is not None
    codes = await account.add(device)
    begun = await account.whole(device)
    there = await account.site.there(begun.token)
    assert there.operator.owes() is None
    [only] = await account.store.operators.passkeys(there.operator.id)
    with pytest.raises(InvalidParameter, match="demands"):
        await manage_passkeys.remove_passkey(
            account.services, there.operator, there.session, only.id, account.site.password, codes[0]
        )


async def test_who_lost_everything_is_let_in_by_an_owner(account):
    await account.add(Authenticator(ORIGIN))
    operator = await manage_operators.find_operator(account.services, "owner")
    await manage_operators.remove_second_step(account.services, operator, SHELL)
    assert not (await account.site.sign_in()).session.half
    assert await account.store.operators.passkeys(operator.id) == []


async def test_adding_a_passkey_ends_the_other_sessions(account):
    other = await account.site.sign_in(browser=IN_ANOTHER_BROWSER)
    await account.add(Authenticator(ORIGIN))
    assert await account.site.there(other.token) is None


SWAPPED = {
    "the public key": "UPDATE passkeys SET public_key = (SELECT public_key FROM passkeys WHERE name = 'hers')",
    "the count": "UPDATE passkeys SET sign_count = 0",
    "whose it is": "UPDATE passkeys SET user_id = (SELECT id FROM users WHERE name = 'minji')",
}


@pytest.mark.parametrize("what", SWAPPED)
async def test_a_passkey_row_that_was_changed_with_sql_opens_nothing_and_is_noticed(account, what):
    made = await manage_operators.create_operator(account.services, "minji", Role.ADMIN, SHELL, to_be_changed=False)
    device, hers = Authenticator(ORIGIN), Authenticator(ORIGIN)
    await account.add(device, "mine")
    await account.add(hers, "hers", made.password, "minji")
    device.count = 3
    assert isinstance(await account.whole(device), SignedIn)
    half = await account.half()
    options = await account.question(half)
    await account.store.engine.fetch(f"{SWAPPED[what]} WHERE name = 'mine'")
    device.count += 1
    for one in (device, hers):
        assert await account.answer(half, one.get(options)) == NotSignedIn()


async def test_a_removed_passkey_that_is_put_back_with_sql_opens_nothing(account):
    device, spare = Authenticator(ORIGIN), Authenticator(ORIGIN)
    codes = await account.add(device)
    begun = await account.whole(device)
    options = await manage_passkeys.ask_to_add(
        account.services, begun.operator, begun.session, "spare", account.site.password
    )
    operator, _ = await manage_passkeys.add_passkey(
        account.services, begun.operator, begun.session, "spare", spare.create(options)
    )
    await account.store.engine.fetch("CREATE TABLE stolen AS SELECT * FROM passkeys WHERE name = 'my phone'")
    [first] = [one for one in await account.store.operators.passkeys(operator.id) if one.name == "my phone"]
    await manage_passkeys.remove_passkey(
        account.services, operator, begun.session, first.id, account.site.password, codes[0]
    )
    await account.store.engine.fetch("INSERT INTO passkeys SELECT * FROM stolen")
    half = await account.half()
    device.count += 1
    assert await account.answer(half, device.get(await account.question(half))) == NotSignedIn()


async def test_passkeys_that_are_deleted_with_sql_leave_the_second_step_where_it_was(account):
    codes = await account.add(Authenticator(ORIGIN))
    await account.store.engine.fetch("DELETE FROM passkeys")
    assert isinstance(await second_step(account.services, await account.half(), codes[0], HERE), SignedIn)
    await account.store.engine.fetch("UPDATE users SET passkey_ids = ''")
    assert await account.site.sign_in() == NotSignedIn()


@pytest.mark.parametrize("junk", ["", "{}", "[]", "null", "x", '{"response":{"clientDataJSON":"e30"}}', "1" * 20_000])
async def test_junk_is_refused(account, junk):
    await account.add(Authenticator(ORIGIN))
    half = await account.half()
    await account.question(half)
    assert await account.answer(half, junk) == NotSignedIn()


@pytest.mark.parametrize(
    ("address", "there"),
    [
        ("https://pay.shop.test", True),
        ("http://localhost:8080", True),
        ("http://pay.shop.test", False),
        ("https://203.0.113.7", False),
        ("http://127.0.0.1:8080", False),
        ("https://[2001:db8::1]", False),
    ],
)
def test_passkeys_are_offered_where_browsers_know_them(address, there):
    assert Passkeys(address).available is there
