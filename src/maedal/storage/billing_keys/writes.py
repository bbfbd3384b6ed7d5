"""What is written about billing keys; a new one comes with the payment that issued it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maedal.billing_keys.billing_key import BillingKey, KeyEnd
from maedal.billing_keys.ending import KeyEnding
from maedal.merchants.audit_entry import AuditEntry
from maedal.payments.attempt import Result
from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class BeginDeactivation(Write[BillingKey | None]):
    """End the living key of a customer_uid here, and commit the intent to end it at the PG."""

    merchant_id: str
    customer_uid: str
    attempt_id: str
    ended_by: KeyEnd
    now: datetime
    billing_key_id: str | None = None
    """Only if this one is the living key; a newer one is left alone."""
    audit_entry: AuditEntry | None = None


@dataclass(frozen=True, slots=True)
class ClaimKeyEnding(Write[KeyEnding | None]):
    """Begin the next try to end a key at the PG, unless somebody else began it or a charge of the key is open.

    Nobody else begins one before `next_due_at`. Gives what was claimed, or None.
    """

    merchant_id: str
    attempt_id: str
    tries: int
    next_due_at: datetime


@dataclass(frozen=True, slots=True)
class RecordKeyEnding(Write[bool]):
    """Keep what a try to end a key at the PG taught us; gives False when it is known to have ended already."""

    ending: KeyEnding
    result: Result
    now: datetime
