"""One block of the chain: which rows of the logs it covers, what they say, and which block came before.

A row is covered by a hash of all its columns, and a block by a keyed hash of its rows and of the block before. The key
is the key file's: who can write to the database, and has not the key file, can make no block that holds.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

PURPOSE = "log chain"
"""What the keyed hash of a block is for, so that no other one is worth anything here."""
FIRST = bytes(32)
"""Stands for the block before the first one."""


class Log(StrEnum):
    """The logs that are covered: rows are added to them, and never changed or removed."""

    AUDIT_LOG = "audit_log"  # acts of people in a merchant's matters
    OPERATOR_LOG = "user_log"  # what was done about operators and about the times in which a PG is closed
    PAYMENT_EVENTS = "payment_events"  # how each payment moved


COLUMNS: Mapping[Log, tuple[str, ...]] = {
    Log.AUDIT_LOG: (
        "merchant_id", "id", "kind", "subject", "who", "reason", "fact_before", "fact_after", "happened_at",
    ),
    Log.OPERATOR_LOG: ("id", "kind", "subject", "who", "fact_before", "fact_after", "happened_at"),
    Log.PAYMENT_EVENTS: (
        "merchant_id", "imp_uid", "version", "event", "status", "proof", "attempt_id", "happened_at",
    ),
}  # fmt: skip
"""What of a row is covered, in this order. A column that comes later is not, until the form of a block changes."""
FORM = "1"

Key = tuple[str, str, int]
"""Names a row of a log: merchant (empty in the operator log), id or imp_uid, version (0 where there is none)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row as the chain covers it; `digest` None says that it was gone before it was covered."""

    log: Log
    key: Key
    digest: str | None

    @property
    def subject(self) -> str:
        """What names the row to people."""
        _, row_id, version = self.key
        return f"{self.log} {row_id}" + (f" version {version}" if version else "")


@dataclass(frozen=True, slots=True)
class Block:
    """A block as it is kept. `entries` is the text that its digest covers."""

    number: int
    previous: bytes
    made_at: datetime
    entries: str
    digest: bytes

    def rows(self) -> list[Entry]:
        """Return what it covers. Raises ValueError when the text is no block's."""
        try:
            return [
                Entry(Log(log), (merchant, row_id, version), digest)
                for log, merchant, row_id, version, digest in json.loads(self.entries)
            ]
        except (TypeError, ValueError) as error:
            raise ValueError(f"block {self.number} cannot be read") from error


_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""As a block keeps it. Made once: there is a row's hash for each event of each charge."""


def row_digest(log: Log, row: Mapping[str, Any]) -> str:
    """Return the hash of all covered columns of a row, whose moments are aware."""
    values = [_plain(row[column]) for column in COLUMNS[log]]
    text = _compact([log, *values])
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def entries_text(entries: Sequence[Entry]) -> str:
    """Return the entries as a block keeps them."""
    return _compact([[e.log, *e.key, e.digest] for e in entries])


def covered_text(number: int, previous: bytes, made_at: datetime, entries: str) -> str:
    """Return what a block's keyed hash is of."""
    return "\n".join((FORM, str(number), previous.hex(), _plain(made_at), entries))


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else value
