"""What was told of buyers is erased, wherever it was kept, in one transaction."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.storage.audit.rows import keep_audit_entries
from maedal.storage.engine.steps import ChangeAll, Rows, RowsOfAll, Run, Step, unit
from maedal.storage.payment_lists.search_terms import FORGET_TERMS, PUT_TERMS, TEXTS, term_values
from maedal.storage.payment_lists.search_text import text_of
from maedal.storage.payment_lists.units import CHANGED
from maedal.storage.personal_data.columns import BILLING_KEY, FINISHED, PAYMENT, PLAN, SCHEDULE, any_of, none_of
from maedal.storage.personal_data.reads import Counts
from maedal.storage.personal_data.writes import EraseBuyers

ERASE_PAYMENT = f"""
UPDATE payments SET {none_of(PAYMENT)}
 WHERE merchant_id = $1 AND imp_uid = $2 AND {FINISHED} AND {any_of(PAYMENT)}
RETURNING CAST($3 AS INTEGER) AS item
"""
# The buyer may be on the way back as long as the window's time is not over.
ERASE_WINDOW = f"""
UPDATE windows SET page_url = page_origin, return_url = NULL, confirm_url = NULL, customer_id = NULL
 WHERE merchant_id = $1 AND imp_uid = $2 AND expires_at < $3
   AND EXISTS (SELECT 1 FROM payments p WHERE p.merchant_id = $1 AND p.imp_uid = $2 AND p.{FINISHED})
"""
ERASE_TRIES = """
UPDATE webhook_tries SET answer = ''
 WHERE merchant_id = $1
   AND delivery_id IN (SELECT id FROM webhook_deliveries WHERE merchant_id = $1 AND imp_uid = $2)
"""
# The request stays known, as one that was let go: whoever repeats it finds that its call was begun, and begins none.
ERASE_ANSWERS = """
UPDATE idempotent_requests SET sealed_answer = NULL, leased_until = begun_at
 WHERE merchant_id = $1 AND sealed_answer IS NOT NULL
   AND attempt_id IN (SELECT id FROM attempts WHERE merchant_id = $1 AND imp_uid = $2)
"""
# Whoever read the payment before it was erased writes a text of the same version, which then changes nothing.
PUT_TEXT = """
INSERT INTO payment_texts (merchant_id, imp_uid, version, text) VALUES ($1, $2, $3, $4)
ON CONFLICT (merchant_id, imp_uid) DO UPDATE SET version = excluded.version, text = excluded.text
 WHERE payment_texts.version <= excluded.version
"""
ERASE_SCHEDULE = f"""
UPDATE schedules SET {none_of(SCHEDULE)} WHERE merchant_id = $1 AND merchant_uid = $2 AND {any_of(SCHEDULE)}
RETURNING CAST($3 AS INTEGER) AS item
"""
ERASE_BILLING_KEY = f"""
UPDATE billing_keys SET {none_of(BILLING_KEY)} WHERE merchant_id = $1 AND id = $2 AND {any_of(BILLING_KEY)}
RETURNING CAST($3 AS INTEGER) AS item
"""
# Whoever read the plan before it was erased finds another revision, and writes nothing of what it had read.
ERASE_PLAN = f"""
UPDATE plans SET {none_of(PLAN)}, revision = revision + 1
 WHERE merchant_id = $1 AND plan_uid = $2 AND {any_of(PLAN)}
RETURNING CAST($3 AS INTEGER) AS item
"""

# What people wrote beside a payment, and beside a customer.
FORGET_PAYMENT_NOTES, FORGET_PAYMENT_TAGS = (
    f"""
DELETE FROM {table} WHERE merchant_id = $1 AND kind = 'payment' AND subject = $2
   AND EXISTS (SELECT 1 FROM payments p WHERE p.merchant_id = $1 AND p.imp_uid = $2 AND p.{FINISHED})
RETURNING CAST($3 AS INTEGER) AS item
"""
    for table in ("notes", "tags")
)
FORGET_CUSTOMER_NOTES, FORGET_CUSTOMER_TAGS = (
    f"""
DELETE FROM {table} WHERE merchant_id = $1 AND kind = 'customer' AND subject = $2
RETURNING CAST($3 AS INTEGER) AS item
"""
    for table in ("notes", "tags")
)


@unit(EraseBuyers)
def erase_buyers(writes: Sequence[EraseBuyers]) -> Generator[Step, Any, Sequence[Counts]]:
    """Erase, and keep who did it."""
    erased = []
    for w in writes:
        payments = [(w.merchant_id, imp_uid) for imp_uid in sorted(w.traces.payments)]
        found = yield Rows(ERASE_PAYMENT, payments)
        gone = [key for key, rows in zip(payments, found, strict=True) if rows]
        if gone:
            yield Run(ERASE_WINDOW, [(*key, w.now) for key in gone])
            yield Run(ERASE_TRIES, gone)
            yield Run(ERASE_ANSWERS, gone)
            left = yield RowsOfAll(CHANGED, gone)
            texts = sorted((row["merchant_id"], row["imp_uid"], row["version"], text_of(row)) for row in left)
            yield Run(PUT_TEXT, texts)
            yield Run(FORGET_TERMS, gone)
            kept = yield RowsOfAll(TEXTS, gone)
            if terms := term_values(kept):
                yield ChangeAll(PUT_TERMS, terms)
        notes = yield Rows(FORGET_PAYMENT_NOTES, payments)
        tags = yield Rows(FORGET_PAYMENT_TAGS, payments)
        of_payments = [any(rows) for rows in zip(found, notes, tags, strict=True)]
        customers = [(w.merchant_id, uid) for uid in sorted(w.traces.customers)]
        customer_notes = yield Rows(FORGET_CUSTOMER_NOTES, customers)
        customer_tags = yield Rows(FORGET_CUSTOMER_TAGS, customers)
        of_customers = [any(rows) for rows in zip(customer_notes, customer_tags, strict=True)]
        # A plan's row before its scheduled charges, as whoever changes both.
        plans = yield Rows(ERASE_PLAN, [(w.merchant_id, plan_uid) for plan_uid in sorted(w.traces.plans)])
        schedules = yield Rows(ERASE_SCHEDULE, [(w.merchant_id, uid) for uid in sorted(w.traces.schedules)])
        keys = yield Rows(ERASE_BILLING_KEY, [(w.merchant_id, key_id) for key_id in sorted(w.traces.billing_keys)])
        erased.append(
            Counts(
                sum(of_payments),
                sum(map(bool, schedules)),
                sum(map(bool, keys)),
                customers=sum(of_customers),
                plans=sum(map(bool, plans)),
            )
        )
    yield keep_audit_entries(w.audit_entry for w in writes)
    return erased
