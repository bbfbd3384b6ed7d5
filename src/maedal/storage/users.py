"""What we need of any store for the users of the console, in our words; see store.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from maedal.operators.deed import Deed
from maedal.operators.operator import Operator
from maedal.operators.session import Session
from maedal.operators.tries import Counted


class Ends(StrEnum):
    """Which sessions of a user a change of that user ends."""

    NONE = "none"
    ALL = "all"
    OTHERS = "others"


@dataclass(frozen=True, slots=True)
class AddUser:
    """Keep a new user. Refused (Conflict) when the name is taken."""

    user: Operator
    deed: Deed


@dataclass(frozen=True, slots=True)
class PutUser:
    """Change a user, and with that end sessions; `recovery_digests`, if any, take the place of those there are.

    Refused (Conflict) when the user is no longer as `before`, or when no owner who can sign in would be left.
    """

    before: Operator
    after: Operator
    deed: Deed
    ends: Ends = Ends.NONE
    session_id: str | None = None
    """The session that stays when the others end."""
    recovery_digests: tuple[bytes, ...] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CountTry:
    """Count a try to sign in before it is looked at; gives from when on the next is, when that is later, or None.

    A try that has to wait is not counted: else whoever waits too little would wait for ever.
    """

    subjects: tuple[tuple[Counted, bytes], ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class ForgiveTries:
    """Forget an account's failed tries, and take back so many of those that an address shares with others."""

    account: bytes
    address: bytes
    count: int


@dataclass(frozen=True, slots=True)
class BeginSession:
    """Keep a new session in the place of a half one; gives False when the user was changed or disabled meanwhile."""

    session: Session
    user_version: int
    deed: Deed | None = None
    instead_of: str | None = None


@dataclass(frozen=True, slots=True)
class SeeSession:
    """Keep that a session was used."""

    session_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EndSessions:
    """End one session of a user, or with None all of them; gives how many."""

    user_id: str
    session_id: str | None
    deed: Deed | None = None


@dataclass(frozen=True, slots=True)
class TakeStep:
    """Use up a code of the second step, and all before it; gives False when it was used before."""

    user_id: str
    step: int


@dataclass(frozen=True, slots=True)
class TakeRecoveryCode:
    """Use up a recovery code; gives False when there is none such, or it was used before."""

    user_id: str
    digests: tuple[bytes, ...] = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class SweepSignIns:
    """Forget sessions that are over and counts of failed tries that are old; gives how many sessions."""

    sessions_before: datetime
    tries_before: datetime
    count_max: int


UserWrite = (
    AddUser
    | PutUser
    | CountTry
    | ForgiveTries
    | BeginSession
    | SeeSession
    | EndSessions
    | TakeStep
    | TakeRecoveryCode
    | SweepSignIns
)


class UserReads(Protocol):
    """What is read of users."""

    async def users(self) -> Sequence[Operator]: ...
    async def user(self, user_id: str) -> Operator | None: ...
    async def user_named(self, name: str) -> Operator | None:
        """Return the user of this name, however it is capitalised."""
        ...

    async def session(self, token_digests: Sequence[bytes]) -> tuple[Session, Operator] | None:
        """Return the session under any of these digests with its user, unless the user is disabled."""
        ...

    async def sessions(self, user_id: str) -> Sequence[Session]:
        """Return a user's sessions, over or not, newest first."""
        ...

    async def recovery_codes_left(self, user_id: str) -> int: ...
    async def deeds(self, count_max: int) -> Sequence[Deed]:
        """Return the newest of what was done about users, newest first."""
        ...
