"""Acts that are kept once, however often they are written."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.storage.audit.rows import ACT_COLUMNS, act_values
from maedal.storage.audit.writes import KeepAct
from maedal.storage.engine.steps import Rows, Run, unit

KEEP_ACT = (
    f"INSERT INTO audit_log ({', '.join(ACT_COLUMNS)})"
    f" VALUES ({', '.join(f'${n + 1}' for n in range(len(ACT_COLUMNS)))})"
    f" ON CONFLICT DO NOTHING RETURNING CAST(${len(ACT_COLUMNS) + 1} AS INTEGER) AS item"
)


@unit(KeepAct)
def keep_acts_once(writes: Sequence[KeepAct]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Keep each act that is not kept already."""
    kept = yield Rows(KEEP_ACT, [act_values(w.act) for w in writes])
    return [bool(rows) for rows in kept]
