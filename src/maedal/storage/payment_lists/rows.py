"""Saved views and exports as rows."""

from __future__ import annotations

from typing import Any

from maedal.storage.engine.reading import moment
from maedal.storage.engine.steps import Row
from maedal.storage.payment_lists.reads import Export, SavedView


def view_of(row: Row) -> SavedView:
    created_at = moment(row["created_at"])
    assert created_at is not None, "the column is never null"
    return SavedView(
        id=row["id"],
        merchant_id=row["merchant_id"],
        operator_id=row["user_id"],
        operator_name=row["user_name"],
        name=row["name"],
        query=row["query"],
        shared=bool(row["shared"]),
        created_at=created_at,
    )


def export_of(row: Row) -> Export:
    seen_at = moment(row["seen_at"])
    assert seen_at is not None, "the column is never null"
    return Export(
        row["id"], row["user_id"], row["rows_done"], row["total"], bool(row["exact"]), bool(row["done"]), seen_at
    )


def export_values(e: Export) -> tuple[Any, ...]:
    return (e.operator_id, e.id, e.rows, e.total, e.exact, e.done, e.seen_at)
