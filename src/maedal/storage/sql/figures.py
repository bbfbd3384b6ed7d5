"""Figures: what each hour came to, counted once it is over, and the same of a span that is not."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from maedal.storage.figures import GONE, CountHours, FigureKind, How
from maedal.storage.sql.steps import Rows, Run, insert, unit

SEOUL = timezone(timedelta(hours=9))
AN_HOUR = timedelta(hours=1)

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
SUMS = "detail, count(*) AS count, CAST(sum(amount) AS BIGINT) AS amount"
OF_HOUR = {
    kind: f"SELECT CAST($4 AS INTEGER) AS item, test_mode, {SUMS} FROM ({events}) t GROUP BY test_mode, detail"
    for kind, events in EVENTS.items()
}
FRESH = "\nUNION ALL\n".join(
    f"SELECT '{kind}' AS kind, {SUMS} FROM ({events}) {kind} WHERE test_mode = $4 GROUP BY detail"
    for kind, events in EVENTS.items()
)
KEPT = """
SELECT day, kind, detail, CAST(sum(count) AS BIGINT) AS count, CAST(sum(amount) AS BIGINT) AS amount FROM figures
 WHERE merchant_id = $1 AND hour >= $2 AND hour < $3 AND test_mode = $4 GROUP BY day, kind, detail ORDER BY day
"""
FORGET = "DELETE FROM figures WHERE merchant_id = $1 AND hour >= $2 AND hour < $3"
INSERT = insert("figures", ("merchant_id", "hour", "day", "test_mode", "kind", "detail", "count", "amount"))
BEGIN = """
INSERT INTO figures_counted (merchant_id, until) VALUES ($1, $2) ON CONFLICT DO NOTHING
RETURNING CAST($3 AS INTEGER) AS item
"""
ADVANCE = """
UPDATE figures_counted SET until = $2 WHERE merchant_id = $1 AND until = $3 RETURNING CAST($4 AS INTEGER) AS item
"""


@unit(CountHours)
def count_hours(writes: Sequence[CountHours]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Count each merchant's hours, unless somebody else was first."""
    done = []
    for w in writes:
        values = (w.merchant_id, w.counted)
        [moved] = yield Rows(BEGIN, [values]) if w.known is None else Rows(ADVANCE, [(*values, w.known)])
        done.append(bool(moved))
        if moved:
            yield from _count(w)
    return done


def _count(w: CountHours) -> Generator[Rows | Run, Any, None]:
    yield Run(FORGET, [(w.merchant_id, w.since, w.counted)])
    hours = _hours(w.since, w.counted)
    for kind, sql in OF_HOUR.items():
        found = yield Rows(sql, [(w.merchant_id, hour, hour + AN_HOUR) for hour in hours])
        figures = [
            (w.merchant_id, hour, hour.astimezone(SEOUL).date().isoformat(), bool(row["test_mode"]), kind,
             row["detail"], row["count"], row["amount"])
            for hour, rows in zip(hours, found, strict=True)
            for row in rows
        ]  # fmt: skip
        if figures:
            yield Run(INSERT, figures)


def _hours(since: datetime, before: datetime) -> list[datetime]:
    return [since + n * AN_HOUR for n in range(int((before - since) / AN_HOUR))]
