"""Entries of the log of calls as rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from maedal.merchants.request_entry import RequestEntry
from maedal.storage.engine.reading import moment_not_null
from maedal.storage.engine.steps import Row, insert

ENTRY_COLUMNS = (
    "merchant_id", "id", "happened_at", "api_key", "method", "route", "status", "error", "duration_ms", "dropped",
)  # fmt: skip
INSERT_ENTRY = insert("request_log", ENTRY_COLUMNS)
_MILLISECOND = timedelta(milliseconds=1)


def entry_values(e: RequestEntry) -> tuple[Any, ...]:
    return (
        e.merchant_id, e.id, e.happened_at, e.api_key, e.method, e.route, e.status, e.error,
        max(e.duration // _MILLISECOND, 0), e.dropped,
    )  # fmt: skip


def entry_of(row: Row) -> RequestEntry:
    return RequestEntry(
        merchant_id=row["merchant_id"],
        id=row["id"],
        happened_at=moment_not_null(row["happened_at"]),
        api_key=row["api_key"],
        method=row["method"],
        route=row["route"],
        status=row["status"],
        error=row["error"],
        duration=row["duration_ms"] * _MILLISECOND,
        dropped=row["dropped"],
    )
