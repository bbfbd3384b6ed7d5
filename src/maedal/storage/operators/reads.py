"""What is read of the operators of the console."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from maedal.operators.invite import Invite
from maedal.operators.operator import Operator
from maedal.operators.passkey import Passkey
from maedal.operators.role import Role
from maedal.operators.session import Session


class OperatorReads(Protocol):
    """What is read of operators."""

    async def all(self) -> Sequence[Operator]:
        """Return the operators of the console by name."""
        ...

    async def find(self, operator_id: str) -> Operator | None: ...
    async def find_by_name(self, name: str) -> Operator | None:
        """Return the operator of this name, however it is capitalised."""
        ...

    async def session(self, token_digests: Sequence[bytes]) -> tuple[Session, Operator] | None:
        """Return the session under any of these digests with its operator, unless the operator is disabled."""
        ...

    async def sessions(self, operator_id: str) -> Sequence[Session]:
        """Return an operator's sessions, over or not, newest first."""
        ...

    async def recovery_codes(self, operator_id: str) -> Sequence[bytes]:
        """Return what is kept of an operator's recovery codes that are unused."""
        ...

    async def passkeys(self, operator_id: str) -> Sequence[Passkey]:
        """Return an operator's passkeys, the oldest first; whether they are as when added is for the caller to see."""
        ...

    async def knows_place(self, operator_id: str, places: Sequence[bytes], since: datetime) -> bool:
        """Return whether the operator has signed in from any of these places, not before `since`."""
        ...

    async def invited(self, digests: Sequence[bytes], now: datetime) -> tuple[Operator, Invite] | None:
        """Return who is invited by a link of any of these digests that is still good, unless they are disabled.

        Whether the link is theirs by its seal is for the caller to see.
        """
        ...

    async def second_step_roles(self) -> frozenset[Role]:
        """Return the roles of which a second step is demanded."""
        ...

    async def recovery_codes_left(self, operator_id: str) -> int: ...


class HasOperators(Protocol):
    @property
    def operators(self) -> OperatorReads: ...
