"""Merchants, API keys, tokens, channels."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.merchants.merchant import Merchant
from maedal.storage.sql.acts import keep_acts
from maedal.storage.sql.rows import (
    CHANNEL_COLUMNS,
    INSERT_API_KEY,
    INSERT_CHANNEL,
    INSERT_MERCHANT,
    api_key_values,
    channel_values,
    merchant_of,
    merchant_values,
    recovery_value,
)
from maedal.storage.sql.steps import Rows, Run, unit
from maedal.storage.store import (
    AddMerchant,
    Conflict,
    PutChannel,
    RenewApiSecret,
    SetFieldSet,
    SetRecovery,
    SetToken,
    SetWebhook,
    SetWebhookSecrets,
)

# A new default takes the place of the old one, in the same transaction.
NO_OTHER_DEFAULT = """
UPDATE channels SET is_default = $3 WHERE merchant_id = $1 AND id <> $2 AND is_default
"""
PUT_CHANNEL = (
    INSERT_CHANNEL
    + " ON CONFLICT (merchant_id, id) DO UPDATE SET "
    + ", ".join(f"{c} = excluded.{c}" for c in CHANNEL_COLUMNS if c not in {"merchant_id", "id", "created_at"})
)
# A missing value leaves its column as it is, so that two commands at once do not undo each other.
SET_WEBHOOK = """
UPDATE merchants
   SET webhook_url_live = nullif(coalesce($2, webhook_url_live), ''),
       webhook_url_test = nullif(coalesce($3, webhook_url_test), ''),
       webhook_type = coalesce($4, webhook_type), webhook_type_test = coalesce($5, webhook_type_test, webhook_type),
       webhook_retry = coalesce($6, webhook_retry), webhook_failures = coalesce($7, webhook_failures),
       webhook_first = coalesce($8, webhook_first), confirm_url_ignored = coalesce($9, confirm_url_ignored)
 WHERE code = $1
RETURNING CAST($10 AS INTEGER) AS item, *
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
RENEW_API_SECRET = """
UPDATE api_keys SET secret_digest = $4, secret_changed_at = $5, token_issued_at = NULL, token_expires_at = NULL,
       token_digest = NULL, old_secret_digest = NULL, old_secret_until = NULL, old_token_issued_at = NULL,
       old_token_expires_at = NULL, old_token_digest = NULL
 WHERE merchant_id = $1 AND api_key = $2 AND secret_digest = $3
RETURNING CAST($6 AS INTEGER) AS item
"""
# The token of the old secret goes on living, but no longer than that.
RENEW_API_SECRET_WITH_OVERLAP = """
UPDATE api_keys
   SET old_secret_digest = secret_digest, old_secret_until = $6, old_token_issued_at = token_issued_at,
       old_token_expires_at = CASE WHEN token_expires_at > $6 THEN $6 ELSE token_expires_at END,
       old_token_digest = token_digest, secret_digest = $4, secret_changed_at = $5, token_issued_at = NULL,
       token_expires_at = NULL, token_digest = NULL
 WHERE merchant_id = $1 AND api_key = $2 AND secret_digest = $3
RETURNING CAST($7 AS INTEGER) AS item
"""
FIRST_TOKEN = """
UPDATE api_keys SET token_issued_at = $3, token_expires_at = $4, token_digest = $5
 WHERE merchant_id = $1 AND api_key = $2 AND secret_digest = $6 AND token_expires_at IS NULL
RETURNING CAST($7 AS INTEGER) AS item
"""
NEXT_TOKEN = """
UPDATE api_keys SET token_issued_at = $3, token_expires_at = $4, token_digest = $5
 WHERE merchant_id = $1 AND api_key = $2 AND secret_digest = $6 AND token_expires_at = $7
RETURNING CAST($8 AS INTEGER) AS item
"""
FIRST_OLD_TOKEN = """
UPDATE api_keys SET old_token_issued_at = $3, old_token_expires_at = $4, old_token_digest = $5
 WHERE merchant_id = $1 AND api_key = $2 AND old_secret_digest = $6 AND old_token_expires_at IS NULL
RETURNING CAST($7 AS INTEGER) AS item
"""
NEXT_OLD_TOKEN = """
UPDATE api_keys SET old_token_issued_at = $3, old_token_expires_at = $4, old_token_digest = $5
 WHERE merchant_id = $1 AND api_key = $2 AND old_secret_digest = $6 AND old_token_expires_at = $7
RETURNING CAST($8 AS INTEGER) AS item
"""


@unit(AddMerchant)
def add_merchants(writes: Sequence[AddMerchant]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep merchants with their keys."""
    yield Run(INSERT_MERCHANT, [merchant_values(w.merchant) for w in writes])
    yield Run(INSERT_API_KEY, [api_key_values(w.api_key) for w in writes])
    yield keep_acts(w.act for w in writes)
    return [None] * len(writes)


@unit(RenewApiSecret)
def renew_api_secrets(writes: Sequence[RenewApiSecret]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Change each secret, or, if any has changed meanwhile, none."""
    for write in writes:
        values = (write.merchant_id, write.api_key, write.before, write.after, write.at)
        if write.old_until is None:
            changed = yield Rows(RENEW_API_SECRET, [values])
        else:
            changed = yield Rows(RENEW_API_SECRET_WITH_OVERLAP, [(*values, write.old_until)])
        if not changed[0]:
            raise Conflict(f"the secret of {write.api_key} was changed by somebody else; look again")
    yield keep_acts(w.act for w in writes)
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
            )
            for w in writes
        ],
    )
    yield keep_acts(w.act for w, rows in zip(writes, changed, strict=True) if rows)
    return [merchant_of(rows[0]) if rows else None for rows in changed]


@unit(SetRecovery)
def set_recovery(writes: Sequence[SetRecovery]) -> Generator[Rows | Run, Any, Sequence[Merchant | None]]:
    """Change the rules of merchants whose rules are still those that were read."""
    changed = yield Rows(
        SET_RECOVERY, [(w.merchant_id, recovery_value(w.before), recovery_value(w.after)) for w in writes]
    )
    yield keep_acts(w.act for w, rows in zip(writes, changed, strict=True) if rows)
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
    yield keep_acts(w.act for w in writes)
    return [None] * len(writes)


@unit(SetFieldSet)
def set_field_set(writes: Sequence[SetFieldSet]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Change which keys merchants are answered with."""
    yield Run(SET_FIELD_SET, [(w.merchant_id, w.field_set) for w in writes])
    yield keep_acts(w.act for w in writes)
    return [None] * len(writes)


@unit(PutChannel)
def put_channels(writes: Sequence[PutChannel]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep channels; at most one default each merchant."""
    defaults = [(w.channel.merchant_id, w.channel.id, False) for w in writes if w.channel.default]
    if defaults:
        yield Run(NO_OTHER_DEFAULT, defaults)
    yield Run(PUT_CHANNEL, [channel_values(w.channel) for w in writes])
    yield keep_acts(w.act for w in writes)
    return [None] * len(writes)


@unit(SetToken)
def set_tokens(writes: Sequence[SetToken]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Keep the life of each token unless another node was first."""
    results = []
    for w in writes:
        first, following = (FIRST_OLD_TOKEN, NEXT_OLD_TOKEN) if w.of_old_secret else (FIRST_TOKEN, NEXT_TOKEN)
        values = (w.merchant_id, w.api_key, w.life.issued_at, w.life.expires_at, w.token_digest, w.secret_digest)
        if w.before is None:
            done = yield Rows(first, [values])
        else:
            done = yield Rows(following, [(*values, w.before.expires_at)])
        results.append(bool(done[0]))
    return results
