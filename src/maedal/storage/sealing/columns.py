"""Where each sealed value is kept, and under what it must have been sealed: as the concept of its row says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from maedal.billing_keys.billing_key import secret_context as pg_key_context
from maedal.dunning.unpaid import token_context as pay_token_context
from maedal.merchants.channel import file_key_context, secret_context
from maedal.merchants.merchant import API_SECRET_PURPOSE, api_secret_context, webhook_secret_context
from maedal.messages.alert import address_context as alert_address_context
from maedal.messages.alert import secret_context as alert_secret_context
from maedal.messages.mail_server import password_context
from maedal.operators.invite import invite_context
from maedal.operators.operator import RECOVERY_PURPOSE, Operator, rights_context, row_context, totp_context
from maedal.operators.passkey import row_context as passkey_context
from maedal.payments.window import token_context
from maedal.storage.billing_keys.rows import key_of
from maedal.storage.channels.rows import channel_of
from maedal.storage.engine.steps import Row
from maedal.storage.idempotency.writes import BODY_PURPOSE, answer_context
from maedal.storage.operators.rows import invite_of, operator_of, passkey_of
from maedal.storage.sealing.reads import SealedColumn
from maedal.webhooks.address import address_secret_context

DIGEST_BYTES = 32
"""So long is a keyed hash that a key of version 1 made; whatever is sealed is longer."""


@dataclass(frozen=True, slots=True)
class Place:
    """A column with sealed values. `by` is its table's key; `hashes` says that keyed hashes stand there too."""

    by: tuple[str, ...]
    context: Callable[[Row], tuple[str, ...]]
    subject: str
    merchant: str | None = "merchant_id"
    hashes: bool = False
    good: str = ""
    """A condition that leaves out what is of no use any more; it may ask for the present moment ($1)."""
    with_none: bool = False
    """Whether a row without a value is one that waits for its seal."""


def _api_secret(row: Row) -> tuple[str, ...]:
    return (API_SECRET_PURPOSE, *api_secret_context(row["merchant_id"], row["api_key"]))


def _webhook_secret(row: Row) -> tuple[str, ...]:
    return webhook_secret_context(row["code"])


def _address_secret(row: Row) -> tuple[str, ...]:
    return address_secret_context(row["merchant_id"], row["id"])


def _operator(row: Row) -> Operator:
    # Read from their own table alone; what is demanded of their role stands in another, and seals nothing.
    return operator_of({**dict(row), "second_step_demanded": False})


def _invite(row: Row) -> tuple[str, ...]:
    return invite_context(row["user_id"], invite_of({**dict(row), "invite_seal": row["row_seal"]}))


def _pg_key(row: Row) -> tuple[str, ...]:
    return pg_key_context(key_of(row))


PLACES: dict[SealedColumn, Place] = {
    SealedColumn.PG_KEY: Place(("merchant_id", "id"), _pg_key, "customer_uid"),
    SealedColumn.CHANNEL_SECRET: Place(("merchant_id", "id"), lambda row: secret_context(channel_of(row)), "id"),
    SealedColumn.FILE_KEY: Place(("merchant_id", "id"), lambda row: file_key_context(channel_of(row)), "id"),
    SealedColumn.WEBHOOK_SECRET: Place(("code",), _webhook_secret, "code", "code"),
    SealedColumn.OLD_WEBHOOK_SECRET: Place(("code",), _webhook_secret, "code", "code"),
    SealedColumn.ADDRESS_SECRET: Place(("merchant_id", "id"), _address_secret, "name"),
    SealedColumn.OLD_ADDRESS_SECRET: Place(("merchant_id", "id"), _address_secret, "name"),
    SealedColumn.API_SECRET: Place(
        ("merchant_id", "api_key"), _api_secret, "api_key", hashes=True, good="ended_at IS NULL"
    ),
    SealedColumn.OLD_API_SECRET: Place(
        ("merchant_id", "api_key"), _api_secret, "api_key", hashes=True, good="old_secret_until > $1"
    ),
    SealedColumn.TOTP_SECRET: Place(("id",), lambda row: totp_context(_operator(row)), "name", None),
    SealedColumn.OPERATOR_ROW: Place(("id",), lambda row: row_context(_operator(row)), "name", None, with_none=True),
    SealedColumn.OPERATOR_RIGHTS: Place(
        ("id",), lambda row: rights_context(_operator(row)), "name", None, with_none=True
    ),
    SealedColumn.INVITE_ROW: Place(("user_id",), _invite, "user_id", None, good="expires_at > $1", with_none=True),
    SealedColumn.PASSKEY_ROW: Place(("id",), lambda row: passkey_context(passkey_of(row)), "user_id", None),
    SealedColumn.RECOVERY_CODE: Place(
        ("user_id", "digest"),
        lambda row: (RECOVERY_PURPOSE, row["user_id"]),
        "user_id",
        None,
        hashes=True,
        good="used_at IS NULL",
    ),
    SealedColumn.BODY: Place(
        ("merchant_id", "key"), lambda row: (BODY_PURPOSE, row["merchant_id"], row["key"]), "key", hashes=True
    ),
    SealedColumn.ANSWER: Place(
        ("merchant_id", "key"), lambda row: answer_context(row["merchant_id"], row["key"]), "key"
    ),
    SealedColumn.PG_TOKEN: Place(
        ("merchant_id", "imp_uid"), lambda row: token_context(row["merchant_id"], row["imp_uid"]), "imp_uid"
    ),
    SealedColumn.MAIL_PASSWORD: Place(("merchant_id",), lambda row: password_context(row["merchant_id"]), "host"),
    SealedColumn.ALERT_ADDRESS: Place(
        ("merchant_id", "id"), lambda row: alert_address_context(row["id"], row["merchant_id"]), "name"
    ),
    SealedColumn.ALERT_SECRET: Place(
        ("merchant_id", "id"), lambda row: alert_secret_context(row["id"], row["merchant_id"]), "name"
    ),
    SealedColumn.PAY_TOKEN: Place(
        ("merchant_id", "merchant_uid"),
        lambda row: pay_token_context(row["merchant_uid"], row["merchant_id"]),
        "merchant_uid",
    ),
    SealedColumn.STAGED_PG_KEY: Place(("file_digest", "position"), _pg_key, "customer_uid"),
}


def table_of(column: SealedColumn) -> tuple[str, str]:
    """Return the table and the name of a column."""
    table, _, name = column.partition(".")
    return table, name
