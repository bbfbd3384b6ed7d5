"""Acts of people as the audit log keeps them, written beside what they did."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from maedal.merchants.act import Act
from maedal.storage.sql.steps import Run, insert

COLUMNS = ("merchant_id", "id", "kind", "subject", "who", "reason", "fact_before", "fact_after", "happened_at")
INSERT_ACT = insert("audit_log", COLUMNS)


def act_values(act: Act) -> tuple[Any, ...]:
    return (
        act.merchant_id, act.id, act.kind, act.subject, act.who, act.reason, act.before, act.after, act.happened_at,
    )  # fmt: skip


def keep_acts(acts: Iterable[Act | None]) -> Run:
    """Return the step that keeps those acts that are there."""
    return Run(INSERT_ACT, [act_values(act) for act in acts if act is not None])
