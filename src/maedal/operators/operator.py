"""An operator of the console, and what a name and a password must be."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from maedal.operators.role import OF_THE_INSTALLATION, Permission, Role, may
from maedal.payments.errors import InvalidParameter

NAME = re.compile(r"[\w.@+-]{2,60}")
PASSWORD_CHARS_MIN = 12
PASSWORD_CHARS_MAX = 128
# Without letters and digits that look alike: it is copied from a terminal, and sometimes from paper.
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_RECOVERY_CODES = 10


class Owed(StrEnum):
    """What an operator must do before anything else in the console."""

    PASSWORD = "password"  # noqa: S105 - change the one that was drawn
    SECOND_STEP = "second_step"


@dataclass(frozen=True, slots=True)
class Operator:
    """Who may sign in. `version` grows with each change, so that two people do not undo each other's."""

    id: str
    name: str
    role: Role
    password_hash: str = field(repr=False)
    created_at: datetime
    version: int = 1
    sealed_totp_secret: bytes | None = field(default=None, repr=False)
    """What the second step is checked against; None without a second step."""
    disabled_at: datetime | None = None
    row_seal: bytes | None = field(default=None, repr=False)
    """Of the row itself; None in rows from before there was one."""
    password_drawn: bool = False
    """Whether the password was drawn for them, and is still to be changed: whoever handed it over knows it too."""
    second_step_demanded: bool = False
    """Whether an owner demands a second step of their role, by the list of roles or by their own row."""

    merchant_codes: frozenset[str] | None = None
    """The merchants that they see and work for; None is every one there is and will be."""
    second_step_required: bool = False
    """Whether their own row demands a second step of them: it is kept there, under its seal, when it is demanded."""
    rights_seal: bytes | None = field(default=None, repr=False)
    """Of what they may do; None in rows from before there was one."""
    passkey_ids: frozenset[str] = frozenset()
    """Of the passkeys that stand for the second step; one whose row is not named here opens nothing."""

    def sees(self, code: str) -> bool:
        """Return whether a merchant is theirs to see; everything of one that is not is as if it did not exist."""
        return self.merchant_codes is None or code in self.merchant_codes

    def may(self, permission: Permission) -> bool:
        """Return whether they may do it: by their role, and what is of the installation only if they see all of it."""
        return may(self.role, permission) and (self.merchant_codes is None or permission not in OF_THE_INSTALLATION)

    def owes(self) -> Owed | None:
        """Return what the operator must do before anything else, if anything."""
        if self.password_drawn:
            return Owed.PASSWORD
        return Owed.SECOND_STEP if self.second_step_demanded and not self.two_steps else None

    @property
    def two_steps(self) -> bool:
        """Whether signing in takes a code or a passkey after the password."""
        return self.has_app or bool(self.passkey_ids)

    @property
    def has_app(self) -> bool:
        """Whether an authenticator app shows codes for them."""
        return self.sealed_totp_secret is not None


def check_name(name: str) -> None:
    """Raise InvalidParameter unless an operator can be called so."""
    if NAME.fullmatch(name) is None:
        raise InvalidParameter("name", "a name is 2 to 60 letters, digits or . _ @ + -, without spaces")


def check_password(password: str, name: str) -> None:
    """Raise InvalidParameter unless a password is long enough to be one."""
    if not PASSWORD_CHARS_MIN <= len(password) <= PASSWORD_CHARS_MAX or not password.isprintable():
        raise InvalidParameter(
            "password", f"a password is {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} printable characters"
        )
    if len(set(password)) < 5 or name.casefold() in password.casefold():
        raise InvalidParameter("password", "the password is too easy: it repeats itself, or holds the user's name")


def draw_password() -> str:
    """Return a random password of about 100 bits, in groups that can be read aloud."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))


def draw_recovery_codes() -> tuple[str, ...]:
    """Return codes that each stand once for the second step, about 50 bits each."""
    return tuple(
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(2)) for _ in range(_RECOVERY_CODES)
    )


def totp_context(operator: Operator) -> tuple[str, ...]:
    """Return under what an operator's second-step secret is sealed."""
    return (f"users.totp_secret:{operator.id}", operator.name)


RECOVERY_PURPOSE = "console.recovery_code"


def row_context(operator: Operator) -> tuple[str, ...]:
    """Return what an operator's row is sealed with: signing in cannot be copied from another, nor a step left out."""
    steps = "two steps" if operator.has_app else "one step"
    passkeys = (" ".join(sorted(operator.passkey_ids)),) if operator.passkey_ids else ()
    return (f"users.row_seal:{operator.id}", operator.name, operator.password_hash, steps, *passkeys)


def rights_context(operator: Operator) -> tuple[str, ...]:
    """Return what an operator's rights are sealed with: nobody gets another role or more merchants by other means."""
    return (
        f"users.rights_seal:{operator.id}",
        operator.name,
        operator.role,
        "every merchant" if operator.merchant_codes is None else " ".join(sorted(operator.merchant_codes)),
        "enabled" if operator.disabled_at is None else "disabled",
        "password drawn" if operator.password_drawn else "password chosen",
        "second step required" if operator.second_step_required else "second step free",
    )
