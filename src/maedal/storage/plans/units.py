"""Plans: kept, changed with what is scheduled for them, and looked at again when a holiday or a consent says so."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

from maedal.plans.plan import Occurrence, OccurrenceState, Plan
from maedal.storage.audit.rows import keep_audit_entries
from maedal.storage.engine.steps import Rows, Run, unit
from maedal.storage.errors import Conflict
from maedal.storage.plans.rows import (
    CONSENT_COLUMNS,
    HOLIDAY_COLUMNS,
    OCCURRENCE_COLUMNS,
    PLAN_COLUMNS,
    plan_values,
)
from maedal.storage.plans.writes import AddPlan, DropHoliday, KeepConsent, Put, PutHoliday, PutPlan
from maedal.storage.schedules.execution import NO_HOLD
from maedal.storage.schedules.rows import SCHEDULE_COLUMNS, new_schedule_values
from maedal.storage.schedules.units import ADD as ADD_SCHEDULE

_N = len(PLAN_COLUMNS)
ADD = f"""
INSERT INTO plans ({", ".join(PLAN_COLUMNS)}) VALUES ({", ".join(f"${n}" for n in range(1, _N + 1))})
ON CONFLICT (merchant_id, plan_uid) DO NOTHING
RETURNING CAST(${_N + 1} AS INTEGER) AS item
"""
# Takes the plan's row before anything of it is looked at: of two that read the same, one goes on.
GUARD = """
UPDATE plans SET revision = revision + 1 WHERE merchant_id = $1 AND plan_uid = $2 AND revision = $3
RETURNING CAST($4 AS INTEGER) AS item
"""
# Only what this plan has scheduled: the order number may be somebody else's, and then the occurrence is blocked.
REVOKE = f"""
UPDATE schedules SET status = 'revoked', revoked_at = $5, lease_id = NULL, leased_until = NULL, {NO_HOLD}
 WHERE merchant_id = $1 AND merchant_uid = $2 AND status = 'scheduled'
   AND EXISTS (SELECT 1 FROM plan_occurrences o
                WHERE o.merchant_id = $1 AND o.plan_uid = $3 AND o.on_day = $4 AND o.state = 'scheduled')
RETURNING CAST($6 AS INTEGER) AS item
"""
# In its place: whoever holds the charge holds it still, and a worker that has claimed it cannot begin it any more.
REPLACED = ("customer_uid", "channel_id", "schedule_at", "amount", "tax_free", "currency", "name", "buyer_name",
            "buyer_email", "buyer_tel", "buyer_addr", "buyer_postcode", "custom_data", "notice_url")  # fmt: skip
REPLACE = f"""
UPDATE schedules
   SET {", ".join(f"{column} = ${n}" for n, column in enumerate(REPLACED, 5))},
       lease_id = NULL, leased_until = NULL, waits_until = NULL, waits_channel = NULL
 WHERE merchant_id = $1 AND merchant_uid = $2 AND status = 'scheduled'
   AND EXISTS (SELECT 1 FROM plan_occurrences o
                WHERE o.merchant_id = $1 AND o.plan_uid = $3 AND o.on_day = $4 AND o.state = 'scheduled')
RETURNING CAST(${len(REPLACED) + 5} AS INTEGER) AS item
"""
# What was not taken back: charged, or taken back by the merchant, or never made by this plan.
CHARGED = """
SELECT CAST($5 AS INTEGER) AS item FROM plan_occurrences o
  JOIN schedules s ON s.merchant_id = $1 AND s.merchant_uid = $2
 WHERE o.merchant_id = $1 AND o.plan_uid = $3 AND o.on_day = $4 AND o.state = 'scheduled' AND s.status = 'executed'
"""
USED = """
SELECT CAST($3 AS INTEGER) AS item FROM (SELECT 1 AS one) AS here
 WHERE EXISTS (SELECT 1 FROM schedules s
                WHERE s.merchant_id = $1 AND s.merchant_uid = $2 AND s.status <> 'revoked')
    OR EXISTS (SELECT 1 FROM payments p
                WHERE p.merchant_id = $1 AND p.merchant_uid = $2
                  AND p.status IN ('calling', 'unknown', 'paid', 'cancelled'))
"""
PUT = f"""
UPDATE plans SET {", ".join(f"{column} = ${n}" for n, column in enumerate(PLAN_COLUMNS, 1) if n > 2)}
 WHERE merchant_id = $1 AND plan_uid = $2
"""
PUT_OCCURRENCE = f"""
INSERT INTO plan_occurrences ({", ".join(OCCURRENCE_COLUMNS)})
VALUES ({", ".join(f"${n}" for n in range(1, len(OCCURRENCE_COLUMNS) + 1))})
ON CONFLICT (merchant_id, plan_uid, on_day) DO UPDATE
   SET {", ".join(f"{column} = excluded.{column}" for column in OCCURRENCE_COLUMNS[3:])}
"""
KEEP_CONSENT = f"""
INSERT INTO plan_consents ({", ".join(CONSENT_COLUMNS)})
VALUES ({", ".join(f"${n}" for n in range(1, len(CONSENT_COLUMNS) + 1))})
"""
LOOK_NOW = """
UPDATE plans SET look_at = $3, revision = revision + 1
 WHERE merchant_id = $1 AND plan_uid = $2 RETURNING CAST($4 AS INTEGER) AS item
"""
PUT_HOLIDAY = f"""
INSERT INTO merchant_holidays ({", ".join(HOLIDAY_COLUMNS)})
VALUES ({", ".join(f"${n}" for n in range(1, len(HOLIDAY_COLUMNS) + 1))})
ON CONFLICT (merchant_id, on_day) DO UPDATE
   SET closed = excluded.closed, name = excluded.name, who = excluded.who, written_at = excluded.written_at
"""
DROP_HOLIDAY = """
DELETE FROM merchant_holidays WHERE merchant_id = $1 AND on_day = $2 RETURNING CAST($3 AS INTEGER) AS item
"""
# Every plan whose next day is on or before this one may be moved over it, or back.
MOVED_BY_HOLIDAY = """
UPDATE plans SET look_at = $3, revision = revision + 1
 WHERE merchant_id = $1 AND next_on <= $2 AND business_day AND status = 'active'
   AND (look_at IS NULL OR look_at > $3)
"""


@unit(AddPlan)
def add(writes: Sequence[AddPlan]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Keep each plan whose plan_uid is free."""
    added = [bool(rows) for rows in (yield Rows(ADD, [plan_values(w.plan) for w in writes]))]
    yield keep_audit_entries(w.audit_entry for w, new in zip(writes, added, strict=True) if new)
    return added


@unit(PutPlan)
def put(writes: Sequence[PutPlan]) -> Generator[Rows | Run, Any, Sequence[Put]]:
    """Change each plan that stands as it was read, and what is scheduled for it."""
    # By the order numbers, as whoever else changes scheduled charges.
    ordered = sorted(writes, key=lambda w: (w.before.merchant_id, w.before.merchant_uid(w.before.next_on)))
    stand = yield Rows(GUARD, [(w.before.merchant_id, w.before.plan_uid, w.before.revision) for w in ordered])
    ordered = [w for w, rows in zip(ordered, stand, strict=True) if rows]
    to_change = [w for w in ordered if w.revoke and w.before.planned is not None]
    to_revoke = [w for w in to_change if w.schedule is None]
    revoked = _found(to_revoke, (yield Rows(REVOKE, [_of_day(w, w.now) for w in to_revoke])))
    to_replace = [w for w in to_change if w.schedule is not None]
    replaced = _found(to_replace, (yield Rows(REPLACE, [_of_day(w, *_replaced(w)) for w in to_replace])))
    left = {id(w) for w in to_change} - revoked - replaced
    not_revoked = [w for w in to_change if id(w) in left]
    charged = _found(not_revoked, (yield Rows(CHARGED, [_of_day(w) for w in not_revoked])))
    ordered = [w for w in ordered if not (w.must_revoke and id(w) in charged)]
    to_add = [w for w in ordered if w.schedule is not None and id(w) not in left | replaced]
    used = _found(to_add, (yield Rows(USED, [(w.merchant_id, _order_number(w)) for w in to_add])))
    free = [w for w in to_add if id(w) not in used]
    made = yield Rows(ADD_SCHEDULE, [new_schedule_values(w.schedule) for w in free if w.schedule is not None])
    if not all(made):
        raise Conflict("one of these order numbers was scheduled by somebody else in this very moment")
    added = {id(w) for w in to_add} | replaced
    yield Run(
        PUT_OCCURRENCE,
        [
            _occurrence_values(w, occurrence)
            for w in ordered
            for occurrence in _occurrences(w, revoked=id(w) in revoked, added=id(w) in added, used=id(w) in used)
        ],
    )
    yield Run(PUT, [plan_values(_plan_after(w, left=id(w) in left)) for w in ordered])
    yield keep_audit_entries(w.audit_entry for w in ordered)
    done = {id(w) for w in ordered}
    return [Put.DONE if id(w) in done else Put.TOO_LATE if id(w) in charged else Put.MOVED for w in writes]


def _found(writes: Sequence[PutPlan], rows_of_each: Sequence[Sequence[Any]]) -> set[int]:
    """Return which of the writes a statement gave a row for."""
    return {id(w) for w, rows in zip(writes, rows_of_each, strict=True) if rows}


def _of_day(w: PutPlan, *more: Any) -> tuple[Any, ...]:
    p = w.before
    return (p.merchant_id, p.merchant_uid(p.next_on), p.plan_uid, p.next_on.isoformat(), *more)


def _replaced(w: PutPlan) -> tuple[Any, ...]:
    assert w.schedule is not None, "only what is to be scheduled"
    values = dict(zip(SCHEDULE_COLUMNS, new_schedule_values(w.schedule), strict=True))
    return tuple(values[column] for column in REPLACED)


def _order_number(w: PutPlan) -> str:
    assert w.schedule is not None, "only what is to be scheduled"
    return w.schedule.order.merchant_uid


def _occurrences(w: PutPlan, *, revoked: bool, added: bool, used: bool) -> list[Occurrence]:
    """Return the days of which something is to be kept."""
    found = list(w.passed)
    if added and w.after.planned is not None:
        state = OccurrenceState.BLOCKED if used else OccurrenceState.SCHEDULED
        found.append(replace(w.after.planned, state=state))
    elif revoked and w.before.planned is not None:
        found.append(replace(w.before.planned, state=OccurrenceState.REVOKED))
    return found


def _occurrence_values(w: PutPlan, o: Occurrence) -> tuple[Any, ...]:
    return (
        w.before.merchant_id, w.before.plan_uid, o.on.isoformat(), o.state,
        None if o.charge_on is None else o.charge_on.isoformat(), o.due_at,
        None if o.price is None else o.price.total.amount, None if o.price is None else o.price.tax_free.amount, w.now,
    )  # fmt: skip


def _plan_after(w: PutPlan, *, left: bool) -> Plan:
    """Return the plan as it is kept: a day that is charged, or was taken back by the merchant, is dealt with."""
    after = replace(w.after, revision=w.before.revision + 1, updated_at=w.now)
    return replace(after, planned=w.before.planned, next_on=w.before.next_on) if left else after


@unit(KeepConsent)
def keep_consents(writes: Sequence[KeepConsent]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Keep each consent of a plan that is there."""
    known = yield Rows(LOOK_NOW, [(w.merchant_id, w.plan_uid, w.consent.recorded_at) for w in writes])
    kept = [w for w, rows in zip(writes, known, strict=True) if rows]
    yield Run(
        KEEP_CONSENT,
        [
            (
                w.merchant_id, w.plan_uid, w.consent.id, w.consent.kind, w.consent.amount, w.consent.agreed_at,
                w.consent.proof, w.consent.who, w.consent.recorded_at,
            )
            for w in kept
        ],
    )  # fmt: skip
    yield keep_audit_entries(w.audit_entry for w in kept)
    return [bool(rows) for rows in known]


@unit(PutHoliday)
def put_holidays(writes: Sequence[PutHoliday]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Set each day, the later of two the last."""
    yield Run(
        PUT_HOLIDAY,
        [
            (w.merchant_id, w.holiday.on.isoformat(), w.holiday.closed, w.holiday.name, w.holiday.who, w.now)
            for w in writes
        ],
    )
    yield Run(MOVED_BY_HOLIDAY, [(w.merchant_id, w.holiday.on.isoformat(), w.now) for w in writes])
    yield keep_audit_entries(w.audit_entry for w in writes)
    return [None] * len(writes)


@unit(DropHoliday)
def drop_holidays(writes: Sequence[DropHoliday]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Forget each day that was set."""
    gone = yield Rows(DROP_HOLIDAY, [(w.merchant_id, w.on.isoformat()) for w in writes])
    forgotten = [w for w, rows in zip(writes, gone, strict=True) if rows]
    yield Run(MOVED_BY_HOLIDAY, [(w.merchant_id, w.on.isoformat(), w.now) for w in forgotten])
    yield keep_audit_entries(w.audit_entry for w in forgotten)
    return [bool(rows) for rows in gone]
