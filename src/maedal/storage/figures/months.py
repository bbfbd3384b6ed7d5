"""What each figure of a month counts, by the rows themselves."""

from __future__ import annotations

from maedal.storage.figures.counted import EVENTS
from maedal.storage.figures.reads import Churn, FigureKind, How, MonthKind

DETAIL = "coalesce(p.method, '-') || ' ' || coalesce(p.key_use, 'one_time')"
SUMS = "count(*) AS count, CAST(coalesce(sum(amount), 0) AS BIGINT) AS amount"
MONTH_OF = {
    "sqlite": "strftime('%Y-%m', {at}, '+9 hours')",
    "postgresql": "to_char({at} AT TIME ZONE 'Asia/Seoul', 'YYYY-MM')",
}
"""The month of Seoul in which a moment is; Korea has had one time zone, without summer time, since 1988."""
# Each is given the merchant and the month: $1, $2 to $3.
SIMPLE: dict[MonthKind, str] = {
    MonthKind.CHARGED: f"""
SELECT test_mode, detail, {SUMS} FROM (
    SELECT p.test_mode, p.amount, {DETAIL} AS detail FROM payments p
     WHERE p.merchant_id = $1 AND p.paid_at >= $2 AND p.paid_at < $3 AND p.amount > 0) t GROUP BY test_mode, detail""",
    MonthKind.CANCELLED: f"""
SELECT test_mode, detail, {SUMS} FROM (
    SELECT p.test_mode, c.amount, {DETAIL} AS detail FROM cancellations c CROSS JOIN payments p
     WHERE c.merchant_id = $1 AND c.done_at >= $2 AND c.done_at < $3
       AND p.merchant_id = c.merchant_id AND p.imp_uid = c.imp_uid) t GROUP BY test_mode, detail""",
    MonthKind.RECOVERED: f"""
SELECT test_mode, '' AS detail, {SUMS} FROM ({EVENTS[FigureKind.CHARGED]}) t WHERE detail = '{How.RECOVERED}'
 GROUP BY test_mode""",
    MonthKind.RENEWAL_FAILED: f"""
SELECT test_mode, '' AS detail, {SUMS} FROM ({EVENTS[FigureKind.RENEWAL_FAILED]}) t GROUP BY test_mode""",
}
# Each customer that was charged with a key in a month or in the one before: $2 to $3 to $4.
CUSTOMERS = """
    SELECT test_mode, customer_uid, sum(CASE WHEN paid_at < $3 THEN amount ELSE 0 END) AS past,
           sum(CASE WHEN paid_at >= $3 THEN amount ELSE 0 END) AS amount
      FROM payments
     WHERE merchant_id = $1 AND paid_at >= $2 AND paid_at < $4 AND amount > 0 AND key_use IS NOT NULL
     GROUP BY test_mode, customer_uid"""
# By the order in which charges were begun, which the index of a customer's payments has.
FIRST_PAID = """(
    SELECT f.paid_at FROM payments f
     WHERE f.merchant_id = $1 AND f.customer_uid = c.customer_uid AND f.test_mode = c.test_mode AND f.amount > 0
       AND f.paid_at IS NOT NULL AND f.key_use IS NOT NULL ORDER BY f.started_at LIMIT 1)"""
PAYING = f"""
SELECT test_mode, detail, absent, {SUMS} FROM (
    SELECT c.test_mode, c.amount, c.past = 0 AS absent, {{first}} AS detail FROM ({CUSTOMERS}) c
     WHERE c.amount > 0) t GROUP BY test_mode, detail, absent"""
# Each is one range of an index, read once for all customers.
KEY_ENDED = """(c.test_mode, c.customer_uid) IN (
         SELECT k.test_mode, k.customer_uid FROM billing_keys k WHERE k.merchant_id = $1 AND {how})"""
BY_BUYER = KEY_ENDED.format(how="k.gone_at >= $2 AND k.gone_at < $4")
BY_MERCHANT = KEY_ENDED.format(how="k.ended_at >= $2 AND k.ended_at < $4 AND k.ended_by = 'deleted'")
FAILED = """(c.test_mode, c.customer_uid) IN (
         SELECT f.test_mode, f.customer_uid FROM payments f
          WHERE f.merchant_id = $1 AND f.status = 'failed' AND f.status_at >= $3 AND f.status_at < $4 AND NOT f.put_off
            AND f.key_use IN ('payment', 'payment.scheduled'))"""
CHURNED = f"""
SELECT test_mode, detail, {SUMS} FROM (
    SELECT c.test_mode, c.past AS amount,
           CASE WHEN {BY_BUYER} THEN '{Churn.BUYER}'
                WHEN {FAILED} THEN '{Churn.FAILURE}'
                WHEN {BY_MERCHANT} THEN '{Churn.MERCHANT}'
                ELSE '{Churn.NOTHING}' END AS detail
      FROM ({CUSTOMERS}) c WHERE c.amount = 0) t GROUP BY test_mode, detail"""
