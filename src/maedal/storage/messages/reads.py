"""What is read of messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from maedal.messages.alert import Alert, Receiver
from maedal.messages.mail_server import MailServer
from maedal.messages.message import Message, MessageState
from maedal.storage.audit.reads import Place


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which of a merchant's messages are looked for, newest first."""

    limit: int
    state: MessageState | None = None
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Messages, and where to go on if there are more."""

    rows: Sequence[Message]
    next: Place | None


class MessageReads(Protocol):
    """What is read of messages."""

    async def mail_server(self, merchant_id: str) -> MailServer | None: ...
    async def receivers(self, merchant_id: str) -> Sequence[Receiver]:
        """Return whom a merchant's alerts go to, in the order in which they were added."""
        ...

    async def receiver(self, merchant_id: str, receiver_id: str) -> Receiver | None: ...
    async def every_receiver(self, after: tuple[str, str], count_max: int) -> Sequence[Receiver]:
        """Return receivers in the order of merchant and id, from those after `after` on."""
        ...

    async def with_due_alerts(self, now: datetime, count_max: int) -> Sequence[tuple[str, str]]:
        """Return merchants and receivers that are due to be told something."""
        ...

    async def alerts_of(self, merchant_id: str, message_id: str, count_max: int) -> Sequence[Alert]:
        """Return what a message tells, the oldest first."""
        ...

    async def find(self, merchant_id: str, message_id: str) -> Message | None: ...
    async def page(self, merchant_id: str, wanted: MessageFilter) -> MessagePage: ...


class HasMessages(Protocol):
    @property
    def messages(self) -> MessageReads: ...
