"""What we need of any store for the desk, the log of webhooks and the audit log, in our words; see store.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from maedal.billing_keys.ending import PendingEnding
from maedal.merchants.act import Act, ActKind
from maedal.operators.deed import Deed, DeedKind
from maedal.payments.attempt import Attempt
from maedal.payments.moves import Status
from maedal.payments.payment import Payment
from maedal.webhooks.webhook import Delivery, DeliveryLog, DeliveryState

COUNT_MAX = 1000
"""Open items are counted up to this, and one more says that there are more."""
LOOKED_THROUGH_MAX = 20_000
"""So many rows are looked through for a filter that no index answers; the next page goes on where that ended."""
LOOKED_INTO_MAX = 5_000
"""The same for a filter that has to look into another table for each row."""


@dataclass(frozen=True, slots=True)
class KeepLook:
    """Keep what a look at an unknown outcome saw when it proved nothing; without effect once the outcome is known."""

    attempt: Attempt
    saw: str
    """In the PG's words, or why nothing was seen."""
    approved_at: datetime | None
    """The PG's time of the key's last approval, if that was asked for."""
    at: datetime


@dataclass(frozen=True, slots=True)
class KeepAct:
    """Keep an act that changes nothing by itself; gives False when one of this id is kept already."""

    act: Act


@dataclass(frozen=True, slots=True)
class ResendMany:
    """Let webhooks be sent now, once more, with the act that is kept of it; gives how many.

    Those under way stay as they are. Gives None, and does nothing, when an act of this id is kept already: the same
    wish came before. `urls` are where each goes now, None for where it was sent before.
    """

    deliveries: tuple[Delivery, ...]
    urls: tuple[str | None, ...]
    act: Act
    now: datetime


DeskWrite = KeepLook | KeepAct | ResendMany


@dataclass(frozen=True, slots=True)
class UnknownCall:
    """A call to the PG whose outcome nobody knows, with all that is known of it."""

    attempt: Attempt
    payment: Payment
    recorded_at: datetime
    code: str | None
    message: str | None
    """What the PG answered, if its answer proved nothing."""
    approved_before: datetime | None
    approved_before_in_reply: bool
    looks: int
    """How often the PG was asked since, without proof."""
    looked_at: datetime | None
    look_saw: str | None
    approved_after: datetime | None
    """The PG's time of the key's last approval at the last look."""
    look_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeskCounts:
    """How many items of each kind are open, each counted up to `COUNT_MAX` and one more."""

    unknown: int = 0
    without_tid: int = 0
    findings: int = 0
    key_endings: int = 0
    webhooks: int = 0

    @property
    def total(self) -> int:
        return self.unknown + self.without_tid + self.findings + self.key_endings + self.webhooks


Place = tuple[datetime, str]
"""Where a list by time goes on: after the row of this moment and id."""


class AnswerClass(StrEnum):
    """What a receiver's last answer was."""

    TAKEN = "2xx"
    REDIRECT = "3xx"
    REFUSED = "4xx"
    BROKEN = "5xx"
    NONE = "none"  # tried, and no answer came


@dataclass(frozen=True, slots=True)
class WebhookWish:
    """Which of a merchant's webhooks are looked for, newest first; `since` and `until` are inclusive."""

    limit: int
    states: Sequence[DeliveryState] = tuple(DeliveryState)
    told: Status | None = None
    """The status of the payment that it tells."""
    test_mode: bool | None = None
    answer: AnswerClass | None = None
    host: str | None = None
    """The receiver's host, with or without its port."""
    imp_uids: Sequence[str] | None = None
    delivery_ids: Sequence[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class LoggedWebhook:
    """A webhook with its tries, the status that it tells, and whether its payment is one for a test."""

    told: DeliveryLog
    status: Status | None
    test_mode: bool


@dataclass(frozen=True, slots=True)
class WebhookPage:
    """Webhooks, and where to go on when there may be more: behind the last, or behind what was looked through."""

    rows: Sequence[LoggedWebhook]
    next: Place | None


@dataclass(frozen=True, slots=True)
class LogWish:
    """Which acts or deeds are looked for, newest first; `since` inclusive, `before` not."""

    limit: int
    who: str | None = None
    kind: ActKind | DeedKind | None = None
    subject: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class ActPage:
    """Acts in a merchant's matters, and where to go on when there may be more."""

    rows: Sequence[Act]
    next: Place | None


@dataclass(frozen=True, slots=True)
class DeedPage:
    """What was done about users, and where to go on when there may be more."""

    rows: Sequence[Deed]
    next: Place | None


class DeskReads(Protocol):
    """What people read who look after what the gateway could not settle by itself."""

    async def desk_counts(self, merchant_id: str, webhooks_since: datetime) -> DeskCounts:
        """Return how much is open; of webhooks that were given up, those first told since then."""
        ...

    async def unknown_calls(self, merchant_id: str, count_max: int) -> Sequence[UnknownCall]:
        """Return a merchant's calls of unknown outcome, the oldest first."""
        ...

    async def paid_without_tid(self, merchant_id: str, count_max: int) -> Sequence[Payment]:
        """Return a merchant's payments that are paid and lack the PG's id, the longest paid first."""
        ...

    async def key_endings_of(self, merchant_id: str, count_max: int) -> Sequence[PendingEnding]:
        """Return a merchant's ended keys whose end the PG has not confirmed, the oldest first."""
        ...

    async def webhook_page(self, merchant_id: str, wanted: WebhookWish) -> WebhookPage: ...
    async def webhooks_found(self, merchant_id: str, wanted: WebhookWish) -> Sequence[Delivery]:
        """Return what a wish finds without the tries, as many as its limit."""
        ...

    async def act_page(self, merchant_id: str, wanted: LogWish) -> ActPage: ...
    async def deed_page(self, wanted: LogWish) -> DeedPage: ...
