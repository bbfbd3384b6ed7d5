"""Money: whole won, with their currency."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from maedal.payments.errors import CurrencyMismatch, InvalidAmount

AMOUNT_MAX = 9_999_999_999
"""Largest amount of one payment, in won. Far above any PG's own limit; keeps every sum of a year inside 64 bits."""


class Currency(StrEnum):
    """Currencies that some driver can take; KakaoPay takes KRW alone."""

    KRW = "KRW"


@dataclass(frozen=True, slots=True)
class Money:
    """Smallest units of `currency`; KRW has none smaller, so 1000 is one thousand won."""

    amount: int
    currency: Currency = Currency.KRW

    def __post_init__(self) -> None:
        if isinstance(self.amount, bool) or not isinstance(self.amount, int):
            raise InvalidAmount(f"amount must be a whole number, not {type(self.amount).__name__}")
        if not 0 <= self.amount <= AMOUNT_MAX:
            raise InvalidAmount(f"amount must be between 0 and {AMOUNT_MAX}")

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other)

    def _same(self, other: Money) -> int:
        if other.currency is not self.currency:
            raise CurrencyMismatch(f"cannot combine {self.currency} with {other.currency}")
        return other.amount


@dataclass(frozen=True, slots=True)
class Price:
    """What a payment costs and how Korean VAT divides it; whole won, `total` includes everything.

    `taxable` is `total - tax_free` and contains its VAT of one eleventh.
    """

    total: Money
    tax_free: Money

    def __post_init__(self) -> None:
        if self.total < self.tax_free:
            raise InvalidAmount("tax_free must not be greater than amount")

    @property
    def vat(self) -> Money:
        """VAT contained in the taxable part, rounded to the nearest won.

        Elevenths never end on exactly one half, so the rounding mode does not matter (docs/wire/kakaopay.md 2).
        """
        taxable = self.total.amount - self.tax_free.amount
        return Money((2 * taxable + 11) // 22, self.total.currency)


def krw(amount: int, tax_free: int = 0) -> Price:
    """Return the price of `amount` whole won, `tax_free` of them without VAT."""
    return Price(Money(amount), Money(tax_free))
