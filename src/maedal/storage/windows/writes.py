"""What is written about the windows in which buyers pay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maedal.payments.attempt import Attempt, Result
from maedal.payments.payment import Payment
from maedal.payments.window import Window
from maedal.storage.write import Write
from maedal.webhooks.webhook import Delivery


@dataclass(frozen=True, slots=True)
class OpenWindow(Write[bool]):
    """Commit the intent to open a window: payment, window, attempt, event."""

    payment: Payment
    window: Window
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class RecordPrepared(Write[None]):
    """Keep what the PG said to a prepared window: its id of the payment and the addresses of its pages."""

    merchant_id: str
    imp_uid: str
    attempt_id: str
    result: Result
    pc_url: str
    mobile_url: str
    app_url: str
    now: datetime


@dataclass(frozen=True, slots=True)
class EndWindow(Write[Payment]):
    """Move a payment whose window ended before any call that takes money; keeps why.

    `attempt` and `result` close the attempt that tried to prepare it, when that is what failed.
    """

    payment: Payment
    code: str
    reason: str
    now: datetime
    attempt_id: str | None = None
    result: Result | None = None
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True)
class ForgetUnfinished(Write[int]):
    """Forget windows that ended before a moment without a call for money, and what their payments know of a buyer.

    The payment stays with its ids, its amount, its attempts and its events. Gives how many windows there were, so many
    at most, the oldest first.
    """

    before: datetime
    count_max: int


@dataclass(frozen=True, slots=True)
class BeginApproval(Write[Payment]):
    """Commit the intent to approve a payment whose buyer has agreed: move, attempt, event, the sealed token."""

    payment: Payment
    attempt: Attempt
    sealed_pg_token: bytes


@dataclass(frozen=True, slots=True)
class NoteLeft(Write[None]):
    """Note that the buyer's page went away; moves nothing."""

    merchant_id: str
    imp_uid: str
    now: datetime
