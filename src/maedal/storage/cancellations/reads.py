"""What is read of cancels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from maedal.payments.cancellation import Cancellation
from maedal.payments.payment import Payment


@dataclass(frozen=True, slots=True)
class RefusedRefund:
    """A refund that the PG refused, of a payment of which money is still left, and which nobody made since."""

    payment: Payment
    amount: int
    code: str | None
    message: str | None
    refused_at: datetime


@dataclass(frozen=True, slots=True)
class CancellationFilter:
    """Which of a merchant's cancels, by when they were begun: `since` inclusive, `before` not."""

    since: datetime
    before: datetime
    test_mode: bool | None = None


class CancellationReads(Protocol):
    """What is read of cancels."""

    async def of_payments(self, merchant_id: str, imp_uids: Sequence[str]) -> Sequence[Cancellation]:
        """Return the cancellations of these payments, done or not, oldest first."""
        ...

    async def search(
        self, merchant_id: str, wanted: CancellationFilter, limit: int, after: tuple[datetime, str] | None = None
    ) -> Sequence[Cancellation]:
        """Return cancels, the newest first, after the one that was begun at this moment and has this id."""
        ...

    async def count(self, merchant_id: str, wanted: CancellationFilter, count_max: int) -> int:
        """Return how many there are, counted up to a bound."""
        ...

    async def refused_since(
        self, merchant_id: str, since: datetime, count_max: int, test_mode: bool | None = None
    ) -> Sequence[RefusedRefund]:
        """Return refunds that were refused since then and that no later cancel of their payment has made good.

        The newest first, one of each payment.
        """
        ...

    async def has_open(self, merchant_id: str, imp_uid: str) -> bool:
        """Return whether a cancel of the payment is running, or its outcome unknown."""
        ...


class HasCancellations(Protocol):
    @property
    def cancellations(self) -> CancellationReads: ...
