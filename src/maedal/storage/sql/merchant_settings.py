"""Allowed addresses, what becomes of API keys, and what was found on the way to live mode."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.merchants.go_live import KeptCheck, Point, Readiness
from maedal.storage.merchant_settings import EndOldSecret, KeepChecks, NameApiKey, SeeApiKey, SetAllowedAddresses
from maedal.storage.sql.acts import keep_acts
from maedal.storage.sql.rows import addresses_value, moment
from maedal.storage.sql.steps import Row, Rows, Run, insert, unit

SET_ALLOWED_ADDRESSES = """
UPDATE merchants SET allowed_addresses = $3 WHERE code = $1 AND allowed_addresses = $2
RETURNING CAST($4 AS INTEGER) AS item
"""
END_OLD_SECRET = """
UPDATE api_keys SET old_secret_digest = NULL, old_secret_until = NULL, old_token_digest = NULL,
       old_token_issued_at = NULL, old_token_expires_at = NULL
 WHERE merchant_id = $1 AND api_key = $2 AND old_secret_digest = $3
RETURNING CAST($4 AS INTEGER) AS item
"""
NAME_API_KEY = "UPDATE api_keys SET name = $3 WHERE merchant_id = $1 AND api_key = $2"
SEE_API_KEY = """
UPDATE api_keys SET last_used_at = $3, last_used_from = $5
 WHERE merchant_id = $1 AND api_key = $2 AND (last_used_at IS NULL OR last_used_at <= $4)
"""
CHECK_COLUMNS = ("merchant_id", "point", "standing", "evidence", "checked_at")
KEEP_CHECK = (
    insert("live_checks", CHECK_COLUMNS)
    + " ON CONFLICT (merchant_id, point) DO UPDATE SET standing = excluded.standing, evidence = excluded.evidence,"
    + " checked_at = excluded.checked_at"
)
KEPT_CHECKS = "SELECT * FROM live_checks WHERE merchant_id = $1 LIMIT 100"


@unit(SetAllowedAddresses)
def set_allowed_addresses(writes: Sequence[SetAllowedAddresses]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Change the lists that are still those that were read."""
    changed = yield Rows(
        SET_ALLOWED_ADDRESSES, [(w.merchant_id, addresses_value(w.before), addresses_value(w.after)) for w in writes]
    )
    yield keep_acts(w.act for w, rows in zip(writes, changed, strict=True) if rows)
    return [bool(rows) for rows in changed]


@unit(EndOldSecret)
def end_old_secrets(writes: Sequence[EndOldSecret]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """End the old secrets that are still those that were read."""
    changed = yield Rows(END_OLD_SECRET, [(w.merchant_id, w.api_key, w.digest) for w in writes])
    yield keep_acts(w.act for w, rows in zip(writes, changed, strict=True) if rows)
    return [bool(rows) for rows in changed]


@unit(NameApiKey)
def name_api_keys(writes: Sequence[NameApiKey]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Name each key."""
    yield Run(NAME_API_KEY, [(w.merchant_id, w.api_key, w.name) for w in writes])
    yield keep_acts(w.act for w in writes)
    return [None] * len(writes)


@unit(SeeApiKey)
def see_api_keys(writes: Sequence[SeeApiKey]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep the last use of each key."""
    yield Run(SEE_API_KEY, [(w.merchant_id, w.api_key, w.at, w.unless_after, w.address) for w in writes])
    return [None] * len(writes)


@unit(KeepChecks)
def keep_checks(writes: Sequence[KeepChecks]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep what was found."""
    yield Run(
        KEEP_CHECK,
        [(c.merchant_id, c.point, c.standing, c.evidence, c.checked_at) for w in writes for c in w.checks],
    )
    yield keep_acts(w.act for w in writes)
    return [None] * len(writes)


def kept_check_of(row: Row) -> KeptCheck:
    checked_at = moment(row["checked_at"])
    assert checked_at is not None, "the column is NOT NULL"
    return KeptCheck(row["merchant_id"], Point(row["point"]), Readiness(row["standing"]), row["evidence"], checked_at)
