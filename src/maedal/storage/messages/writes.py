"""What is written about messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from maedal.merchants.audit_entry import AuditEntry
from maedal.messages.alert import Alert, Receiver
from maedal.messages.mail_server import MailServer
from maedal.messages.message import Message, Sent
from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class PutMailServer(Write[None]):
    """Keep a merchant's mail server in the place of the one before, with who set it."""

    server: MailServer
    audit_entry: AuditEntry


@dataclass(frozen=True, slots=True)
class DropMailServer(Write[None]):
    """Forget a merchant's mail server."""

    merchant_id: str
    audit_entry: AuditEntry


@dataclass(frozen=True, slots=True)
class PutReceiver(Write[bool]):
    """Keep a receiver whose version was one less, or that is new; gives False when it is another by now."""

    receiver: Receiver
    audit_entry: AuditEntry


@dataclass(frozen=True, slots=True)
class DropReceiver(Write[bool]):
    """Forget a receiver and what it had not been told yet; gives False when there is none."""

    merchant_id: str
    receiver_id: str
    audit_entry: AuditEntry


@dataclass(frozen=True, slots=True)
class RaiseAlerts(Write[int]):
    """Keep alerts whose receivers do not know their causes yet; gives how many."""

    alerts: tuple[Alert, ...]


@dataclass(frozen=True, slots=True)
class GatherAlerts(Write[bool]):
    """Put what a receiver is due to be told into one message; gives False, and keeps nothing, when nothing is due."""

    message: Message


@dataclass(frozen=True, slots=True)
class AddMessage(Write[bool]):
    """Keep a message; gives False when its cause has one already."""

    message: Message


@dataclass(frozen=True, slots=True)
class ClaimMessages(Write[Sequence[Message]]):
    """Take up to `count_max` due messages under a lease, each for one worker at a time.

    One that was handed over before and has no end is never among them.
    """

    lease_id: str
    now: datetime
    leased_until: datetime
    count_max: int


@dataclass(frozen=True, slots=True)
class HandOver(Write[bool]):
    """Keep that a message leaves now; gives False when the lease is no longer ours, and then it must not leave."""

    message: Message
    lease_id: str
    now: datetime


@dataclass(frozen=True, slots=True)
class FinishMessage(Write[bool]):
    """Keep what came of a try: it is over, or waits until `next_at`. Gives False when the lease is no longer ours."""

    message: Message
    lease_id: str
    sent: Sent
    now: datetime
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class EndLostMessages(Write[int]):
    """End as unknown what was handed over by somebody who never came back; gives how many."""

    now: datetime
    answer: str


@dataclass(frozen=True, slots=True)
class SendMessageAgain(Write[bool]):
    """Let a message that was given up, or may not have arrived, be sent now, with who wanted it."""

    merchant_id: str
    message_id: str
    now: datetime
    audit_entry: AuditEntry
