"""What is read for the lists of payments that people look through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from maedal.payments.attempt import Method
from maedal.payments.cancellation import RefundKind
from maedal.payments.failure_causes import FailedWith
from maedal.payments.payment import KeyUse, Origin, Payment


class SearchField(StrEnum):
    """What a payment can be found by. The order is that in which its text is kept: new ones come last."""

    IMP_UID = "imp_uid"
    MERCHANT_UID = "merchant_uid"
    CUSTOMER_UID = "customer_uid"
    NAME = "name"
    BUYER_NAME = "buyer_name"
    BUYER_EMAIL = "buyer_email"
    BUYER_TEL = "buyer_tel"
    BUYER_ADDR = "buyer_addr"
    PG_TID = "pg_tid"
    APPROVAL_NUMBER = "card_approval_number"
    CARD_ISSUER = "card_issuer_name"
    FAIL_REASON = "fail_reason"
    CANCEL_REASON = "cancel_reason"


class Basis(StrEnum):
    """Which of its times puts a payment into a span."""

    REQUESTED = "requested"
    PAID = "paid"  # whatever became of it since
    STATUS = "status"  # came to where it stands: opened, paid, failed or last cancelled


class PaymentStanding(StrEnum):
    """Where payments stand, as people tell them apart."""

    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PARTLY = "partly"
    WHOLLY = "wholly"
    WAITING = "waiting"
    UNKNOWN = "unknown"


class Use(StrEnum):
    """What a payment is to a billing key."""

    ONE_TIME = "one_time"
    ISSUE = KeyUse.ISSUE.value
    CHARGE = KeyUse.CHARGE.value
    SCHEDULED = KeyUse.SCHEDULED.value


class ListOrder(StrEnum):
    """How a list is sorted."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LARGEST = "largest"
    SMALLEST = "smallest"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands in a list: by the time of its basis or its amount, then by its id."""

    value: datetime | int
    imp_uid: str


@dataclass(frozen=True, slots=True)
class ListFilter:
    """Which of a merchant's payments; `since` is inclusive, `before` is not. What is None leaves everything in."""

    basis: Basis = Basis.REQUESTED
    since: datetime | None = None
    before: datetime | None = None
    standing: PaymentStanding | None = None
    method: Method | None = None
    use: Use | None = None
    test_mode: bool | None = None
    channel_id: str | None = None
    origin: Origin | None = None
    amount_from: int | None = None
    amount_to: int | None = None
    failed_with: FailedWith | None = None
    refund_kind: RefundKind | None = None
    """Why money was given back, in any of its cancels that are done."""
    tag: str = ""
    """A tag as it is kept; of those under it the ones that were tagged last, up to a bound."""
    word: str = ""
    """Any part of what a payment can be found by, however it is capitalised."""
    field: SearchField | None = None
    """Where alone the word is looked for."""


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A part of a list: the rows after a place, or with `backwards` those before it."""

    filter: ListFilter
    order: ListOrder
    limit: int
    place: Place | None = None
    backwards: bool = False
    bounded: bool = False
    """Whether looking may end before the list does, where filters leave next to nothing of very many payments."""


@dataclass(frozen=True, slots=True)
class ListPage:
    """Rows in their order, and whether there are more in the direction that was asked for."""

    payments: Sequence[Payment]
    more: bool
    looked_until: Place | None = None
    """Where looking ended before the list did: what comes after this place was not looked at."""
    in_parts: bool = False
    """Whether it is one part of a list that is looked through part by part; each may be empty."""


@dataclass(frozen=True, slots=True)
class PaymentCounts:
    """How many payments of a filter stand where, whatever standing it asks for."""

    of: Mapping[PaymentStanding, int]
    exact: bool
    """Whether all were counted; else there are at least so many."""

    @property
    def all(self) -> int:
        """How many there are in all."""
        parts = (PaymentStanding.PARTLY, PaymentStanding.WHOLLY)
        return sum(count for standing, count in self.of.items() if standing not in parts)


@dataclass(frozen=True, slots=True)
class SavedView:
    """A set of filters under a name: one's own, or shared with everybody who sees the merchant's payments."""

    id: str
    merchant_id: str
    operator_id: str
    operator_name: str
    name: str
    query: str
    shared: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class FoundBy:
    """Whom a word leads to: a customer by customer_uid, or a payment of nobody's key; and the payment that told."""

    customer_uid: str | None
    imp_uid: str


@dataclass(frozen=True, slots=True)
class Export:
    """How far writing out a list has come."""

    id: str
    operator_id: str
    rows: int
    total: int
    exact: bool
    """Whether `total` is all, or what was counted of it."""
    done: bool
    seen_at: datetime


class PaymentListReads(Protocol):
    """What is read of payments by people."""

    async def page(self, merchant_id: str, wanted: ListQuery) -> ListPage: ...
    async def counts(self, merchant_id: str, wanted: ListFilter) -> PaymentCounts: ...
    async def texts_behind(self, count_max: int) -> int:
        """Return how many changed payments are not yet found by what they are now, up to a bound."""
        ...

    async def found_by(self, merchant_id: str, word: str, limit: int) -> Sequence[FoundBy]:
        """Return whose customer_uid, name, e-mail address, phone number or PG's id is a word, or begins with it."""
        ...

    async def views(self, merchant_id: str, operator_id: str) -> Sequence[SavedView]:
        """Return an operator's views of a merchant and those that others share."""
        ...

    async def columns(self, operator_id: str) -> str | None: ...
    async def export(self, operator_id: str, export_id: str) -> Export | None: ...


class HasPaymentLists(Protocol):
    @property
    def payment_lists(self) -> PaymentListReads: ...
