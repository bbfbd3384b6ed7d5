"""What is read of the keys that seal this database, and of everything that they sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class SealedColumn(StrEnum):
    """Where sealed values are kept."""

    PG_KEY = "billing_keys.sealed_pg_key"
    CHANNEL_SECRET = "channels.sealed_secret"
    FILE_KEY = "channels.sealed_file_key"
    WEBHOOK_SECRET = "merchants.sealed_webhook_secret"
    OLD_WEBHOOK_SECRET = "merchants.sealed_old_webhook_secret"
    ADDRESS_SECRET = "webhook_addresses.sealed_secret"
    OLD_ADDRESS_SECRET = "webhook_addresses.sealed_old_secret"
    API_SECRET = "api_keys.secret_digest"
    OLD_API_SECRET = "api_keys.old_secret_digest"
    TOTP_SECRET = "users.sealed_totp_secret"
    OPERATOR_ROW = "users.row_seal"
    OPERATOR_RIGHTS = "users.rights_seal"
    INVITE_ROW = "invites.row_seal"
    PASSKEY_ROW = "passkeys.row_seal"
    RECOVERY_CODE = "recovery_codes.digest"
    BODY = "idempotent_requests.digest"
    ANSWER = "idempotent_requests.sealed_answer"
    PG_TOKEN = "windows.sealed_pg_token"
    MAIL_PASSWORD = "mail_servers.sealed_password"
    ALERT_ADDRESS = "alert_receivers.sealed_address"
    ALERT_SECRET = "alert_receivers.sealed_secret"
    PAY_TOKEN = "unpaid.sealed_token"
    STAGED_PG_KEY = "import_billing_keys.sealed_pg_key"


class ShortLived(StrEnum):
    """What is made with the primary key, cannot be made anew, and ends by itself within a day."""

    SESSIONS = "sessions"
    ACCESS_TOKENS = "access_tokens"
    WINDOWS = "windows"


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key of the ring as the database knows it: never the key."""

    id: str
    fingerprint: str
    added_at: datetime
    primary_since: datetime | None = None
    """When it became primary last; None: never yet, so that nothing is sealed with it."""
    is_primary: bool = False
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """A process that serves or works, and which keys it had when it was seen last."""

    id: str
    key_ids: frozenset[str]
    primary_id: str
    seen_at: datetime


Row = tuple[Any, ...]
"""What a row is found by: the values of its table's key."""


@dataclass(frozen=True, slots=True)
class SealedValue:
    """A sealed value in its row. `context` is what it must have been sealed under, the place first."""

    column: SealedColumn
    row: Row
    merchant_id: str
    """Whose it is; empty for what belongs to an operator."""
    subject: str
    """How people find the row: a customer_uid, a channel, an API key, an operator's name."""
    sealed: bytes | None = field(repr=False)
    """None: a row without a seal, from before rows had one."""
    context: tuple[str, ...] = field(repr=False)


class SealingReads(Protocol):
    """What is read of keys and of sealed values."""

    async def keys(self) -> Sequence[KnownKey]:
        """Return the keys that this database knows, the oldest first; none before any process has opened it."""
        ...

    async def holders(self, since: datetime) -> Sequence[KeyHolder]:
        """Return the processes that were seen since then."""
        ...

    async def page(
        self, column: SealedColumn, after: Row | None, count_max: int, *, not_of: str | None = None
    ) -> Sequence[SealedValue]:
        """Return sealed values in the order of their rows, from the one after `after` on.

        Hashes of secrets that a key of version 1 made are left out: they are no sealed values. With `not_of` only those
        that this key did not seal.
        """
        ...

    async def one(self, column: SealedColumn, row: Row) -> SealedValue | None:
        """Return the sealed value of a row."""
        ...

    async def counts(self, column: SealedColumn, now: datetime) -> Mapping[str, int]:
        """Return how many values that are of use at `now` each key has sealed, by its id; "" is what no key sealed.

        It reads the whole column.
        """
        ...

    async def short_lived(self, now: datetime, made_before: datetime) -> Mapping[ShortLived, int]:
        """Return how much that was made before then is still good."""
        ...


class HasSealing(Protocol):
    @property
    def sealing(self) -> SealingReads: ...
