"""A prepared amount: what an order will cost, said before its window opens, so that the page cannot change it."""

from __future__ import annotations

from dataclasses import dataclass

from maedal.payments.errors import AmountMismatch
from maedal.payments.money import Currency, Money


@dataclass(frozen=True, slots=True)
class PreparedAmount:
    """The amount registered for a merchant_uid, in whole units; `currency` None leaves the currency unchecked."""

    merchant_id: str
    merchant_uid: str
    amount: int
    currency: Currency | None = None

    def check(self, total: Money) -> None:
        """Raise AmountMismatch when a window asks for anything else (docs/wire/portone-v1-rest.md 4.4)."""
        if total.amount != self.amount or self.currency not in {None, total.currency}:
            raise AmountMismatch("the amount differs from the one registered for this merchant_uid")
