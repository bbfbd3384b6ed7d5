"""Add passkeys to one's own account, and remove them; every change is in the log of operators."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from maedal.flows.manage_operators import confirm_both, confirm_password, put_operator
from maedal.flows.operator_entry import operator_entry
from maedal.flows.passkeys import draw_challenge, known_passkeys, sealed_passkey, take_challenge
from maedal.flows.services import ServicesWith
from maedal.flows.sign_in import recovery_digest
from maedal.operators.operator import Operator, draw_recovery_codes
from maedal.operators.operator_audit_entry import OperatorAuditAction
from maedal.operators.passkey import PASSKEYS_MAX, Challenge, Passkey, check_passkey_name
from maedal.operators.session import Session
from maedal.payments.errors import InvalidParameter
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.operators.reads import HasOperators
from maedal.storage.operators.writes import Ends, PutOperator
from maedal.storage.write import Writes

NOT_ACCEPTED = "the passkey was not accepted; begin anew"


class ManagePasskeysStore(HasMerchants, HasOperators, Writes, Protocol): ...


async def ask_to_add(
    services: ServicesWith[ManagePasskeysStore], operator: Operator, session: Session, name: str, password: str
) -> str:
    """Return what the browser is to ask a device for a new passkey, as JSON. Raises InvalidParameter, naming the field.

    The challenge is for who knew the password a moment ago: an open session alone adds no way in.
    """
    if not services.passkeys.available:
        raise InvalidParameter("passkey", "passkeys need the console at an https address with a host name")
    check_passkey_name(name)
    await confirm_password(services, operator, session, password)
    known = await known_passkeys(services, operator)
    if len(known) >= PASSKEYS_MAX:
        raise InvalidParameter("name", f"an account has {PASSKEYS_MAX} passkeys at most")
    challenge = await draw_challenge(services, session, Challenge.ADD)
    return services.passkeys.to_add(challenge, operator.id, operator.name, [one.credential_id for one in known])


async def add_passkey(
    services: ServicesWith[ManagePasskeysStore], operator: Operator, session: Session, name: str, answer: str
) -> tuple[Operator, tuple[str, ...]]:
    """Keep the passkey that a browser answers with; the other sessions end.

    Returns the operator and, if this is their first second step, recovery codes. Raises InvalidParameter.
    """
    check_passkey_name(name)
    challenge = await take_challenge(services, session, Challenge.ADD, answer)
    if challenge is None:
        raise InvalidParameter("passkey", NOT_ACCEPTED)
    try:
        credential_id, public_key, count, transports = services.passkeys.added(answer, challenge)
    except Exception as error:  # whatever the library says of what a browser sent
        raise InvalidParameter("passkey", NOT_ACCEPTED) from error
    now = services.clock.now()
    passkey = Passkey(services.ids.row(now), operator.id, name, credential_id, public_key, count, transports, now)
    after = replace(operator, passkey_ids=operator.passkey_ids | {passkey.id})
    codes = () if operator.two_steps else draw_recovery_codes()
    write = PutOperator(
        operator,
        after,
        operator_entry(services, OperatorAuditAction.ADD_PASSKEY, operator.name, operator.name, "", f"passkey={name}"),
        Ends.OTHERS,
        session.id,
        tuple(recovery_digest(services, operator, one) for one in codes) if codes else None,
        added_passkey=sealed_passkey(services, passkey),
    )
    return await put_operator(services, write), codes


async def remove_passkey(
    services: ServicesWith[ManagePasskeysStore],
    operator: Operator,
    session: Session,
    passkey_id: str,
    password: str,
    code: str,
    answer: str = "",
) -> Operator:
    """Let a passkey open nothing any more; with the last second step the recovery codes go too.

    `answer` is that of a passkey, and takes the place of a code. Raises InvalidParameter, naming which field is wrong,
    or when an owner demands the step that this would end.
    """
    passkey = next((one for one in await services.store.operators.passkeys(operator.id) if one.id == passkey_id), None)
    if passkey is None:
        raise InvalidParameter("passkey", "there is no such passkey any more")
    after = replace(operator, passkey_ids=operator.passkey_ids - {passkey_id})
    if operator.second_step_demanded and not after.two_steps:
        raise InvalidParameter("code", "an owner demands the second step of your role")
    await confirm_both(services, operator, session, password, code, answer)
    write = PutOperator(
        operator,
        after,
        operator_entry(
            services, OperatorAuditAction.REMOVE_PASSKEY, operator.name, operator.name, f"passkey={passkey.name}"
        ),
        recovery_digests=None if after.two_steps else (),
        removed_passkeys=(passkey_id,),
    )
    return await put_operator(services, write)
