"""A webhook: the news of one payment, on its way to one address (docs/wire/portone-v1-rest.md 5)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlencode, urlsplit

from maedal.merchants.merchant import Merchant, PageNotices, WebhookRetry, WebhookType
from maedal.payments.moves import Status
from maedal.payments.payment import KeyUse, Origin, Payment

CONNECT_TIMEOUT = timedelta(seconds=10)
READ_TIMEOUT = timedelta(seconds=30)
RESEND_CONNECT_TIMEOUT = timedelta(seconds=5)
RESEND_READ_TIMEOUT = timedelta(seconds=10)
"""Together the 15 seconds of a resend (5.4)."""

FEW_WAITS = (timedelta(minutes=1),) * 5
PATIENT_WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The waits that Standard Webhooks proposes: ten tries in 75 hours and a half."""
JITTER = 0.2
"""By how much of itself a patient wait may be longer, so that what failed together does not come back together."""
GONE = 410
"""The answer of a receiver that wants to hear no more of this."""

EXAMPLE_STATUS = "ready"
"""What a test call tells unless somebody chose another: no real webhook does."""
GIVEN_UP_OPEN_FOR = timedelta(days=14)
"""How long one that was given up is something to look after; then it is in the log alone."""

_MEDIA_TYPES = {WebhookType.JSON: "application/json", WebhookType.FORM: "application/x-www-form-urlencoded"}


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"  # the receiver answered 2xx
    FAILED = "failed"
    RECORDED = "recorded"  # kept for the log alone; it goes out only when a person sends it


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook for one address, as kept in the outbox.

    `sequence` grows from one news of a payment to the next, and is the same for all addresses that hear of it; `tries`
    counts the requests made so far. One that is sent `by_hand` is tried once, to `resend_url` if that is given. One
    that is `only_recorded` is not sent at all unless a person does.
    """

    merchant_id: str
    id: str
    imp_uid: str
    url: str
    media_type: str
    body: str
    created_at: datetime
    sequence: int = 1
    tries: int = 0
    by_hand: bool = False
    resend_url: str | None = None
    only_recorded: bool = False
    address_id: str | None = None
    """The merchant's further address that it is for; None when it is for the first one, or one that a payment named."""

    @property
    def event_id(self) -> str:
        """Return the name of the news itself: the same at every address and in every try."""
        return f"{self.imp_uid}-{self.sequence}"

    @property
    def address(self) -> str:
        """Return where it goes now."""
        return self.resend_url or self.url

    @property
    def receiver(self) -> str:
        """The host and port of the address; "" when it is none that could be called."""
        try:
            return urlsplit(self.address).netloc.rpartition("@")[2].lower()
        except ValueError:
            return ""


@dataclass(frozen=True, slots=True)
class Try:
    """One request of a delivery: what was answered, or, when `answer_status` is None, why nothing was."""

    number: int
    url: str
    sent_at: datetime
    duration: timedelta
    answer_status: int | None
    answer: str

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it: any 2xx."""
        return self.answer_status is not None and 200 <= self.answer_status < 300


@dataclass(frozen=True, slots=True)
class DeliveryLog:
    """A delivery with the log of its tries, oldest first; `due_at` is the next one while it waits."""

    delivery: Delivery
    state: DeliveryState
    due_at: datetime
    tries: tuple[Try, ...]


def wait_after(made: Try, retry: WebhookRetry, jitter: float) -> timedelta | None:
    """Return how long to wait before the next try; None when `made` was the last. `jitter` is drawn from 0 to 1.

    Source of `few`: docs/wire/portone-v1-rest.md 5.4. A redirect is an answer: it is followed by nobody.
    """
    status = made.answer_status
    if made.delivered or retry is WebhookRetry.NONE:
        return None
    if retry is WebhookRetry.FEW:
        broken = status is None or status >= 500
        return FEW_WAITS[made.number - 1] if broken and made.number <= len(FEW_WAITS) else None
    if status == GONE or made.number > len(PATIENT_WAITS):
        return None
    return PATIENT_WAITS[made.number - 1] * (1 + JITTER * jitter)


def sent_again(state: DeliveryState | None, *, by_id: bool) -> tuple[DeliveryState, ...]:
    """Return the states of the webhooks that a person means who sends again those in `state`, or in any.

    What was only recorded is news that nobody asked for, so it goes out only when it is named, by its state or its id.
    """
    if state is not None:
        return (state,)
    return tuple(s for s in DeliveryState if by_id or s is not DeliveryState.RECORDED)


def is_reported(payment: Payment, status: Status, merchant: Merchant) -> bool:
    """Return whether the merchant is told when `payment` reaches `status` (5.2).

    Approvals are; of failures only scheduled ones, because whoever made the other calls is told in the answer, unless
    the merchant wants to hear of all.
    """
    if status is Status.PAID:
        return True
    return status is Status.FAILED and (payment.order.key_use is KeyUse.SCHEDULED or merchant.webhook_failures)


def destinations(payment: Payment, merchant: Merchant) -> tuple[str, ...]:
    """Return the addresses to tell: those of the request instead of the merchant's own (5.3).

    Those that a page named, and not the merchant's server, count for as much as the merchant lets them.
    """
    # Without the blanks that come along when an address is copied.
    asked = tuple(dict.fromkeys(url.strip() for url in payment.order.notice_urls if url.strip()))
    url = merchant.webhook_url(test_mode=payment.test_mode)
    own = (url,) if url else ()
    if payment.origin is not Origin.API:
        match merchant.page_notices:
            case PageNotices.IGNORE:
                return own
            case PageNotices.ADD:
                return tuple(dict.fromkeys(own + asked))
    return asked or own


def render(
    payment: Payment, status: Status, webhook_type: WebhookType, *, cancellation_id: str | None = None
) -> tuple[str, str]:
    """Return media type and body of the webhook that tells `status`; cancels name their cancellation."""
    fields = {"imp_uid": payment.imp_uid, "merchant_uid": payment.order.merchant_uid, "status": status.value}
    if cancellation_id is not None:
        fields["cancellation_id"] = cancellation_id
    return _written(fields, webhook_type)


def example(webhook_type: WebhookType, status: str = EXAMPLE_STATUS) -> tuple[str, str]:
    """Return media type and body of a test call (5.5), or of one that tells `status` as a real one does."""
    fields = {"imp_uid": "imp_1234567890", "merchant_uid": "merchant_1234567890", "status": status}
    if status == Status.CANCELLED.value:
        fields["cancellation_id"] = "cancellation_1234567890"
    return _written(fields, webhook_type)


def _written(fields: dict[str, str], webhook_type: WebhookType) -> tuple[str, str]:
    if webhook_type is WebhookType.FORM:
        return _MEDIA_TYPES[webhook_type], urlencode(fields)
    # Compact, as PortOne's own: a receiver that checks a signature over what it writes anew has these very bytes.
    return _MEDIA_TYPES[webhook_type], json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
