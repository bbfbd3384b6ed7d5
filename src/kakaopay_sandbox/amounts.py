"""Whole won and how they divide into tax-free, VAT and deposit (docs/wire/kakaopay.md, 2 and 7.5)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Amount:
    """One `amount` object of the wire; points and discounts are never used by the simulated buyer."""

    total: int
    tax_free: int
    vat: int
    green_deposit: int = 0

    def minus(self, other: "Amount") -> "Amount":
        return Amount(
            self.total - other.total,
            self.tax_free - other.tax_free,
            self.vat - other.vat,
            self.green_deposit - other.green_deposit,
        )

    def plus(self, other: "Amount") -> "Amount":
        return Amount(
            self.total + other.total,
            self.tax_free + other.tax_free,
            self.vat + other.vat,
            self.green_deposit + other.green_deposit,
        )

    def on_the_wire(self) -> dict[str, int]:
        return {
            "total": self.total,
            "tax_free": self.tax_free,
            "vat": self.vat,
            "point": 0,
            "discount": 0,
            "green_deposit": self.green_deposit,
        }


NOTHING = Amount(0, 0, 0, 0)


def default_vat(total: int, tax_free: int) -> int:
    """A rounded eleventh of what is taxed; elevenths never fall on exactly one half."""
    return (2 * (total - tax_free) + 11) // 22


def default_cancel_vat(cancel_total: int, cancel_tax_free: int, left: Amount) -> int:
    """The VAT of a cancel that does not state it: all that is left if it empties the payment, else clamped."""
    if cancel_total == left.total:
        return left.vat
    return min(default_vat(cancel_total, cancel_tax_free), left.vat)


def splits(amount: Amount) -> bool:
    """Whether the parts fit into the total: tax-free, VAT of the taxed rest, deposit."""
    return (
        0 <= amount.tax_free <= amount.total
        and 0 <= amount.vat <= amount.total - amount.tax_free
        and 0 <= amount.green_deposit <= amount.total
    )
