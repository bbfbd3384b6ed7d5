"""Rows of a PG's files, and the days whose files were asked for, as rows."""

from __future__ import annotations

from datetime import date

from maedal.payments.attempt import Method
from maedal.reconciliation.settlement import Action, SettlementRow
from maedal.storage.engine.reading import moment
from maedal.storage.engine.steps import Row
from maedal.storage.reconciliation.reads import DayState, KeptRow
from maedal.storage.reconciliation.writes import DaySums

ROW_COLUMNS = (
    "merchant_id", "pg_provider", "pg_aid", "pg_merchant_id", "day", "action", "order_id", "pg_tid", "amount", "method",
    "happened_at",
)  # fmt: skip


def kept_row_of(row: Row) -> KeptRow:
    happened_at = moment(row["happened_at"])
    assert happened_at is not None, "the column is NOT NULL"
    settlement_row = SettlementRow(
        pg_merchant_id=row["pg_merchant_id"],
        order_id=row["order_id"],
        pg_tid=row["pg_tid"],
        pg_aid=row["pg_aid"],
        action=Action(row["action"]),
        amount=row["amount"],
        method=Method(row["method"]) if row["method"] else None,
        happened_at=happened_at,
    )
    return KeptRow(date.fromisoformat(row["day"]), settlement_row)


def day_state_of(row: Row) -> DayState:
    due_at, done_at = moment(row["due_at"]), moment(row["done_at"])
    assert due_at is not None, "the column is NOT NULL"
    sums = None
    if done_at is not None:
        sums = DaySums(row["taken_there"], row["taken_here"], row["cancelled_there"], row["cancelled_here"])
    day = date.fromisoformat(row["day"])
    return DayState(day, row["tries"], due_at, done_at, complete=bool(row["complete"]), sums=sums)
