"""Make and change operators of the console; every change is in the log of operators, with who did it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Protocol

from maedal.flows.operator_entry import operator_entry
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.flows.sign_in import (
    TRIES_PURPOSE,
    has_own_rights,
    is_whole,
    recovery_digest,
    sealed_rights,
    sealed_row,
    takes_proof,
)
from maedal.operators.actor import Actor
from maedal.operators.operator import (
    PASSWORD_CHARS_MAX,
    Operator,
    check_name,
    check_password,
    draw_password,
    draw_recovery_codes,
    totp_context,
)
from maedal.operators.operator_audit_entry import OperatorAuditAction, OperatorAuditEntry
from maedal.operators.role import Role
from maedal.operators.session import Session
from maedal.operators.tries import Counted
from maedal.payments.errors import InvalidParameter
from maedal.storage.errors import Conflict
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.operators.reads import HasOperators
from maedal.storage.operators.writes import (
    AddOperator,
    CountTry,
    Ends,
    EndSessions,
    ForgiveTries,
    PutOperator,
)
from maedal.storage.write import Writes

PENDING = "users.totp_secret.pending"


class ManageOperatorsStore(HasMerchants, HasOperators, Writes, Protocol): ...


@dataclass(frozen=True, slots=True)
class NewPassword:
    """An operator with a new password in the clear, which is kept nowhere."""

    operator: Operator
    password: str = field(repr=False)


async def create_operator(
    services: ServicesWith[ManageOperatorsStore],
    name: str,
    role: Role,
    by: Actor,
    *,
    merchant_codes: frozenset[str] | None = None,
    to_be_changed: bool = True,
) -> NewPassword:
    """Make an operator with a drawn password, `to_be_changed` at the first sign-in; `merchant_codes` None sees all.

    Raises InvalidParameter: a bad or taken name, not theirs to make, or merchants that cannot be.
    """
    check_name(name)
    _check_may_make(by, role)
    await _check_merchants(services, role, merchant_codes)
    password = draw_password()
    now = services.clock.now()
    digest = await services.passwords.hash(password)
    operator = Operator(
        services.ids.row(now),
        name,
        role,
        digest,
        now,
        password_drawn=to_be_changed,
        merchant_codes=merchant_codes,
        second_step_required=role in await services.store.operators.second_step_roles(),
    )
    operator = sealed_rights(services, sealed_row(services, operator))
    fact = f"role={role}" if merchant_codes is None else f"role={role} {_merchants_fact(merchant_codes)}"
    try:
        await services.store.write(
            AddOperator(operator, _entry(services, OperatorAuditAction.CREATE_OPERATOR, operator, by, "", fact))
        )
    except Conflict as error:
        raise InvalidParameter("name", f"there is a user {name} already") from error
    return NewPassword(operator, password)


async def find_operator(services: ServicesWith[ManageOperatorsStore], name: str) -> Operator:
    """Return the operator of this name. Raises InvalidParameter when there is none."""
    operator = await services.store.operators.find_by_name(name)
    if operator is None:
        raise InvalidParameter("name", f"there is no user {name}")
    return operator


async def change_role(
    services: ServicesWith[ManageOperatorsStore], operator: Operator, role: Role, by: Actor
) -> Operator:
    """Give an operator another role, at once. Raises InvalidParameter: not theirs to give, or the last owner.

    So it is also said anew what they may do, should somebody have written into the row by other means.
    """
    _check_may_make(by, operator.role)
    _check_may_make(by, role)
    await _check_merchants(services, role, operator.merchant_codes)
    entry = _entry(services, OperatorAuditAction.CHANGE_ROLE, operator, by, f"role={operator.role}", f"role={role}")
    required = role in await services.store.operators.second_step_roles()
    after = replace(operator, role=role, second_step_required=required)
    return await put_operator(services, PutOperator(operator, after, entry), rights_said=True)


async def limit_merchants(
    services: ServicesWith[ManageOperatorsStore], operator: Operator, codes: frozenset[str] | None, by: Actor
) -> Operator:
    """Let an operator see and work for these merchants alone, or with None for every one; it holds at once.

    Raises InvalidParameter: not theirs to change, an owner, or a code that no merchant has.
    """
    _check_may_make(by, operator.role)
    await _check_merchants(services, operator.role, codes)
    entry = _entry(
        services,
        OperatorAuditAction.CHANGE_MERCHANTS,
        operator,
        by,
        _merchants_fact(operator.merchant_codes),
        _merchants_fact(codes),
    )
    return await put_operator(services, PutOperator(operator, replace(operator, merchant_codes=codes), entry))


async def disable(services: ServicesWith[ManageOperatorsStore], operator: Operator, by: Actor) -> Operator:
    """Keep an operator from signing in, and end their sessions. Raises as `change_role` does."""
    _check_may_make(by, operator.role)
    entry = _entry(services, OperatorAuditAction.DISABLE_OPERATOR, operator, by, "enabled", "disabled")
    return await put_operator(
        services, PutOperator(operator, replace(operator, disabled_at=services.clock.now()), entry, Ends.ALL)
    )


async def enable(services: ServicesWith[ManageOperatorsStore], operator: Operator, by: Actor) -> Operator:
    """Let a disabled operator sign in again."""
    _check_may_make(by, operator.role)
    entry = _entry(services, OperatorAuditAction.ENABLE_OPERATOR, operator, by, "disabled", "enabled")
    return await put_operator(services, PutOperator(operator, replace(operator, disabled_at=None), entry))


async def reset_password(services: ServicesWith[ManageOperatorsStore], operator: Operator, by: Actor) -> NewPassword:
    """Draw a new password for somebody who lost theirs, and end their sessions. A second step stays.

    They must change it before they do anything else.
    """
    _check_may_make(by, operator.role)
    password = draw_password()
    after = replace(operator, password_hash=await services.passwords.hash(password), password_drawn=True)
    entry = _entry(services, OperatorAuditAction.NEW_PASSWORD, operator, by, "", "")
    return NewPassword(await put_operator(services, PutOperator(operator, after, entry, Ends.ALL)), password)


async def change_password(
    services: ServicesWith[ManageOperatorsStore], operator: Operator, session: Session, old: str, new: str
) -> Operator:
    """Change one's own password; the other sessions end. Raises InvalidParameter, naming which field is wrong."""
    await confirm_password(services, operator, session, old)
    await check_new_password(services, operator, new)
    if new == old:
        raise InvalidParameter("password", "the new password is the old one")
    after = replace(operator, password_hash=await services.passwords.hash(new), password_drawn=False)
    entry = _entry(services, OperatorAuditAction.NEW_PASSWORD, operator, Actor(operator.name), "", "")
    return await put_operator(services, PutOperator(operator, after, entry, Ends.OTHERS, session.id))


async def check_new_password(services: ServicesWithoutStore, operator: Operator, password: str) -> None:
    """Raise InvalidParameter unless the operator may choose this password."""
    check_password(password, operator.name)
    if await services.passwords.is_easy(password, operator.name, "maedal"):
        raise InvalidParameter("password", "the password is too easy: it is among those that are guessed first")


async def confirm_password(
    services: ServicesWith[ManageOperatorsStore], operator: Operator, session: Session, password: str
) -> None:
    """Raise InvalidParameter unless it is the operator's password: an open session alone may not change the lock.

    Nor may it try passwords without end: after a few that were wrong, the session waits as the door does.
    """
    tried = await _count_try(services, session)
    await _check_password(services, operator, password)
    await services.store.write(ForgiveTries(tried))


async def _check_password(services: ServicesWithoutStore, operator: Operator, password: str) -> None:
    usable = len(password) <= PASSWORD_CHARS_MAX and is_whole(services, operator)
    if not usable or not await services.passwords.matches(operator.password_hash, password):
        raise InvalidParameter("current", "the present password is wrong")


async def _count_try(services: ServicesWith[ManageOperatorsStore], session: Session) -> bytes:
    subject = services.vault.digest(TRIES_PURPOSE, f"session:{session.id}")
    now = services.people_clock.now()
    wait = await services.store.write(CountTry(((Counted.SESSION, subject),), now))
    if wait is not None:
        seconds = math.ceil((wait - now).total_seconds())
        raise InvalidParameter("current", f"too many wrong passwords or codes; try again in {seconds} seconds")
    return subject


def draw_second_step(services: ServicesWithoutStore, operator: Operator) -> tuple[str, str, bytes]:
    """Return a new secret for an app, its address for a QR code, and it sealed for this operator, to be given back."""
    secret = services.second_step.draw()
    return (
        secret,
        services.second_step.address(secret, operator.name),
        services.vault.seal(secret, f"{PENDING}:{operator.id}"),
    )


def open_second_step(services: ServicesWithoutStore, operator: Operator, sealed: bytes) -> str:
    """Return the secret that was drawn for this operator. Raises InvalidParameter when it was not."""
    try:
        return services.vault.open(sealed, f"{PENDING}:{operator.id}")
    except Exception as error:  # whatever the vault says of what it did not seal
        raise InvalidParameter("code", "the setting up has to begin anew") from error


async def turn_two_steps_on(
    services: ServicesWith[ManageOperatorsStore],
    operator: Operator,
    session: Session,
    sealed: bytes,
    password: str,
    code: str,
) -> tuple[Operator, tuple[str, ...]]:
    """Ask for a code from now on, once the app has shown a right one; returns the operator and recovery codes.

    Raises InvalidParameter, naming which field is wrong. The other sessions end.
    """
    await confirm_password(services, operator, session, password)
    secret = open_second_step(services, operator, sealed)
    step = services.second_step.step_of(secret, "".join(code.split()), services.people_clock.now())
    if step is None:
        raise InvalidParameter("code", "the code is wrong; is the phone's clock right?")
    codes = draw_recovery_codes()
    after = replace(operator, sealed_totp_secret=services.vault.seal(secret, *totp_context(operator)))
    entry = _entry(services, OperatorAuditAction.TWO_STEPS_ON, operator, Actor(operator.name), "", "")
    digests = tuple(recovery_digest(services, operator, one) for one in codes)
    write = PutOperator(operator, after, entry, Ends.OTHERS, session.id, digests, totp_step=step)
    return await put_operator(services, write), codes


async def new_recovery_codes(
    services: ServicesWith[ManageOperatorsStore],
    operator: Operator,
    session: Session,
    password: str,
    code: str,
    answer: str = "",
) -> tuple[str, ...]:
    """Return new recovery codes in the clear; the old ones are good no more. Raises InvalidParameter.

    `answer` is that of a passkey, and takes the place of a code.
    """
    await confirm_both(services, operator, session, password, code, answer)
    codes = draw_recovery_codes()
    digests = tuple(recovery_digest(services, operator, one) for one in codes)
    entry = _entry(services, OperatorAuditAction.NEW_RECOVERY_CODES, operator, Actor(operator.name), "", "")
    await put_operator(services, PutOperator(operator, operator, entry, recovery_digests=digests))
    return codes


async def turn_two_steps_off(
    services: ServicesWith[ManageOperatorsStore],
    operator: Operator,
    session: Session,
    password: str,
    code: str,
    answer: str = "",
) -> Operator:
    """Ask for no code of the app from now on; passkeys stay. Raises InvalidParameter, naming which field is wrong.

    `answer` is that of a passkey, and takes the place of a code.
    """
    if operator.second_step_demanded and not operator.passkey_ids:
        raise InvalidParameter("code", "an owner demands the second step of your role")
    await confirm_both(services, operator, session, password, code, answer)
    after = replace(operator, sealed_totp_secret=None)
    entry = _entry(services, OperatorAuditAction.TWO_STEPS_OFF, operator, Actor(operator.name), "", "")
    codes = None if after.two_steps else ()
    return await put_operator(services, PutOperator(operator, after, entry, recovery_digests=codes))


async def remove_second_step(services: ServicesWith[ManageOperatorsStore], operator: Operator, by: Actor) -> Operator:
    """Let somebody sign in again who lost phone, passkeys and recovery codes. Raises InvalidParameter."""
    _check_may_make(by, operator.role)
    after = replace(operator, sealed_totp_secret=None, passkey_ids=frozenset())
    entry = _entry(services, OperatorAuditAction.TWO_STEPS_OFF, operator, by, "", "")
    gone = tuple(one.id for one in await services.store.operators.passkeys(operator.id))
    return await put_operator(services, PutOperator(operator, after, entry, recovery_digests=(), removed_passkeys=gone))


async def end_sessions(
    services: ServicesWith[ManageOperatorsStore], operator: Operator, session_id: str | None, by: Actor
) -> int:
    """End one session of an operator, or all; returns how many."""
    if by.name != operator.name:
        _check_may_make(by, operator.role)
    entry = _entry(services, OperatorAuditAction.END_SESSIONS, operator, by, "", "all" if session_id is None else "one")
    return await services.store.write(EndSessions(operator.id, session_id, entry))


async def confirm_both(
    services: ServicesWith[ManageOperatorsStore],
    operator: Operator,
    session: Session,
    password: str,
    code: str,
    answer: str = "",
) -> None:
    """Raise InvalidParameter unless password and second step are the operator's; tries are counted for the session."""
    tried = await _count_try(services, session)
    await _check_password(services, operator, password)
    if not operator.two_steps or not await takes_proof(services, operator, session, code, answer):
        raise InvalidParameter("code", "the code is wrong, or was used before")
    await services.store.write(ForgiveTries(tried))


async def _check_merchants(
    services: ServicesWith[ManageOperatorsStore], role: Role, codes: frozenset[str] | None
) -> None:
    if codes is None:
        return
    if role is Role.OWNER:
        raise InvalidParameter("merchants", "an owner sees every merchant")
    for code in sorted(codes):
        if await services.store.merchants.find(code) is None:
            raise InvalidParameter("merchants", f"no merchant has the identification code {code[:60]}")


def _merchants_fact(codes: frozenset[str] | None) -> str:
    return f"merchants={'all' if codes is None else ','.join(sorted(codes)) or 'none'}"


def _check_may_make(by: Actor, role: Role) -> None:
    if not by.may_make(role):
        raise InvalidParameter("role", "an owner is made, changed and ended by owners alone")


async def put_operator(
    services: ServicesWith[ManageOperatorsStore], write: PutOperator, *, rights_said: bool = False
) -> Operator:
    """Keep a changed operator with the row sealed anew. Raises InvalidParameter when somebody else was first.

    `rights_said`: somebody who may has just said what the operator may do.
    """
    # What somebody wrote into the row by other means is not made good by a change of something else.
    if write.after.password_hash != write.before.password_hash or is_whole(services, write.before):
        write = replace(write, after=sealed_row(services, write.after))
    if rights_said or has_own_rights(services, write.before):
        write = replace(write, after=sealed_rights(services, write.after))
    try:
        await services.store.write(write)
    except Conflict as error:
        raise InvalidParameter("user", str(error)) from error
    return replace(write.after, version=write.before.version + 1)


def _entry(
    services: ServicesWithoutStore, kind: OperatorAuditAction, operator: Operator, by: Actor, before: str, after: str
) -> OperatorAuditEntry:
    return operator_entry(services, kind, operator.name, by.name, before, after)
