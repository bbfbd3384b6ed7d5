"""Imports: entries are kept aside batch by batch, and one transaction makes them real."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.payments.moves import Start
from maedal.payments.prepared import PreparedAmount
from maedal.schedules.schedule import Schedule
from maedal.storage.audit.rows import keep_audit_entries
from maedal.storage.billing_keys.rows import KEY_COLUMNS, key_values
from maedal.storage.cancellations.rows import CANCELLATION_COLUMNS, cancellation_values
from maedal.storage.channels.rows import INSERT_CHANNEL, channel_values
from maedal.storage.engine.steps import Rows, Run, insert, unit
from maedal.storage.errors import Conflict
from maedal.storage.merchants.rows import INSERT_API_KEY, INSERT_MERCHANT, api_key_values, merchant_values
from maedal.storage.payments.rows import PAYMENT_COLUMNS, payment_values
from maedal.storage.schedules.rows import HOLD_COLUMNS, SCHEDULE_COLUMNS, schedule_values
from maedal.storage.transfer.writes import DiscardImport, FinishImport, MovedKey, MovedPayment, StageEntries

ROWS_AT_ONCE = 5_000
"""Rows that one statement moves, so that each stays far below the limit on a statement's time."""

MOVED: dict[str, tuple[str, ...]] = {
    "billing_keys": KEY_COLUMNS,
    "payments": (*PAYMENT_COLUMNS, "status_at"),
    "cancellations": (*CANCELLATION_COLUMNS, "done_at"),
    "schedules": (*SCHEDULE_COLUMNS, *HOLD_COLUMNS),
    "prepared_amounts": ("merchant_id", "merchant_uid", "amount", "currency", "updated_at", "customer_uid"),
}
"""Tables that an import fills from their staging tables, those that others refer to first."""

STAGED_BESIDE = {"billing_keys": ("ending_id",)}
"""Columns of staging tables that become rows of other tables."""

STAGE = {
    table: insert(f"import_{table}", ("file_digest", "position", *columns, *STAGED_BESIDE.get(table, ())))
    for table, columns in MOVED.items()
}
BEGIN = """
INSERT INTO import_files (digest, staged, begun_at) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING
"""
ADVANCE = """
UPDATE import_files SET staged = $3 WHERE digest = $1 AND staged = $2 RETURNING CAST($4 AS INTEGER) AS item
"""
_SLICE = "file_digest = $1 AND position >= $2 AND position < $3"
# An attempt stands behind every cancellation; of one that was made elsewhere we know that it succeeded.
MOVE_ATTEMPTS = f"""
INSERT INTO attempts (merchant_id, id, verb, order_id, imp_uid, amount, tax_free, begun_at, outcome, proof, recorded_at)
SELECT merchant_id, id, 'cancel', id, imp_uid, amount, tax_free, begun_at, 'approved', 'imported', done_at
  FROM import_cancellations WHERE {_SLICE}
"""
MOVE = {
    table: f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns)} FROM import_{table} WHERE {_SLICE}"
    for table, columns in MOVED.items()
}
MOVE_EVENTS = f"""
INSERT INTO payment_events (merchant_id, imp_uid, version, event, status, proof, attempt_id, happened_at)
SELECT merchant_id, imp_uid, version, '{Start.IMPORTED}', status, 'imported', NULL, updated_at
  FROM import_payments WHERE {_SLICE}
"""
# Some tries may have reached the PG already: the next one, which is due at once, asks first how the key stands there.
MOVE_ENDINGS = (
    f"""
INSERT INTO attempts (merchant_id, id, verb, order_id, billing_key_id, begun_at)
SELECT merchant_id, ending_id, 'deactivate', ending_id, id, ended_at
  FROM import_billing_keys WHERE {_SLICE} AND ending_id IS NOT NULL
""",
    f"""
INSERT INTO key_endings (merchant_id, attempt_id, billing_key_id, tries, due_at)
SELECT merchant_id, ending_id, id, 1, ended_at FROM import_billing_keys WHERE {_SLICE} AND ending_id IS NOT NULL
""",
)
CLEAR = tuple(f"DELETE FROM import_{table} WHERE {_SLICE}" for table in MOVED)
END = "DELETE FROM import_files WHERE digest = $1 AND staged = $2 RETURNING CAST($3 AS INTEGER) AS item"


@unit(StageEntries)
def stage_entries(writes: Sequence[StageEntries]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep batches aside, each exactly once and in order."""
    for w in writes:
        if w.staged_before == 0:
            yield Run(BEGIN, [(w.digest, w.now)])
        advanced = yield Rows(ADVANCE, [(w.digest, w.staged_before, w.staged_before + len(w.entries))])
        if not advanced[0]:
            raise Conflict("another run is importing the same file")
        rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in MOVED}
        for position, entry in enumerate(w.entries, w.first_index):
            match entry:
                case MovedPayment():
                    rows["payments"].append((w.digest, position, *payment_values(entry.payment)))
                    rows["cancellations"] += [
                        (w.digest, position, *cancellation_values(c), c.done_at) for c in entry.cancellations
                    ]
                case MovedKey():
                    values = (*key_values(entry.key), entry.ending_id)
                    rows["billing_keys"].append((w.digest, position, *values))
                case Schedule():
                    rows["schedules"].append((w.digest, position, *schedule_values(entry)))
                case PreparedAmount():
                    values = (
                        entry.merchant_id,
                        entry.merchant_uid,
                        entry.amount,
                        entry.currency,
                        w.now,
                        entry.customer_uid,
                    )
                    rows["prepared_amounts"].append((w.digest, position, *values))
        for table, items in rows.items():
            if items:
                yield Run(STAGE[table], items)
    return [None] * len(writes)


@unit(FinishImport)
def finish_imports(writes: Sequence[FinishImport]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Make whole files real."""
    for w in writes:
        yield Run(INSERT_MERCHANT, [merchant_values(m.merchant) for m in w.merchants])
        keys = [api_key_values(key) for m in w.merchants for key in m.api_keys]
        for sql, items in (
            (INSERT_API_KEY, keys),
            (INSERT_CHANNEL, [channel_values(c) for m in w.merchants for c in m.channels]),
        ):
            if items:
                yield Run(sql, items)
        yield keep_audit_entries(w.audit_entries)
        if w.staged:
            for table, sql in MOVE.items():
                before = {"cancellations": (MOVE_ATTEMPTS,)}.get(table, ())
                after = {"payments": (MOVE_EVENTS,), "billing_keys": MOVE_ENDINGS}.get(table, ())
                for statement in (*before, sql, *after):
                    yield Run(statement, _slices(w.digest, w.staged))
            yield from _forget(w.digest, w.staged)
    return [None] * len(writes)


@unit(DiscardImport)
def discard_imports(writes: Sequence[DiscardImport]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Forget what was kept aside."""
    for w in writes:
        yield from _forget(w.digest, w.staged)
    return [None] * len(writes)


def _forget(digest: str, staged: int) -> Generator[Rows | Run, Any, None]:
    for sql in CLEAR:
        yield Run(sql, _slices(digest, staged))
    ended = yield Rows(END, [(digest, staged)])
    if not ended[0]:
        raise Conflict("another run is importing the same file")


def _slices(digest: str, staged: int) -> list[tuple[str, int, int]]:
    return [(digest, first, first + ROWS_AT_ONCE) for first in range(0, max(staged, 1), ROWS_AT_ONCE)]
