"""Invite somebody into the console: by a link that is shown once, works once, and lets them choose their own password.

So whoever invites never knows it. The link opens no session: who has used it signs in, by two steps if they have two.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

import structlog

from maedal.flows.manage_operators import check_new_password, put_operator
from maedal.flows.operator_entry import operator_entry
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.operators.actor import Actor
from maedal.operators.invite import INVITE_LIFETIME, Invite, invite_context
from maedal.operators.operator import Operator
from maedal.operators.operator_audit_entry import OperatorAuditAction
from maedal.payments.errors import InvalidParameter
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.operators.reads import HasOperators
from maedal.storage.operators.writes import Ends, PutOperator
from maedal.storage.write import Writes

_log = structlog.get_logger()

BY_A_LINK = "by a link"
"""What the log of operators says of it."""

TOKEN_BYTES = 32
TOKEN_CHARS_MAX = 100
INVITE_PURPOSE = "console.invite"


class InviteOperatorStore(HasMerchants, HasOperators, Writes, Protocol): ...


@dataclass(frozen=True, slots=True)
class Invited:
    """An operator with the token of their link in the clear, which is kept nowhere."""

    operator: Operator
    token: str = field(repr=False)
    expires_at: datetime


async def invite(services: ServicesWith[InviteOperatorStore], operator: Operator, by: Actor) -> Invited:
    """Make a link by which the operator chooses a password; one that they had before is void.

    Raises InvalidParameter: not theirs to invite, or somebody else was first.
    """
    if not by.may_make(operator.role):
        raise InvalidParameter("role", "an owner is made, changed and ended by owners alone")
    token = secrets.token_urlsafe(TOKEN_BYTES)
    expires_at = services.people_clock.now() + INVITE_LIFETIME
    entry = operator_entry(services, OperatorAuditAction.INVITE_OPERATOR, operator.name, by.name, after=BY_A_LINK)
    link = Invite(services.vault.digest(INVITE_PURPOSE, token), expires_at)
    link = replace(link, row_seal=services.vault.seal("", *invite_context(operator.id, link)))
    return Invited(await put_operator(services, PutOperator(operator, operator, entry, invite=link)), token, expires_at)


async def invited(services: ServicesWith[InviteOperatorStore], token: str) -> Operator | None:
    """Return whose link this is, while it is good."""
    if len(token) > TOKEN_CHARS_MAX:
        return None
    found = await services.store.operators.invited(_digests(services, token), services.people_clock.now())
    if found is None:
        return None
    operator, link = found
    if not services.vault.is_in_place(link.row_seal, *invite_context(operator.id, link)):
        _log.error("invite_row_changed_outside", user=operator.name)
        return None
    return operator


async def accept(
    services: ServicesWith[InviteOperatorStore], operator: Operator, token: str, password: str
) -> Operator:
    """Take the password that the operator chose, use the link up, and end whatever sessions there were.

    Raises InvalidParameter: a password that is none, or a link that is good no more.
    """
    await check_new_password(services, operator, password)
    after = replace(operator, password_hash=await services.passwords.hash(password), password_drawn=False)
    entry = operator_entry(services, OperatorAuditAction.NEW_PASSWORD, operator.name, operator.name, after=BY_A_LINK)
    return await put_operator(
        services, PutOperator(operator, after, entry, Ends.ALL, used_invites=_digests(services, token))
    )


def _digests(services: ServicesWithoutStore, token: str) -> tuple[bytes, ...]:
    return tuple(services.vault.digests(INVITE_PURPOSE, token))
