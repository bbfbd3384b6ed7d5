"""What is read of billing keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from maedal.billing_keys.billing_key import BillingKey
from maedal.billing_keys.ending import KeyEnding, PendingEnding
from maedal.payments.attempt import Method


class KeyStanding(StrEnum):
    """How merchants divide their billing keys."""

    LIVING = "living"
    GONE = "gone"  # the buyer, or the PG, has ended it there
    REPLACED = "replaced"
    DELETED = "deleted"
    ENDING = "ending"  # ended here, and the PG has not confirmed that yet
    ALL = "all"


@dataclass(frozen=True, slots=True)
class KeyFilter:
    """Which billing keys are looked for; `word` is a part of a customer_uid, name, e-mail address or phone number."""

    standing: KeyStanding = KeyStanding.LIVING
    word: str = ""
    channel_id: str | None = None
    method: Method | None = None
    test_mode: bool | None = None


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """What a billing key was and will be used for."""

    charges_since: int
    """How many charges of it were approved since a moment, cancelled ones too."""
    last_paid_at: datetime | None = None
    next_at: datetime | None = None
    """When the next scheduled charge of its customer is due, if it lives."""
    issued_at: datetime | None = None
    """When it was issued itself; a key's `inserted_at` is when its customer registered first."""
    waiting: int = 0
    """How many scheduled charges of its customer wait."""


class BillingKeyReads(Protocol):
    """What is read of billing keys."""

    async def find(self, merchant_id: str, customer_uid: str) -> BillingKey | None:
        """Return the living key of a customer_uid."""
        ...

    async def find_by_id(self, merchant_id: str, billing_key_id: str) -> BillingKey | None:
        """Return a key, living or ended."""
        ...

    async def living(self, merchant_id: str, customer_uids: Sequence[str]) -> Sequence[BillingKey]:
        """Return the living keys of these customer_uids, in any order."""
        ...

    async def of_customer(self, merchant_id: str, customer_uid: str, limit: int) -> Sequence[BillingKey]:
        """Return a customer's keys, the newest first, ended ones too."""
        ...

    async def found_by(self, merchant_id: str, word: str, limit: int) -> Sequence[BillingKey]:
        """Return keys, newest first, whose id, customer_uid, name, e-mail address or phone number is a word."""
        ...

    async def gone_with_plans(self, merchant_id: str, test_mode: bool | None, count_max: int) -> int:
        """Return how many customers have a key that has ended at the PG and scheduled charges that wait for it."""
        ...

    async def search(
        self,
        merchant_id: str,
        wanted: KeyFilter,
        limit: int,
        offset: int = 0,
        after: tuple[datetime, str] | None = None,
    ) -> Sequence[BillingKey]:
        """Return billing keys, the newest first, after the one that was inserted at this moment and has this id."""
        ...

    async def count(self, merchant_id: str, wanted: KeyFilter, count_max: int) -> int:
        """Return how many there are, counted up to a bound."""
        ...

    async def usage(self, merchant_id: str, keys: Sequence[BillingKey], since: datetime) -> dict[str, KeyUsage]:
        """Return what each of a page of keys was used for since a moment, by the key's id."""
        ...

    async def after(self, merchant_id: str, billing_key_id: str, count_max: int) -> Sequence[BillingKey]:
        """Return a merchant's billing keys, ended ones too, in the order of their ids."""
        ...

    async def due_endings(self, now: datetime, count_max: int) -> Sequence[KeyEnding]:
        """Return the keys to end at the PG whose next try is due and that no open charge holds, longest due first."""
        ...

    async def pending_endings(self, count_max: int) -> Sequence[PendingEnding]:
        """Return the ended keys of all merchants whose end the PG has not confirmed, the longest due first."""
        ...

    async def pending_endings_of(
        self, merchant_id: str, count_max: int, test_mode: bool | None = None
    ) -> Sequence[PendingEnding]:
        """Return a merchant's ended keys, of all or of one mode, whose end the PG has not confirmed, oldest first."""
        ...

    async def pending_ending(self, merchant_id: str, billing_key_id: str) -> PendingEnding | None:
        """Return how far the end of a key at the PG has come, while it is pending."""
        ...

    async def with_pending_ending(self, merchant_id: str, billing_key_ids: Sequence[str]) -> set[str]:
        """Return which of these keys are still to be ended at the PG."""
        ...

    async def has_open_charge(self, merchant_id: str, billing_key_id: str) -> bool:
        """Return whether a charge of the billing key is running, or its outcome unknown."""
        ...

    async def ended_key_charged_since(self, merchant_id: str, customer_uid: str) -> datetime | None:
        """Return when the latest charge of an ended key of the customer was begun that has no outcome yet at all."""
        ...


class HasBillingKeys(Protocol):
    @property
    def billing_keys(self) -> BillingKeyReads: ...
