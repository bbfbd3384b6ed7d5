"""Proving by a write: the row in question is touched, so that the commit which is waited for comes after its own."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.payments.attempt import Outcome
from maedal.storage.proving import Prove, Proved
from maedal.storage.sql.rows import attempt_of, key_of, payment_of
from maedal.storage.sql.steps import Row, Rows, Run, unit

# Changes nothing. A transaction that writes nothing would not wait for the standby, and so prove nothing.
TOUCH = """
UPDATE attempts SET begun_at = begun_at WHERE merchant_id = $1 AND id = $2
RETURNING CAST($3 AS INTEGER) AS item, *
"""
PAYMENT = "SELECT CAST($3 AS INTEGER) AS item, * FROM payments WHERE merchant_id = $1 AND imp_uid = $2"
KEY = "SELECT CAST($3 AS INTEGER) AS item, * FROM billing_keys WHERE merchant_id = $1 AND id = $2"


@unit(Prove)
def prove(writes: Sequence[Prove]) -> Generator[Rows | Run, Any, Sequence[Proved | None]]:
    """Touch each attempt, in one order everywhere, and read what it is about in the same transaction."""
    order = sorted(range(len(writes)), key=lambda n: (writes[n].merchant_id, writes[n].attempt_id))
    touched = yield Rows(TOUCH, [(writes[n].merchant_id, writes[n].attempt_id) for n in order])
    found: dict[int, Row] = {n: rows[0] for n, rows in zip(order, touched, strict=True) if rows}
    payments = yield from _read(PAYMENT, found, "imp_uid")
    keys = yield from _read(KEY, found, "billing_key_id")
    return [_proved(found.get(n), payments.get(n), keys.get(n)) for n in range(len(writes))]


def _read(sql: str, found: dict[int, Row], column: str) -> Generator[Rows | Run, Any, dict[int, Row]]:
    named = [n for n, row in found.items() if row[column] is not None]
    if not named:
        return {}
    rows = yield Rows(sql, [(found[n]["merchant_id"], found[n][column]) for n in named])
    return {n: of[0] for n, of in zip(named, rows, strict=True) if of}


def _proved(attempt: Row | None, payment: Row | None, key: Row | None) -> Proved | None:
    if attempt is None:
        return None
    return Proved(
        attempt_of(attempt),
        Outcome(attempt["outcome"]) if attempt["outcome"] else None,
        None if payment is None else payment_of(payment),
        None if key is None else key_of(key),
    )
