"""What is read of webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from maedal.payments.moves import Status
from maedal.storage.audit.reads import Place
from maedal.webhooks.address import WebhookAddress
from maedal.webhooks.webhook import Delivery, DeliveryLog, DeliveryState


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which of a merchant's webhooks are looked for, newest first; `since` is when they were first to be sent."""

    limit: int
    states: Sequence[DeliveryState] = tuple(DeliveryState)
    delivery_id: str | None = None
    imp_uid: str | None = None
    since: datetime | None = None


FIRST = "first"
"""Stands for the merchant's own address, and for those that payments named."""


class AnswerClass(StrEnum):
    """What a receiver's last answer was."""

    TAKEN = "2xx"
    REDIRECT = "3xx"
    REFUSED = "4xx"
    BROKEN = "5xx"
    NONE = "none"  # tried, and no answer came


@dataclass(frozen=True, slots=True)
class DeliverySearch:
    """Which of a merchant's webhooks are looked for, newest first; `since` and `until` are inclusive."""

    limit: int
    states: Sequence[DeliveryState] = tuple(DeliveryState)
    status: Status | None = None
    """The status of the payment that it tells."""
    test_mode: bool | None = None
    answer: AnswerClass | None = None
    host: str | None = None
    """The receiver's host, with or without its port."""
    address_id: str | None = None
    """One of the merchant's further addresses; `FIRST` for what is of none of them."""
    imp_uids: Sequence[str] | None = None
    delivery_ids: Sequence[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class FoundDelivery:
    """A webhook with its tries, the status that it tells, and whether its payment is one for a test."""

    log: DeliveryLog
    status: Status | None
    test_mode: bool


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Webhooks, and where to go on when there may be more: behind the last, or behind what was looked through."""

    rows: Sequence[FoundDelivery]
    next: Place | None


class WebhookReads(Protocol):
    """What is read of webhooks."""

    async def deliveries(self, merchant_id: str, wanted: DeliveryFilter) -> Sequence[DeliveryLog]:
        """Return webhooks with their tries, the newest first."""
        ...

    async def has_untried(self, merchant_id: str, imp_uid: str, reported_by: datetime) -> bool:
        """Return whether a webhook that `reported_by` put into the outbox has not been sent even once.

        What goes to further addresses does not count.
        """
        ...

    async def addresses(self, merchant_id: str) -> Sequence[WebhookAddress]:
        """Return a merchant's further addresses, the oldest first."""
        ...

    async def search(self, merchant_id: str, wanted: DeliverySearch) -> DeliveryPage: ...
    async def matching(self, merchant_id: str, wanted: DeliverySearch) -> Sequence[Delivery]:
        """Return what a filter finds without the tries, as many as its limit."""
        ...


class HasWebhooks(Protocol):
    @property
    def webhooks(self) -> WebhookReads: ...
