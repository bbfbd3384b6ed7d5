"""A session: a browser that somebody signed in with, and for how long that holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

IDLE = timedelta(hours=1)
LIFETIME = timedelta(hours=12)
HALF_LIFETIME = timedelta(minutes=10)
"""How long the second step may take."""
SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is kept when a session was last used."""
AGENT_CHARS_MAX = 200


@dataclass(frozen=True, slots=True)
class Session:
    """One browser of one operator. Its token is known to that browser alone; kept is a keyed hash of it."""

    id: str
    operator_id: str
    token_digest: bytes
    half: bool
    """Whether only the password was given yet, and the second step is still to come."""
    address: str
    user_agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    row_seal: bytes | None = field(default=None, repr=False)
    """Of the row itself; None in rows from before there was one."""

    def lives(self, now: datetime) -> bool:
        """Return whether the session still holds: neither over nor unused for too long."""
        return now < self.expires_at and now - self.seen_at < IDLE


def row_context(session: Session) -> tuple[str, ...]:
    """Return what a session's row is sealed with: it is of one operator, whole or half, and ends when it was to."""
    whole = "half" if session.half else "whole"
    until = session.expires_at.astimezone(UTC).isoformat()
    return (f"sessions.row_seal:{session.id}", session.operator_id, session.token_digest.hex(), whole, until)


def lifetime(*, half: bool) -> timedelta:
    """Return how long after its beginning a session ends at the latest."""
    return HALF_LIFETIME if half else LIFETIME
