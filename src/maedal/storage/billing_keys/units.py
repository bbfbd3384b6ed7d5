"""Ending billing keys: here, and then at the PG. And what a charge's outcome says of its key."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.billing_keys.billing_key import BillingKey
from maedal.billing_keys.ending import HEAD_START, KeyEnding
from maedal.payments.attempt import Attempt, Outcome, Verb
from maedal.storage.attempts.rows import INSERT_ATTEMPT, attempt_values
from maedal.storage.attempts.units import CLOSE, close_attempt_values
from maedal.storage.audit.rows import keep_audit_entries
from maedal.storage.billing_keys.rows import INSERT_ENDING, ending_of, ending_values, key_of
from maedal.storage.billing_keys.writes import BeginDeactivation, ClaimKeyEnding, RecordKeyEnding
from maedal.storage.engine.steps import Rows, Run, Together, unit

END_LIVING_KEY = """
UPDATE billing_keys SET ended_at = $3, ended_by = $4, updated_at = $3
 WHERE merchant_id = $1 AND customer_uid = $2 AND ended_at IS NULL
RETURNING CAST($5 AS INTEGER) AS item, *
"""
# What is recorded late says nothing of the key when the key has been charged since.
KEYS_APPROVED = Together(
    """
UPDATE billing_keys
   SET last_approved_at = item.approved_at, last_approval_seen_at = item.seen_at,
       last_approval_in_reply = item.in_reply, gone_at = NULL
  FROM {items}
 WHERE billing_keys.merchant_id = item.merchant_id AND billing_keys.id = item.id
   AND (billing_keys.last_approved_at IS NULL OR billing_keys.last_approved_at <= item.approved_at)
""",
    ("merchant_id text", "id text", "approved_at timestamptz", "seen_at timestamptz", "in_reply boolean"),
)
KEY_GONE = "UPDATE billing_keys SET gone_at = $3 WHERE merchant_id = $1 AND id = $2 AND gone_at IS NULL"
CHARGE_OPEN = """EXISTS (
    SELECT 1 FROM attempts a
     WHERE a.merchant_id = e.merchant_id AND a.billing_key_id = e.billing_key_id AND a.verb = 'charge'
       AND (a.outcome IS NULL OR a.outcome = 'unknown'))"""
END_KEY = """
UPDATE billing_keys SET ended_at = $3, ended_by = $4, updated_at = $3
 WHERE merchant_id = $1 AND customer_uid = $2 AND ended_at IS NULL AND (CAST($5 AS TEXT) IS NULL OR id = $5)
RETURNING CAST($6 AS INTEGER) AS item, *
"""
# Changes nothing. That no key lives may be what this server alone has, as long as it waits for its standby; a write
# that touches the key which ended last makes the answer wait too.
TOUCH_ENDED = """
UPDATE billing_keys SET updated_at = updated_at
 WHERE merchant_id = $1 AND id = (
    SELECT id FROM billing_keys WHERE merchant_id = $1 AND customer_uid = $2 AND ended_at IS NOT NULL
     ORDER BY ended_at DESC LIMIT 1)
"""
CLAIM_ENDING = f"""
UPDATE key_endings AS e SET tries = tries + 1, due_at = $4
 WHERE merchant_id = $1 AND attempt_id = $2 AND tries = $3 AND ended_at IS NULL AND NOT {CHARGE_OPEN}
RETURNING CAST($5 AS INTEGER) AS item, *
"""
# One attempt tells of all tries: until the key has ended, the latest answer takes the place of the one before.
CLOSE_ENDING = f"""{CLOSE}
 WHERE merchant_id = $1 AND id = $2 AND verb = 'deactivate' AND (outcome IS NULL OR outcome <> 'approved')
RETURNING CAST($10 AS INTEGER) AS item
"""
ENDED = "UPDATE key_endings SET ended_at = $3 WHERE merchant_id = $1 AND attempt_id = $2"


@unit(BeginDeactivation)
def begin_deactivations(writes: Sequence[BeginDeactivation]) -> Generator[Rows | Run, Any, Sequence[BillingKey | None]]:
    """End each living key here, with an attempt that is to end it at the PG; None where there is no living key."""
    ended = yield Rows(END_KEY, [(w.merchant_id, w.customer_uid, w.now, w.ended_by, w.billing_key_id) for w in writes])
    keys = [key_of(rows[0]) if rows else None for rows in ended]
    without = sorted((w.merchant_id, w.customer_uid) for w, key in zip(writes, keys, strict=True) if key is None)
    if without:
        yield Run(TOUCH_ENDED, without)
    attempts = [
        Attempt(w.attempt_id, w.merchant_id, Verb.DEACTIVATE, w.attempt_id, w.now, billing_key_id=key.id)
        for w, key in zip(writes, keys, strict=True)
        if key is not None
    ]
    if attempts:
        yield from begin_endings(attempts)
    audit_entries = [
        w.audit_entry for w, key in zip(writes, keys, strict=True) if key is not None and w.audit_entry is not None
    ]
    if audit_entries:
        yield keep_audit_entries(audit_entries)
    return keys


@unit(ClaimKeyEnding)
def claim_endings(writes: Sequence[ClaimKeyEnding]) -> Generator[Rows | Run, Any, Sequence[KeyEnding | None]]:
    """Give each try to one caller."""
    claimed = yield Rows(CLAIM_ENDING, [(w.merchant_id, w.attempt_id, w.tries, w.next_due_at) for w in writes])
    return [ending_of(rows[0]) if rows else None for rows in claimed]


@unit(RecordKeyEnding)
def record_endings(writes: Sequence[RecordKeyEnding]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Keep what the PG said, and that the key has ended if it did."""
    closed = yield Rows(
        CLOSE_ENDING,
        [close_attempt_values(w.ending.merchant_id, w.ending.attempt_id, w.result, w.now) for w in writes],
    )
    ended = [w for w, rows in zip(writes, closed, strict=True) if rows and w.result.outcome is Outcome.APPROVED]
    if ended:
        yield Run(ENDED, [(w.ending.merchant_id, w.ending.attempt_id, w.now) for w in ended])
    return [bool(rows) for rows in closed]


def begin_endings(attempts: Sequence[Attempt]) -> Generator[Rows | Run, Any, None]:
    """Write the intent to end keys at the PG: each attempt's."""
    yield Run(INSERT_ATTEMPT, [attempt_values(a) for a in attempts])
    endings = []
    for a in attempts:
        assert a.billing_key_id is not None, "it is a key that ends"
        endings.append(KeyEnding(a.merchant_id, a.id, a.billing_key_id, 0, a.begun_at + HEAD_START))
    yield Run(INSERT_ENDING, [ending_values(e) for e in endings])
