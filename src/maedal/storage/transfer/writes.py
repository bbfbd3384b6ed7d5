"""What is written while a merchant's file is read in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maedal.billing_keys.billing_key import BillingKey
from maedal.merchants.audit_entry import AuditEntry
from maedal.merchants.channel import Channel
from maedal.merchants.merchant import ApiKey, Merchant
from maedal.payments.cancellation import Cancellation
from maedal.payments.payment import Payment
from maedal.payments.prepared import PreparedAmount
from maedal.schedules.schedule import Schedule
from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class MovedPayment:
    """A payment that is over, with its confirmed cancels, oldest first, on its way in from a file."""

    payment: Payment
    cancellations: tuple[Cancellation, ...] = ()


@dataclass(frozen=True, slots=True)
class MovedKey:
    """A billing key on its way in; with `ending_id`, the id of an attempt, it is still to be ended at the PG."""

    key: BillingKey
    ending_id: str | None = None


Moved = MovedPayment | MovedKey | Schedule | PreparedAmount


@dataclass(frozen=True, slots=True)
class MovedMerchant:
    """A merchant from a file with its keys and channels."""

    merchant: Merchant
    api_keys: tuple[ApiKey, ...]
    channels: tuple[Channel, ...]


@dataclass(frozen=True, slots=True)
class StageEntries(Write[None]):
    """Keep the next entries of a file aside, unseen; `first_index` is where they stand in their list of the file.

    Raises Conflict when not exactly `staged_before` entries of the file were kept so far: another run reads it too.
    """

    digest: str
    staged_before: int
    first_index: int
    entries: tuple[Moved, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class FinishImport(Write[None]):
    """Make everything that was kept aside of a file real, with the file's merchants, in one transaction."""

    digest: str
    merchants: tuple[MovedMerchant, ...]
    staged: int
    now: datetime
    audit_entries: tuple[AuditEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class DiscardImport(Write[None]):
    """Forget what was kept aside of a file."""

    digest: str
    staged: int
