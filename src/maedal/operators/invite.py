"""An invite: a link by which a user chooses their own password, once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

INVITE_LIFETIME = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Invite:
    """What is kept of a link: a keyed hash of its token, and until when it is good. A user has one at most."""

    digest: bytes = field(repr=False)
    expires_at: datetime
    row_seal: bytes | None = field(default=None, repr=False)
    """Of the row itself; None in rows from before there was one."""


def invite_context(user_id: str, invite: Invite) -> tuple[str, ...]:
    """Return what a link's row is sealed with: it lets one user choose a password, for so long."""
    until = invite.expires_at.astimezone(UTC).isoformat()
    return (f"invites.row_seal:{user_id}", invite.digest.hex(), until)
