"""What is written about the operators of the console."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from maedal.operators.invite import Invite
from maedal.operators.operator import Operator
from maedal.operators.operator_audit_entry import OperatorAuditEntry
from maedal.operators.passkey import Challenge, Passkey
from maedal.operators.role import Role
from maedal.operators.session import Session
from maedal.operators.tries import Counted
from maedal.storage.write import Write


class Ends(StrEnum):
    """Which sessions of an operator a change of that operator ends."""

    NONE = "none"
    ALL = "all"
    OTHERS = "others"


@dataclass(frozen=True, slots=True)
class AddOperator(Write[None]):
    """Keep a new operator. Refused (Conflict) when the name is taken."""

    operator: Operator
    operator_entry: OperatorAuditEntry
    invite: Invite | None = None


@dataclass(frozen=True, slots=True)
class PutOperator(Write[None]):
    """Change an operator, and with that end sessions; `recovery_digests`, if any, take the place of those there are.

    Refused (Conflict) when the operator is no longer as `before`, or when no owner who can sign in would be left.
    """

    before: Operator
    after: Operator
    operator_entry: OperatorAuditEntry
    ends: Ends = Ends.NONE
    session_id: str | None = None
    """The session that stays when the others end."""
    recovery_digests: tuple[bytes, ...] | None = field(default=None, repr=False)
    totp_step: int | None = None
    """The step of a code that was shown with a new secret: it and all before it are used up."""
    invite: Invite | None = None
    """A link for the operator from now on; whatever they had before is void."""
    used_invites: tuple[bytes, ...] = field(default=(), repr=False)
    """Digests under which the link is kept that is used up with this; refused (Conflict) when there is none such."""
    added_passkey: Passkey | None = None
    removed_passkeys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemandSecondStep(Write[None]):
    """Demand a second step of these roles, and of no others; `users`, before and after, have it in their own rows.

    Refused (Conflict) when one of them is no longer as before.
    """

    roles: frozenset[Role]
    operator_entry: OperatorAuditEntry
    operators: tuple[tuple[Operator, Operator], ...] = ()


@dataclass(frozen=True, slots=True)
class CountTry(Write[datetime | None]):
    """Count a try to sign in before it is looked at; gives from when on the next is, when that is later, or None.

    A try that has to wait is not counted: else whoever waits too little would wait for ever.
    """

    subjects: tuple[tuple[Counted, bytes], ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class ForgiveTries(Write[None]):
    """Forget one's own failed tries, and take back so many of those that an address shares with others, if any."""

    own: bytes
    address: bytes | None = None
    count: int = 0


@dataclass(frozen=True, slots=True)
class BeginSession(Write[bool]):
    """Keep a new session in the place of a half one; False when the operator was changed or disabled meanwhile."""

    session: Session
    operator_version: int
    operator_entry: OperatorAuditEntry | None = None
    instead_of: str | None = None
    place: bytes | None = None
    """The address, as a keyed hash, that the operator is known to sign in from henceforth."""


@dataclass(frozen=True, slots=True)
class SeeSession(Write[None]):
    """Keep that a session was used."""

    session_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EndSessions(Write[int]):
    """End one session of an operator, or with None all of them; gives how many."""

    operator_id: str
    session_id: str | None
    operator_entry: OperatorAuditEntry | None = None


@dataclass(frozen=True, slots=True)
class TakeStep(Write[bool]):
    """Use up a code of the second step, and all before it; gives False when it was used before."""

    operator_id: str
    step: int


@dataclass(frozen=True, slots=True)
class TakeRecoveryCode(Write[bool]):
    """Use up a recovery code; gives False when there is none such, or it was used before."""

    operator_id: str
    digests: tuple[bytes, ...] = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class KeepChallenge(Write[None]):
    """Keep the keyed hash of a challenge to passkeys, in the place of the session's last one of this kind."""

    session_id: str
    kind: Challenge
    digest: bytes = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TakeChallenge(Write[bool]):
    """Use up a challenge; gives False when the session has none such, it was used before, or is over."""

    session_id: str
    kind: Challenge
    digests: tuple[bytes, ...] = field(repr=False)
    now: datetime


@dataclass(frozen=True, slots=True)
class UsePasskey(Write[bool]):
    """Keep that a passkey has signed, with its new count; gives False when its count is no longer that of `before`."""

    before: Passkey
    after: Passkey


@dataclass(frozen=True, slots=True)
class NotePasskeyCount(Write[None]):
    """Keep in the log of operators that a passkey was refused, because its count did not grow."""

    operator_entry: OperatorAuditEntry


@dataclass(frozen=True, slots=True)
class SweepSignIns(Write[int]):
    """Forget sessions, invites and challenges that are over, old tries and places; gives how many sessions."""

    sessions_before: datetime
    tries_before: datetime
    places_before: datetime
    count_max: int
