"""What is read of cancels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from maedal.payments.cancellation import Cancellation


class CancellationReads(Protocol):
    """What is read of cancels."""

    async def of_payments(self, merchant_id: str, imp_uids: Sequence[str]) -> Sequence[Cancellation]:
        """Return the cancellations of these payments, done or not, oldest first."""
        ...

    async def has_open(self, merchant_id: str, imp_uid: str) -> bool:
        """Return whether a cancel of the payment is running, or its outcome unknown."""
        ...


class HasCancellations(Protocol):
    @property
    def cancellations(self) -> CancellationReads: ...
