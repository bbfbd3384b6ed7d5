"""Merchants and their settings, and what was found on the way to live mode."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.merchants.merchant import Merchant
from maedal.storage.audit.rows import keep_audit_entries
from maedal.storage.engine.steps import Rows, Run, insert, unit
from maedal.storage.errors import Conflict
from maedal.storage.merchants.rows import (
    INSERT_API_KEY,
    INSERT_MERCHANT,
    addresses_value,
    api_key_values,
    merchant_of,
    merchant_values,
    recovery_value,
)
from maedal.storage.merchants.writes import (
    AddMerchant,
    KeepChecks,
    SetAllowedAddresses,
    SetFieldSet,
    SetRecovery,
    SetWebhook,
    SetWebhookSecrets,
)

# A missing value leaves its column as it is, so that two commands at once do not undo each other.
SET_WEBHOOK = """
UPDATE merchants
   SET webhook_url_live = nullif(coalesce($2, webhook_url_live), ''),
       webhook_url_test = nullif(coalesce($3, webhook_url_test), ''),
       webhook_type = coalesce($4, webhook_type), webhook_type_test = coalesce($5, webhook_type_test, webhook_type),
       webhook_retry = coalesce($6, webhook_retry), webhook_failures = coalesce($7, webhook_failures),
       webhook_first = coalesce($8, webhook_first), confirm_url_ignored = coalesce($9, confirm_url_ignored),
       page_notices = coalesce($10, page_notices)
 WHERE code = $1
RETURNING CAST($11 AS INTEGER) AS item, *
"""
SET_RECOVERY = """
UPDATE merchants SET recovery_rules = $3 WHERE code = $1 AND recovery_rules = $2
RETURNING CAST($4 AS INTEGER) AS item, *
"""
# An empty value stands for none: nothing sealed is ever empty.
SET_WEBHOOK_SECRETS = """
UPDATE merchants SET sealed_webhook_secret = $2, sealed_old_webhook_secret = $3
 WHERE code = $1 AND coalesce(sealed_webhook_secret, $6) = $4 AND coalesce(sealed_old_webhook_secret, $6) = $5
RETURNING CAST($7 AS INTEGER) AS item
"""
SET_FIELD_SET = "UPDATE merchants SET field_set = $2 WHERE code = $1"
SET_ALLOWED_ADDRESSES = """
UPDATE merchants SET allowed_addresses = $3 WHERE code = $1 AND allowed_addresses = $2
RETURNING CAST($4 AS INTEGER) AS item
"""
CHECK_COLUMNS = ("merchant_id", "point", "standing", "evidence", "checked_at")
KEEP_CHECK = (
    insert("live_checks", CHECK_COLUMNS)
    + " ON CONFLICT (merchant_id, point) DO UPDATE SET standing = excluded.standing, evidence = excluded.evidence,"
    + " checked_at = excluded.checked_at"
)


@unit(AddMerchant)
def add_merchants(writes: Sequence[AddMerchant]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep merchants with their keys."""
    yield Run(INSERT_MERCHANT, [merchant_values(w.merchant) for w in writes])
    yield Run(INSERT_API_KEY, [api_key_values(w.api_key) for w in writes])
    yield keep_audit_entries(w.audit_entry for w in writes)
    return [None] * len(writes)


@unit(SetWebhook)
def set_webhook(writes: Sequence[SetWebhook]) -> Generator[Rows | Run, Any, Sequence[Merchant | None]]:
    """Change what each write names of where and how merchants are told."""
    changed = yield Rows(
        SET_WEBHOOK,
        [
            (
                w.merchant_id,
                w.url_live,
                w.url_test,
                w.type_live,
                w.type_test,
                w.retry,
                w.failures,
                w.first,
                None if w.confirm is None else not w.confirm,
                w.page_notices,
            )
            for w in writes
        ],
    )
    yield keep_audit_entries(w.audit_entry for w, rows in zip(writes, changed, strict=True) if rows)
    return [merchant_of(rows[0]) if rows else None for rows in changed]


@unit(SetRecovery)
def set_recovery(writes: Sequence[SetRecovery]) -> Generator[Rows | Run, Any, Sequence[Merchant | None]]:
    """Change the rules of merchants whose rules are still those that were read."""
    changed = yield Rows(
        SET_RECOVERY, [(w.merchant_id, recovery_value(w.before), recovery_value(w.after)) for w in writes]
    )
    yield keep_audit_entries(w.audit_entry for w, rows in zip(writes, changed, strict=True) if rows)
    return [merchant_of(rows[0]) if rows else None for rows in changed]


@unit(SetWebhookSecrets)
def set_webhook_secrets(writes: Sequence[SetWebhookSecrets]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Change what webhooks are signed with, or, if any of it has changed meanwhile, nothing."""
    changed = yield Rows(
        SET_WEBHOOK_SECRETS,
        [
            (w.merchant_id, w.after.sealed, w.after.sealed_old, w.before.sealed or b"", w.before.sealed_old or b"", b"")
            for w in writes
        ],
    )
    for write, rows in zip(writes, changed, strict=True):
        if not rows:
            raise Conflict(f"the webhook secrets of {write.merchant_id} were changed by somebody else; look again")
    yield keep_audit_entries(w.audit_entry for w in writes)
    return [None] * len(writes)


@unit(SetFieldSet)
def set_field_set(writes: Sequence[SetFieldSet]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Change which keys merchants are answered with."""
    yield Run(SET_FIELD_SET, [(w.merchant_id, w.field_set) for w in writes])
    yield keep_audit_entries(w.audit_entry for w in writes)
    return [None] * len(writes)


@unit(SetAllowedAddresses)
def set_allowed_addresses(writes: Sequence[SetAllowedAddresses]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Change the lists that are still those that were read."""
    changed = yield Rows(
        SET_ALLOWED_ADDRESSES, [(w.merchant_id, addresses_value(w.before), addresses_value(w.after)) for w in writes]
    )
    yield keep_audit_entries(w.audit_entry for w, rows in zip(writes, changed, strict=True) if rows)
    return [bool(rows) for rows in changed]


@unit(KeepChecks)
def keep_checks(writes: Sequence[KeepChecks]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep what was found."""
    yield Run(
        KEEP_CHECK,
        [(c.merchant_id, c.point, c.standing, c.evidence, c.checked_at) for w in writes for c in w.checks],
    )
    yield keep_audit_entries(w.audit_entry for w in writes)
    return [None] * len(writes)
