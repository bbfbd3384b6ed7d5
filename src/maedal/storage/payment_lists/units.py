"""What serves people's lists of payments: the texts they are found by, views, columns and exports."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.storage.audit.rows import keep_audit_entries
from maedal.storage.engine.distributed import NOTES, Note, unit_when_distributed
from maedal.storage.engine.steps import ChangeAll, Row, Rows, RowsOfAll, Run, Step, Together, insert, unit
from maedal.storage.payment_lists.rows import export_values
from maedal.storage.payment_lists.search_terms import PUT_TERMS, TEXTS, term_values
from maedal.storage.payment_lists.search_text import text_of
from maedal.storage.payment_lists.writes import BeginExport, DropView, IndexTexts, PutColumns, PutExport, PutView

# Whoever takes a changed payment writes its text as it then reads it; a taker who read an older one loses by version.
TAKE_CHANGED = """
WITH bounded AS MATERIALIZED (SELECT id FROM payments_to_text ORDER BY id LIMIT $1 {skip_locked})
DELETE FROM payments_to_text WHERE id IN (SELECT id FROM bounded)
RETURNING CAST($2 AS INTEGER) AS item, merchant_id, imp_uid
"""
CHANGED = Together(
    """
SELECT p.merchant_id, p.version, p.imp_uid, p.merchant_uid, p.customer_uid, p.name, p.buyer_name, p.buyer_email,
       p.buyer_tel, p.buyer_addr, p.pg_tid, p.card_approval_number, p.card_issuer_name, p.fail_reason, p.cancel_reason
  FROM {items} JOIN payments p ON p.merchant_id = item.merchant_id AND p.imp_uid = item.imp_uid
""",
    ("merchant_id text", "imp_uid text"),
)
PUT_TEXTS = Together(
    """
INSERT INTO payment_texts (merchant_id, imp_uid, version, text)
SELECT item.merchant_id, item.imp_uid, item.version, item.text FROM {items} WHERE TRUE
ON CONFLICT (merchant_id, imp_uid) DO UPDATE SET version = excluded.version, text = excluded.text
 WHERE payment_texts.version < excluded.version
""",
    ("merchant_id text", "imp_uid text", "version bigint", "text text"),
)
# Where the tables are on one server a trigger does the same.
NOTES["payments"] = Note(
    insert("payments_to_text", ("merchant_id", "imp_uid")),
    ("merchant_id", "imp_uid"),
    when_changed=("pg_tid", "card_approval_number", "card_issuer_name", "fail_reason", "cancel_reason"),
)
WITH_TEXTS = """
SELECT CAST($1 AS INTEGER) AS item, merchant_id FROM payments_to_text GROUP BY merchant_id ORDER BY min(id)
"""
TAKE_CHANGED_OF_MERCHANT = """
WITH bounded AS MATERIALIZED (
     SELECT id FROM payments_to_text WHERE merchant_id = $2 ORDER BY id LIMIT $1 {skip_locked})
DELETE FROM payments_to_text WHERE merchant_id = $2 AND id IN (SELECT id FROM bounded)
RETURNING CAST($3 AS INTEGER) AS item, merchant_id, imp_uid
"""
INSERT_VIEW = insert(
    "payment_views", ("merchant_id", "id", "user_id", "name", "query", "shared", "created_at")
)  # fmt: skip
FORGET_NAMESAKE = "DELETE FROM payment_views WHERE merchant_id = $1 AND user_id = $2 AND name = $3"
DELETE_VIEW = """
DELETE FROM payment_views WHERE merchant_id = $1 AND id = $2 RETURNING CAST($3 AS INTEGER) AS item
"""
PUT_COLUMNS = """
INSERT INTO payment_columns (user_id, columns) VALUES ($1, $2)
ON CONFLICT (user_id) DO UPDATE SET columns = excluded.columns
"""
PUT_EXPORT = """
INSERT INTO exports (user_id, id, rows_done, total, exact, done, seen_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (user_id, id) DO UPDATE SET rows_done = excluded.rows_done, total = excluded.total,
    exact = excluded.exact, done = excluded.done, seen_at = excluded.seen_at
"""
FORGET_EXPORTS = "DELETE FROM exports WHERE user_id = $1 AND seen_at < $2"


@unit(IndexTexts, by_key=True)
def index_texts(writes: Sequence[IndexTexts]) -> Generator[Step, Any, Sequence[int]]:
    """Take changed payments and keep the texts they are found by."""
    taken = yield Rows(TAKE_CHANGED, [(w.count_max,) for w in writes])
    yield from _write_texts(taken)
    return [len(rows) for rows in taken]


@unit_when_distributed(IndexTexts)
def index_texts_by_merchant(writes: Sequence[IndexTexts]) -> Generator[Step, Any, Sequence[int]]:
    """Do the same, of each merchant in turn: what locks may name one only."""
    counts = []
    for w in writes:
        [merchants] = yield Rows(WITH_TEXTS, [()])
        taken: list[Sequence[Row]] = []
        left = w.count_max
        for n, row in enumerate(merchants):
            # What one does not need goes to those after it.
            share = -(-left // (len(merchants) - n))
            found = yield Rows(TAKE_CHANGED_OF_MERCHANT, [(share, row["merchant_id"])])
            taken += found
            left -= len(found[0])
            if left <= 0:
                break
        yield from _write_texts(taken)
        counts.append(w.count_max - left)
    return counts


def _write_texts(taken: Sequence[Sequence[Row]]) -> Generator[Step, Any, None]:
    changed = sorted({(row["merchant_id"], row["imp_uid"]) for rows in taken for row in rows})
    if changed:
        found = yield RowsOfAll(CHANGED, changed)
        texts = sorted((row["merchant_id"], row["imp_uid"], row["version"], text_of(row)) for row in found)
        if texts:
            yield ChangeAll(PUT_TEXTS, texts)
            kept = yield RowsOfAll(TEXTS, [row[:2] for row in texts])
            if terms := term_values(kept):
                yield ChangeAll(PUT_TERMS, terms)


@unit(PutView)
def put_views(writes: Sequence[PutView]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep views in the place of those of the same name."""
    views = [w.view for w in writes]
    yield Run(FORGET_NAMESAKE, [(v.merchant_id, v.operator_id, v.name) for v in views])
    yield Run(
        INSERT_VIEW, [(v.merchant_id, v.id, v.operator_id, v.name, v.query, v.shared, v.created_at) for v in views]
    )
    yield keep_audit_entries(w.audit_entry for w in writes)
    return [None] * len(writes)


@unit(DropView)
def drop_views(writes: Sequence[DropView]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Forget views."""
    gone = yield Rows(DELETE_VIEW, [(w.view.merchant_id, w.view.id) for w in writes])
    audit_entries = [w.audit_entry for w, rows in zip(writes, gone, strict=True) if rows]
    if audit_entries:
        yield keep_audit_entries(audit_entries)
    return [bool(rows) for rows in gone]


@unit(PutColumns)
def put_columns(writes: Sequence[PutColumns]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep what operators want to see."""
    yield Run(PUT_COLUMNS, [(w.operator_id, w.columns) for w in writes])
    return [None] * len(writes)


@unit(BeginExport)
def begin_exports(writes: Sequence[BeginExport]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep that exports begin, and by whom; the operator's old ones are forgotten."""
    yield Run(FORGET_EXPORTS, [(w.export.operator_id, w.forget_before) for w in writes])
    yield Run(PUT_EXPORT, [export_values(w.export) for w in writes])
    yield keep_audit_entries(w.audit_entry for w in writes)
    return [None] * len(writes)


@unit(PutExport)
def put_exports(writes: Sequence[PutExport]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep how far exports have come."""
    yield Run(PUT_EXPORT, [export_values(w.export) for w in writes])
    return [None] * len(writes)
