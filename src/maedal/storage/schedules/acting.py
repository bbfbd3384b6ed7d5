"""What a person does to a scheduled charge, guarded by how it was read."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.merchants.audit_entry import AuditAction
from maedal.storage.audit.rows import keep_audit_entries
from maedal.storage.engine.steps import Rows, Run, unit
from maedal.storage.schedules.writes import ChangeScheduleByHand

_AS_READ = """
 WHERE merchant_id = $1 AND merchant_uid = $2 AND status = $3 AND coalesce(imp_uid, '') = $4 AND schedule_at = $5"""
_NO_CLAIM = "lease_id = NULL, leased_until = NULL, try_lease_id = NULL, try_leased_until = NULL"
_NO_TRY = "next_try_at = NULL, next_try_reason = NULL"
_NO_HOLD = "held_at = NULL, held_by = NULL, held_reason = NULL"
# The claim goes with the hold: what a worker has taken and not begun cannot begin after this.
HOLD = f"""
UPDATE schedules SET held_at = $6, held_by = $7, held_reason = $8, {_NO_CLAIM} {_AS_READ}
   AND held_at IS NULL AND (status = 'scheduled' OR next_try_at IS NOT NULL)
RETURNING CAST($9 AS INTEGER) AS item
"""
RELEASE = f"""
UPDATE schedules SET {_NO_HOLD} {_AS_READ} AND held_at IS NOT NULL
RETURNING CAST($6 AS INTEGER) AS item
"""
REVOKE = f"""
UPDATE schedules SET status = 'revoked', revoked_at = $6, {_NO_CLAIM}, {_NO_HOLD} {_AS_READ} AND status = 'scheduled'
RETURNING CAST($7 AS INTEGER) AS item
"""
END_TRIES = f"""
UPDATE schedules SET {_NO_CLAIM}, {_NO_TRY}, {_NO_HOLD} {_AS_READ} AND status = 'executed' AND next_try_at IS NOT NULL
RETURNING CAST($6 AS INTEGER) AS item
"""
# A hold stays: the charge waits for its new time, and is still held then.
MOVE = f"""
UPDATE schedules
   SET status = 'scheduled', schedule_at = $6, imp_uid = NULL, executed_at = NULL, revoked_at = NULL, tries = 0,
       {_NO_CLAIM}, {_NO_TRY} {_AS_READ}
RETURNING CAST($7 AS INTEGER) AS item
"""


@unit(ChangeScheduleByHand)
def audit_entry_on_schedules(writes: Sequence[ChangeScheduleByHand]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Do each thing if the charge still stands as it was read, and keep the acts of those that were done."""
    done = [False] * len(writes)
    # In one order everywhere, so that two batches never lock these rows crosswise.
    places = sorted(
        range(len(writes)), key=lambda n: (writes[n].audit_entry.merchant_id, writes[n].schedule.order.merchant_uid)
    )
    for sql in (HOLD, RELEASE, REVOKE, END_TRIES, MOVE):
        of_kind = [(place, values) for place in places for text, values in _steps(writes[place]) if text == sql]
        if not of_kind:
            continue
        rows = yield Rows(sql, [values for _, values in of_kind])
        for (place, _), found in zip(of_kind, rows, strict=True):
            done[place] |= bool(found)
    audit_entries = [w.audit_entry for w, was_done in zip(writes, done, strict=True) if was_done]
    if audit_entries:
        yield keep_audit_entries(audit_entries)
    return done


def _steps(write: ChangeScheduleByHand) -> list[tuple[str, tuple[Any, ...]]]:
    s, audit_entry = write.schedule, write.audit_entry
    as_read = (s.merchant_id, s.order.merchant_uid, s.status, s.imp_uid or "", s.schedule_at)
    match audit_entry.kind:
        case AuditAction.HOLD_SCHEDULE:
            return [(HOLD, (*as_read, audit_entry.happened_at, audit_entry.who, audit_entry.reason))]
        case AuditAction.RELEASE_SCHEDULE:
            return [(RELEASE, as_read)]
        case AuditAction.REVOKE_SCHEDULE:
            return [(REVOKE, (*as_read, audit_entry.happened_at)), (END_TRIES, as_read)]
        case _:
            assert audit_entry.kind in {AuditAction.MOVE_SCHEDULE, AuditAction.RETRY_SCHEDULE}, audit_entry.kind
            assert write.schedule_at is not None, "a move has its goal"
            return [(MOVE, (*as_read, write.schedule_at))]
