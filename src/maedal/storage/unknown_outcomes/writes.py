"""What is written about calls whose outcome nobody knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maedal.merchants.audit_entry import AuditEntry
from maedal.payments.attempt import Attempt
from maedal.payments.payment import Payment
from maedal.storage.cancellations.writes import RecordCancel
from maedal.storage.payments.writes import Record
from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class ClaimLook(Write[bool]):
    """Take the next look at an unknown outcome; gives False when somebody else took it, or the outcome is known."""

    attempt: Attempt
    look_at: datetime
    """When it was due, as read."""
    next_at: datetime


@dataclass(frozen=True, slots=True)
class KeepLook(Write[None]):
    """Keep what a look at an unknown outcome saw when it proved nothing; without effect once the outcome is known."""

    attempt: Attempt
    saw: str
    """In the PG's words, or why nothing was seen."""
    approved_at: datetime | None
    """The PG's time of the key's last approval, if that was asked for."""
    at: datetime


@dataclass(frozen=True, slots=True)
class SettleByHand(Write[Payment]):
    """Commit what a person says became of a call, with the act in the audit log. Refused as `record` itself is."""

    record: Record | RecordCancel
    audit_entry: AuditEntry
