"""Findings as rows."""

from __future__ import annotations

from datetime import date
from typing import Any

from maedal.reconciliation.finding import Finding, FindingKind
from maedal.storage.engine.reading import moment
from maedal.storage.engine.steps import Row, insert_once

FINDING_COLUMNS = (
    "merchant_id", "id", "kind", "subject", "channel_id", "day", "order_id", "imp_uid", "pg_tid", "pg_aid",
    "amount_there", "amount_here", "happened_at", "found_at",
)  # fmt: skip
ADD_FINDING = insert_once("findings", FINDING_COLUMNS) + (
    f" RETURNING CAST(${len(FINDING_COLUMNS) + 1} AS INTEGER) AS item"
)


def finding_values(f: Finding) -> tuple[Any, ...]:
    return (
        f.merchant_id, f.id, f.kind, f.subject, f.channel_id, f.day.isoformat(), f.order_id, f.imp_uid, f.pg_tid,
        f.pg_aid, f.amount_there, f.amount_here, f.happened_at, f.found_at,
    )  # fmt: skip


def finding_of(row: Row) -> Finding:
    found_at = moment(row["found_at"])
    assert found_at is not None, "the column is NOT NULL"
    return Finding(
        merchant_id=row["merchant_id"],
        id=row["id"],
        kind=FindingKind(row["kind"]),
        subject=row["subject"],
        channel_id=row["channel_id"],
        day=date.fromisoformat(row["day"]),
        found_at=found_at,
        order_id=row["order_id"],
        imp_uid=row["imp_uid"],
        pg_tid=row["pg_tid"],
        pg_aid=row["pg_aid"],
        amount_there=row["amount_there"],
        amount_here=row["amount_here"],
        happened_at=moment(row["happened_at"]),
        closed_at=moment(row["closed_at"]),
        closed_by=row["closed_by"],
        close_reason=row["close_reason"],
    )
