"""Acts and deeds as the audit log keeps them, written beside what they did."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from maedal.merchants.act import Act, ActKind
from maedal.operators.deed import Deed, DeedKind
from maedal.storage.engine.reading import moment, moment_not_null
from maedal.storage.engine.steps import Row, Run, insert

ACT_COLUMNS = ("merchant_id", "id", "kind", "subject", "who", "reason", "fact_before", "fact_after", "happened_at")
DEED_COLUMNS = ("id", "kind", "subject", "who", "fact_before", "fact_after", "happened_at")
INSERT_ACT = insert("audit_log", ACT_COLUMNS)
INSERT_DEED = insert("user_log", DEED_COLUMNS)


def act_values(act: Act) -> tuple[Any, ...]:
    return (
        act.merchant_id, act.id, act.kind, act.subject, act.who, act.reason, act.before, act.after, act.happened_at,
    )  # fmt: skip


def keep_acts(acts: Iterable[Act | None]) -> Run:
    """Return the step that keeps those acts that are there."""
    return Run(INSERT_ACT, [act_values(act) for act in acts if act is not None])


def act_of(row: Row) -> Act:
    happened_at = moment(row["happened_at"])
    assert happened_at is not None, "the column is never null"
    return Act(
        id=row["id"],
        merchant_id=row["merchant_id"],
        kind=ActKind(row["kind"]),
        subject=row["subject"],
        who=row["who"],
        reason=row["reason"],
        before=row["fact_before"],
        after=row["fact_after"],
        happened_at=happened_at,
    )


def deed_values(d: Deed) -> tuple[Any, ...]:
    return (d.id, d.kind, d.subject, d.who, d.before, d.after, d.happened_at)


def deed_of(row: Row) -> Deed:
    return Deed(
        id=row["id"],
        kind=DeedKind(row["kind"]),
        subject=row["subject"],
        who=row["who"],
        before=row["fact_before"],
        after=row["fact_after"],
        happened_at=moment_not_null(row["happened_at"]),
    )
