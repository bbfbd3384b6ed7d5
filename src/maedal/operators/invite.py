"""An invite: a link by which an operator chooses their own password, once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

INVITE_LIFETIME = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Invite:
    """What is kept of a link: a keyed hash of its token, and until when it is good. An operator has one at most."""

    digest: bytes = field(repr=False)
    expires_at: datetime
    row_seal: bytes | None = field(default=None, repr=False)
    """Of the row itself; None in rows from before there was one."""


def invite_context(operator_id: str, invite: Invite) -> tuple[str, ...]:
    """Return what a link's row is sealed with: it lets one operator choose a password, for so long."""
    until = invite.expires_at.astimezone(UTC).isoformat()
    return (f"invites.row_seal:{operator_id}", invite.digest.hex(), until)
