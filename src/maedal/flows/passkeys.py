"""A passkey as the second step: a challenge for this one session, and whether what the browser answers is good."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Protocol

import structlog

from maedal.flows.operator_entry import operator_entry
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.operators.operator import Operator
from maedal.operators.operator_audit_entry import OperatorAuditAction, OperatorAuditEntry
from maedal.operators.passkey import (
    ANSWER_CHARS_MAX,
    CHALLENGE_LIFETIME,
    Challenge,
    Passkey,
    challenge_text,
    row_context,
)
from maedal.operators.session import Session
from maedal.payments.errors import InvalidParameter
from maedal.storage.operators.reads import HasOperators
from maedal.storage.operators.writes import KeepChallenge, NotePasskeyCount, TakeChallenge, UsePasskey
from maedal.storage.write import Writes

_log = structlog.get_logger()

CHALLENGE_PURPOSE = "console.passkey_challenge"
CHALLENGE_BYTES = 32


class PasskeysStore(HasOperators, Writes, Protocol): ...


async def ask_for_passkey(services: ServicesWith[PasskeysStore], operator: Operator, session: Session) -> str:
    """Return what the browser is to ask the operator's passkeys, as JSON. Raises InvalidParameter without one."""
    known = await known_passkeys(services, operator)
    if not known:
        raise InvalidParameter("passkey", "there is no passkey for this account yet")
    challenge = await draw_challenge(services, session, Challenge.USE)
    return services.passkeys.to_use(challenge, [(one.credential_id, one.transports) for one in known])


async def takes_passkey(
    services: ServicesWith[PasskeysStore], operator: Operator, session: Session, answer: str
) -> Passkey | None:
    """Use up a challenge of this session; return the operator's passkey that signed it, or None if anything is amiss.

    A key whose count does not grow was copied: it is refused, and the log of operators tells it.
    """
    challenge = await take_challenge(services, session, Challenge.USE, answer)
    if challenge is None:
        return None
    try:
        credential_id = services.passkeys.credential_of(answer)
        known = await known_passkeys(services, operator)
        passkey = next((one for one in known if one.credential_id == credential_id), None)
        if passkey is None:
            _log.warning("passkey_refused", user=operator.name, problem="it is not of this account")
            return None
        count = services.passkeys.used(answer, challenge, passkey.public_key)
    except Exception as error:  # whatever the library says of what a browser sent
        _log.warning("passkey_refused", user=operator.name, problem=str(error)[:200])
        return None
    if not passkey.may_count(count):
        _log.error(
            "passkey_counted_back", user=operator.name, passkey=passkey.name, kept=passkey.sign_count, heard=count
        )
        await services.store.write(NotePasskeyCount(_counted_back(services, operator, passkey, count)))
        return None
    used = sealed_passkey(services, replace(passkey, sign_count=count, last_used_at=services.people_clock.now()))
    return used if await services.store.write(UsePasskey(passkey, used)) else None


async def known_passkeys(services: ServicesWith[PasskeysStore], operator: Operator) -> list[Passkey]:
    """Return the operator's passkeys that are as they were added here; what came by other means opens nothing."""
    found = []
    for one in await services.store.operators.passkeys(operator.id):
        if one.id in operator.passkey_ids and services.vault.is_in_place(one.row_seal, *row_context(one)):
            found.append(one)
        else:
            _log.error("passkey_row_changed_outside", user=operator.name, passkey=one.id)
    return found


async def draw_challenge(services: ServicesWith[PasskeysStore], session: Session, kind: Challenge) -> bytes:
    """Return a new challenge for this session, in the place of the last one; kept is a keyed hash of it."""
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    digest = services.vault.digest(CHALLENGE_PURPOSE, challenge_text(session.id, kind, challenge))
    await services.store.write(
        KeepChallenge(session.id, kind, digest, services.people_clock.now() + CHALLENGE_LIFETIME)
    )
    return challenge


async def take_challenge(
    services: ServicesWith[PasskeysStore], session: Session, kind: Challenge, answer: str
) -> bytes | None:
    """Use the challenge up that an answer names; None when it was not this session's for this, was used, or is old."""
    if len(answer) > ANSWER_CHARS_MAX:
        return None
    try:
        challenge = services.passkeys.challenge_of(answer)
    except Exception as error:  # whatever the library says of what a browser sent
        _log.warning("passkey_answer_not_read", problem=str(error)[:200])
        return None
    digests = services.vault.digests(CHALLENGE_PURPOSE, challenge_text(session.id, kind, challenge))
    taken = await services.store.write(TakeChallenge(session.id, kind, tuple(digests), services.people_clock.now()))
    return challenge if taken else None


def sealed_passkey(services: ServicesWithoutStore, passkey: Passkey) -> Passkey:
    """Return the passkey with a seal of its row."""
    return replace(passkey, row_seal=services.vault.seal("", *row_context(passkey)))


def _counted_back(
    services: ServicesWithoutStore, operator: Operator, passkey: Passkey, count: int
) -> OperatorAuditEntry:
    kind = OperatorAuditAction.PASSKEY_COUNTED_BACK
    before, after = f"count={passkey.sign_count}", f"passkey={passkey.name} count={count}"
    return operator_entry(services, kind, operator.name, operator.name, before, after)
