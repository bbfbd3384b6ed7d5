"""Operators and their sessions as rows."""

from __future__ import annotations

from typing import Any

from maedal.operators.invite import Invite
from maedal.operators.operator import Operator
from maedal.operators.passkey import Passkey
from maedal.operators.role import Role
from maedal.operators.session import Session
from maedal.storage.engine.reading import moment, moment_not_null
from maedal.storage.engine.steps import Row, insert

OPERATOR_COLUMNS = (
    "id",
    "name",
    "name_folded",
    "role",
    "password_hash",
    "version",
    "created_at",
    "password_drawn",
    "merchant_codes",
    "row_seal",
    "second_step_required",
    "rights_seal",
)
INSERT_OPERATOR = insert("users", OPERATOR_COLUMNS)
PASSKEY_COLUMNS = (
    "id",
    "user_id",
    "name",
    "credential_id",
    "public_key",
    "sign_count",
    "transports",
    "created_at",
    "row_seal",
)
INSERT_PASSKEY = insert("passkeys", PASSKEY_COLUMNS)


def operator_of(row: Row) -> Operator:
    sealed = row["sealed_totp_secret"]
    return Operator(
        id=row["id"],
        name=row["name"],
        role=Role(row["role"]),
        password_hash=row["password_hash"],
        created_at=moment_not_null(row["created_at"]),
        version=row["version"],
        sealed_totp_secret=None if sealed is None else bytes(sealed),
        disabled_at=moment(row["disabled_at"]),
        row_seal=_seal(row["row_seal"]),
        password_drawn=bool(row["password_drawn"]),
        merchant_codes=None if row["merchant_codes"] is None else frozenset(row["merchant_codes"].split()),
        second_step_demanded=bool(row["second_step_demanded"]) or bool(row["second_step_required"]),
        second_step_required=bool(row["second_step_required"]),
        rights_seal=_seal(row["rights_seal"]),
        passkey_ids=frozenset(row["passkey_ids"].split()),
    )


def session_of(row: Row) -> Session:
    return Session(
        id=row["session_id"],
        operator_id=row["user_id"],
        token_digest=bytes(row["token_digest"]),
        half=bool(row["half"]),
        address=row["address"],
        user_agent=row["user_agent"],
        created_at=moment_not_null(row["begun_at"]),
        seen_at=moment_not_null(row["seen_at"]),
        expires_at=moment_not_null(row["expires_at"]),
        row_seal=_seal(row["session_seal"]),
    )


def passkey_of(row: Row) -> Passkey:
    return Passkey(
        id=row["id"],
        operator_id=row["user_id"],
        name=row["name"],
        credential_id=bytes(row["credential_id"]),
        public_key=bytes(row["public_key"]),
        sign_count=row["sign_count"],
        transports=tuple(row["transports"].split()),
        created_at=moment_not_null(row["created_at"]),
        last_used_at=moment(row["last_used_at"]),
        row_seal=_seal(row["row_seal"]),
    )


def invite_of(row: Row) -> Invite:
    return Invite(bytes(row["digest"]), moment_not_null(row["expires_at"]), _seal(row["invite_seal"]))


def invite_values(invite: Invite) -> tuple[Any, ...]:
    """Return what is kept of a link besides whose it is."""
    return (invite.digest, invite.expires_at, invite.row_seal)


def passkey_values(passkey: Passkey) -> tuple[Any, ...]:
    """Return a new passkey's values in the order of `PASSKEY_COLUMNS`."""
    p = passkey
    keys = (p.credential_id, p.public_key, p.sign_count, " ".join(p.transports))
    return (p.id, p.operator_id, p.name, *keys, p.created_at, p.row_seal)


def _seal(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


def codes_text(codes: frozenset[str] | None) -> str | None:
    """Return the merchants of an operator as they are kept: with spaces between, "" for none, None for all."""
    return None if codes is None else " ".join(sorted(codes))
