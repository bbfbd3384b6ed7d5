"""Cancels as rows."""

from __future__ import annotations

from typing import Any

from maedal.payments.cancellation import Cancellation, CancelSplit, RefundKind
from maedal.storage.engine.reading import moment, moment_not_null
from maedal.storage.engine.steps import Row, insert

CANCELLATION_COLUMNS = (
    "merchant_id", "id", "imp_uid", "amount", "tax_free", "vat", "reason", "tell", "begun_at", "pg_aid", "at_pg",
    "marked", "reason_kind",
)  # fmt: skip
INSERT_CANCELLATION = insert("cancellations", CANCELLATION_COLUMNS)


def cancellation_of(row: Row) -> Cancellation:
    return Cancellation(
        merchant_id=row["merchant_id"],
        id=row["id"],
        imp_uid=row["imp_uid"],
        split=CancelSplit(row["amount"], row["tax_free"], row["vat"]),
        reason=row["reason"],
        tell=bool(row["tell"]),
        begun_at=moment_not_null(row["begun_at"]),
        done_at=moment(row["done_at"]),
        pg_aid=row["pg_aid"],
        at_pg=bool(row["at_pg"]),
        marked=bool(row["marked"]),
        kind=RefundKind(row["reason_kind"]) if row["reason_kind"] else None,
    )


def cancellation_values(c: Cancellation) -> tuple[Any, ...]:
    split = c.split
    return (
        c.merchant_id, c.id, c.imp_uid, split.amount, split.tax_free, split.vat, c.reason, c.tell, c.begun_at, c.pg_aid,
        c.at_pg, c.marked, c.kind,
    )  # fmt: skip
