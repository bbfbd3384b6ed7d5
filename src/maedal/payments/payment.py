"""A payment: one purchase the merchant asked for, whatever becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from maedal.payments.attempt import CardDetails, Method
from maedal.payments.money import Price
from maedal.payments.moves import Status


class Origin(StrEnum):
    """Where a payment was started; the wire calls it `channel`."""

    PC = "pc"
    MOBILE = "mobile"
    API = "api"


class KeyUse(StrEnum):
    """What a payment had to do with a billing key; the wire's `customer_uid_usage`."""

    ISSUE = "issue"
    CHARGE = "payment"
    SCHEDULED = "payment.scheduled"


@dataclass(frozen=True, slots=True)
class Buyer:
    """What the merchant told us of the buyer. Personal: never logged, never sent to the PG."""

    name: str | None = None
    email: str | None = None
    tel: str | None = None
    addr: str | None = None
    postcode: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What the merchant asked for; it does not change afterwards.

    `customer_uid` is set when the payment issues a billing key or uses one (`key_use`). `notice_urls` are told of this
    payment, in the place of the merchant's own webhook address or beside it; `custom_data` is the JSON text that is
    given back as it came.
    """

    merchant_uid: str
    name: str
    price: Price
    buyer: Buyer = field(default_factory=Buyer)
    customer_uid: str | None = None
    key_use: KeyUse | None = None
    custom_data: str | None = None
    notice_urls: tuple[str, ...] = ()
    user_agent: str | None = None
    quantity: int = 1
    card_quota_months: int | None = None
    kept: str | None = None
    """JSON of what the page sent for other PGs and may want back (`escrow`, `period`); nothing here acts on it."""


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as stored. Times are aware UTC."""

    merchant_id: str
    imp_uid: str
    order: Order
    status: Status
    origin: Origin
    pg_provider: str
    pg_merchant_id: str
    """The merchant's number at the PG: a KakaoPay CID."""
    channel_id: str
    test_mode: bool
    started_at: datetime
    updated_at: datetime
    version: int = 1
    """How often the payment has moved, its creation included; every write names the version it was made from."""
    billing_key_id: str | None = None
    method: Method | None = None
    pg_tid: str | None = None
    card: CardDetails | None = None
    receipt_url: str | None = None
    cancelled_amount: int = 0
    paid_at: datetime | None = None
    failed_at: datetime | None = None
    cancelled_at: datetime | None = None
    fail_code: str | None = None
    fail_reason: str | None = None
    cancel_reason: str | None = None
    undo_at: datetime | None = None
    """When to try next to give the money back, because the billing key that came with it was lost."""
    put_off: bool = False
    """It failed for what nobody declined, and its scheduled charge waits: the merchant's server is not told of it."""

    @property
    def key_lost(self) -> bool:
        """Whether the payment took money, or nothing, for a billing key that never came."""
        return (
            self.order.key_use is KeyUse.ISSUE
            and self.status in {Status.PAID, Status.CANCELLED}
            and self.billing_key_id is None
        )

    @property
    def status_at(self) -> datetime:
        """When the payment came to where it stands, as lists by time see it: opened, paid, failed or last cancelled."""
        return self.cancelled_at or self.paid_at or self.failed_at or self.started_at
