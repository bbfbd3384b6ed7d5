"""An invite: a link by which a user chooses their own password, once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

INVITE_LIFETIME = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Invite:
    """What is kept of a link: a keyed hash of its token, and until when it is good. A user has one at most."""

    digest: bytes = field(repr=False)
    expires_at: datetime
