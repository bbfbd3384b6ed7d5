"""What is written to the outbox of webhooks; a webhook itself comes with what it tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from maedal.merchants.audit_entry import AuditEntry
from maedal.storage.write import Write
from maedal.webhooks.address import WebhookAddress
from maedal.webhooks.webhook import Delivery, Try


@dataclass(frozen=True, slots=True)
class ClaimDeliveries(Write[Sequence[Delivery]]):
    """Take up to `count_max` due webhooks under a lease, each for one worker at a time.

    One is left alone while an earlier one of the same payment waits for the same address, and when its merchant and
    receiver are among `busy`.
    """

    lease_id: str
    now: datetime
    leased_until: datetime
    count_max: int
    busy: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FinishDelivery(Write[bool]):
    """Keep a try and what comes next: it is over, or waits until `next_at`. Later ones of the payment wait for it.

    Gives False, and does nothing, when the lease is no longer ours.
    """

    delivery: Delivery
    lease_id: str
    made: Try
    now: datetime
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ResendMany(Write[int | None]):
    """Let webhooks be sent now, once more, with the act that is kept of it; gives how many.

    Those under way stay as they are. Gives None, and does nothing, when an act of this id is kept already: the same
    wish came before. `urls` are where each goes now, None for where it was sent before.
    """

    deliveries: tuple[Delivery, ...]
    urls: tuple[str | None, ...]
    audit_entry: AuditEntry
    now: datetime


@dataclass(frozen=True, slots=True)
class AddWebhookAddress(Write[None]):
    """Keep a further address of a merchant's. Refused (Conflict) when there are so many, or one is the same."""

    address: WebhookAddress
    count_max: int
    audit_entry: AuditEntry

    @property
    def lock_order(self) -> tuple[str, str]:
        return (self.address.merchant_id, "")


@dataclass(frozen=True, slots=True)
class PutWebhookAddress(Write[bool]):
    """Change a further address; gives False when its version is no longer `before_version`."""

    before_version: int
    after: WebhookAddress
    audit_entry: AuditEntry

    @property
    def lock_order(self) -> tuple[str, str]:
        return (self.after.merchant_id, "")


@dataclass(frozen=True, slots=True)
class RemoveWebhookAddress(Write[bool]):
    """Remove a further address; gives False when it is of another version or none."""

    merchant_id: str
    id: str
    version: int
    audit_entry: AuditEntry
