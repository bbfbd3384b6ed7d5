"""What the units of payments and channels do to scheduled charges, in their own transactions."""

from __future__ import annotations

from typing import Any

from maedal.payments.payment import Payment
from maedal.schedules.schedule import Schedule
from maedal.storage.engine.steps import Together

NO_TRY = "next_try_at = NULL, next_try_reason = NULL, try_lease_id = NULL, try_leased_until = NULL"
# What is not to be charged any more needs nobody to keep it back.
NO_HOLD = "held_at = NULL, held_by = NULL, held_reason = NULL"
# The guard of exactly once: only as it was claimed (or, for a retry, read) may a scheduled charge be executed, and
# never while somebody holds it.
EXECUTE = f"""
UPDATE schedules
   SET status = 'executed', imp_uid = $6, executed_at = $7, revoked_at = NULL, lease_id = NULL, leased_until = NULL,
       waits_until = NULL, waits_channel = NULL, by_claim = (coalesce(lease_id, try_lease_id) IS NOT NULL),
       tries = CASE WHEN status = 'executed' THEN tries + 1 ELSE 0 END, {NO_TRY}
 WHERE merchant_id = $1 AND merchant_uid = $2 AND status = $3 AND coalesce(imp_uid, '') = $4
   AND coalesce(lease_id, try_lease_id, '') = $5 AND held_at IS NULL
RETURNING CAST($8 AS INTEGER) AS item
"""
# The same for all charges that begin in one batch: with fewer changed than there are items, one of them has moved.
EXECUTE_ALL = Together(
    f"""
UPDATE schedules
   SET status = 'executed', imp_uid = item.payment, executed_at = item.begun_at, revoked_at = NULL, lease_id = NULL,
       leased_until = NULL, waits_until = NULL, waits_channel = NULL,
       by_claim = (coalesce(schedules.lease_id, schedules.try_lease_id) IS NOT NULL),
       tries = CASE WHEN schedules.status = 'executed' THEN schedules.tries + 1 ELSE 0 END, {NO_TRY}
  FROM {{items}}
 WHERE schedules.merchant_id = item.merchant_id AND schedules.merchant_uid = item.merchant_uid
   AND schedules.status = item.stands AND coalesce(schedules.imp_uid, '') = item.failed_payment
   AND coalesce(schedules.lease_id, schedules.try_lease_id, '') = item.lease AND schedules.held_at IS NULL
""",
    (
        "merchant_id text", "merchant_uid text", "stands text", "failed_payment text", "lease text", "payment text",
        "begun_at timestamptz",
    ),
)  # fmt: skip

# By a payment that was made while this row did not know of it.
EXECUTE_ENTERED = f"""
UPDATE schedules
   SET status = 'executed', imp_uid = $3, executed_at = $4, lease_id = NULL, leased_until = NULL, waits_until = NULL,
       {NO_TRY}, {NO_HOLD}
 WHERE merchant_id = $1 AND merchant_uid = $2 AND (status = 'scheduled' OR next_try_at IS NOT NULL)
"""
# Only as long as the payment that failed is the one that executed the charge.
PLAN_TRY = """
UPDATE schedules SET next_try_at = $4, next_try_reason = $5
 WHERE merchant_id = $1 AND merchant_uid = $2 AND imp_uid = $3 AND status = 'executed'
"""
# The PG was closed: the charge waits as if it had not been begun, under a lease that nobody works on.
WAIT_AGAIN = """
UPDATE schedules
   SET status = 'scheduled', imp_uid = NULL, executed_at = NULL, lease_id = $4, leased_until = $5,
       waits_until = $5, waits_channel = $6
 WHERE merchant_id = $1 AND merchant_uid = $2 AND imp_uid = $3 AND status = 'executed'
"""
# What nobody declined is no try of the merchant's rules.
UNCOUNT_TRY = """
UPDATE schedules SET tries = tries - 1
 WHERE merchant_id = $1 AND merchant_uid = $2 AND imp_uid = $3 AND status = 'executed' AND tries > 0
"""
# Only what waits under a lease that nobody works on.
DUE_NOW = """
UPDATE schedules SET leased_until = $3, waits_until = $3
 WHERE merchant_id = $1 AND waits_channel = $2 AND status = 'scheduled' AND leased_until = waits_until
   AND waits_until > $3
"""
TRIES_DUE_NOW = """
UPDATE schedules SET try_leased_until = $3, waits_until = $3
 WHERE merchant_id = $1 AND waits_channel = $2 AND next_try_at IS NOT NULL AND try_leased_until = waits_until
   AND waits_until > $3
"""


def execute_values(schedule: Schedule, payment: Payment) -> tuple[Any, ...]:
    """Return the values of EXECUTE (and _ALL): the charge as its executor knows it, and the payment that begins."""
    return (
        schedule.merchant_id, schedule.order.merchant_uid, schedule.status, schedule.imp_uid or "",
        schedule.lease_id or "", payment.imp_uid, payment.started_at,
    )  # fmt: skip
