"""What is written about plans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from maedal.merchants.audit_entry import AuditEntry
from maedal.plans.holiday import OwnHoliday
from maedal.plans.plan import Consent, Occurrence, Plan
from maedal.schedules.schedule import Schedule
from maedal.storage.write import Write


class Put(StrEnum):
    """What became of a change of a plan."""

    DONE = "done"
    MOVED = "moved"  # it is not as it was read any more: nothing was changed
    TOO_LATE = "too_late"  # its occurrence is charged already, or just now: nothing was changed


@dataclass(frozen=True, slots=True)
class AddPlan(Write[bool]):
    """Keep a new plan, with who made it; gives False when the merchant has one of this plan_uid."""

    plan: Plan
    audit_entry: AuditEntry


@dataclass(frozen=True, slots=True)
class PutPlan(Write[Put]):
    """Change a plan as it was read, take back what is scheduled for it, and schedule its next occurrence.

    All of it or nothing. `revoke` takes back what `before.planned` had scheduled, if that still waits; `schedule` is
    made for `after.planned`; with both, what is scheduled for that day is changed where it is, and whoever holds it
    holds it still. What was charged already, or taken back by the merchant, is dealt with: then the day stays
    the plan's next one, as it was planned, and nothing is scheduled in its place. Where the order number was used for
    something else nothing is scheduled, and the occurrence says so. With `must_revoke` nothing is done when the charge
    has begun.
    """

    before: Plan
    after: Plan
    now: datetime
    passed: tuple[Occurrence, ...] = ()
    schedule: Schedule | None = None
    revoke: bool = False
    must_revoke: bool = False
    audit_entry: AuditEntry | None = None

    @property
    def merchant_id(self) -> str:
        return self.before.merchant_id


@dataclass(frozen=True, slots=True)
class KeepConsent(Write[bool]):
    """Keep what a buyer agreed to, and have the plan looked at; gives False when there is no such plan."""

    merchant_id: str
    plan_uid: str
    consent: Consent
    audit_entry: AuditEntry


@dataclass(frozen=True, slots=True)
class PutHoliday(Write[None]):
    """Set a day for a merchant, and have the plans looked at that it may move."""

    merchant_id: str
    holiday: OwnHoliday
    now: datetime
    audit_entry: AuditEntry


@dataclass(frozen=True, slots=True)
class DropHoliday(Write[bool]):
    """Forget what was set for a day; gives False when nothing was."""

    merchant_id: str
    on: date
    now: datetime
    audit_entry: AuditEntry
