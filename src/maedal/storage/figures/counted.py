"""What each figure counts, by the rows themselves."""

from __future__ import annotations

from maedal.storage.figures.reads import GONE, FigureKind, How

TRIED_BEFORE = """EXISTS (
    SELECT 1 FROM payments e WHERE e.merchant_id = p.merchant_id AND e.merchant_uid = p.merchant_uid
       AND e.started_at < p.started_at AND e.status = 'failed' AND NOT e.put_off AND e.key_use = 'payment.scheduled')"""
# Each is given the merchant and a span: $1, $2 to $3.
EVENTS: dict[FigureKind, str] = {
    FigureKind.CHARGED: f"""
SELECT p.test_mode, p.amount,
       CASE WHEN p.key_use = 'payment' THEN '{How.KEY}'
            WHEN p.key_use = 'payment.scheduled' THEN
                 CASE WHEN {TRIED_BEFORE} THEN '{How.RECOVERED}' ELSE '{How.RENEWED}' END
            ELSE '{How.WINDOW}' END AS detail
  FROM payments p WHERE p.merchant_id = $1 AND p.paid_at >= $2 AND p.paid_at < $3 AND p.amount > 0""",
    FigureKind.CANCELLED: """
SELECT p.test_mode, c.amount, '' AS detail
  FROM cancellations c CROSS JOIN payments p
 WHERE c.merchant_id = $1 AND c.done_at >= $2 AND c.done_at < $3
   AND p.merchant_id = c.merchant_id AND p.imp_uid = c.imp_uid""",
    FigureKind.FAILED: """
SELECT p.test_mode, p.amount, p.pg_provider || ' ' || coalesce(p.fail_code, '') AS detail
  FROM payments p
 WHERE p.merchant_id = $1 AND p.status = 'failed' AND NOT p.put_off AND p.status_at >= $2 AND p.status_at < $3""",
    FigureKind.RENEWAL_FAILED: f"""
SELECT p.test_mode, p.amount, '' AS detail
  FROM payments p
 WHERE p.merchant_id = $1 AND p.status = 'failed' AND NOT p.put_off AND p.status_at >= $2 AND p.status_at < $3
   AND p.key_use = 'payment.scheduled' AND NOT {TRIED_BEFORE}""",
    FigureKind.KEY_ISSUED: """
SELECT p.test_mode, 0 AS amount, '' AS detail
  FROM payments p
 WHERE p.merchant_id = $1 AND p.paid_at >= $2 AND p.paid_at < $3 AND p.key_use = 'issue'
   AND p.billing_key_id IS NOT NULL""",
    FigureKind.KEY_ENDED: f"""
SELECT k.test_mode, 0 AS amount,
       CASE WHEN k.gone_at IS NOT NULL AND k.gone_at <= k.ended_at THEN '{GONE}' ELSE k.ended_by END AS detail
  FROM billing_keys k WHERE k.merchant_id = $1 AND k.ended_at >= $2 AND k.ended_at < $3""",
    FigureKind.KEY_GONE: """
SELECT k.test_mode, 0 AS amount, '' AS detail
  FROM billing_keys k WHERE k.merchant_id = $1 AND k.gone_at >= $2 AND k.gone_at < $3
   AND (k.ended_at IS NULL OR k.ended_at >= k.gone_at)""",
}
FIRSTS = (
    "SELECT min(paid_at) AS at FROM payments WHERE merchant_id = $1 AND paid_at >= $2 AND paid_at < $3",
    (
        "SELECT min(status_at) AS at FROM payments WHERE merchant_id = $1 AND status = 'failed' AND NOT put_off"
        " AND status_at >= $2 AND status_at < $3"
    ),
    "SELECT min(done_at) AS at FROM cancellations WHERE merchant_id = $1 AND done_at >= $2 AND done_at < $3",
    "SELECT min(ended_at) AS at FROM billing_keys WHERE merchant_id = $1 AND ended_at >= $2 AND ended_at < $3",
    "SELECT min(gone_at) AS at FROM billing_keys WHERE merchant_id = $1 AND gone_at >= $2 AND gone_at < $3",
)
"""The first moment of a span for each of the times by which EVENTS counts."""
SUMS = "detail, count(*) AS count, CAST(sum(amount) AS BIGINT) AS amount"
