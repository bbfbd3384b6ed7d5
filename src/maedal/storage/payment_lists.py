"""What we need of any store for the lists of payments that people look through, in our words; see store.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from maedal.merchants.act import Act
from maedal.payments.attempt import Attempt, Method, Outcome, Proof
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


class Standing(StrEnum):
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
class Filter:
    """Which of a merchant's payments; `since` is inclusive, `before` is not. What is None leaves everything in."""

    basis: Basis = Basis.REQUESTED
    since: datetime | None = None
    before: datetime | None = None
    standing: Standing | None = None
    method: Method | None = None
    use: Use | None = None
    test_mode: bool | None = None
    channel_id: str | None = None
    origin: Origin | None = None
    amount_from: int | None = None
    amount_to: int | None = None
    word: str = ""
    """Any part of what a payment can be found by, however it is capitalised."""
    field: SearchField | None = None
    """Where alone the word is looked for."""


@dataclass(frozen=True, slots=True)
class ListWish:
    """A part of a list: the rows after a place, or with `backwards` those before it."""

    filter: Filter
    order: ListOrder
    limit: int
    place: Place | None = None
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class ListPart:
    """Rows in their order, and whether there are more in the direction that was asked for."""

    payments: Sequence[Payment]
    more: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How many payments of a filter stand where, whatever standing it asks for."""

    of: Mapping[Standing, int]
    exact: bool
    """Whether all were counted; else there are at least so many."""

    @property
    def all(self) -> int:
        """How many there are in all."""
        parts = (Standing.PARTLY, Standing.WHOLLY)
        return sum(count for standing, count in self.of.items() if standing not in parts)


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """One call to the PG and what is known of it."""

    attempt: Attempt
    outcome: Outcome | None
    proof: Proof | None
    pg_tid: str | None
    code: str | None
    message: str | None
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class SavedView:
    """A set of filters under a name: one's own, or shared with everybody who sees the merchant's payments."""

    id: str
    merchant_id: str
    user_id: str
    user_name: str
    name: str
    query: str
    shared: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class IndexTexts:
    """Let payments that changed be found by what they are now, up to `count_max` of them; gives how many there were."""

    count_max: int


@dataclass(frozen=True, slots=True)
class PutView:
    """Keep a view; one of the same name of the same user is replaced."""

    view: SavedView
    act: Act


@dataclass(frozen=True, slots=True)
class DropView:
    """Forget a view; gives False when there is none."""

    view: SavedView
    act: Act


@dataclass(frozen=True, slots=True)
class PutColumns:
    """Keep which columns a user wants to see in lists of payments."""

    user_id: str
    columns: str


@dataclass(frozen=True, slots=True)
class Export:
    """How far writing out a list has come."""

    id: str
    user_id: str
    rows: int
    total: int
    exact: bool
    """Whether `total` is all, or what was counted of it."""
    done: bool
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class BeginExport:
    """Keep that a list begins to be written out, and who did it."""

    export: Export
    act: Act
    forget_before: datetime
    """The user's exports from before this are forgotten."""


@dataclass(frozen=True, slots=True)
class PutExport:
    """Keep how far it has come."""

    export: Export


ListWrite = IndexTexts | PutView | DropView | PutColumns | BeginExport | PutExport


class PaymentListReads(Protocol):
    """What is read of payments by people."""

    async def payment_list(self, merchant_id: str, wanted: ListWish) -> ListPart: ...
    async def payment_counts(self, merchant_id: str, wanted: Filter) -> Counts: ...
    async def texts_behind(self, count_max: int) -> int:
        """Return how many changed payments are not yet found by what they are now, up to a bound."""
        ...

    async def attempts(self, merchant_id: str, imp_uid: str) -> Sequence[PastAttempt]:
        """Return the calls to the PG that a payment led to, oldest first."""
        ...

    async def views(self, merchant_id: str, user_id: str) -> Sequence[SavedView]:
        """Return a user's views of a merchant and those that others share."""
        ...

    async def columns(self, user_id: str) -> str | None: ...
    async def export(self, user_id: str, export_id: str) -> Export | None: ...
