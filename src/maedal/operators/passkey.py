"""A passkey: a key pair on an operator's phone, computer or security key, whose public half we keep (WebAuthn)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from maedal.payments.errors import InvalidParameter

NAME_CHARS_MAX = 40
PASSKEYS_MAX = 20
"""Of one operator: each is named in the question that the browser is asked."""
CHALLENGE_LIFETIME = timedelta(minutes=5)
ANSWER_CHARS_MAX = 16_000
"""Of a browser's answer: an RSA key with everything around it takes a tenth of that."""


class Challenge(StrEnum):
    """What a session is asked for with a challenge; of each kind it has one at most."""

    ADD = "add"
    USE = "use"


@dataclass(frozen=True, slots=True)
class Passkey:
    """What is kept of one. `credential_id` is how browsers find it, `public_key` is in COSE as it was given."""

    id: str
    operator_id: str
    name: str
    credential_id: bytes
    public_key: bytes = field(repr=False)
    sign_count: int
    """How often it has signed, as it says itself; many say 0 always."""
    transports: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None = None
    row_seal: bytes | None = field(default=None, repr=False)

    def may_count(self, sign_count: int) -> bool:
        """Return whether the key may say this number now; one that does not grow is that of a copy of the key."""
        return sign_count > self.sign_count or sign_count == self.sign_count == 0


def row_context(passkey: Passkey) -> tuple[str, ...]:
    """Return what a passkey's row is sealed with: of one operator, opens to one key, and its count never sinks."""
    return (
        f"passkeys.row_seal:{passkey.id}",
        passkey.operator_id,
        passkey.credential_id.hex(),
        passkey.public_key.hex(),
        str(passkey.sign_count),
    )


def challenge_text(session_id: str, kind: Challenge, challenge: bytes) -> str:
    """Return of what the keyed hash of a challenge is made: it is good in one session, for one thing."""
    return f"{session_id}:{kind}:{challenge.hex()}"


def check_passkey_name(name: str) -> None:
    """Raise InvalidParameter unless a passkey can be called so."""
    if not 1 <= len(name) <= NAME_CHARS_MAX or not name.isprintable():
        raise InvalidParameter("name", f"a passkey's name is 1 to {NAME_CHARS_MAX} printable characters")
