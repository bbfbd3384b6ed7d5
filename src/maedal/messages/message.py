"""A message: one text for one receiver, kept in an outbox until it was taken, and how often it is tried.

A message is kept under its cause, so that what is noticed twice is told once. By mail and to Slack it is handed over
once: both take a message without a name by which they would know it again, so that an answer that was lost after the
text had left is an outcome that nobody knows, and a person decides. A webhook carries its id and is sent until it is
taken (docs/decisions/0136-messages.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

WAITS = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
)
"""Before the next tries; after these, the last one again and again."""
GIVEN_UP_AFTER = timedelta(days=3)
"""As long as a webhook is tried: a receiver that is down over a weekend hears everything."""
ANSWER_CHARS_MAX = 500


class Way(StrEnum):
    """How a message goes to its receiver."""

    MAIL = "mail"
    SLACK = "slack"
    WEBHOOK = "webhook"
    SHOP = "shop"  # to the address at which the merchant's own webhooks arrive, signed as they are

    @property
    def once(self) -> bool:
        """Whether a text that may have arrived is not sent again: nothing in it would say that it is the same."""
        return self in {Way.MAIL, Way.SLACK}


class MessageKind(StrEnum):
    """What a message is about."""

    ALERTS = "alerts"  # what happened, for the team
    TEST = "test"
    UNPAID = "unpaid"  # to a buyer, or for one: a payment is unpaid


class MessageState(StrEnum):
    """Where a message stands."""

    WAITING = "waiting"
    SENT = "sent"  # the receiver's server took it
    FAILED = "failed"  # given up, or refused for good
    UNKNOWN = "unknown"  # handed over, and the answer was lost


class Handover(StrEnum):
    """What came of one try."""

    TAKEN = "taken"
    NOT_TAKEN = "not_taken"  # certainly not taken; a later try may succeed
    REFUSED = "refused"  # certainly not taken, and never will be
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Message:
    """One message as kept. `subject` is what it is about, for a message to a buyer the id of the unpaid payment."""

    merchant_id: str
    id: str
    cause: str
    kind: MessageKind
    way: Way
    receiver_id: str
    """Of the team; empty for a buyer and for the shop."""
    subject: str
    created_at: datetime
    due_at: datetime
    state: MessageState = MessageState.WAITING
    tries: int = 0
    answer: str = ""
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What a try came to, with the receiver's answer for people."""

    handover: Handover
    answer: str


def next_try(message: Message, sent: Sent, now: datetime) -> datetime | None:
    """Return when a message that was not taken is tried again; None when it is over."""
    if sent.handover is not Handover.NOT_TAKEN or now - message.created_at >= GIVEN_UP_AFTER:
        return None
    return now + WAITS[min(message.tries, len(WAITS) - 1)]


def state_after(sent: Sent, next_at: datetime | None) -> MessageState:
    """Return where a message stands after a try."""
    if next_at is not None:
        return MessageState.WAITING
    match sent.handover:
        case Handover.TAKEN:
            return MessageState.SENT
        case Handover.UNKNOWN:
            return MessageState.UNKNOWN
        case _:
            return MessageState.FAILED
