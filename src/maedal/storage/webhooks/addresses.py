"""Further addresses of webhooks: added up to a number, changed and removed as they were read."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.storage.audit.rows import keep_audit_entries
from maedal.storage.engine.steps import Rows, Run, unit
from maedal.storage.errors import Conflict
from maedal.storage.webhooks.rows import ADDRESS_COLUMNS, INSERT_ADDRESS, address_values
from maedal.storage.webhooks.writes import AddWebhookAddress, PutWebhookAddress, RemoveWebhookAddress

# The merchant's row is locked first, so that two at once are counted one after the other; not by its key, which
# every new payment looks at.
LOCK_MERCHANT = "UPDATE merchants SET name = name WHERE code = $1"
COUNT = "SELECT CAST($2 AS INTEGER) AS item, count(*) AS count FROM webhook_addresses WHERE merchant_id = $1"
_CHANGED = [name for name in ADDRESS_COLUMNS if name not in {"merchant_id", "id"}]
PUT = f"""
UPDATE webhook_addresses SET {", ".join(f"{name} = ${n}" for n, name in enumerate(_CHANGED, 4))}
 WHERE merchant_id = $1 AND id = $2 AND version = $3
RETURNING CAST(${len(_CHANGED) + 4} AS INTEGER) AS item
"""
REMOVE = """
DELETE FROM webhook_addresses WHERE merchant_id = $1 AND id = $2 AND version = $3
RETURNING CAST($4 AS INTEGER) AS item
"""


@unit(AddWebhookAddress)
def add_addresses(writes: Sequence[AddWebhookAddress]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep each address while its merchant has room for one more."""
    for write in writes:
        merchant_id = write.address.merchant_id
        yield Run(LOCK_MERCHANT, [(merchant_id,)])
        [[row]] = yield Rows(COUNT, [(merchant_id,)])
        if int(row["count"]) >= write.count_max:
            raise Conflict(f"{merchant_id} has {row['count']} further webhook addresses already")
        yield Run(INSERT_ADDRESS, [address_values(write.address)])
    yield keep_audit_entries(w.audit_entry for w in writes)
    return [None] * len(writes)


@unit(PutWebhookAddress)
def put_addresses(writes: Sequence[PutWebhookAddress]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Change the addresses that are still those that were read."""
    changed = yield Rows(
        PUT,
        [(w.after.merchant_id, w.after.id, w.before_version, *address_values(w.after)[2:]) for w in writes],
    )
    yield keep_audit_entries(w.audit_entry for w, rows in zip(writes, changed, strict=True) if rows)
    return [bool(rows) for rows in changed]


@unit(RemoveWebhookAddress)
def remove_addresses(writes: Sequence[RemoveWebhookAddress]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Remove the addresses that are still those that were read; their webhooks stay in the log."""
    removed = yield Rows(REMOVE, [(w.merchant_id, w.id, w.version) for w in writes])
    yield keep_audit_entries(w.audit_entry for w, rows in zip(writes, removed, strict=True) if rows)
    return [bool(rows) for rows in removed]
