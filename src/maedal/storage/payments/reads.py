"""What is read of payments and what happened to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from maedal.billing_keys.billing_key import BillingKey
from maedal.payments.moves import Event, Start, Status
from maedal.payments.payment import Payment

CUSTOMER_PAYMENTS_MAX = 5_000


class Sorting(StrEnum):
    """Orders of a list of payments, newest or oldest first, by one of its times."""

    STARTED = "started"
    STARTED_NEWEST = "-started"
    PAID = "paid"
    PAID_NEWEST = "-paid"
    UPDATED = "updated"
    UPDATED_NEWEST = "-updated"


@dataclass(frozen=True, slots=True)
class PaymentFilter:
    """One page of a merchant's payments: of an order, of a billing key's customer_uid, or that came to their status in
    a span of time.

    `since` and `until` are inclusive. `page` counts from 1.
    """

    statuses: Sequence[Status]
    sorting: Sorting
    page: int
    limit: int
    merchant_uid: str | None = None
    customer_uid: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """The rows of one page, and how many there are on all pages."""

    total: int
    payments: Sequence[Payment]


@dataclass(frozen=True, slots=True)
class CustomerSums:
    """What a customer's payments came to, in whole won: the newest `CUSTOMER_PAYMENTS_MAX` of them, or all."""

    paid_count: int
    taken: int
    """What was charged, whatever was given back later."""
    refunded: int
    failed_count: int
    exact: bool
    """Whether these are all."""


@dataclass(frozen=True, slots=True)
class PastEvent:
    """One move of a payment, as it was kept."""

    event: Event | Start
    status: Status
    proof: str | None
    attempt_id: str | None
    happened_at: datetime


class PaymentReads(Protocol):
    """What is read of payments."""

    async def find(self, merchant_id: str, imp_uid: str) -> Payment | None: ...
    async def find_by_merchant_uid(
        self, merchant_id: str, merchant_uid: str, statuses: Sequence[Status], sorting: Sorting
    ) -> Payment | None: ...

    async def by_ids(
        self, merchant_id: str, imp_uids: Sequence[str], merchant_uids: Sequence[str]
    ) -> Sequence[Payment]:
        """Return the payments under any of these ids, newest started first."""
        ...

    async def find_by_attempt(self, merchant_id: str, attempt_id: str) -> Payment | None:
        """Return the payment that an attempt is about, or None when there is no such attempt."""
        ...

    async def page(self, merchant_id: str, wanted: PaymentFilter) -> PaymentPage: ...
    async def after(self, merchant_id: str, imp_uid: str, count_max: int) -> Sequence[Payment]:
        """Return a merchant's payments in the order of their ids, from the one after `imp_uid` on."""
        ...

    async def of_key(self, merchant_id: str, key: BillingKey, limit: int) -> Sequence[Payment]:
        """Return the newest payments of a key, the one that issued it among them."""
        ...

    async def of_customer(
        self, merchant_id: str, customer_uid: str, limit: int, test_mode: bool | None = None
    ) -> Sequence[Payment]:
        """Return the newest payments of a customer, of all or of one mode."""
        ...

    async def last_failure_of(
        self, merchant_id: str, customer_uid: str, test_mode: bool | None = None
    ) -> Payment | None:
        """Return the payment of a customer that failed last."""
        ...

    async def sums_of_customer(
        self, merchant_id: str, customer_uid: str, test_mode: bool | None = None
    ) -> CustomerSums: ...

    async def issue_of_key(self, merchant_id: str, key: BillingKey) -> Payment | None:
        """Return the payment that issued a key."""
        ...

    async def without_tid(self, count_max: int) -> Sequence[Payment]:
        """Return payments that are paid and lack the PG's id, the longest paid first."""
        ...

    async def without_tid_of(
        self, merchant_id: str, count_max: int, test_mode: bool | None = None
    ) -> Sequence[Payment]:
        """Return a merchant's payments, of all or one mode, that are paid and lack the PG's id, longest paid first."""
        ...

    async def order_without_tid(self, merchant_id: str, imp_uid: str) -> str | None:
        """Return the order id under which the PG was asked for the charge that made the payment paid without a tid."""
        ...

    async def due_undos(self, due: datetime, count_max: int) -> Sequence[Payment]:
        """Return payments of all merchants whose next try to give the money back is due, the longest due first."""
        ...

    async def events(self, merchant_id: str, imp_uid: str) -> Sequence[PastEvent]:
        """Return what happened to a payment, oldest first."""
        ...


class HasPayments(Protocol):
    @property
    def payments(self) -> PaymentReads: ...
