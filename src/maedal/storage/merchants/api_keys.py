"""API keys: their secrets, their tokens, when they were used."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.storage.audit.rows import keep_audit_entries
from maedal.storage.engine.steps import Rows, Run, unit
from maedal.storage.errors import Conflict
from maedal.storage.merchants.rows import INSERT_API_KEY, api_key_values, scopes_value
from maedal.storage.merchants.writes import (
    AddApiKey,
    EndApiKey,
    EndOldSecret,
    NameApiKey,
    RenewApiSecret,
    SeeApiKey,
    SetScopes,
    SetToken,
)

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


# The merchant's row is locked first, so that two at once are counted one after the other; not by its key, which
# every new payment looks at.
LOCK_MERCHANT = "UPDATE merchants SET name = name WHERE code = $1"
GOOD_KEYS = """
SELECT CAST($2 AS INTEGER) AS item, count(*) AS count FROM api_keys WHERE merchant_id = $1 AND ended_at IS NULL
"""
# Of an ended key nothing is left that could open anything; its row says whose calls were made with it.
END_API_KEY = """
UPDATE api_keys SET ended_at = $3, secret_digest = $4, token_issued_at = NULL, token_expires_at = NULL,
       token_digest = NULL, old_secret_digest = NULL, old_secret_until = NULL, old_token_issued_at = NULL,
       old_token_expires_at = NULL, old_token_digest = NULL
 WHERE merchant_id = $1 AND api_key = $2 AND ended_at IS NULL
RETURNING CAST($5 AS INTEGER) AS item
"""
# An empty text stands for no list: a list is never empty.
SET_SCOPES = """
UPDATE api_keys SET scopes = nullif($4, '')
 WHERE merchant_id = $1 AND api_key = $2 AND coalesce(scopes, '') = $3 AND ended_at IS NULL
RETURNING CAST($5 AS INTEGER) AS item
"""


@unit(AddApiKey)
def add_api_keys(writes: Sequence[AddApiKey]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep each key while its merchant has room for one more."""
    for write in writes:
        merchant_id = write.api_key.merchant_id
        yield Run(LOCK_MERCHANT, [(merchant_id,)])
        [[row]] = yield Rows(GOOD_KEYS, [(merchant_id,)])
        if int(row["count"]) >= write.count_max:
            raise Conflict(f"{merchant_id} has {row['count']} API keys already")
        yield Run(INSERT_API_KEY, [api_key_values(write.api_key)])
    yield keep_audit_entries(w.audit_entry for w in writes)
    return [None] * len(writes)


@unit(EndApiKey)
def end_api_keys(writes: Sequence[EndApiKey]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """End each key unless it is the last one of its merchant that is good."""
    results = []
    for w in writes:
        yield Run(LOCK_MERCHANT, [(w.merchant_id,)])
        [[row]] = yield Rows(GOOD_KEYS, [(w.merchant_id,)])
        changed: Sequence[Any] = [[]]
        if int(row["count"]) > 1:
            changed = yield Rows(END_API_KEY, [(w.merchant_id, w.api_key, w.at, b"")])
        results.append(bool(changed[0]))
    yield keep_audit_entries(w.audit_entry for w, done in zip(writes, results, strict=True) if done)
    return results


@unit(SetScopes)
def set_scopes(writes: Sequence[SetScopes]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Change the scopes that are still those that were read."""
    changed = yield Rows(
        SET_SCOPES,
        [(w.merchant_id, w.api_key, scopes_value(w.before) or "", scopes_value(w.after) or "") for w in writes],
    )
    yield keep_audit_entries(w.audit_entry for w, rows in zip(writes, changed, strict=True) if rows)
    return [bool(rows) for rows in changed]


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
    yield keep_audit_entries(w.audit_entry for w in writes)
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


@unit(EndOldSecret)
def end_old_secrets(writes: Sequence[EndOldSecret]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """End the old secrets that are still those that were read."""
    changed = yield Rows(END_OLD_SECRET, [(w.merchant_id, w.api_key, w.digest) for w in writes])
    yield keep_audit_entries(w.audit_entry for w, rows in zip(writes, changed, strict=True) if rows)
    return [bool(rows) for rows in changed]


@unit(NameApiKey)
def name_api_keys(writes: Sequence[NameApiKey]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Name each key."""
    yield Run(NAME_API_KEY, [(w.merchant_id, w.api_key, w.name) for w in writes])
    yield keep_audit_entries(w.audit_entry for w in writes)
    return [None] * len(writes)


@unit(SeeApiKey)
def see_api_keys(writes: Sequence[SeeApiKey]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep the last use of each key."""
    yield Run(SEE_API_KEY, [(w.merchant_id, w.api_key, w.at, w.unless_after, w.address) for w in writes])
    return [None] * len(writes)
