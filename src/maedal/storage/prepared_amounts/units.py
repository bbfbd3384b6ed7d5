"""Registered amounts: kept, and changed."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.storage.engine.steps import Rows, Run, unit
from maedal.storage.prepared_amounts.writes import ChangePrepared, Prepare

ADD = """
INSERT INTO prepared_amounts (merchant_id, merchant_uid, amount, currency, customer_uid, updated_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING CAST($7 AS INTEGER) AS item
"""
# Who changes an amount alone, as PortOne's clients do, leaves the customer who was named.
CHANGE = """
UPDATE prepared_amounts
   SET amount = $3, currency = $4, customer_uid = coalesce($5, customer_uid), updated_at = $6
 WHERE merchant_id = $1 AND merchant_uid = $2
RETURNING CAST($7 AS INTEGER) AS item
"""
NAMED_CUSTOMER = """
SELECT CAST($4 AS INTEGER) AS item FROM prepared_amounts
 WHERE merchant_id = $1 AND merchant_uid = $2 AND customer_uid = $3
"""


@unit(Prepare)
def prepare(writes: Sequence[Prepare]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Register each amount whose merchant_uid has none."""
    return [bool(rows) for rows in (yield Rows(ADD, [_values(w) for w in writes]))]


@unit(ChangePrepared)
def change(writes: Sequence[ChangePrepared]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Change each amount that is registered."""
    return [bool(rows) for rows in (yield Rows(CHANGE, [_values(w) for w in writes]))]


def _values(write: Prepare | ChangePrepared) -> tuple[Any, ...]:
    p = write.prepared
    return (p.merchant_id, p.merchant_uid, p.amount, p.currency, p.customer_uid, write.now)
