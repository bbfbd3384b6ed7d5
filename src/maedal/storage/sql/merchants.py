"""Merchants, API keys, tokens, channels."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.storage.sql.rows import (
    CHANNEL_COLUMNS,
    INSERT_API_KEY,
    INSERT_CHANNEL,
    INSERT_MERCHANT,
    api_key_values,
    channel_values,
    merchant_values,
)
from maedal.storage.sql.steps import Rows, Run, unit
from maedal.storage.store import AddMerchant, PutChannel, SetFieldSet, SetToken, SetWebhook

# A new default takes the place of the old one, in the same transaction.
NO_OTHER_DEFAULT = """
UPDATE channels SET is_default = $3 WHERE merchant_id = $1 AND id <> $2 AND is_default
"""
PUT_CHANNEL = (
    INSERT_CHANNEL
    + " ON CONFLICT (merchant_id, id) DO UPDATE SET "
    + ", ".join(f"{c} = excluded.{c}" for c in CHANNEL_COLUMNS if c not in {"merchant_id", "id", "created_at"})
)
SET_WEBHOOK = """
UPDATE merchants
   SET webhook_url_live = $2, webhook_url_test = $3, webhook_type = $4, webhook_retry = $5, webhook_failures = $6,
       sealed_webhook_secret = $7, sealed_old_webhook_secret = $8
 WHERE code = $1
"""
SET_FIELD_SET = "UPDATE merchants SET field_set = $2 WHERE code = $1"
FIRST_TOKEN = """
UPDATE api_keys SET token_issued_at = $3, token_expires_at = $4, token_digest = $5
 WHERE merchant_id = $1 AND api_key = $2 AND token_expires_at IS NULL
RETURNING CAST($6 AS INTEGER) AS item
"""
NEXT_TOKEN = """
UPDATE api_keys SET token_issued_at = $3, token_expires_at = $4, token_digest = $5
 WHERE merchant_id = $1 AND api_key = $2 AND token_expires_at = $6
RETURNING CAST($7 AS INTEGER) AS item
"""


@unit(AddMerchant)
def add_merchants(writes: Sequence[AddMerchant]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep merchants with their keys."""
    yield Run(INSERT_MERCHANT, [merchant_values(w.merchant) for w in writes])
    yield Run(INSERT_API_KEY, [api_key_values(w.api_key) for w in writes])
    return [None] * len(writes)


@unit(SetWebhook)
def set_webhook(writes: Sequence[SetWebhook]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Change where merchants are told."""
    merchants = [w.merchant for w in writes]
    yield Run(
        SET_WEBHOOK,
        [
            (m.code, m.webhook_url_live, m.webhook_url_test, m.webhook_type, m.webhook_retry, m.webhook_failures,
             m.sealed_webhook_secret, m.sealed_old_webhook_secret)
            for m in merchants
        ],
    )  # fmt: skip
    return [None] * len(writes)


@unit(SetFieldSet)
def set_field_set(writes: Sequence[SetFieldSet]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Change which keys merchants are answered with."""
    yield Run(SET_FIELD_SET, [(w.merchant_id, w.field_set) for w in writes])
    return [None] * len(writes)


@unit(PutChannel)
def put_channels(writes: Sequence[PutChannel]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep channels; at most one default each merchant."""
    defaults = [(w.channel.merchant_id, w.channel.id, False) for w in writes if w.channel.default]
    if defaults:
        yield Run(NO_OTHER_DEFAULT, defaults)
    yield Run(PUT_CHANNEL, [channel_values(w.channel) for w in writes])
    return [None] * len(writes)


@unit(SetToken)
def set_tokens(writes: Sequence[SetToken]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Keep the life of each token unless another node was first."""
    results = []
    for w in writes:
        values = (w.merchant_id, w.api_key, w.life.issued_at, w.life.expires_at, w.token_digest)
        if w.before is None:
            done = yield Rows(FIRST_TOKEN, [values])
        else:
            done = yield Rows(NEXT_TOKEN, [(*values, w.before.expires_at)])
        results.append(bool(done[0]))
    return results
