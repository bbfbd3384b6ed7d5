"""What we need of any store for the pages about billing keys, in our words; see store.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from maedal.billing_keys.billing_key import BillingKey
from maedal.billing_keys.ending import PendingEnding
from maedal.payments.attempt import Method
from maedal.payments.payment import Payment


class KeyStanding(StrEnum):
    """How merchants divide their billing keys."""

    LIVING = "living"
    GONE = "gone"  # the buyer, or the PG, has ended it there
    REPLACED = "replaced"
    DELETED = "deleted"
    ENDING = "ending"  # ended here, and the PG has not confirmed that yet
    ALL = "all"


@dataclass(frozen=True, slots=True)
class KeyWish:
    """Which billing keys are looked for; `word` is a part of a customer_uid, name, e-mail address or phone number."""

    standing: KeyStanding = KeyStanding.LIVING
    word: str = ""
    channel_id: str | None = None
    method: Method | None = None
    test_mode: bool | None = None


@dataclass(frozen=True, slots=True)
class KeyUseSeen:
    """What a billing key was and will be used for."""

    charges_since: int
    """How many charges of it were approved since a moment, cancelled ones too."""
    last_paid_at: datetime | None = None
    next_at: datetime | None = None
    """When the next planned charge of its customer is due, if it lives."""
    issued_at: datetime | None = None
    """When it was issued itself; a key's `inserted_at` is when its customer registered first."""
    waiting: int = 0
    """How many planned charges of its customer wait."""


class KeyringReads(Protocol):
    """What is read of billing keys by people."""

    async def keyring(self, merchant_id: str, wanted: KeyWish, limit: int, offset: int = 0) -> Sequence[BillingKey]:
        """Return billing keys, the newest first."""
        ...

    async def key_count(self, merchant_id: str, wanted: KeyWish, count_max: int) -> int:
        """Return how many there are, counted up to a bound."""
        ...

    async def key_uses(self, merchant_id: str, keys: Sequence[BillingKey], since: datetime) -> dict[str, KeyUseSeen]:
        """Return what each of a page of keys was used for since a moment, by the key's id."""
        ...

    async def keys_of_customer(self, merchant_id: str, customer_uid: str, limit: int) -> Sequence[BillingKey]:
        """Return a customer's keys, the newest first, ended ones too."""
        ...

    async def payments_of_key(self, merchant_id: str, key: BillingKey, limit: int) -> Sequence[Payment]:
        """Return the newest payments of a key, the one that issued it among them."""
        ...

    async def issue_of_key(self, merchant_id: str, key: BillingKey) -> Payment | None:
        """Return the payment that issued a key."""
        ...

    async def ending_of_key(self, merchant_id: str, billing_key_id: str) -> PendingEnding | None:
        """Return how far the end of a key at the PG has come, while it is pending."""
        ...

    async def endings_of(self, merchant_id: str, billing_key_ids: Sequence[str]) -> set[str]:
        """Return which of these keys are still to be ended at the PG."""
        ...
