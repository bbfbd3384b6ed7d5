"""Proving by a write: the row in question is touched, so that the commit which is waited for comes after its own."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

from maedal.billing_keys.billing_key import KeyEnd
from maedal.payments.attempt import Outcome
from maedal.payments.payment import Payment
from maedal.storage.attempts.rows import INSERT_ATTEMPT, attempt_of, attempt_values
from maedal.storage.billing_keys.rows import INSERT_KEY, key_of, key_values
from maedal.storage.durability.writes import EnterOutcome, Prove, Proved, ProvePayment
from maedal.storage.engine.steps import Row, Rows, Run, Step, unit
from maedal.storage.payments.rows import INSERT_PAYMENT, new_payment_values, payment_of
from maedal.storage.payments.units.entering import record_entered
from maedal.storage.windows.rows import INSERT_WINDOW, window_values

# Changes nothing. A transaction that writes nothing would not wait for the standby, and so prove nothing.
TOUCH = """
UPDATE attempts SET begun_at = begun_at WHERE merchant_id = $1 AND id = $2
RETURNING CAST($3 AS INTEGER) AS item, *
"""
TOUCH_PAYMENT = """
UPDATE payments SET version = version WHERE merchant_id = $1 AND imp_uid = $2
RETURNING CAST($3 AS INTEGER) AS item, *
"""
PAYMENT = "SELECT CAST($3 AS INTEGER) AS item, * FROM payments WHERE merchant_id = $1 AND imp_uid = $2"
KEY = "SELECT CAST($3 AS INTEGER) AS item, * FROM billing_keys WHERE merchant_id = $1 AND id = $2"

# The key itself, or whichever lives in its place.
KEYS_OF = """
SELECT CAST($4 AS INTEGER) AS item, id FROM billing_keys
 WHERE merchant_id = $1 AND (id = $2 OR (customer_uid = $3 AND ended_at IS NULL))
"""


@unit(Prove)
def prove(writes: Sequence[Prove]) -> Generator[Step, Any, Sequence[Proved | None]]:
    """Touch each attempt, in one order everywhere, and read what it is about in the same transaction."""
    order = sorted(range(len(writes)), key=lambda n: (writes[n].merchant_id, writes[n].attempt_id))
    touched = yield Rows(TOUCH, [(writes[n].merchant_id, writes[n].attempt_id) for n in order])
    found: dict[int, Row] = {n: rows[0] for n, rows in zip(order, touched, strict=True) if rows}
    payments = yield from _read(PAYMENT, found, "imp_uid")
    keys = yield from _read(KEY, found, "billing_key_id")
    return [_proved(found.get(n), payments.get(n), keys.get(n)) for n in range(len(writes))]


@unit(ProvePayment)
def prove_payments(writes: Sequence[ProvePayment]) -> Generator[Step, Any, Sequence[Payment | None]]:
    """Touch each payment, in one order everywhere, and give it as it stands."""
    order = sorted(range(len(writes)), key=lambda n: (writes[n].merchant_id, writes[n].imp_uid))
    found = yield Rows(TOUCH_PAYMENT, [(writes[n].merchant_id, writes[n].imp_uid) for n in order])
    payments = {n: payment_of(rows[0]) for n, rows in zip(order, found, strict=True) if rows}
    return [payments.get(n) for n in range(len(writes))]


def _read(sql: str, found: dict[int, Row], column: str) -> Generator[Step, Any, dict[int, Row]]:
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


@unit(EnterOutcome)
def enter_outcomes(writes: Sequence[EnterOutcome]) -> Generator[Step, Any, Sequence[Payment]]:
    """Begin and record each call, let it execute what was planned, and let its hours be counted anew."""
    yield from _enter_keys(writes)
    yield Run(INSERT_PAYMENT, [new_payment_values(w.payment) for w in writes])
    windows = [window_values(w.window) for w in writes if w.window is not None]
    if windows:
        yield Run(INSERT_WINDOW, windows)
    yield Run(INSERT_ATTEMPT, [attempt_values(w.attempt, w.key) for w in writes])
    return (yield from record_entered(writes))


def _enter_keys(writes: Sequence[EnterOutcome]) -> Generator[Step, Any, None]:
    """Enter the keys that are not here. One that lives here is left alone: it may be newer."""
    named = [(w.key, w.record.now) for w in writes if w.key is not None]
    if not named:
        return
    found = yield Rows(KEYS_OF, [(key.merchant_id, key.id, key.customer_uid) for key, _ in named])
    missing = [
        replace(key, ended_at=now, ended_by=KeyEnd.REPLACED, updated_at=now) if rows else key
        for (key, now), rows in zip(named, found, strict=True)
        if all(row["id"] != key.id for row in rows)
    ]
    if missing:
        yield Run(INSERT_KEY, [key_values(key) for key in missing])
