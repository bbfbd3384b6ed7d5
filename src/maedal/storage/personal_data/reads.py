"""What is read before something about buyers is erased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Kind(StrEnum):
    """What is kept for a time of its own."""

    PAID = "paid"  # buyers of payments that took money, cancelled ones too, and of scheduled charges that were made
    UNPAID = "unpaid"  # buyers of payments that failed, and of scheduled charges that were revoked
    ENDED_KEY = "ended_key"  # who registered a billing key that has ended


@dataclass(frozen=True, slots=True)
class Traces:
    """Rows that tell of buyers: payments by imp_uid, schedules by merchant_uid, billing keys by id, customers by uid,
    plans by plan_uid.

    Beside a payment or customer something may be written, and that may be all that tells of them.
    """

    payments: Sequence[str] = ()
    schedules: Sequence[str] = ()
    billing_keys: Sequence[str] = ()
    customers: Sequence[str] = ()
    plans: Sequence[str] = ()

    def __len__(self) -> int:
        return sum(map(len, (self.payments, self.schedules, self.billing_keys, self.customers, self.plans)))


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows there are of each, and how many payments are still under way and keep what they have."""

    payments: int = 0
    schedules: int = 0
    billing_keys: int = 0
    under_way: int = 0
    customers: int = 0
    """Beside whom something is written."""
    plans: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.payments + other.payments,
            self.schedules + other.schedules,
            self.billing_keys + other.billing_keys,
            self.under_way + other.under_way,
            self.customers + other.customers,
            self.plans + other.plans,
        )

    @property
    def all(self) -> int:
        """What can be erased."""
        return self.payments + self.schedules + self.billing_keys + self.customers + self.plans


class PersonalDataReads(Protocol):
    """What is read of buyers. Rows that tell nothing any more are never among it."""

    async def of_buyer(
        self, merchant_id: str, customer_uid: str | None, merchant_uid: str | None, count_max: int
    ) -> Traces:
        """Return what tells of a customer, or of an order, or of a customer's order; up to a bound of each."""
        ...

    async def count_of_buyer(self, merchant_id: str, customer_uid: str | None, merchant_uid: str | None) -> Counts: ...
    async def older(self, merchant_id: str, kind: Kind, before: datetime, count_max: int) -> Traces:
        """Return what has ended before a moment, up to a bound of each."""
        ...

    async def count_older(self, merchant_id: str, kind: Kind, before: datetime) -> Counts: ...


class HasPersonalData(Protocol):
    """A store of which no more is known than what it is asked about buyers."""

    @property
    def personal_data(self) -> PersonalDataReads: ...
