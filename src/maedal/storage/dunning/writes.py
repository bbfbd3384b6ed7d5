"""What is written about unpaid charges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maedal.dunning.unpaid import DunningRules, Unpaid
from maedal.merchants.audit_entry import AuditEntry
from maedal.messages.message import Message
from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class PutDunningRules(Write[None]):
    """Keep a merchant's rules; how far its failures were looked at stays what it was while they were on."""

    rules: DunningRules
    audit_entry: AuditEntry


@dataclass(frozen=True, slots=True)
class AddUnpaid(Write[bool]):
    """Keep an unpaid charge with the messages that tell it; gives False when it is known with this failed payment.

    One that is known with an earlier failure stays under its link, and is told again only for another cause.
    """

    unpaid: Unpaid
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class LookedUntil(Write[None]):
    """Keep how far a merchant's failures were looked at; it never goes back."""

    merchant_id: str
    until: datetime


@dataclass(frozen=True, slots=True)
class EndUnpaid(Write[bool]):
    """End an open one: paid by a payment, or expired. Gives False when it has ended."""

    unpaid: Unpaid
    paid_imp_uid: str | None = None
    paid_at: datetime | None = None
